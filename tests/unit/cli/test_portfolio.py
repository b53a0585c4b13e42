"""lrs portfolio, lrs share and lrs sign-in of learners."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.cli.test_keys import Run, run  # noqa: F401 - a fixture

WREN = "mailto:wren@example.org"
STATEMENT = {
    "actor": {"mbox": WREN, "name": "Wren Lanternhill"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": "https://example.org/fish", "definition": {"name": {"en": "Robot fish"}}},
    "timestamp": "2026-11-02T10:00:00Z",
}


@pytest.fixture
def known(run: Run, tmp_path: Path) -> Run:  # noqa: F811
    """A store in which one learner has one record."""
    run("institution", "create", "School")
    file = tmp_path / "one.ndjson"
    file.write_text(json.dumps(STATEMENT))
    assert run("import", str(file), "--institution", "School").code == 0
    assert run("jobs", "run", "derive").code == 0
    return run


def test_a_portfolio_is_written_as_json(known: Run) -> None:
    done = known("portfolio", WREN, "--format", "json")
    assert done.code == 0
    made = json.loads(done.out)
    assert made["learner"]["name"] == "Wren Lanternhill"
    assert [one["objectName"]["en"] for one in made["records"]] == ["Robot fish"]


def test_a_portfolio_is_written_as_a_page_that_stands_alone(known: Run, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = known("portfolio", WREN, "--format", "html", "--out", str(out))
    assert (done.code, done.out) == (0, "")
    page = out.read_text()
    assert "Robot fish" in page
    assert "--paper:" in page, "the style is within"
    assert "<form" not in page
    assert re.findall(r'(?:href|src|action)="(?!#)', page) == []


def test_a_portfolio_of_nobody_is_an_error(known: Run) -> None:
    done = known("portfolio", "mailto:nobody@example.org")
    assert (done.code, done.out) == (1, "")
    assert "No learner is known" in done.err


def test_a_link_is_made_listed_and_closed(known: Run) -> None:
    made = known("share", "create", WREN, "--days", "7", "--label", "For my aunt")
    assert re.fullmatch("https://lrs.example.org/portfolio/shared/[0-9a-f]{64}\n", made.out)
    [listed] = json.loads(known("share", "list", WREN, "--json").out)
    assert (listed["what"], listed["label"], listed["open"]) == ("portfolio", "For my aunt", True)
    assert listed["id"] not in made.out
    assert known("share", "revoke", WREN, listed["id"]).code == 0
    state = known("share", "list", WREN).out.split("\t")[2]
    assert state == "closed"
    assert known("share", "revoke", WREN, "0" * 16).code == 1


def test_a_link_to_a_transcript_needs_a_crosswalk(known: Run) -> None:
    assert known("share", "create", WREN, "--what", "transcript").code == 1
    assert known("share", "create", WREN, "--what", "transcript", "--crosswalk", "nothing").code == 1
    assert json.loads(known("share", "list", WREN, "--json").out) == []


def test_a_sign_in_link_is_made_for_a_learner_who_is_known(known: Run) -> None:
    link = ("sign-in", "--institution", "School", "--role", "learner")
    assert "/sign-in/" in known(*link, "--learner", WREN).out
    assert known(*link).code == 1
    assert known(*link, "--learner", "mailto:nobody@example.org").code == 1
    assert known("sign-in", "--institution", "School", "--learner", WREN).code == 1
    assert known("sign-in", "--institution", "School", "--role", "registrar").code == 0
