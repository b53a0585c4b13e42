"""The transcript as JSON: what stands where, and what stands against sending it."""

import json

import pytest

from lrs.transcripts.document import MOST_UNMATCHED, Holder, write_json
from lrs.transcripts.readiness import readiness_of
from tests.unit.transcripts.crosswalks import changed, mark, shift
from tests.unit.transcripts.documents import OTHER_COURSE, make_document


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
    ("holder", "missing"),
    [
        (
            Holder("a", "", "", False),
            ["This learner is not on the school's roster. Import the roster that has them."],
        ),
        (Holder("a", "Mira", "", True), ["The school's roster has no birth date for this learner."]),
        (Holder("a", "", "2009-01-01", True), ["The school's roster has no name for this learner."]),
        (Holder("a", "Mira", "2009-01-01", True), []),
    ],
)
def test_what_the_roster_lacks_stands_against_sending(holder: Holder, missing: list[str]) -> None:
    ready = readiness_of(make_document(holder))
    assert (list(ready.missing), ready.is_ready) == (missing, not missing)


def test_an_empty_transcript_is_not_ready() -> None:
    ready = readiness_of(make_document(shifts=0, rules=None, courses=[OTHER_COURSE]))
    assert ready.missing == ("Nothing has led to a course or a credit yet.",)


def test_what_is_left_out_is_named_and_stands_against_nothing() -> None:
    ready = readiness_of(make_document())
    assert [one.what for one in ready.left_out] == ["Art", "Making"]
    assert (ready.not_shared, ready.is_ready, ready.is_whole) == (("Harbour Museum",), True, False)


def test_the_file_is_the_same_bytes_each_time() -> None:
    assert write_json(make_document()) == write_json(make_document())
    assert json.loads(write_json(make_document())) == make_document()


def test_a_course_is_named_as_its_activity_was() -> None:
    assert mark(1, "0.9").title == make_document()["courses"][0]["course"]["title"]
