"""Writers of one institution: what a newcomer does first, who projects, and who gives way."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lrs.errors import StatementConflict
from lrs.stores.mongo import writer
from lrs.stores.mongo.projector import Projector
from lrs.stores.mongo.stores import MongoStores
from lrs.stores.mongo.turns import Turns
from lrs.xapi.ports import BatchOutcome, StatementStore
from tests.engines import Engine
from tests.unit.stores.mongo.conftest import (
    SCHOOL,
    add_all,
    batch,
    collections_of,
    page,
    statement,
    whole_log,
)


@pytest.fixture
def newcomer(mock: Engine) -> StatementStore:
    """The school's statements, opened by another process."""
    return mock.open(busy_seconds=5).records.statements(SCHOOL)


@pytest.fixture
def projected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Projector, int]]:
    """Who projected which segment, in order."""
    noted: list[tuple[Projector, int]] = []
    project = Projector._project

    def noting(projector: Projector, segment: Any, *rest: Any) -> None:
        noted.append((projector, segment.n))
        project(projector, segment, *rest)

    monkeypatch.setattr(Projector, "_project", noting)
    return noted


def leave_unprojected(store: StatementStore, stores: MongoStores, numbers: range) -> None:
    """Commit statements, each in a segment of its own, as writers do that are killed right behind it."""
    all_ = collections_of(stores)
    applied, rows = all_.applied.find_one(), [row["_id"] for row in all_.statements.find()]
    assert applied is not None
    add_all(store, numbers)
    all_.applied.replace_one({"_id": applied["_id"]}, applied)
    all_.statements.delete_many({"_id": {"$nin": rows}})


def let_rest(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Do something in place of a writer's rests."""
    clock = SimpleNamespace(sleep=lambda _: act(), monotonic=time.monotonic)
    monkeypatch.setattr(writer, "time", clock)


@pytest.mark.parametrize("left", [1, 15, 16, 17, 63, 64, 150])
def test_newcomer_decides_upon_what_nobody_has_projected(
    left: int,
    store: StatementStore,
    stores: MongoStores,
    newcomer: StatementStore,
) -> None:
    store.add_statements(batch(1))
    leave_unprojected(store, stores, range(2, 2 + left))
    assert page(newcomer) == [1]
    with pytest.raises(StatementConflict):
        newcomer.add_statements(batch(500, statement(1 + left, content=9)))
    assert newcomer.add_statements(batch(1 + left, 501)) == BatchOutcome((1,), (0,))
    assert whole_log(newcomer) == [*range(1, 2 + left), 501]
    assert newcomer.count_statements() == 2 + left


def test_newcomer_leaves_to_others_what_they_are_projecting(
    store: StatementStore,
    newcomer: StatementStore,
    projected: list[tuple[Projector, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.add_statements(batch(1))
    committed, go_on = threading.Event(), threading.Event()
    settle = writer._Attempt._settle

    def slow(attempt: Any) -> Any:
        if not committed.is_set():
            committed.set()
            assert go_on.wait(10)
        return settle(attempt)

    monkeypatch.setattr(writer._Attempt, "_settle", slow)
    monkeypatch.setattr(writer, "_MOST_RESTS", 10_000)
    busy = threading.Thread(target=lambda: store.add_statements(batch(2)))
    busy.start()
    assert committed.wait(10)
    let_rest(monkeypatch, go_on.set)
    newcomer.add_statements(batch(3))
    busy.join()
    assert [n for _, n in projected] == [1, 2, 3]
    assert len({projector for projector, n in projected if n < 3}) == 1
    assert page(newcomer) == [3, 2, 1]


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a writer rested before each of its groups."""
    found: list[float] = []
    rest_seconds = Turns.rest_seconds

    def noting(turns: Turns) -> float:
        found.append(rest_seconds(turns))
        return 0.0

    monkeypatch.setattr(Turns, "rest_seconds", noting)
    return found


def test_writer_does_not_rest_when_it_is_alone(store: StatementStore, rests: list[float]) -> None:
    add_all(store, range(1, 30))
    assert rests == [0.0] * 29


def test_writer_rests_when_another_wrote_not_long_ago(
    store: StatementStore, newcomer: StatementStore, rests: list[float]
) -> None:
    store.add_statements(batch(1))
    newcomer.add_statements(batch(2))
    rests.clear()
    add_all(store, range(3, 40))
    assert [number for number, rest in enumerate(rests) if rest] == [3, 5, 7, 9, 11]
