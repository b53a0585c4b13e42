"""lrs crosswalk, lrs transcript and lrs explain of a line: what stands on standard output, and the code."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.settings import read_settings
from lrs.app import create_app
from lrs.services import Outside, build_services, now_us
from tests.engines import HandClock
from tests.http.conftest import Instance
from tests.transcripts import ADA, CROSSWALK, MUSEUM, SCHOOL, found_city
from tests.unit.cli.test_keys import Run, run  # noqa: F401 - a fixture


@pytest.fixture
def city(run: Run) -> Run:  # noqa: F811
    """The city of the other tests, in the store that the commands open."""
    services = build_services(read_settings(), Outside(clock=HandClock(now_us()), durable=False))
    try:
        made = found_city(Instance(create_app(services.settings, services), services, services.outside.clock))
        made.grant()
    finally:
        services.close()
    return run


def write(folder: Path, value: Any) -> str:
    file = folder / "crosswalk.json"
    file.write_text(json.dumps(value))
    return str(file)


def test_a_crosswalk_is_taken_and_listed(city: Run, tmp_path: Path) -> None:
    file = write(tmp_path, {**CROSSWALK, "name": "second"})
    done = city("crosswalk", "import", file, "--institution", SCHOOL)
    assert (done.code, done.out) == (0, "Crosswalk second, version 1, is here now: 2 rules, 1 courses.\n")
    assert "was here already" in city("crosswalk", "import", file, "--institution", SCHOOL).out
    listed = json.loads(city("crosswalk", "list", "--json").out)
    assert [(one["name"], one["institution"], one["version"]) for one in listed] == [
        ("diploma", SCHOOL, 1),
        ("second", SCHOOL, 1),
    ]
    assert city("crosswalk", "list", "--institution", MUSEUM).out == ""
    assert city("crosswalk", "list").out.startswith("diploma\t1\tSchool\tSchool diploma\t")


def test_problems_are_named_with_their_places(city: Run, tmp_path: Path) -> None:
    rule = {**CROSSWALK["rules"][1], "from": {"items": ["Q9"], "level": 2}, "credits": "much"}
    file = write(tmp_path, {**CROSSWALK, "rules": [rule]})
    done = city("crosswalk", "import", file, "--institution", SCHOOL)
    assert done.code == 1
    assert "/rules/0/from/items/0: The framework has no item" in done.err
    assert "/rules/0/credits: " in done.err
    assert json.loads(city("crosswalk", "list", "--json").out)[0]["version"] == 1


def test_a_transcript_is_written_as_json_and_as_pdf(city: Run, tmp_path: Path) -> None:
    out = tmp_path / "ada.json"
    done = city("transcript", ADA, "--crosswalk", "diploma", "--format", "json", "--out", str(out))
    assert (done.code, done.out) == (0, "")
    made = json.loads(out.read_text())
    assert [line["id"] for line in made["lines"]] == ["work", "robots"]
    assert all(line["evidence"] for line in made["lines"])
    out = tmp_path / "ada.pdf"
    assert (
        city("transcript", ADA, "--crosswalk", f"{SCHOOL}/diploma", "--format", "pdf", "--out", str(out)).code
        == 0
    )
    assert out.read_bytes().startswith(b"%PDF")


def test_a_transcript_is_refused_for_nobody_and_without_its_crosswalk(city: Run) -> None:
    assert city("transcript", "mailto:nobody@example.org", "--crosswalk", "diploma").code == 1
    missing = city("transcript", ADA, "--crosswalk", "nothing")
    assert (missing.code, missing.err) == (
        1,
        "lrs: There is no crosswalk nothing; lrs crosswalk list shows all.\n",
    )


def test_a_line_is_explained_down_to_the_statement(city: Run) -> None:
    words = city("explain", ADA, "diploma:work")
    assert words.code == 0
    first, rule, *statements = words.out.splitlines()
    assert first == "Work-based learning: 0.5 credits. 5 h in 3 records, at Works."
    assert rule.startswith("Rule work of diploma, version 1: At least 2 h in records of the activity")
    assert len(statements) == 3
    assert "kept by Works, Mara Ek (mentor), the learner's consent, " in statements[0]
    shown = json.loads(city("explain", ADA, f"{SCHOOL}/diploma:maths", "--json").out)
    assert (shown["crosswalk"], shown["version"], shown["line"]["grade"]) == ("diploma", 1, "A")
    assert [one["id"] for one in shown["statements"]] == shown["line"]["evidence"]
    assert city("explain", ADA, "diploma:nothing").code == 1


def test_a_line_that_is_not_there_yet_is_explained_too(city: Run, tmp_path: Path) -> None:
    rule = {**CROSSWALK["rules"][0], "from": {**CROSSWALK["rules"][0]["from"], "least": 6000}}
    file = write(tmp_path, {**CROSSWALK, "rules": [rule]})
    assert city("crosswalk", "import", file, "--institution", SCHOOL).code == 0
    told = city("explain", ADA, "diploma:work").out
    assert told == (
        "Work-based learning is not on the transcript: 5 h in 3 records; at least 100 h are needed.\n"
    )
