"""lrs learner and lrs roster: what stands on standard output, and with which code it ends."""

import json
from pathlib import Path

from tests.unit.cli.test_keys import Run, run  # noqa: F401 - a fixture


def test_roster_is_taken_and_broken_rows_are_shown(run: Run, tmp_path: Path) -> None:  # noqa: F811
    run("institution", "create", "School")
    file = tmp_path / "roster.csv"
    file.write_text("sourcedId;email\n1;ana@example.org\n2;nobody\n3;f@example.org\n4;f@example.org\n")
    done = run("roster", "import", str(file), "--institution", "School")
    assert done.code == 0
    assert done.out == "4 rows; 3 people new or changed; 0 as before; 1 rows rejected.\n"
    assert "line 3: " in done.err
    assert "mbox mailto:f@example.org is given to roster/3 and roster/4" in done.err
    again = run("roster", "import", str(file), "--institution", "School", "--full", "--json")
    view = json.loads(again.out)
    assert (view["stored"], view["already"], [one["line"] for one in view["rejected"]]) == (0, 3, [3])
    assert len(view["shared"]) == 2


def test_roster_is_refused_when_it_is_none_or_nobody_has_it(run: Run, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "roster.csv"
    file.write_text("email\na@example.org\n")
    assert run("roster", "import", str(file), "--institution", "School").code == 1
    file.write_text("sourcedId\n1\n")
    assert run("roster", "import", str(file), "--institution", "School").code == 1
    assert run("roster", "import", str(file), "--institution", "S", "--column", "x=y").code == 2


def test_links_are_recorded_and_nobody_is_found_before_anything_is_derived(run: Run) -> None:  # noqa: F811
    linked = run("learner", "link", "mailto:ana@example.org", "https://school.example 17", "--json")
    assert linked.code == 0
    expected = ["account https://school.example 17", "mbox mailto:ana@example.org"]
    assert json.loads(linked.out) == {"identifiers": expected, "state": "linked"}
    apart = run("learner", "unlink", "mailto:ana@example.org", "https://school.example 17", "--json")
    assert json.loads(apart.out)["state"] == "apart"
    assert json.loads(run("learner", "list", "--json").out) == []
    missing = run("learner", "find", "mailto:ana@example.org")
    assert (missing.code, missing.out) == (1, "")
    assert "No learner is known" in missing.err
