"""How long a writer rests for others: not at all alone, longer and longer while a slower one waits."""

from lrs.stores.mongo.turns import Turns

INSERT = 0.001


def rests(turns: Turns, *met: bool) -> list[float]:
    """Rest before each group, in milliseconds; and note whether others were met in it."""
    found = []
    for one in met:
        found.append(round(1000 * turns.rest_seconds(), 3))
        turns.note(INSERT, met_others=one)
    return found


def test_nobody_rests_when_no_other_was_ever_met() -> None:
    assert rests(Turns(), *[False] * 50) == [0.0] * 50


def test_rests_grow_until_nobody_else_seems_to_write() -> None:
    turns = Turns()
    rests(turns, True)
    assert rests(turns, *[False] * 20) == [0, 0, 4, 0, 8, 0, 16, 0, 32, 0, 50, *[0] * 9]
    assert rests(turns, True, False, False, False) == [0, 0, 0, 4]


def test_nobody_rests_when_two_take_turns() -> None:
    turns = Turns()
    assert rests(turns, *[True] * 10, *[False, True] * 10) == [0.0] * 30


def test_rest_stays_as_long_as_a_slower_one_needs() -> None:
    """It gets its turn during a rest of 10 ms or more: three groups of four are the faster one's."""
    turns = Turns()
    rests(turns, True)
    met = 0
    for _ in range(40):
        rest = turns.rest_seconds()
        turns.note(INSERT, met_others=rest >= 0.010)
        met += rest >= 0.010
    assert met >= 12


def test_rests_shrink_when_the_other_one_becomes_faster() -> None:
    turns = Turns()
    rests(turns, True, *[False] * 10)
    rests(turns, *[True] * 5)
    assert rests(turns, False, False, False) == [0, 0, 4]


def test_no_rest_is_longer_than_a_twentieth_of_a_second() -> None:
    turns = Turns()
    turns.note(3.0, met_others=True)
    for _ in range(4):
        turns.note(3.0, met_others=False)
        assert turns.rest_seconds() <= 0.05
