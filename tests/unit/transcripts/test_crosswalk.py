"""Reading a crosswalk: what is taken, and that every problem is named with its place."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lrs.errors import InvalidImport
from lrs.transcripts.crosswalk import read_crosswalk
from lrs.transcripts.model import ByItems, ByMinutes, ByPathway, GradeBy, HourCredits, Rounding
from tests.unit.transcripts.crosswalks import KNOWN, TABLE, changed, hours_rule, items_rule


def problems_of(value: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidImport) as caught:
        read_crosswalk(value, KNOWN)
    return [(problem.path, problem.rule) for problem in caught.value.problems]


def test_every_member_is_read_when_the_file_is_whole() -> None:
    read = read_crosswalk(changed(), KNOWN, version=4)
    work, team, maker = read.rules
    assert (read.name, read.version, read.unit) == ("diploma", 4, "Carnegie unit")
    assert read.school.codes == {"CEEB": "000000"}
    assert read.calendar.offset_minutes == 60
    assert [one.begins for one in read.calendar.sessions] == [(8, 15), (1, 10)]
    assert work.credits == HourCredits(600, Decimal(1), Decimal("0.25"), Rounding.HALF_UP)
    assert isinstance(work.source, ByMinutes)
    assert team.source == ByItems(("S.1", "S.2"), 1, 2)
    assert maker.source == ByPathway("maker", "Harbour Museum", awarded=True)
    assert [row.earns for row in read.courses[0].grading.table] == [True, True, False]
    assert read.courses[0].id == "course-1"
    assert read.institutions() == ("Harbour Museum",)


def test_the_shipped_crosswalk_is_read() -> None:
    path = Path(__file__).parents[3] / "profiles" / "demo_city" / "crosswalk.json"
    assert read_crosswalk(json.loads(path.read_text())).rules


def test_every_problem_is_named_when_a_file_has_many() -> None:
    table = [{"from": "2", "grade": "B"}, {"from": "2", "grade": "A"}, {"from": "1", "grade": "A"}]
    value = changed(
        rules=[
            items_rule(id="one", **{"from": {"items": ["S.1", "S.7", "S.9"], "level": 7}}, credits=0.5),
            items_rule(id="one", grade={"by": "level", "table": table}, credits="much"),
            hours_rule("two", **{"from": {"pathway": "nowhere"}}, extra=1),
        ],
        courses=[{"activity": ["no iri"], "credits": "1", "grade": {"by": "success", "passed": "P"}}],
    )
    assert problems_of(value) == [
        ("/rules/0/from/items/1", "item.unknown"),
        ("/rules/0/from/items/2", "item.ambiguous"),
        ("/rules/0/from/level", "level.unknown"),
        ("/rules/0/credits", "credits.decimal"),
        ("/rules/1/id", "id.repeated"),
        ("/rules/1/credits", "number.decimal"),
        ("/rules/1/grade/table/1/from", "grade.order"),
        ("/rules/1/grade/table/2/grade", "grade.repeated"),
        ("/rules/2/extra", "member.unknown"),
        ("/rules/2/from/pathway", "pathway.unknown"),
        ("/rules/2/credits", "credits.hours"),
        ("/courses/0/grade", "member.required"),
        ("/courses/0/activity/0", "iri.form"),
    ]


@pytest.mark.parametrize(
    ("members", "place", "rule"),
    [
        ({"framework": "other"}, None, None),
        ({"name": "a/b"}, "/name", "name.form"),
        ({"title": None}, "", "member.required"),
        ({"title": 7}, "/title", "json.text"),
        ({"colour": "red"}, "/colour", "member.unknown"),
        ({"rules": None, "courses": None}, "", "crosswalk.empty"),
        ({"rules": {}}, "/rules", "json.array"),
        ({"partners": ["Nowhere"]}, "/partners/0", "institution.unknown"),
        ({"school": {"codes": {"CEEB": 1}}}, "/school/codes/CEEB", "json.text"),
        ({"calendar": {"begins": "13-01"}}, "/calendar/begins", "day.form"),
        ({"calendar": {"offset": "CET"}}, "/calendar/offset", "offset.form"),
        (
            {"calendar": {"begins": "08-15", "sessions": [{"title": "Spring", "begins": "01-10"}]}},
            "/calendar/sessions",
            "calendar.sessions",
        ),
        ({"rules": [items_rule(**{"from": {"items": ["S.1"], "k": 2}})]}, "/rules/0/from/k", "number.whole"),
        ({"rules": [items_rule(**{"from": {"items": ["S.1"], "minutes": {}}})]}, "/rules/0/from", "from.one"),
        ({"rules": [items_rule(**{"from": ["S.1"]})]}, "/rules/0/from", "from.one"),
        ({"rules": [hours_rule(**{"from": {"minutes": {}}})]}, "/rules/0/from/minutes", "filter.empty"),
        (
            {"rules": [hours_rule(**{"from": {"minutes": {"voucher": ["aunt"]}}})]},
            "/rules/0/from/minutes/voucher/0",
            "voucher.unknown",
        ),
        (
            {"rules": [hours_rule(**{"from": {"pathway": "two"}}, credits="1")]},
            "/rules/0/from/pathway",
            "pathway.ambiguous",
        ),
        (
            {"rules": [hours_rule(**{"from": {"award": "path"}}, credits="1")]},
            "/rules/0/from/award",
            "pathway.no-award",
        ),
        (
            {"rules": [items_rule(**{"from": {"items": ["S.1"]}})]},
            "/rules/0/grade/by",
            "text.choice",
        ),
        (
            {"rules": [hours_rule(credits={"minutesPerCredit": 0, "most": "1", "round": "0"})]},
            "/rules/0/credits/minutesPerCredit",
            "number.whole",
        ),
    ],
)
def test_a_problem_is_named_with_its_place(
    members: dict[str, Any], place: str | None, rule: str | None
) -> None:
    if place is None:  # KNOWN vouches for whichever framework is named
        read_crosswalk(changed(**members), KNOWN)
        return
    assert (place, rule) in problems_of(changed(**members))


def test_items_are_refused_when_no_framework_is_named() -> None:
    assert ("/rules/1/from/items", "framework.missing") in problems_of(changed(framework=None))


def test_parts_are_refused_when_the_grade_is_not_by_score() -> None:
    course = {"activity": ["https://a.example/c"], "credits": "1", "parts": True, "grade": {"by": "none"}}
    assert problems_of(changed(courses=[course])) == [("/courses/0/parts", "course.parts")]


@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_what_is_no_object_is_refused(value: Any) -> None:
    assert problems_of(value)[0] == ("", "json.object")


def test_a_grade_by_score_takes_the_table_as_it_stands() -> None:
    read = read_crosswalk(changed(rules=[hours_rule(grade={"by": "score", "table": TABLE})]), KNOWN)
    assert read.rules[0].grading.by is GradeBy.SCORE
    assert [row.least for row in read.rules[0].grading.table] == [Decimal("0.9"), Decimal("0.6"), Decimal(0)]
