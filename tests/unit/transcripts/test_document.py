"""The transcript as JSON: what stands where, and what stands against sending it."""

import json

import pytest

from lrs.transcripts.document import MOST_UNMATCHED, Holder, reasons_to_wait, write_json
from tests.unit.transcripts.crosswalks import changed, mark, shift
from tests.unit.transcripts.documents import make_document


def test_every_line_names_statements_that_are_listed() -> None:
    document = make_document()
    listed = {one["id"]: one for one in document["statements"]}
    for line in (*document["lines"], *document["courses"]):
        assert line["evidence"]
        assert all(line["id"] in listed[id_]["lines"] for id_ in line["evidence"])
    assert [one["reference"] for one in document["statements"]] == [f"E{n}" for n in range(1, 9)]


def test_a_line_says_what_it_rests_on_and_by_which_rule() -> None:
    line = make_document()["lines"][0]
    assert (line["id"], line["credits"], line["minutes"], line["ruleVersion"]) == ("work", "0.75", 475, 3)
    assert line["what"] == "7 h 55 min in 5 records, at Quayside Works."
    assert (line["schoolYear"], line["session"], line["sessionBegins"]) == ("2025/26", "Spring", "2026-01")
    assert line["vouchers"] == [{"kind": "mentor", "name": "", "institution": "Quayside Works", "records": 5}]


def test_totals_add_up() -> None:
    totals = make_document()["totals"]
    assert totals == {
        "credits": "2.25",
        "courses": "1",
        "coursesAttempted": "2",
        "translated": "1.25",
        "bySubject": [{"subject": "", "credits": "1.5"}, {"subject": "Career", "credits": "0.75"}],
    }


def test_the_ground_stands_with_each_statement() -> None:
    grounds = {one["institution"]: one["grounds"] for one in make_document()["statements"]}
    assert grounds["Hill School"] == ["the school's own records"]
    assert grounds["Quayside Works"] == ["consent until 1 July 2027"]


def test_a_partner_of_whom_nothing_was_opened_is_named_and_nothing_more() -> None:
    left_out = [one for one in make_document()["untranslated"] if one["kind"] == "not-shared"]
    assert left_out == [
        {
            "kind": "not-shared",
            "institution": "Harbour Museum",
            "why": "Nothing of Harbour Museum is in this transcript: there are no records there,"
            " or they are not shared with this school.",
        }
    ]


def test_a_long_list_of_other_activities_is_summed_up() -> None:
    from datetime import date

    from lrs.transcripts.crosswalk import read_crosswalk
    from lrs.transcripts.document import Setting, to_document
    from lrs.transcripts.seen import Seen
    from lrs.transcripts.translating import translate
    from tests.unit.transcripts.crosswalks import KNOWN, SCHOOL

    records = [shift(n, 10, activity=f"https://x.example/{n:04d}") for n in range(MOST_UNMATCHED + 5)]
    crosswalk = read_crosswalk(changed(), KNOWN)
    made = translate(crosswalk, Seen(SCHOOL, records))
    setting = Setting((SCHOOL, "Hill School"), Holder("a", "", "", False), crosswalk, (), date(2026, 1, 1))
    listed = [one for one in to_document(setting, made)["untranslated"] if one["kind"] == "no-rule"]
    assert len(listed) == MOST_UNMATCHED + 1
    assert (listed[-1]["title"], listed[-1]["records"], listed[-1]["minutes"]) == (
        "5 more activities",
        5,
        50,
    )


def test_the_grading_key_has_each_way_of_grading_once() -> None:
    keys = make_document()["gradingKey"]
    assert [(key["by"], key["courses"]) for key in keys] == [
        ("score", ["Mathematics", "Science"]),
        ("level", ["Working with others"]),
    ]
    assert keys[0]["grades"][2] == {"grade": "F", "from": "0", "means": "", "earns": False}


@pytest.mark.parametrize(
    ("holder", "reason"),
    [
        (Holder("a", "", "", False), "The school's roster does not have this learner."),
        (Holder("a", "Mira", "", True), "The school's roster has no birth date for this learner."),
        (Holder("a", "", "", True), "The school's roster has no name and birth date for this learner."),
    ],
)
def test_what_the_roster_lacks_stands_against_sending(holder: Holder, reason: str) -> None:
    assert reason in reasons_to_wait(make_document(holder))


def test_what_could_not_be_translated_stands_against_sending() -> None:
    reasons = reasons_to_wait(make_document())
    assert reasons[:2] == [
        "Art: 1 record of this course, and no result yet.",
        "Making: The pathway Maker of tides is not completed; still to do: Draw a plan and Show it.",
    ]


def test_the_file_is_the_same_bytes_each_time() -> None:
    assert write_json(make_document()) == write_json(make_document())
    assert json.loads(write_json(make_document())) == make_document()


def test_a_course_is_named_as_its_activity_was() -> None:
    assert mark(1, "0.9").title == make_document()["courses"][0]["course"]["title"]
