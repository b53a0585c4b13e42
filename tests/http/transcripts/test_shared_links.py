"""Transcripts: what a learner's link opens."""

from lrs.portfolios.shares import ShareWish
from tests.http.transcripts.reading import disclosed, page
from tests.transcripts import ADA, COURSE, MUSEUM, SCHOOL, WORKS, City


def share(city: City) -> str:
    services = city.instance.services
    wish = ShareWish("transcript", institution=city.handle(SCHOOL).institution_id, crosswalk="diploma")
    return services.portfolios.create_share(services.learners.own(ADA), wish)


def test_a_learners_link_opens_the_transcript_without_signing_in(city: City) -> None:
    city.grant()
    token = share(city)
    text = page(city, f"/transcript/shared/{token}")
    assert "Ada Sample" in text
    assert "Work-based learning" in text
    assert "Sign out" not in text
    assert city.instance.client.get(f"/transcript/shared/{token}.json").json == city.transcript()
    assert city.instance.client.get(f"/transcript/shared/{token}.pdf").data.startswith(b"%PDF")
    assert "Mara Ek" in page(city, f"/transcript/shared/{token}/why?line=work")
    assert disclosed(city) == [("diploma@1", [MUSEUM, WORKS], "consent")]


def test_a_link_that_is_no_longer_open_says_nothing_of_whose_it_was(embedded_city: City) -> None:
    city = embedded_city
    token = share(city)
    city.instance.clock.move(31 * 86_400)
    for path in (
        f"/transcript/shared/{token}",
        f"/transcript/shared/{token}.pdf",
        "/transcript/shared/nothing",
    ):
        text = page(city, path, 404)
        assert "This link is no longer open" in text
        assert "Ada" not in text


def test_a_link_shows_nothing_of_whom_was_joined_to_the_learner_since(embedded_city: City) -> None:
    city = embedded_city
    token = share(city)
    city.say(SCHOOL, COURSE, who="mailto:zoe@example.org", result={"score": {"scaled": 0.1}})
    city.instance.services.learners.link(ADA, "mailto:zoe@example.org", "operator")
    city.derive()
    assert [one["grade"] for one in city.transcript()["courses"]] == ["F"]
    shared = city.instance.client.get(f"/transcript/shared/{token}.json").json
    assert [one["grade"] for one in shared["courses"]] == ["A"]
