"""lrs pathway, lrs award and lrs consent: what stands on standard output, and with which code it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.settings import read_settings
from lrs.services import build_services
from tests.factories import make_statement
from tests.unit.cli.test_keys import Run, run  # noqa: F401 - a fixture

ANA = "mailto:ana@example.org"
PATHWAY = {
    "name": "tide",
    "title": "Tide Maker",
    "steps": [{"id": "a", "title": "Come", "needs": {"activity": ["https://museum.example/*"]}}],
    "award": {"title": "Tide Maker", "description": "D", "criteria": "C"},
}


@pytest.fixture
def city(run: Run, tmp_path: Path) -> Run:  # noqa: F811
    """A museum with a record of Ana, and a school."""
    run("institution", "create", "School")
    statement = make_statement(
        actor={"mbox": ANA, "name": "Ana"}, object={"id": "https://museum.example/knots"}
    )
    (tmp_path / "records.json").write_text(json.dumps([statement]))
    assert run("import", "--institution", "Museum", str(tmp_path / "records.json")).code == 0
    return run


def take(run: Run, tmp_path: Path, value: Any, *more: str) -> Any:  # noqa: F811
    file = tmp_path / "pathway.json"
    file.write_text(json.dumps(value))
    return run("pathway", "import", str(file), "--institution", "Museum", *more)


def test_pathway_leads_to_an_award_that_is_listed_for_the_learner(city: Run, tmp_path: Path) -> None:
    made = take(city, tmp_path, PATHWAY)
    assert (made.code, made.out) == (0, "tide, version 1, 1 steps\n")
    assert take(city, tmp_path, PATHWAY).out == "tide, version 1, 1 steps, as before\n"
    assert json.loads(take(city, tmp_path, PATHWAY, "--json").out)["changed"] is False
    assert [one["name"] for one in json.loads(city("pathway", "list", "--json").out)] == ["tide"]
    assert city("pathway", "list", "--institution", "School").out == ""
    assert city("worker", "--once").code == 0
    (award,) = json.loads(city("award", "list", ANA, "--json").out)
    assert (award["title"], award["institution"], award["state"]) == ("Tide Maker", "Museum", "issued")
    assert "issued\tMuseum\tTide Maker" in city("award", "list", ANA).out
    assert json.loads(city("learner", "find", ANA, "--json").out)["name"] == "Ana"
    assert [one["id"] for one in json.loads(city("learner", "list", "--json").out)]


def test_pathway_is_refused_with_every_problem_and_its_place(city: Run, tmp_path: Path) -> None:
    steps = [{"id": "a", "title": "A", "needs": {"k": 2, "of": [{"item": "X"}]}}]
    done = take(city, tmp_path, {**PATHWAY, "steps": steps, "minOptional": 4})
    assert (done.code, done.out) == (1, "")
    for path in ("/steps/0/needs/k", "/steps/0/needs/of/0/item", "/minOptional"):
        assert f"  {path}: " in done.err
    (tmp_path / "pathway.json").write_text("{")
    assert city("pathway", "import", str(tmp_path / "pathway.json"), "--institution", "Museum").code == 1


def test_consent_is_given_shown_and_taken_back(city: Run) -> None:
    city("worker", "--once")
    given = city(
        *("consent", "grant", ANA, "--institution", "School", "--kind", "records"),
        *("--source", "Museum", "--until", "2099-12-31", "--json"),
    )
    view = json.loads(given.out)
    assert (view["institution"]["name"], view["kinds"], view["state"]) == ("School", ["records"], "granted")
    assert view["until"] == "2100-01-01T00:00:00.000000Z"
    services = build_services(read_settings())
    school = services.access.handle_for_institution_named("School")
    learner = services.learners.find(ANA).id
    assert len(services.consents.open(school, learner, "transcript", "x").sources) == 2
    services.close()
    shown = json.loads(city("consent", "show", ANA, "--json").out)
    assert [one["ground"] for one in shown["disclosures"]] == ["consent"]
    assert [event["by"] for one in shown["consents"] for event in one["events"]] == ["operator"]
    lines = city("consent", "show", ANA).out.splitlines()
    assert len(lines) == 2
    assert city("consent", "withdraw", ANA, "--institution", "School").code == 0
    assert "withdrawn" in city("consent", "show", ANA).out
    assert city("consent", "withdraw", ANA, "--institution", "Museum").code == 1
    assert city("consent", "grant", ANA, "--institution", "Nobody").code == 1
    assert city("consent", "grant", ANA, "--institution", "School", "--until", "soon").code == 1


def test_basis_is_declared_and_taken_back(city: Run) -> None:
    declare = ("consent", "declare", "act-12", "--institution", "School", "--group", "8A")
    assert city(*declare).code == 1
    made = city(*declare, "--text", "School Act 12", "--json")
    assert json.loads(made.out)["groups"] == ["8A"]
    (listed,) = json.loads(city("consent", "bases", "--json").out)
    assert (listed["institution"], listed["name"]) == ("School", "act-12")
    assert city("consent", "bases", "--institution", "Museum").out == ""
    assert "School Act 12" in city("consent", "bases", "--institution", "School").out
    assert city(*declare, "--remove").code == 0
    assert city(*declare, "--remove").code == 1
