"""Progress and its reasons over HTTP: what each institution may see; and frameworks, for everybody."""

import json
from typing import Any

import pytest

from lrs.access.handles import InstitutionHandle
from lrs.competencies.model import model_value
from lrs.consent.handles import Kind
from lrs.errors import AlreadyExists, Conflict, InvalidImport, InvalidParameter, NotFound
from tests.derivations import activity
from tests.factories import make_statement, make_statement_id
from tests.http.conftest import Instance
from tests.reference import reference_dir
from tests.unit.competencies.builders import FRAMEWORK, TWO_OF_THREE, a_package, an_item, spine

ADA = {"mbox": "mailto:ada@example.org", "name": "Ada"}
MODEL = json.dumps(model_value(TWO_OF_THREE)).encode()
CASE = "/ims/case/v1p1"


def a_rule(item: str = "a1", **changes: Any) -> dict[str, Any]:
    return {"id": f"r-{item}", "item": item, "when": {"activity": [activity(item)]}, **changes}


def align(instance: Instance, *rules: dict[str, Any], by: str = "School", **changes: Any) -> Any:
    body = {"name": "spine", "framework": FRAMEWORK, "rules": list(rules), **changes}
    return instance.services.frameworks.import_alignment(at(instance, by), json.dumps(body).encode())


def take(instance: Instance, package: dict[str, Any], by: str = "School", model: bytes | None = None) -> Any:
    return instance.services.frameworks.import_framework(
        at(instance, by), json.dumps(package).encode(), model
    )


def at(instance: Instance, name: str) -> InstitutionHandle:
    return instance.access.handle_for_institution_named(name)


def say(instance: Instance, key: dict[str, str], number: int, score: float, item: str = "a1") -> None:
    named = {"id": activity(item), "definition": {"name": {"en": f"Workshop {number}"}}}
    result = {"score": {"scaled": score}}
    statement = make_statement(id=make_statement_id(number), actor=ADA, object=named, result=result)
    assert instance.post(statement, key).status_code == 200


@pytest.fixture
def city(instance: Instance) -> dict[str, dict[str, str]]:
    """Three institutions; the school and the museum each know something of one learner."""
    keys = {name: instance.key(name) for name in ("School", "Museum", "Employer")}
    take(instance, spine(), model=MODEL)
    align(instance, a_rule())
    say(instance, keys["School"], 1, 0.9)
    say(instance, keys["Museum"], 2, 0.9)
    instance.services.jobs.run("derive")
    return keys


def learner(instance: Instance) -> str:
    return str(instance.services.learners.find("mailto:ada@example.org").id)


def ask(instance: Instance, key: dict[str, str], what: str = "progress", **query: str) -> Any:
    path = f"/api/v1/learners/{learner(instance)}/{what}"
    answer = instance.client.get(path, headers=key, query_string=query)
    return answer.get_json() if answer.status_code == 200 else answer.status_code


def levels(found: Any) -> dict[str, int | None]:
    return {one["item"]: one["level"] for one in found["progress"] if not one["whole"]}


def test_institution_sees_what_its_own_records_show(instance: Instance, city: Any) -> None:
    assert levels(ask(instance, city["School"])) == {"a": 0, "a1": 0}
    assert ask(instance, city["Employer"]) == 404


def test_institution_sees_more_when_the_learner_agreed_and_the_learner_sees_that(
    instance: Instance, city: Any
) -> None:
    services = instance.services
    own = services.learners.own("mailto:ada@example.org")
    school, museum = at(instance, "School"), at(instance, "Museum")
    services.consents.grant(
        own, school.institution_id, "advice", [Kind.COMPETENCIES], [museum.institution_id], None
    )
    assert levels(ask(instance, city["School"]))["a1"] == 0
    assert levels(ask(instance, city["School"], purpose="advice"))["a1"] == 3
    explained = ask(instance, city["School"], "explain", item="A1", purpose="advice")
    assert explained["text"].startswith("Level 3 (Proficient) in A1 Can do a1, because 2 of the last 2")
    assert [(one["institution"], one["what"]) for one in explained["evidence"]] == [
        ("School", "Workshop 1"),
        ("Museum", "a statement"),
    ]
    (logged,) = services.consents.disclosures(own)
    assert (logged.purpose, logged.about, logged.to) == ("advice", "progress", school.institution_id)


def test_learner_sees_everything(instance: Instance, city: Any) -> None:
    identities = instance.services.learners.own("mailto:ada@example.org").identities
    found = instance.services.frameworks.progress(identities)
    assert [one.item for one in found] == [FRAMEWORK, "a", "a1"]
    assert found[2].level == 3
    every = frozenset(at(instance, name).institution_id for name in city)
    assert instance.services.frameworks.progress(identities, every) == found
    assert instance.services.frameworks.progress(()) == []


def test_item_that_nobody_knows_or_that_is_not_the_only_one_is_not_explained(
    instance: Instance, city: Any
) -> None:
    assert ask(instance, city["School"], "explain", item="nothing") == 404
    assert ask(instance, city["School"], "explain") == 400
    identities = instance.services.learners.own("mailto:ada@example.org").identities
    with pytest.raises(NotFound):
        instance.services.frameworks.explain(identities, "nothing")
    twins = [an_item("x", humanCodingScheme="T"), an_item("y", humanCodingScheme="T")]
    take(instance, a_package(twins, identifier="22222222-0000-4000-8000-000000000002"))
    with pytest.raises(InvalidParameter, match="2 items have the code T"):
        instance.services.frameworks.explain(identities, "T")


def test_whole_framework_and_its_gaps_are_explained(instance: Instance, city: Any) -> None:
    explained = ask(instance, city["School"], "explain", item=FRAMEWORK)
    assert explained["text"].splitlines()[0] == (
        "No level yet in A spine: not everything below it has a level; 1 of 5 items below it were met with."
    )
    assert explained["missing"] == ["A2 Can do a2", "B1 Can do b1", "B2 Can do b2", "ALONE Can do alone"]
    nothing = ask(instance, city["School"], "explain", item="b1")
    assert nothing["text"].startswith("B1 Can do b1: nothing that was recorded is evidence of it.")
    assert nothing["progress"] is None


def test_frameworks_are_for_everybody(instance: Instance, city: Any) -> None:
    listed = instance.client.get(f"{CASE}/CFDocuments").get_json()
    assert [one["title"] for one in listed["CFDocuments"]] == ["A spine"]
    link = listed["CFDocuments"][0]["CFPackageURI"]["uri"]
    assert link == f"http://lrs.example.org{CASE}/CFPackages/{FRAMEWORK}"
    package = instance.client.get(f"{CASE}/CFPackages/{FRAMEWORK}").get_json()
    assert [one["identifier"] for one in package["CFItems"]] == ["a", "a1", "a2", "b", "b1", "b2", "alone"]
    document = instance.client.get(f"{CASE}/CFDocuments/{FRAMEWORK}").get_json()
    assert document == listed["CFDocuments"][0]
    assert instance.client.get(f"{CASE}/CFPackages/none").status_code == 404
    assert instance.client.get(f"{CASE}/CFDocuments?colour=red").status_code == 400


@pytest.mark.reference
def test_documents_and_packages_are_strict_case_1_1(instance: Instance) -> None:
    jsonschema = pytest.importorskip("jsonschema_rs")
    instance.key("School")
    real = json.loads((reference_dir() / "case10/smarter-balanced/mockPT.json").read_bytes())
    take(instance, real)
    schemas = reference_dir() / "case11" / "schema"
    answers = (
        ("cfdocumentset", instance.client.get(f"{CASE}/CFDocuments")),
        ("cfpackage", instance.client.get(f"{CASE}/CFPackages/{real['CFDocument']['identifier']}")),
    )
    for name, answer in answers:
        schema = json.loads((schemas / f"case_v1p1_{name}-jsonschema1.json").read_bytes())
        found = jsonschema.Draft201909Validator(schema).iter_errors(answer.get_json())
        assert [error.message for error in found] == [], name


def test_framework_is_imported_once_and_again_only_when_it_changed(instance: Instance) -> None:
    instance.key("School")
    assert take(instance, spine()).changed
    assert not take(instance, spine()).changed
    later = spine()
    later["CFDocument"]["lastChangeDateTime"] = "2026-10-01T08:00:00+00:00"
    later["CFItems"] = later["CFItems"][1:]
    later["CFAssociations"] = [
        one for one in later["CFAssociations"] if one["originNodeURI"]["identifier"] != "b2"
    ]
    done = take(instance, later, model=MODEL)
    assert (done.changed, done.withdrawn, done.framework.version) == (True, 1, 2)
    with pytest.raises(Conflict, match="later than this file"):
        take(instance, spine())
    assert take(instance, later).framework.model == TWO_OF_THREE


def test_framework_of_another_institution_is_not_imported_again(instance: Instance) -> None:
    instance.key("School")
    instance.key("Museum")
    take(instance, spine())
    with pytest.raises(AlreadyExists, match="School has this framework"):
        take(instance, spine(), by="Museum")
    align(instance, a_rule(), by="Museum")
    with pytest.raises(InvalidImport) as caught:
        align(instance, a_rule(), by="Museum", model=model_value(TWO_OF_THREE))
    assert [one.path for one in caught.value.problems] == ["/model"]


def test_alignment_that_names_something_unknown_changes_nothing(instance: Instance) -> None:
    instance.key("School")
    take(instance, spine())
    assert align(instance, a_rule()).version == 1
    with pytest.raises(InvalidImport) as caught:
        align(
            instance,
            a_rule("a2"),
            a_rule("nowhere"),
            a_rule("b1", when={"institution": ["Nobody"]}),
            model={},
        )
    assert [one.path for one in caught.value.problems] == [
        "/rules/1/item",
        "/rules/2/when/institution/0",
        "/model",
    ]
    (kept,) = instance.services.frameworks.alignments(at(instance, "School"))
    assert [one["item"] for one in kept["rules"]] == ["a1"]
    done = align(instance, a_rule(), model=model_value(TWO_OF_THREE))
    assert (done.changed, done.version) == (False, 1)
    framework = instance.services.frameworks.find_framework(FRAMEWORK)
    assert framework is not None
    assert framework.model == TWO_OF_THREE
    assert align(instance, a_rule("a2")).version == 2
