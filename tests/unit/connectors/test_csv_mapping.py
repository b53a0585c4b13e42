"""Lines of a spreadsheet become statements; what cannot is told with its line and column."""

import json
from typing import Any

import pytest

from connectors.csv.connector import CsvConnector
from lrs.errors import InvalidBody, InvalidImport, TooLarge
from lrs.xapi.statement import validate_statement
from lrs.xapi.versions import Version
from tests.unit.connectors.sinks import CARDS, CONFIG, HEADER, drain, read_csv

MIA = "03.05.2026;Mia Sol;mia@example.org;7;Robots"


def one(*lines: str, **changes: Any) -> dict[str, Any]:
    found = read_csv(*lines, **changes)
    assert not found.wrong, found.reasons
    assert len(found.statements) == 1
    return found.statements[0]


def test_a_line_becomes_a_valid_statement_in_both_versions() -> None:
    statement = one(MIA)
    assert statement == {
        "actor": {"objectType": "Agent", "name": "Mia Sol", "mbox": "mailto:mia@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
        "object": {
            "id": "https://museum.example.org/workshops/Robots",
            "objectType": "Activity",
            "definition": {"name": {"en": "Robots"}},
        },
        "timestamp": "2026-05-03T12:00:00+02:00",
    }
    for version in Version:
        assert not validate_statement(statement, version)


def test_a_child_without_an_address_is_known_by_the_account_of_its_card() -> None:
    assert one("03.05.2026;Mia Sol;;7;Robots")["actor"]["account"] == {"homePage": CARDS, "name": "7"}


def test_a_line_that_identifies_nobody_is_rejected_with_its_columns() -> None:
    found = read_csv(MIA, "03.05.2026;Bo;;;Robots")
    assert len(found.statements) == 1
    assert found.reasons == ["Line 3, E-Mail: nobody can be identified: E-Mail, Karte empty."]
    assert found.wrong[0][1][0].path == "/lines/3/E-Mail"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_names_are_read_in_every_encoding(encoding: str) -> None:
    found = read_csv("03.05.2026;Íñigo Weiß;;7;Löten", encoding=encoding)
    assert found.statements[0]["actor"]["name"] == "Íñigo Weiß"
    assert found.statements[0]["object"]["id"].endswith("/L%C3%B6ten")


def test_a_declared_encoding_holds() -> None:
    content = f"{HEADER}\n03.05.2026;Íñigo;;7;X".encode("cp1252")
    connector = CsvConnector(lambda: content, {**CONFIG, "encoding": "utf-8"})
    with pytest.raises(InvalidBody, match="Line 2 is not UTF-8"):
        connector.check()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_delimiter_is_seen_from_the_header(delimiter: str) -> None:
    found = read_csv(MIA.replace(";", delimiter), header=HEADER.replace(";", delimiter))
    assert found.statements[0]["actor"]["name"] == "Mia Sol"


def test_a_quoted_cell_may_hold_the_delimiter_and_line_ends() -> None:
    statement = one('03.05.2026;"Sol;\r\nMia";;7;Robots')
    assert statement["actor"]["name"] == "Sol;\r\nMia"


@pytest.mark.parametrize(
    ("text", "dates", "day"),
    [
        ("03.04.2026", "day-first", "2026-04-03"),
        ("03/04/2026", "month-first", "2026-03-04"),
        ("2026-04-03", None, "2026-04-03"),
        ("13.04.2026", None, "2026-04-13"),
        ("05.05.2026", None, "2026-05-05"),
        ("3/4/26", ["d/m/yy"], "2026-04-03"),
        ("2026.04.03", ["yyyy.mm.dd", "dd.mm.yyyy"], "2026-04-03"),
    ],
)
def test_dates_are_read_as_the_configuration_says(text: str, dates: Any, day: str) -> None:
    assert one(f"{text};Mia;;7;Robots", dates=dates)["timestamp"].startswith(f"{day}T12:00:00")


@pytest.mark.parametrize("dates", [None, ["dd.mm.yyyy", "mm.dd.yyyy"]])
def test_a_date_that_may_be_two_days_is_refused_with_both(dates: Any) -> None:
    found = read_csv("03.04.2026;Mia;;7;Robots", dates=dates)
    assert not found.statements
    assert "may be 2026-03-04 or 2026-04-03" in found.reasons[0]


@pytest.mark.parametrize(
    "text", ["31.02.2026", "1.1.26", "tomorrow", "13/13/2026", "", "٠٣.٠٤.٢٠٢٦", "0000-01-01"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    assert read_csv(f"{text};Mia;;7;Robots").reasons


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("03.05.2026 9:05", "2026-05-03T09:05:00+02:00"),
        ("03.12.2026 14.30", "2026-12-03T14:30:00+01:00"),
        ("2026-05-03T10:00:00Z", "2026-05-03T10:00:00Z"),
        ("2026-05-03T10:00:00-05:00", "2026-05-03T10:00:00-05:00"),
    ],
)
def test_a_time_behind_the_date_is_the_zones_unless_it_says_its_own(text: str, moment: str) -> None:
    assert one(f"{text};Mia;;7;Robots")["timestamp"] == moment


def test_an_hour_that_the_clocks_skip_is_refused() -> None:
    found = read_csv("29.03.2026 02:30;Mia;;7;Robots")
    assert found.reasons == ["Line 2, Datum: The clocks of Europe/Madrid skip 02:30:00 on 2026-03-29."]


@pytest.mark.parametrize(
    ("text", "unit", "decimal", "duration"),
    [
        ("1,5", "hours", ",", "PT1H30M"),
        ("1.5", "hours", None, "PT1H30M"),
        ("1:45", "hours", None, "PT1H45M"),
        ("90", "minutes", None, "PT1H30M"),
        ("1.234,5", "minutes", None, "PT20H34M30S"),
        ("1 234,5", "minutes", None, "PT20H34M30S"),
        ("0,25", "seconds", ",", "PT0.25S"),
        ("0", "hours", None, "PT0S"),
    ],
)
def test_hours_become_a_duration(text: str, unit: str, decimal: str | None, duration: str) -> None:
    found = one(
        f"{MIA};{text}", header=f"{HEADER};Std", decimal=decimal, duration={"column": "Std", "unit": unit}
    )
    assert found["result"] == {"duration": duration}
    assert not validate_statement(found, Version.V1_0_3)


@pytest.mark.parametrize("text", ["-1", "x", "1 2", "1 23,5", "1,500", "99999", "1e5", "1,2,3", "٣"])
def test_hours_that_are_none_or_may_be_two_things_are_refused(text: str) -> None:
    found = read_csv(f"{MIA};{text}", header=f"{HEADER};Std", duration={"column": "Std"})
    assert found.reasons
    assert found.wrong[0][1][0].path == "/lines/2/Std"


def test_a_rating_becomes_a_score_within_its_bounds() -> None:
    rule = {"column": "Note", "min": 1, "max": 5}
    assert one(f"{MIA};3,5", header=f"{HEADER};Note", score=rule)["result"]["score"] == {
        "raw": 3.5,
        "min": 1,
        "max": 5,
        "scaled": 0.625,
    }
    assert read_csv(f"{MIA};6", header=f"{HEADER};Note", score=rule).reasons == [
        "Line 2, Note: '6' is not between 1 and 5."
    ]


def test_verb_and_outcome_follow_a_table_and_what_it_does_not_know_is_rejected() -> None:
    verb = {"column": "Da", "table": {"Ja": "http://adlnet.gov/expapi/verbs/completed", "nein": None}}
    found = read_csv(
        f"{MIA};JA",
        "04.05.2026;Bo;;8;Robots;nein",
        "04.05.2026;Cy;;9;Robots;krank",
        header=f"{HEADER};Da",
        verb=verb,
        completion={"column": "Da", "table": {"ja": True}},
    )
    assert found.statements[0]["verb"]["id"].endswith("completed")
    assert found.statements[0]["result"] == {"completion": True}
    assert found.unwanted == ["Line 3: 'nein' in Da is not wanted."]
    assert "the table does not know 'krank'; it knows ja, nein" in found.reasons[0]


def test_lines_that_the_configuration_skips_are_kept_aside() -> None:
    found = read_csv(MIA, "04.05.2026;Bo;;8;Storniert", skip={"Workshop": ["storniert"]})
    assert len(found.statements) == 1
    assert found.unwanted == ["Line 3: 'Storniert' in Workshop is not wanted."]


def test_lines_of_one_session_become_one_group() -> None:
    group = {"name": "Class {Workshop}", "by": ["Datum", "Workshop"]}
    found = read_csv(MIA, "03.05.2026;Bo;;8;Robots", "04.05.2026;Bo;;8;Robots", group=group)
    first, second = found.statements
    assert first["actor"]["objectType"] == "Group"
    assert first["actor"]["name"] == "Class Robots"
    assert [one["name"] for one in first["actor"]["member"]] == ["Bo", "Mia Sol"]
    assert [one["name"] for one in second["actor"]["member"]] == ["Bo"]
    assert not validate_statement(first, Version.V1_0_3)


def test_who_stayed_for_less_time_has_a_statement_of_their_own() -> None:
    group = {"by": ["Datum", "Workshop"]}
    found = read_csv(
        f"{MIA};2",
        "03.05.2026;Bo;;8;Robots;1",
        header=f"{HEADER};Std",
        group=group,
        duration={"column": "Std"},
    )
    assert sorted(one["result"]["duration"] for one in found.statements) == ["PT1H", "PT2H"]


def test_a_cell_that_names_a_whole_class_becomes_one_group() -> None:
    found = read_csv("03.05.2026;8A;;7| 8|9|7;Robots", group={"separator": "|", "name": "{Kind}"})
    actor = found.statements[0]["actor"]
    assert actor["name"] == "8A"
    assert [one["account"]["name"] for one in actor["member"]] == ["7", "8", "9"]


def test_names_of_a_cell_go_with_their_identifiers_and_one_alone_is_no_group() -> None:
    found = read_csv("03.05.2026;Mia|Bo;;7|8;Robots", MIA, group={"separator": "|"})
    assert [one["name"] for one in found.statements[0]["actor"]["member"]] == ["Bo", "Mia"]
    assert found.statements[1]["actor"]["name"] == "Mia Sol"


def test_a_line_that_repeats_another_is_kept_aside() -> None:
    found = read_csv(MIA, MIA)
    assert len(found.statements) == 1
    assert found.unwanted == ["Line 3 says the same as a line before it."]


def test_two_lines_of_one_key_with_different_hours_are_two_statements() -> None:
    found = read_csv(f"{MIA};1", f"{MIA};2", header=f"{HEADER};Std", duration={"column": "Std"})
    assert len(found.statements) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('03.05.2026;"Mia" Sol;;7;Robots', "something follows a closing quotation mark"),
        ('03.05.2026;"Mia;;7;Robots', "a quotation mark is opened and never closed"),
        (f"{MIA};and;more", "it has 7 cells, and the header 5"),
        (f"03.05.2026;{'x' * 10_001};;7;Robots", "a cell has 10,001 characters"),
    ],
)
def test_a_line_that_breaks_the_form_is_told_and_the_others_are_read(line: str, reason: str) -> None:
    found = read_csv(MIA, line, "05.05.2026;Bo;;8;Robots")
    assert len(found.statements) == 2
    assert len(found.reasons) == 1
    assert found.reasons[0].startswith("Line 3 cannot be read: ")
    assert reason in found.reasons[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04xlsx", "save it as CSV"),
        ("Datum;Kind".encode("utf-16"), "zero bytes"),
        (b"", "no header in line 1"),
        (b"Datum;\x81\n", "neither UTF-8 nor cp1252"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidBody, match=reason):
        drain(CsvConnector(lambda: content, CONFIG))


def test_the_limits_hold() -> None:
    for limits in ({"bytes": 20}, {"lines": 1}):
        with pytest.raises(TooLarge):
            read_csv(MIA, "05.05.2026;Bo;;8;Robots", limits=limits)


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidImport) as caught:
        read_csv(MIA, when={"date": "Tag"})
    problem = caught.value.problems[0]
    assert problem.path == "/when/date"
    assert (
        problem.message
        == "There is no column 'Tag'; there are 'Datum', 'Kind', 'E-Mail', 'Karte', 'Workshop'."
    )


def test_every_mistake_of_a_configuration_is_listed_with_its_pointer() -> None:
    wrong = {
        "actor": {"name": "Kind"},
        "when": {},
        "zone": "Nowhere/Town",
        "dates": ["dd.mm"],
        "decimal": "'",
        "verb": "attended",
        "activity": {"column": "Workshop"},
        "colour": "red",
    }
    with pytest.raises(InvalidImport) as caught:
        CsvConnector(lambda: b"", wrong)
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {
        "/actor",
        "/when/date",
        "/zone",
        "/dates",
        "/decimal",
        "/verb",
        "/activity/table",
        "/colour",
    }


def test_a_file_is_refused_when_quotation_marks_are_opened_in_every_line_and_never_closed() -> None:
    line = f'a";"b{"x" * 5000}'
    with pytest.raises(InvalidBody, match="opened and not closed again and again"):
        read_csv(*[line] * 2000)


def test_an_empty_file_is_not_taken_for_the_whole_of_a_source() -> None:
    with pytest.raises(InvalidBody, match="delete everything"):
        read_csv(full=True)


def test_a_line_says_who_somebody_is_where_a_roster_is_asked_for() -> None:
    found = read_csv(MIA, roster={"id": "Karte", "group": "Workshop"})
    fact = found.facts[0]
    assert fact.sourced_id == "7"
    assert fact.identifiers == ("mbox mailto:mia@example.org", f"account {CARDS} 7")
    assert fact.groups == ("Robots",)


def test_every_identifier_of_a_line_goes_to_the_roster_and_a_wrong_one_is_told() -> None:
    header = f"{HEADER};Hash;Geboren"
    actor = {**CONFIG["actor"], "mboxSha1": "Hash"}
    rule = {"id": "Karte", "birthDate": "Geboren"}
    good = read_csv(f"{MIA};{'AB' * 20};19.04.2016", header=header, actor=actor, roster=rule)
    assert good.facts[0].identifiers[1] == f"mbox_sha1sum {'ab' * 20}"
    assert good.facts[0].birth_date == "2016-04-19"
    for line, column in ((f"{MIA};{'AB' * 20};31.02.2016", "Geboren"), (f"{MIA};none;", "Hash")):
        found = read_csv(line, header=header, actor=actor, roster=rule)
        assert not found.facts
        assert not found.statements
        assert [one.path for one in found.wrong[0][1]] == [f"/lines/2/{column}"]


def test_a_roster_is_refused_where_a_cell_names_several_persons() -> None:
    with pytest.raises(InvalidImport) as caught:
        read_csv(MIA, roster={"id": "Karte"}, group={"separator": "|"})
    assert [one.path for one in caught.value.problems] == ["/roster"]


@pytest.mark.parametrize("bound", [float("nan"), float("inf"), -1e300, 10**400])
def test_bounds_of_a_score_are_refused_when_nothing_can_lie_between_them(bound: float) -> None:
    with pytest.raises(InvalidImport) as caught:
        read_csv(f"{MIA};3", header=f"{HEADER};Note", score={"column": "Note", "min": bound, "max": 5})
    assert [one.path for one in caught.value.problems] == ["/score/min"]


def test_a_row_that_was_kept_maps_again_from_its_content_alone() -> None:
    content = f"{HEADER}\n{MIA}".encode()
    connector = CsvConnector(lambda: content, CONFIG)
    (page,) = connector.read(None)
    kept = json.loads(json.dumps(page.rows[0].content))
    assert kept == {
        "lines": {
            "2": {
                "Datum": "03.05.2026",
                "Kind": "Mia Sol",
                "E-Mail": "mia@example.org",
                "Karte": "7",
                "Workshop": "Robots",
            }
        }
    }
