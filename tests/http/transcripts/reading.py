"""What a transcript says, and who was told."""

from tests.transcripts import ADA, City


def disclosed(city: City) -> list[tuple[str, list[str], str]]:
    services = city.instance.services
    names = {one.id: one.name for one in city.instance.access.list_institutions()}
    found = services.consents.disclosures(services.learners.own(ADA))
    return [(one.about, sorted(names[place] for place in one.sources), one.ground.value) for one in found]


def page(city: City, path: str, status: int = 200) -> str:
    answer = city.instance.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    return answer.text
