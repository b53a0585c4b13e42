"""Laws of translation, over any records and any of a few crosswalks."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lrs.transcripts.model import Crosswalk
from lrs.transcripts.seen import Attained, Record, Seen
from lrs.transcripts.translating import Translation, translate
from tests.unit.transcripts.crosswalks import (
    PLACES,
    SCHOOL,
    TABLE,
    attained,
    hours_rule,
    items_rule,
    with_rules,
)

_BASE = 1_767_225_600_000_000
_ACTIVITIES = [
    "https://works.example/shifts/hull",
    "https://works.example/shifts/data",
    "https://school.example/courses/mathematics",
    "https://school.example/courses/science",
    "https://museum.example/rooms/1",
]
_COURSES = [
    {
        "activity": ["https://school.example/courses/*"],
        "credits": "1",
        "grade": {"by": "score", "table": TABLE},
    }
]


@st.composite
def _records(draw: st.DrawFn) -> list[Record]:
    numbers = draw(st.lists(st.integers(0, 60), unique=True, max_size=25))
    return [_record(draw, number) for number in numbers]


def _record(draw: st.DrawFn, number: int) -> Record:
    institution = draw(st.sampled_from(sorted(PLACES)))
    return Record(
        id=f"00000000-0000-4000-8000-{number:012d}",
        institution=institution,
        place=PLACES[institution],
        at=_BASE + draw(st.integers(0, 10**13)),
        activity=draw(st.sampled_from(_ACTIVITIES)),
        voucher=draw(st.sampled_from(["mentor", "teacher", "learner"])),
        seconds=draw(st.none() | st.integers(0, 500_000).map(Decimal)),
        score=draw(st.none() | st.integers(0, 100).map(lambda hundredths: Decimal(hundredths) / 100)),
    )


@st.composite
def _crosswalks(draw: st.DrawFn) -> Crosswalk:
    rules: list[dict[str, Any]] = [
        hours_rule(
            f"hours-{number}",
            course={"title": f"Hours {number}"},
            shares=draw(st.booleans()),
            credits={
                "minutesPerCredit": draw(st.integers(1, 10_000)),
                "most": draw(st.sampled_from(["0.1", "0.5", "1", "3"])),
                "round": draw(st.sampled_from(["0.01", "0.25", "0.3", "1"])),
                "rounding": draw(st.sampled_from(["half-up", "down"])),
            },
            grade=draw(st.sampled_from([{"by": "none"}, {"by": "score", "table": TABLE}])),
            **{"from": {"minutes": {"activity": draw(_patterns)}, "least": draw(st.integers(1, 300))}},
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    rules.insert(draw(st.integers(0, len(rules))), items_rule(shares=draw(st.booleans())))
    return with_rules(*rules, courses=_COURSES if draw(st.booleans()) else [])


_patterns = st.sampled_from(
    [["https://works.example/*"], ["https://works.example/shifts/hull"], ["https://school.example/courses/*"]]
)


@st.composite
def _seen(draw: st.DrawFn) -> Seen:
    records = draw(_records())
    items: dict[str, Attained] = {}
    for name in ("S.1", "S.2"):
        chosen = draw(st.lists(st.sampled_from(records), unique_by=lambda one: one.id)) if records else []
        items[name] = attained(name, draw(st.integers(1, 3)) if chosen else None, *chosen)
    return Seen(SCHOOL, records, items)


def _with(seen: Seen, records: list[Record]) -> Seen:
    return Seen(seen.school, records, seen.items)


@given(_crosswalks(), _seen(), st.randoms(use_true_random=False))
def test_the_order_in_which_records_come_changes_nothing(
    crosswalk: Crosswalk, seen: Seen, chance: Any
) -> None:
    shuffled = list(seen.records)
    chance.shuffle(shuffled)
    assert translate(crosswalk, _with(seen, shuffled)) == translate(crosswalk, seen)


@given(_crosswalks(), _seen(), st.integers(0, 10**13), st.integers(0, 10**6))
def test_a_record_that_no_rule_speaks_of_changes_no_line(
    crosswalk: Crosswalk, seen: Seen, when: int, seconds: int
) -> None:
    foreign = Record(
        id="ffffffff-0000-4000-8000-000000000000",
        institution=SCHOOL,
        place=PLACES[SCHOOL],
        at=_BASE + when,
        activity="https://elsewhere.example/1",
        seconds=Decimal(seconds),
        score=Decimal(1),
    )
    before, after = translate(crosswalk, seen), translate(crosswalk, _with(seen, [*seen.records, foreign]))
    assert (after.lines, after.courses, after.gaps) == (before.lines, before.courses, before.gaps)
    assert sum(one.records for one in after.unmatched) == 1 + sum(one.records for one in before.unmatched)


@given(_crosswalks(), _seen())
def test_no_line_has_more_credit_than_its_rule_allows(crosswalk: Crosswalk, seen: Seen) -> None:
    limits = {
        rule.id: getattr(rule.credits, "most", None) or getattr(rule.credits, "credits", Decimal(0))
        for rule in crosswalk.rules
    }
    for line in translate(crosswalk, seen).lines:
        assert 0 < line.credits <= limits[line.id]


@given(_crosswalks(), _seen())
def test_no_statement_is_credited_twice_unless_a_rule_shares(crosswalk: Crosswalk, seen: Seen) -> None:
    sharing = {rule.id for rule in crosswalk.rules if rule.shares}
    translation = translate(crosswalk, seen)
    counted = [
        record.id
        for line in (*translation.courses, *translation.lines)
        if line.id not in sharing
        for record in line.records
    ]
    assert len(counted) == len(set(counted))


@given(_crosswalks(), _seen())
def test_every_rule_and_every_record_is_accounted_for(crosswalk: Crosswalk, seen: Seen) -> None:
    translation: Translation = translate(crosswalk, seen)
    told = [line.id for line in translation.lines] + [gap.id for gap in translation.gaps]
    told += [line.rule for line in translation.courses] + list(translation.unbegun)
    assert set(told) == {rule.id for rule in (*crosswalk.rules, *crosswalk.courses)}
    cited = {record.id for line in (*translation.lines, *translation.courses) for record in line.records}
    assert cited <= {record.id for record in seen.records} | {
        record.id for item in seen.items.values() for record in item.records
    }
