"""From what a school may see to lines: credits, grades, and the reasons where there are none."""

from decimal import Decimal
from typing import Any

import pytest

from lrs.transcripts.model import Calendar, Session
from lrs.transcripts.seen import Record, Seen, Walked
from lrs.transcripts.sessions import Term, day_of, term_of
from lrs.transcripts.translating import Translation, translate
from tests.unit.transcripts.crosswalks import (
    SCHOOL,
    TABLE,
    WORKS,
    at,
    attained,
    hours_rule,
    items_rule,
    mark,
    shift,
    with_rules,
)

COURSE = {"activity": ["https://school.example/courses/*"], "credits": "1"}
BY_SCORE = {"by": "score", "table": TABLE}


def made(
    rules: list[dict[str, Any]], courses: list[dict[str, Any]] | None = None, **seen: Any
) -> Translation:
    return translate(with_rules(*rules, courses=courses), Seen(SCHOOL, **seen))


def gap_kinds(translation: Translation) -> list[tuple[str, str]]:
    return [(gap.id, gap.kind) for gap in translation.gaps]


# Time


def test_hours_become_credits_when_they_are_enough() -> None:
    line = made([hours_rule()], records=[shift(n, 60) for n in range(5)]).lines[0]
    assert (line.credits, line.grade, line.seconds) == (Decimal("0.5"), "", 18_000)
    assert line.words == "5 h in 5 records, at Quayside Works."
    assert [record.id for record in line.records] == [shift(n).id for n in range(5)]
    assert line.term == Term("2025/26", "Spring", "2026-01")
    assert line.rule == (
        "At least 2 h in records of the activity https://works.example/shifts/*. 10 h are 1 credit,"
        " rounded to a multiple of 0.25 (a half up), at most 1 credit. Not graded."
    )


@pytest.mark.parametrize(
    ("minutes", "rounding", "credit"),
    [
        (225, "half-up", "0.5"),  # 0.375 credits: half of a quarter, up
        (224, "half-up", "0.25"),
        (225, "down", "0.25"),
        (299, "down", "0.25"),
        (300, "down", "0.5"),
        (100_000, "half-up", "1"),
    ],
)
def test_credits_are_rounded_as_the_crosswalk_says(minutes: int, rounding: str, credit: str) -> None:
    credits = {"minutesPerCredit": 600, "most": "1", "round": "0.25", "rounding": rounding}
    rule = hours_rule(credits=credits, **{"from": {"minutes": {"voucher": ["mentor"]}, "least": 1}})
    assert made([rule], records=[shift(1, minutes)]).lines[0].credits == Decimal(credit)


def test_a_gap_says_how_much_is_missing_when_hours_are_short() -> None:
    translation = made([hours_rule()], records=[shift(1, 90), shift(2, None)])
    assert translation.lines == ()
    gap = translation.gaps[0]
    assert (gap.kind, gap.have, gap.need, gap.records) == ("hours-short", "1 h 30 min", "2 h", 2)
    assert gap.why == "1 h 30 min in 1 record; at least 2 h are needed."


def test_a_gap_says_so_when_no_record_has_a_duration() -> None:
    gap = made([hours_rule()], records=[shift(1, None)]).gaps[0]
    assert (gap.kind, gap.why) == (
        "no-time",
        "1 record, and none says how long it took; at least 2 h are needed.",
    )


def test_a_gap_says_so_when_rounding_leaves_no_credit() -> None:
    credits = {"minutesPerCredit": 60_000, "most": "1", "round": "0.5"}
    assert gap_kinds(made([hours_rule(credits=credits)], records=[shift(1, 120)])) == [("work", "no-credit")]


def test_records_are_counted_once_when_two_rules_want_them() -> None:
    records = [shift(n, 60) for n in range(3)]
    second = hours_rule("second", course={"title": "Second"})
    translation = made([hours_rule(), second], records=records)
    assert [line.id for line in translation.lines] == ["work"]
    assert translation.gaps[0].why == "3 records, already counted in Work-based learning."


@pytest.mark.parametrize("which", [0, 1])
def test_records_are_counted_twice_when_one_of_two_rules_shares(which: int) -> None:
    rules = [hours_rule(), hours_rule("second")]
    rules[which]["shares"] = True
    assert len(made(rules, records=[shift(1, 120)]).lines) == 2


def test_a_statement_that_two_institutions_keep_is_counted_once() -> None:
    copy = shift(1, 120, institution=SCHOOL, place="Hill School")
    translation = made([hours_rule()], records=[shift(1, 120), copy, shift(2, 60)])
    assert translation.lines[0].seconds == 180 * 60
    assert translation.lines[0].records[0].institution == SCHOOL


@pytest.mark.parametrize(
    ("wanted", "counted"),
    [
        ({"verb": ["http://adlnet.gov/expapi/verbs/attended"]}, True),
        ({"verb": ["http://adlnet.gov/expapi/verbs/*"]}, True),
        ({"verb": ["http://adlnet.gov/expapi/verbs/passed"]}, False),
        ({"activityType": ["https://types.example/shift"]}, True),
        ({"parent": ["https://works.example/crews/1"]}, True),
        ({"parent": ["https://works.example/crews/2"]}, False),
        ({"category": ["https://works.example/kinds/*"]}, True),
        ({"grouping": ["https://works.example/years/2026"]}, True),
        ({"institution": ["Quayside Works"]}, True),
        ({"institution": ["Harbour Museum"]}, False),
        ({"voucher": ["teacher", "mentor"]}, True),
        ({"voucher": ["learner"]}, False),
        ({"success": True}, True),
        ({"success": False}, False),
        ({"completion": True}, False),
        ({"completion": False}, True),
        ({"institution": ["Quayside Works"], "voucher": ["learner"]}, False),
    ],
)
def test_a_filter_lets_through_what_it_names(wanted: dict[str, Any], counted: bool) -> None:
    record = shift(
        1,
        120,
        type="https://types.example/shift",
        parents=("https://works.example/crews/1",),
        categories=("https://works.example/kinds/paid",),
        groupings=("https://works.example/years/2026",),
        success=True,
    )
    rule = hours_rule(**{"from": {"minutes": wanted}})
    assert bool(made([rule], records=[record]).lines) is counted


# Competencies


def test_levels_become_a_course_when_enough_items_are_there() -> None:
    items = {"S.1": attained("S.1", 3, shift(1)), "S.2": attained("S.2", 2, shift(2))}
    line = made([items_rule()], items=items).lines[0]
    assert (line.credits, line.grade, line.basis) == (Decimal("0.5"), "B", "mean level 2.50")
    assert line.words == "Shown: Item S.1 (level 3) and Item S.2 (level 2)."
    assert [record.id for record in line.records] == [shift(1).id, shift(2).id]


def test_a_gap_names_the_level_when_an_item_is_below_it() -> None:
    rule = items_rule(**{"from": {"items": ["S.1", "S.2"], "level": 2}})
    items = {"S.1": attained("S.1", 2, shift(1)), "S.2": attained("S.2", 1, shift(2))}
    gap = made([rule], items=items).gaps[0]
    assert (gap.kind, gap.have, gap.need, gap.records) == ("below-level", "1", "2", 2)
    assert gap.why == (
        "All of them are needed at level 2. There: Item S.1 (level 2). Not there yet: Item S.2 (level 1)."
    )


def test_items_that_rest_on_counted_records_are_not_counted_again() -> None:
    rule = items_rule(**{"from": {"items": ["S.1"], "level": 2}}, grade={"by": "none"})
    items = {"S.1": attained("S.1", 3, shift(1, 120))}
    translation = made([hours_rule(), rule], records=[shift(1, 120)], items=items)
    assert gap_kinds(translation) == [("team", "already-counted")]
    assert translation.gaps[0].why == (
        "Item S.1 (level 3): this rests on records that are already counted in Work-based learning."
    )
    shared = made([hours_rule(), {**rule, "shares": True}], records=[shift(1, 120)], items=items)
    assert len(shared.lines) == 2


def test_evidence_alone_is_enough_when_the_framework_has_coverage_only() -> None:
    rule = items_rule(**{"from": {"items": ["S.1"]}}, grade={"by": "none", "grade": "Credit"})
    line = made([rule], items={"S.1": attained("S.1", None, shift(1))}).lines[0]
    assert (line.grade, line.words) == ("Credit", "Shown: Item S.1.")


def test_a_rule_is_listed_as_not_begun_when_there_is_nothing_for_it() -> None:
    translation = made(
        [items_rule(), hours_rule()], [{**COURSE, "grade": BY_SCORE}], items={"S.1": attained("S.1", None)}
    )
    assert translation.unbegun == ("course-1", "team", "work")
    assert (translation.lines, translation.gaps) == ((), ())


@pytest.mark.parametrize(
    ("scores", "grade", "kind"),
    [
        (["0.9"], "A", None),
        (["0.95", "0.85"], "A", None),
        (["0.95", "0.8499"], "B", None),
        (["0.1"], None, "below-grade"),
        ([], None, "no-score"),
    ],
)
def test_the_mean_score_gives_the_grade(scores: list[str], grade: str | None, kind: str | None) -> None:
    records = [shift(n, 60, score=Decimal(score)) for n, score in enumerate(scores)] + [shift(9, 60)]
    rule = hours_rule(grade=BY_SCORE, **{"from": {"minutes": {"voucher": ["mentor"]}, "least": 1}})
    translation = made([rule], records=records)
    assert [line.grade for line in translation.lines] == ([grade] if grade else [])
    assert gap_kinds(translation) == ([("work", kind)] if kind else [])


def test_a_score_below_the_table_earns_nothing() -> None:
    table = {"by": "score", "table": [{"from": "0.5", "grade": "P"}]}
    translation = made([hours_rule(grade=table)], records=[shift(1, 120, score=Decimal("0.4"))])
    assert translation.gaps[0].why.endswith("With score 0.40, below the lowest grade it earns no credit.")


# Pathways


@pytest.mark.parametrize(
    ("walked", "award", "kind"),
    [
        (Walked("Maker", done=True, awarded=True), True, None),
        (Walked("Maker", done=True), False, None),
        (Walked("Maker", done=True), True, "no-award"),
        (Walked("Maker", missing=("Draw", "Build"), records=(shift(1),)), False, "pathway-unfinished"),
        (Walked("Maker", records=(shift(1),)), True, "no-award"),
    ],
)
def test_a_pathway_gives_its_credit_when_it_is_done(walked: Walked, award: bool, kind: str | None) -> None:
    word = {"award": "maker"} if award else {"pathway": "maker"}
    rule = hours_rule("maker", credits="0.25", **{"from": word})
    translation = made([rule], pathways={("", "maker"): walked})
    assert len(translation.lines) == (kind is None)
    assert gap_kinds(translation) == ([("maker", kind)] if kind else [])


def test_a_pathway_of_counted_records_is_not_counted_again() -> None:
    rule = hours_rule("maker", credits="0.25", **{"from": {"pathway": "maker"}})
    pathways = {("", "maker"): Walked("Maker", done=True, records=(shift(1, 120),))}
    translation = made([hours_rule(), rule], records=[shift(1, 120)], pathways=pathways)
    assert gap_kinds(translation) == [("maker", "already-counted")]


def test_an_unfinished_pathway_names_its_missing_steps() -> None:
    rule = hours_rule("maker", credits="0.25", **{"from": {"pathway": "maker"}})
    pathways = {("", "maker"): Walked("Maker", missing=("Draw", "Build"), records=(shift(1),))}
    assert made([rule], pathways=pathways).gaps[0].why == (
        "The pathway Maker is not completed; still to do: Draw and Build."
    )


# Real courses


def test_a_course_shows_its_latest_mark() -> None:
    records = [mark(2, "0.95"), mark(1, "0.2"), mark(3, "0.7", "science")]
    maths, science = made([], [{**COURSE, "grade": BY_SCORE}], records=records).courses
    assert (maths.course.title, maths.grade, maths.earned, maths.basis) == (
        "Mathematics",
        "A",
        1,
        "score 0.95",
    )
    assert [record.id for record in maths.records] == [mark(2, "0").id]
    assert (science.grade, science.attempted) == ("B", 1)


def test_a_failed_course_shows_its_grade_and_earns_nothing() -> None:
    course = made([], [{**COURSE, "grade": BY_SCORE}], records=[mark(1, "0.3")]).courses[0]
    assert (course.grade, course.attempted, course.earned) == ("F", 1, 0)


def test_only_the_schools_own_records_are_courses() -> None:
    record = mark(1, "0.9", institution=WORKS, place="Quayside Works")
    translation = made([], [{**COURSE, "grade": BY_SCORE}], records=[record])
    assert translation.courses == ()
    assert translation.unbegun == ("course-1",)
    assert translation.unmatched[0].records == 1


@pytest.mark.parametrize(("success", "grade", "earned"), [(True, "P", 1), (False, "NP", 0)])
def test_success_gives_the_grade_when_the_crosswalk_says_so(success: bool, grade: str, earned: int) -> None:
    course = {**COURSE, "grade": {"by": "success", "passed": "P", "failed": "NP"}}
    line = made([], [course], records=[mark(1, None, success=success)]).courses[0]
    assert (line.grade, line.earned) == (grade, earned)


def test_completion_is_the_result_when_nothing_is_graded() -> None:
    course = {**COURSE, "title": "Advisory", "grade": {"by": "none", "grade": "CR"}}
    line = made([], [course], records=[mark(1, None, completion=True)]).courses[0]
    assert (line.course.title, line.grade, line.earned) == ("Advisory", "CR", 1)


def test_a_course_without_a_result_is_listed() -> None:
    translation = made([], [{**COURSE, "grade": BY_SCORE}], records=[mark(1, None), mark(2, None)])
    gap = translation.gaps[0]
    assert (gap.kind, gap.course.title, gap.why) == (
        "no-result",
        "Mathematics",
        "2 records of this course, and no result yet.",
    )


def test_parts_make_the_grade_until_the_course_has_a_result_of_its_own() -> None:
    maths = "https://school.example/courses/mathematics"
    parts = [
        mark(n, score, activity=f"https://school.example/tests/{name}", parents=(maths,))
        for n, score, name in ((1, "0.1", "one"), (2, "0.8", "one"), (3, "1", "two"))
    ]
    course = {**COURSE, "parts": True, "grade": BY_SCORE}
    line = made([], [course], records=parts).courses[0]
    assert (line.grade, line.basis, len(line.records)) == ("A", "mean score 0.90 of 2 records", 2)
    whole = made([], [course], records=[mark(0, "0.6"), *parts]).courses[0]
    assert (whole.grade, whole.basis) == ("B", "score 0.60")


def test_records_of_parts_belong_to_their_course_and_are_not_left_over() -> None:
    maths = "https://school.example/courses/mathematics"
    lesson = mark(1, "1", activity="https://school.example/lessons/1", parents=(maths,), title="Lesson")
    course = {**COURSE, "title": "Mathematics", "grade": BY_SCORE}
    begun = made([], [course], records=[lesson])
    assert [(gap.kind, gap.records) for gap in begun.gaps] == [("no-result", 1)]
    ended = made([], [course], records=[lesson, mark(2, "0.7")])
    assert [(line.grade, len(line.records)) for line in ended.courses] == [("B", 1)]
    assert (begun.unmatched, ended.unmatched) == ((), ())


def test_a_course_keeps_its_records_from_rules_unless_it_shares() -> None:
    record = mark(1, "0.9", seconds=Decimal(36_000))
    rule = hours_rule(**{"from": {"minutes": {"institution": ["Hill School"]}}})
    course = {**COURSE, "grade": BY_SCORE}
    assert made([rule], [course], records=[record]).lines == ()
    assert len(made([rule], [{**course, "shares": True}], records=[record]).lines) == 1


# What is left


def test_records_that_no_rule_speaks_of_are_counted_by_activity() -> None:
    records = [shift(n, 30, activity="https://works.example/tours/1", title="Tour") for n in range(3)]
    left = made([hours_rule()], records=[*records, shift(9, 120)]).unmatched
    assert [(one.place, one.title, one.records, one.minutes) for one in left] == [
        ("Quayside Works", "Tour", 3, 90)
    ]


def test_records_behind_a_gap_are_not_counted_as_left_over() -> None:
    assert made([hours_rule()], records=[shift(1, 30)]).unmatched == ()


# Terms

_YEAR = Calendar((8, 15), (Session("Autumn", (8, 15)), Session("Spring", (1, 10))), 60)


@pytest.mark.parametrize(
    ("day", "calendar", "term"),
    [
        ((2026, 8, 14), _YEAR, Term("2025/26", "Spring", "2026-01")),
        ((2026, 8, 15), _YEAR, Term("2026/27", "Autumn", "2026-08")),
        ((2027, 1, 9), _YEAR, Term("2026/27", "Autumn", "2026-08")),
        ((2027, 1, 10), _YEAR, Term("2026/27", "Spring", "2027-01")),
        ((2099, 9, 1), _YEAR, Term("2099/00", "Autumn", "2099-08")),
        ((2026, 3, 1), Calendar(), Term("2025/26", "", "2025-08")),
        ((2026, 3, 1), Calendar((1, 1)), Term("2026", "", "2026-01")),
    ],
)
def test_a_term_is_that_in_which_a_day_lies(
    day: tuple[int, int, int], calendar: Calendar, term: Term
) -> None:
    assert term_of(at(*day), calendar) == term


def test_the_day_is_that_of_the_school() -> None:
    assert day_of(at(2026, 8, 14, 23), _YEAR).isoformat() == "2026-08-15"


def test_one_level_is_no_mean() -> None:
    items = {"S.1": attained("S.1", 3, *[shift(n) for n in range(3)])}
    line = made([items_rule()], items=items).lines[0]
    assert (line.grade, line.basis) == ("A", "level 3")


def test_a_record_without_a_title_is_named_by_its_activity() -> None:
    record: Record = mark(1, "0.9", title="")
    line = made([], [{**COURSE, "grade": BY_SCORE}], records=[record]).courses[0]
    assert line.course.title == "https://school.example/courses/mathematics"
