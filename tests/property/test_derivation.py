"""Whatever is recorded, in whatever order, derived in whatever steps: the same as all at once."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from lrs.derivation.reading import Pace
from tests.derivations import ITEMS, PLACES, World, all_rows, identifier
from tests.engines import mongomock_engine, sqlite_engine

NAMES = ("ada", "#ada", "@ada", "ben", "@ben", "cyd")
PEOPLE = st.sampled_from(NAMES)
GROUPS = st.lists(PEOPLE, min_size=2, max_size=4, unique=True)
PLACE = st.sampled_from(PLACES)
ITEM = st.sampled_from([*ITEMS, "elsewhere"])
SCORE = st.none() | st.sampled_from([0.1, 0.4, 0.6, 0.8, 0.95])
NUMBER = st.integers(1, 40)
PACES = st.builds(Pace, st.integers(1, 7), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
ROSTER = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3"]), st.just("Name"), st.lists(PEOPLE, min_size=1, max_size=3)),
    max_size=3,
    unique_by=lambda row: row[0],
)

Act = Callable[[World], object]
Op = tuple[str, tuple[Any, ...]]

SAYING: list[st.SearchStrategy[Op]] = [
    st.tuples(st.just("say"), st.tuples(PLACE, PEOPLE | GROUPS, ITEM, SCORE, NUMBER)),
    st.tuples(st.just("void"), st.tuples(PLACE, NUMBER)),
]
DECIDING: list[st.SearchStrategy[Op]] = [
    st.tuples(st.just("link"), st.tuples(PEOPLE, PEOPLE)),
    st.tuples(st.just("unlink"), st.tuples(PEOPLE, PEOPLE)),
    st.tuples(st.just("share"), st.tuples(PEOPLE, st.sampled_from(["shared", "decided"]))),
    st.tuples(st.just("roster"), st.tuples(PLACE, ROSTER)),
    st.tuples(
        st.just("align"), st.tuples(st.sampled_from(PLACES[:2]), st.sets(st.sampled_from(ITEMS), min_size=1))
    ),
    st.tuples(st.just("framework"), st.tuples(st.booleans())),
    st.tuples(st.just("drop"), st.tuples(st.sampled_from(PLACES[1:]))),
]
DERIVING: st.SearchStrategy[Op] = st.tuples(
    st.just("derive"), st.tuples(PACES, st.none() | st.integers(1, 12))
)
OPS = st.lists(st.one_of(*SAYING, *SAYING, *DECIDING, DERIVING), max_size=30)


def carry_out(world: World, op: Op) -> None:
    """Do one thing, where it can be done."""
    name, values = op
    if name == "derive":
        world.derive(*values)
    elif name == "drop":
        if values[0] in world.callers:
            world.drop(values[0])
            del world.callers[values[0]]
    elif name in {"link", "unlink"}:
        if values[0] != values[1]:
            getattr(world, name)(*values)
    elif name == "share":
        world.share(*values)
    elif name == "framework":
        world.framework(levels=values[0])
    elif values[0] in world.callers:
        _AT_A_PLACE[name](world, *values)


def _say(world: World, place: str, who: Any, item: str, score: float | None, number: int) -> None:
    world.say(place, who, item, score, number=number)


def _void(world: World, place: str, number: int) -> None:
    world.void(place, f"00000000-0000-4000-8000-{number:012x}")


def _align(world: World, place: str, items: set[str]) -> None:
    world.align(place, tuple(sorted(items)))


def _roster(world: World, place: str, rows: Sequence[tuple[str, str, list[str]]]) -> None:
    world.roster(place, *((key, name, tuple(sorted(set(names)))) for key, name, names in rows))


_AT_A_PLACE: dict[str, Callable[..., None]] = {"say": _say, "void": _void, "align": _align, "roster": _roster}


@contextmanager
def fresh_world(engine_name: str, seed: int = 0) -> Iterator[World]:
    with TemporaryDirectory() as folder:
        engine = sqlite_engine(Path(folder)) if engine_name == "sqlite" else mongomock_engine()
        try:
            world = World.on(engine, seed)
            world.number = 1000
            world.framework()
            world.align()
            yield world
        finally:
            engine.close()


def follow(engine_name: str, ops: Sequence[Op], pace: Pace) -> None:
    with fresh_world(engine_name) as world:
        for op in ops:
            carry_out(world, op)
        world.derive(pace)
        assert not world.deriver.is_behind()
        found = world.verify()
        note(str(found.named))
        assert found.differences == 0


@pytest.mark.lasting
@settings(max_examples=60, deadline=None)
@given(OPS, PACES)
def test_step_by_step_equals_all_at_once(ops: list[Op], pace: Pace) -> None:
    follow("sqlite", ops, pace)


@settings(max_examples=8, deadline=None)
@given(OPS, PACES)
def test_step_by_step_equals_all_at_once_on_mongodb(ops: list[Op], pace: Pace) -> None:
    follow("mongomock", ops, pace)


@pytest.mark.soak
@settings(max_examples=2_000, deadline=None)
@given(st.lists(st.one_of(*SAYING, *SAYING, *DECIDING, DERIVING), max_size=80), PACES)
def test_step_by_step_equals_all_at_once_for_long(ops: list[Op], pace: Pace) -> None:
    follow("sqlite", ops, pace)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.one_of(*SAYING), max_size=20, unique_by=lambda op: op[1][-1] if op[0] == "say" else str(op)),
    st.sampled_from(["sqlite", "sqlite", "sqlite", "mongomock"]),
    st.randoms(),
    PACES,
)
def test_order_of_arrival_does_not_matter(
    ops: list[Op], engine_name: str, dice: random.Random, pace: Pace
) -> None:
    """The same statements and voidings, posted in another order, with derivation in between or not."""
    results = []
    for order in (ops, dice.sample(ops, len(ops))):
        with fresh_world(engine_name) as world:
            for op in order:
                carry_out(world, op)
                if order is not ops and dice.random() < 0.3:
                    world.derive(pace)
            world.derive(pace)
            results.append(all_rows(world.derived))
    assert results[0] == results[1]


def test_names_of_the_small_world_are_identifiers() -> None:
    assert len({identifier(name) for name in NAMES}) == len(NAMES)
