"""How far a learner is on a pathway."""

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.competencies.progress import Coverage, EvidenceRef, Progress
from lrs.learners.acts import Act
from lrs.learners.handles import LearnerId
from lrs.pathways.completing import completion_of
from lrs.pathways.deriving import completion_from, completion_row, completion_rows
from lrs.pathways.model import Pathway, pathway_from
from tests.unit.learners.people import MUSEUM, SCHOOL, make_act

DONE, VISITED = "https://example.org/verbs/done", "https://example.org/verbs/visited"
KNOTS, FISH = "https://museum.example/knots", "https://museum.example/fish"
FRAMEWORK = "spine"


def act(number: int, **changes: Any) -> Act:
    made = make_act("mbox mailto:ana@example.org", changes.pop("place", MUSEUM), number)
    return dataclasses.replace(made, **{"verb": DONE, "object": KNOTS, **changes})


def reached(item: str, level: int | None, at: int = 50, met: int = 1) -> Progress:
    refs = (EvidenceRef("00000000-0000-4000-8000-00000000beef", "sch0010001"),)
    return Progress(
        FRAMEWORK, item, level, None, Coverage(met, 1), 1, False, "k-of-n", 1, refs if met else (), at
    )


def a_step(id_: str, needs: dict[str, Any], required: bool = True, *after: str) -> dict[str, Any]:
    return {"id": id_, "title": id_.title(), "required": required, "needs": needs, "after": list(after)}


def doing(activity: str = KNOTS, times: int = 1, **more: Any) -> dict[str, Any]:
    return {"activity": [activity], "times": times, **more}


def pathway(*steps: dict[str, Any], least: int = 0) -> Pathway:
    value = {
        "name": "tide",
        "title": "Tide",
        "version": 3,
        "framework": FRAMEWORK,
        "steps": list(steps),
        "minOptional": least,
        "opens": ["The yard"],
    }
    return pathway_from(value, "mus0010001")


def instant(number: int) -> int:
    return act(number).at


def test_nothing_is_begun_when_nothing_counts() -> None:
    found = completion_of(pathway(a_step("a", doing())), [act(1, object=FISH)], [])
    assert (found.begun, found.done, found.at, found.missing) == (False, False, None, ("a",))
    assert completion_rows(LearnerId("x"), [pathway(a_step("a", doing()))], [], []) == []


def test_step_is_done_by_the_nth_act_and_names_those_that_did_it() -> None:
    way = pathway(a_step("a", doing(times=2)))
    half = completion_of(way, [act(5)], [])
    assert (half.begun, half.done, half.steps[0].have, half.steps[0].want) == (True, False, 1, 2)
    found = completion_of(way, [act(9), act(7), act(5)], [])
    assert (found.done, found.at, found.missing) == (True, instant(7), ())
    assert found.evidence == ((act(5).id, "mus0010001"), (act(7).id, "mus0010001"))


def test_one_statement_in_two_records_counts_once() -> None:
    way = pathway(a_step("a", doing(times=2)))
    assert not completion_of(way, [act(5), act(5, place=SCHOOL)], []).done


def test_another_record_under_the_same_id_hides_none_that_counts() -> None:
    way = pathway(a_step("a", doing()))
    assert completion_of(way, [act(5, place=SCHOOL), act(5, object=FISH)], []).done


@pytest.mark.parametrize(
    ("needs", "good", "bad"),
    [
        (doing(verb=[DONE]), {}, {"verb": VISITED}),
        (doing("https://museum.example/*"), {"object": FISH}, {"object": "https://else.example/"}),
        (doing("https://museum.example/*"), {"object": FISH}, {"object": None}),
        (doing(completion=True), {"completion": True}, {"completion": None}),
        (doing(success=False), {"success": False}, {"success": True}),
        (doing(institution=["sch0010001"]), {"place": SCHOOL}, {"place": MUSEUM}),
        (doing(category=["x:a", "x:b"]), {"categories": ("x:b",)}, {"categories": ("x:c",)}),
        (doing(parent=["x:*"]), {"parents": ("y:1", "x:1")}, {"parents": ("y:1",)}),
        (doing(activityType=["x:t"]), {"type": "x:t"}, {"type": None}),
    ],
)
def test_act_counts_only_when_every_condition_holds(
    needs: dict[str, Any], good: dict[str, Any], bad: dict[str, Any]
) -> None:
    way = pathway(a_step("a", needs))
    assert completion_of(way, [act(1, **good)], []).done
    assert not completion_of(way, [act(1, **bad)], []).begun


def test_minutes_are_summed_until_they_are_enough() -> None:
    way = pathway(a_step("a", {"activity": [KNOTS], "minutes": 60}))
    acts = [act(1, seconds=1800), act(2), act(3, seconds=1799)]
    short = completion_of(way, acts, [])
    assert (short.done, short.steps[0].have, short.steps[0].want) == (False, 59, 60)
    found = completion_of(way, [*acts, act(4, seconds=1), act(5, seconds=900)], [])
    assert (found.done, found.at) == (True, instant(4))
    assert [ref[0] for ref in found.evidence] == [act(1).id, act(3).id, act(4).id]


def test_item_is_reached_by_its_level_or_by_any_evidence_where_none_is_asked() -> None:
    way = pathway(a_step("a", {"item": "MS.2", "level": 2}))
    assert completion_of(way, [], [reached("MS.2", 2)]).at == 50
    low = completion_of(way, [], [reached("MS.2", 1)])
    assert (low.done, low.begun, low.steps[0].have) == (False, True, 1)
    assert not completion_of(way, [], [reached("MS.3", 3)]).begun
    other = dataclasses.replace(reached("MS.2", 3), framework="another")
    assert not completion_of(way, [], [other]).begun
    met = pathway(a_step("a", {"item": "MS.2"}))
    assert completion_of(met, [], [reached("MS.2", None)]).done
    assert not completion_of(met, [], [reached("MS.2", None, met=0)]).done


def test_some_of_several_is_done_when_k_are() -> None:
    way = pathway(a_step("a", {"k": 2, "of": [doing(), doing(FISH), {"item": "MS.2", "level": 1}]}))
    one = completion_of(way, [act(3)], [])
    assert (one.done, one.steps[0].have, one.steps[0].want, one.begun) == (False, 1, 2, True)
    found = completion_of(way, [act(3), act(8, object=FISH)], [reached("MS.2", 1, at=instant(5))])
    assert (found.done, found.at) == (True, instant(5))


def test_optional_steps_count_up_to_the_number_that_is_needed() -> None:
    way = pathway(
        a_step("must", doing()), a_step("x", doing(FISH), False), a_step("y", doing("x:y"), False), least=1
    )
    begun = completion_of(way, [act(1)], [])
    assert (begun.missing, begun.missing_optional) == (("x", "y"), 1)
    found = completion_of(way, [act(1), act(9, object="x:y"), act(4, object=FISH)], [])
    assert (found.done, found.at, found.missing) == (True, instant(4), ())
    assert [ref[0] for ref in found.evidence] == [act(1).id, act(4).id]


def test_step_waits_for_those_that_it_comes_after() -> None:
    way = pathway(a_step("last", doing(FISH), True, "first"), a_step("first", doing(times=2)))
    early = completion_of(way, [act(1, object=FISH), act(2)], [])
    assert early.missing == ("last", "first")
    found = completion_of(way, [act(1, object=FISH), act(2), act(6)], [])
    assert found.done
    assert [step.at for step in found.steps] == [instant(6), instant(6)]


def test_row_gives_the_completion_back() -> None:
    way = pathway(a_step("a", doing()), a_step("b", {"item": "MS.2", "level": 2}))
    for acts, progress in (([act(1)], []), ([act(1)], [reached("MS.2", 2)])):
        found = completion_of(way, acts, progress)
        row = completion_row(LearnerId("0123456789ab"), found)
        assert completion_from(row) == found
        assert (row.table, row.owner, row.key) == ("completions", "0123456789ab", "mus0010001 tide")


ACTS = st.lists(
    st.builds(
        lambda number, object_, place, seconds: act(number, object=object_, place=place, seconds=seconds),
        st.integers(1, 9),
        st.sampled_from([KNOTS, FISH, "x:y"]),
        st.sampled_from([MUSEUM, SCHOOL]),
        st.sampled_from([None, 60, 1800]),
    ),
    max_size=12,
    unique_by=lambda one: (one.id, one.institution),
)
WAY = pathway(
    a_step("a", doing(times=2)),
    a_step("b", {"activity": [FISH], "minutes": 31}, True, "a"),
    a_step("c", {"k": 1, "of": [doing("x:y"), doing(FISH, times=3)]}, False),
    least=1,
)


@given(ACTS, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(acts: list[Act], shuffle: random.Random) -> None:
    expected = completion_of(WAY, acts, [])
    shuffle.shuffle(acts)
    assert completion_of(WAY, acts, []) == expected


@given(ACTS, ACTS)
def test_more_acts_never_undo_a_step(acts: list[Act], more: list[Act]) -> None:
    known = {(one.id, one.institution) for one in acts}
    both = [*acts, *(one for one in more if (one.id, one.institution) not in known)]
    before, after = completion_of(WAY, acts, []), completion_of(WAY, both, [])
    assert {step.id for step in before.steps if step.done} <= {step.id for step in after.steps if step.done}
    assert after.done or not before.done
