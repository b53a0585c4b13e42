"""Levels of evidence, and coverage beside them; neither order nor repetition changes anything."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.competencies.alignments import Evidence
from lrs.competencies.model import Framework, ProgressModel
from lrs.competencies.progress import (
    Coverage,
    Progress,
    counting,
    level_of,
    once_each,
    progress_from,
    progress_of,
    progress_row,
)
from lrs.learners.handles import LearnerId
from tests.unit.competencies.builders import FRAMEWORK, TWO_OF_THREE, a_framework, some_evidence

LEVELS = a_framework(model=TWO_OF_THREE)
NO_LEVELS = a_framework()


def by_item(evidence: list[Evidence], framework: Framework = LEVELS) -> dict[str, Progress]:
    return {one.item: one for one in progress_of(evidence, framework)}


def scores(item: str, *values: str | None) -> list[Evidence]:
    return [some_evidence(item, number, value) for number, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ([], 0),
        (["0.9"], 0),
        (["0.9", "0.9"], 3),
        (["0.6", "0.6"], 2),
        (["0.59", "0.6"], 1),
        (["0.6", "0.1", "0.6"], 2),
        (["0.9", "0.9", "0.1", "0.1"], 0),
        (["0.1", "0.1", "0.8", "0.8"], 3),
        (["0.3", "0.3", "0.3"], 0),
        (["0.9", None, None, None, "0.9"], 3),
        (["-1", "0.4", "0.4"], 1),
    ],
)
def test_level_is_reached_when_two_of_the_last_three_are_at_or_above(values: list[str], level: int) -> None:
    assert level_of(counting(scores("a1", *values), TWO_OF_THREE), TWO_OF_THREE) == level


def test_tenths_are_compared_as_decimal_numbers() -> None:
    """As binary floats 0.1 + 0.2 is above 0.3; here nothing passes through one."""
    assert by_item(scores("a1", "0.6", "0.600000000"))["a1"].level == 2
    assert by_item(scores("a1", "0.6", "0.599999999"))["a1"].level == 1


def test_weak_evidence_needs_more_of_its_kind() -> None:
    half = [some_evidence("a1", number, "0.9", strength="0.5") for number in range(1, 4)]
    assert by_item(half)["a1"].level == 0
    assert by_item([*half, some_evidence("a1", 4, "0.9", strength="0.5")])["a1"].level == 3


def test_statement_counts_once_when_two_rules_or_two_records_have_it() -> None:
    twice = [
        some_evidence("a1", 1, "0.5"),
        some_evidence("a1", 1, "0.9", rule="r2"),
        some_evidence("a1", 1, "0.9", institution="school"),
    ]
    progress = by_item(twice)["a1"]
    assert (progress.counted, progress.level) == (1, 0)
    assert [one.score for one in once_each(twice)] == ["0.9"]


def test_branch_shows_coverage_and_the_lowest_level_only_when_all_were_met() -> None:
    found = by_item(scores("a1", "0.9", "0.9"))
    assert found["a"].coverage == Coverage(1, 2)
    assert (found["a"].level, found["a"].rolled) == (0, True)
    both = by_item(scores("a1", "0.9", "0.9") + [some_evidence("a2", n, "0.6") for n in (5, 6)])
    assert (both["a"].level, both["a"].level_name, both["a"].coverage) == (2, "Developing", Coverage(2, 2))
    assert both[FRAMEWORK].coverage == Coverage(2, 5)
    assert both[FRAMEWORK].level == 0
    assert "b" not in both


def test_framework_without_levels_shows_coverage_alone() -> None:
    found = by_item(scores("a1", "0.1") + scores("alone", None), NO_LEVELS)
    assert list(found) == [FRAMEWORK, "a", "a1", "alone"]
    assert all(one.level is None for one in found.values())
    assert found[FRAMEWORK].coverage == Coverage(2, 5)
    assert found["alone"].counted == 1


def test_item_that_was_met_with_but_never_scored_has_level_nought() -> None:
    progress = by_item(scores("a1", None, None))["a1"]
    assert (progress.level, progress.level_name, progress.counted, progress.evidence) == (0, None, 2, ())


def test_evidence_of_a_branch_itself_gives_it_a_level_of_its_own() -> None:
    progress = by_item(scores("a", "0.9", "0.9"))["a"]
    assert (progress.level, progress.rolled, progress.coverage) == (3, False, Coverage(0, 2))


def test_what_counted_is_named_oldest_first() -> None:
    progress = by_item(scores("a1", "0.1", "0.2", "0.9", "0.9"))["a1"]
    assert [one.statement[-1] for one in progress.evidence] == ["2", "3", "4"]
    assert progress.counted == 4


def test_nothing_is_shown_without_evidence_or_for_what_is_unknown() -> None:
    assert progress_of([], LEVELS) == []
    assert progress_of([some_evidence("gone", 1), some_evidence("a1", 1, framework="x")], LEVELS) == []


def test_row_gives_back_what_was_written() -> None:
    for one in progress_of(scores("a1", "0.9", "0.9"), LEVELS):
        assert progress_from(progress_row(LearnerId("ada"), one)) == one


PIECES = st.lists(
    st.builds(
        lambda item, number, at, score, strength, rule, institution: some_evidence(
            item,
            number,
            score,
            at=at,
            strength=strength,
            rule=rule,
            institution=institution,
            act=f"{at:018d} {number} {institution}",
        ),
        st.sampled_from(["a", "a1", "a2", "b1", "b2", "alone"]),
        st.integers(1, 6),
        st.integers(1, 4),
        st.none() | st.decimals(-1, 1, places=2).map(str),
        st.sampled_from(["1", "0.5", "2"]),
        st.sampled_from(["r1", "r2"]),
        st.sampled_from(["museum", "school"]),
    ),
    max_size=25,
    unique_by=lambda one: one.key,
)
FRAMEWORKS = st.sampled_from([LEVELS, NO_LEVELS])


@given(PIECES, FRAMEWORKS, st.randoms())
def test_order_of_evidence_does_not_matter(
    pieces: list[Evidence], framework: Framework, dice: random.Random
) -> None:
    shuffled = dice.sample(pieces, len(pieces))
    assert progress_of(shuffled, framework) == progress_of(pieces, framework)


@given(PIECES, FRAMEWORKS)
def test_evidence_given_twice_changes_nothing(pieces: list[Evidence], framework: Framework) -> None:
    assert progress_of(pieces + pieces, framework) == progress_of(pieces, framework)


@given(PIECES)
def test_levels_are_monotone_and_coverage_is_what_was_met(pieces: list[Evidence]) -> None:
    found = by_item(pieces)
    leaves = {one.item for one in pieces} - {"a"}
    if pieces:
        assert found[FRAMEWORK].coverage == Coverage(len(leaves), 5)
    for one in found.values():
        assert one.level is not None
        assert 0 <= one.level <= 3
        assert 0 <= one.coverage.met <= one.coverage.of
        assert (one.level_name is None) == (one.level == 0)


@given(PIECES)
def test_level_equals_a_count_by_hand_when_every_strength_is_one(pieces: list[Evidence]) -> None:
    whole = [one for one in pieces if one.strength == "1" and one.item == "a1"]
    last = [Decimal(one.score) for one in once_each(whole) if one.score is not None][-3:]
    expected = max(
        (one.level for one in TWO_OF_THREE.levels if sum(score >= one.threshold for score in last) >= 2),
        default=0,
    )
    found = by_item(whole)
    assert (found["a1"].level if whole else 0) == expected


@given(PIECES)
def test_coverage_model_shows_the_same_items_as_the_model_with_levels(pieces: list[Evidence]) -> None:
    with_levels, without = by_item(pieces), by_item(pieces, NO_LEVELS)
    assert {one: found.coverage for one, found in with_levels.items()} == {
        one: found.coverage for one, found in without.items()
    }
    assert ProgressModel().level_named(1) is None
