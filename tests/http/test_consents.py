"""Learners and consents over HTTP: each institution its own, each learner their own."""

from typing import Any

import pytest

from lrs.access.model import Scope
from lrs.jobs.model import Outcome
from lrs.learners.service import RosterOptions
from tests.http.conftest import Instance
from tests.http.posting import GOOD
from tests.unit.learners.people import rows

ADA = {"mbox": "mailto:ada@example.org"}
ACCOUNT = {"account": {"homePage": "https://museum.example", "name": "visitor 7"}}
INSTITUTIONS = "/api/v1/institutions"
ME = "/api/v1/me"


@pytest.fixture
def city(instance: Instance) -> Instance:
    return filled(instance)


@pytest.fixture(scope="module")
def steady(shared_instance: Instance) -> Instance:
    """The same for a test that changes nothing, because all that it sends is refused."""
    return filled(shared_instance)


def filled(instance: Instance) -> Instance:
    """A school and a museum that know one learner by two identifiers, which the learner linked."""
    school, museum = instance.key("School"), instance.key("Museum")
    instance.post({**GOOD, "actor": {**ADA, "name": "Ada"}}, school)
    instance.post({**GOOD, "actor": {**ACCOUNT, "name": "A. of the museum"}}, museum)
    instance.services.learners.link("mailto:ada@example.org", "https://museum.example visitor 7", "operator")
    work_off(instance)
    return instance


def work_off(instance: Instance) -> None:
    """Let the job run that derives who is who."""
    assert instance.services.jobs.run("derive").outcome is Outcome.DONE


def id_of(instance: Instance, name: str) -> str:
    return str(instance.access.get_institution_named(name).id)


def sign_in(instance: Instance, subject: str) -> None:
    session = instance.access.take_sign_in(instance.access.create_sign_in("School", "learner", subject))
    instance.client.set_cookie("lrs_session", session)


def ada(instance: Instance) -> str:
    return str(instance.services.learners.find("mailto:ada@example.org").id)


def listed(instance: Instance, name: str, **query: str) -> Any:
    answer = instance.client.get(
        f"{INSTITUTIONS}/{id_of(instance, name)}/learners", headers=instance.key(name), query_string=query
    )
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_each_institution_sees_its_learners_as_it_knows_them(city: Instance) -> None:
    (at_school,), (at_museum,) = listed(city, "School")["learners"], listed(city, "Museum")["learners"]
    assert at_school == {
        "id": ada(city),
        "name": "Ada",
        "identifiers": ["mbox mailto:ada@example.org"],
        "shared": False,
    }
    assert at_museum == {
        **at_school,
        "name": "A. of the museum",
        "identifiers": ["account https://museum.example visitor 7"],
    }


def test_identifier_finds_a_learner_only_where_the_institution_knows_it(city: Instance) -> None:
    for name, own, anothers in (
        ("School", "mailto:ada@example.org", "https://museum.example visitor 7"),
        ("Museum", "https://museum.example visitor 7", "mailto:ada@example.org"),
    ):
        assert [one["id"] for one in listed(city, name, identifier=own)["learners"]] == [ada(city)]
        assert [one["id"] for one in listed(city, name, identifier=ada(city))["learners"]] == [ada(city)]
        assert listed(city, name, identifier=anothers) == {"learners": [], "next": None}
        assert listed(city, name, identifier="nobody") == {"learners": [], "next": None}


def test_pages_of_learners_lead_to_all_of_them(instance: Instance) -> None:
    instance.key("School")
    handle = instance.access.handle_for_institution_named("School")
    people = rows(*({"sourcedId": str(number)} for number in range(5)))
    instance.services.learners.import_roster(handle, "r", people, RosterOptions("https://school.example"))
    work_off(instance)
    found, after = [], ""
    while after is not None:
        page = listed(instance, "School", limit="2", after=after)
        found += [one["id"] for one in page["learners"]]
        after = page["next"]
    assert len(found) == len(set(found)) == 5


def test_learner_agrees_is_seen_and_takes_it_back(city: Instance) -> None:
    sign_in(city, ada(city))
    wanted = {"institution": "School", "purpose": "transcript", "kinds": ["records"], "sources": ["Museum"]}
    made = city.client.put(f"{ME}/consents", json={**wanted, "until": "2030-01-01T00:00:00Z"})
    assert made.status_code == 200, made.text
    assert made.json["institution"] == {"id": id_of(city, "School"), "name": "School"}
    assert (made.json["state"], made.json["toConfirm"]) == ("granted", False)
    assert made.json["until"] == "2030-01-01T00:00:00.000000Z"
    assert city.client.get(f"{ME}/consents").json == {"consents": [made.json]}

    viewer = city.access.handle_for_institution_named("School")
    handle = city.services.consents.open(viewer, ada(city), "transcript", "grade 8")
    assert id_of(city, "Museum") in handle.sources
    (seen,) = city.client.get(f"{ME}/disclosures").json["disclosures"]
    assert (seen["to"]["name"], [one["name"] for one in seen["from"]]) == ("School", ["Museum"])

    given = city.client.get(f"{INSTITUTIONS}/{id_of(city, 'School')}/consents", headers=city.key("School"))
    (one,) = given.json["consents"]
    assert (one["learner"], one["purpose"], one["state"]) == (ada(city), "transcript", "granted")
    museum = city.client.get(f"{INSTITUTIONS}/{id_of(city, 'Museum')}/consents", headers=city.key("Museum"))
    assert museum.json == {"consents": []}

    path = f"{ME}/consents/{id_of(city, 'School')}/transcript"
    assert city.client.delete(path).status_code == 204
    assert city.client.get(f"{ME}/consents").json["consents"][0]["state"] == "withdrawn"
    assert city.client.delete(path.replace("transcript", "other")).status_code == 404


def test_another_learner_sees_and_changes_nothing_of_it(city: Instance) -> None:
    sign_in(city, ada(city))
    wanted = {"institution": id_of(city, "School"), "purpose": "transcript", "kinds": ["records"]}
    assert city.client.put(f"{ME}/consents", json=wanted).status_code == 200
    city.post({**GOOD, "actor": {"mbox": "mailto:bo@example.org"}}, city.key("School"))
    work_off(city)
    sign_in(city, str(city.services.learners.find("mailto:bo@example.org").id))
    assert city.client.get(f"{ME}/consents").json == {"consents": []}
    assert city.client.get(f"{ME}/disclosures").json == {"disclosures": []}
    assert city.client.delete(f"{ME}/consents/{id_of(city, 'School')}/transcript").status_code == 404


def test_nobody_of_whom_something_is_known_has_empty_lists(embedded: Instance) -> None:
    embedded.key("School")
    sign_in(embedded, "0123456789ab")
    assert embedded.client.get(f"{ME}/consents").json == {"consents": []}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"institution": "Nobody"}, 404),
        ({"sources": ["Nobody"]}, 404),
        ({"kinds": ["grades"]}, 400),
        ({"kinds": []}, 400),
        ({"purpose": "Any Thing"}, 400),
        ({"until": "2001-01-01T00:00:00Z"}, 400),
        ({"until": "soon"}, 400),
        ({"more": 1}, 400),
    ],
)
def test_what_cannot_be_agreed_to_is_refused(steady: Instance, change: dict[str, Any], status: int) -> None:
    sign_in(steady, ada(steady))
    wanted = {"institution": "School", "purpose": "transcript", "kinds": ["records"], **change}
    assert steady.client.put(f"{ME}/consents", json=wanted).status_code == status
    assert steady.client.get(f"{ME}/consents").json == {"consents": []}


def test_other_sites_other_roles_and_strangers_are_refused(city: Instance) -> None:
    wanted = {"institution": "School", "purpose": "transcript", "kinds": ["records"]}
    assert city.client.put(f"{ME}/consents", json=wanted).status_code == 401
    sign_in(city, ada(city))
    for origin in ("https://evil.example", "null"):
        sent = city.client.put(f"{ME}/consents", json=wanted, headers={"Origin": origin})
        assert sent.status_code == 403
    assert city.client.get(f"{ME}/consents").json == {"consents": []}
    same = city.client.put(f"{ME}/consents", json=wanted, headers={"Origin": "http://localhost"})
    assert same.status_code == 200
    public = city.client.put(f"{ME}/consents", json=wanted, headers={"Origin": city.access.origin})
    assert public.status_code == 200
    registrar = city.access.take_sign_in(city.access.create_sign_in("School", "registrar"))
    city.client.set_cookie("lrs_session", registrar)
    assert city.client.get(f"{ME}/consents").status_code == 403


def test_administrators_and_narrow_keys_see_no_learners(city: Instance) -> None:
    path = f"{INSTITUTIONS}/{id_of(city, 'School')}/learners"
    for headers in (city.key(None, Scope.ADMIN), city.key("School", Scope.STATEMENTS_WRITE)):
        assert city.client.get(path, headers=headers).status_code == 403
    assert city.client.get(path, headers=city.key("Museum")).status_code == 404
