"""Consistent-Through: it moves while nothing is written, and never lies."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from lrs.stores.mongo import horizon
from lrs.stores.mongo.horizon import STALE_US
from lrs.stores.mongo.stores import MongoStores
from lrs.xapi.ports import StatementStore
from tests.engines import Engine
from tests.unit.stores.mongo.conftest import SCHOOL, batch, collections_of, id_of


def test_instant_keeps_up_when_nothing_was_ever_written(mock: Engine, store: StatementStore) -> None:
    assert store.consistent_through() == mock.clock()
    mock.clock.move(10)
    assert store.consistent_through() == mock.clock()


def test_no_tick_is_written_when_the_last_is_young(
    mock: Engine, store: StatementStore, stores: MongoStores
) -> None:
    first = store.consistent_through()
    mock.clock.move(STALE_US / 1_000_000)
    assert [store.consistent_through() for _ in range(20)] == [first] * 20
    assert collections_of(stores).log.count_documents({}) == 1


def test_statement_is_later_than_every_instant_given_when_the_clock_was_set_back(
    mock: Engine, store: StatementStore
) -> None:
    given = store.consistent_through()
    mock.clock.move(-3600)
    other = mock.open().records.statements(SCHOOL)
    other.add_statements(batch(1, 2, 3))
    stored = [other.find_statement(id_of(n)).stored_at_us for n in (1, 2, 3)]  # type: ignore[union-attr]
    assert given < stored[0] < stored[1] < stored[2]
    assert store.consistent_through() >= stored[2]


def test_writer_takes_a_later_instant_when_a_tick_overtakes_it(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_statements(batch(1))
    reader = mock.open().records.statements(SCHOOL)
    log = collections_of(stores).log
    insert = log.insert_one
    given: list[int] = []

    def overtaken(document: dict[str, Any]) -> Any:
        if not given:
            mock.clock.move(60)
            given.append(reader.consistent_through())
        return insert(document)

    monkeypatch.setattr(log, "insert_one", overtaken)
    store.add_statements(batch(2))
    found = store.find_statement(id_of(2))
    assert found is not None
    assert found.stored_at_us > given[0]


def test_instant_stays_honest_when_an_inserted_segment_is_not_visible_yet(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_statements(batch(1))
    mock.clock.move(1)
    reader = mock.open().records.statements(SCHOOL)
    statements = collections_of(stores).statements
    insert = statements.insert_many
    given: list[int] = []

    def slow(rows: Any, **rest: Any) -> Any:
        mock.clock.move(1)
        given.append(reader.consistent_through())
        return insert(rows, **rest)

    monkeypatch.setattr(statements, "insert_many", slow)
    store.add_statements(batch(2))
    found = store.find_statement(id_of(2))
    assert found is not None
    assert given[0] < found.stored_at_us


def test_reader_projects_what_a_dead_writer_left_when_it_was_left_long_ago(
    mock: Engine, store: StatementStore, stores: MongoStores
) -> None:
    store.add_statements(batch(1))
    collections_of(stores).applied.delete_many({})
    collections_of(stores).statements.delete_many({})
    mock.clock.move(30)
    reader = mock.open().records.statements(SCHOOL)
    assert reader.consistent_through() == mock.clock()
    assert reader.find_statement(id_of(1)) is not None


def test_one_tick_is_enough_when_many_readers_ask_at_once(
    mock: Engine, store: StatementStore, stores: MongoStores
) -> None:
    store.add_statements(batch(1))
    mock.clock.move(5)
    begin = threading.Barrier(8)
    answers: list[int] = []

    def ask() -> None:
        begin.wait()
        answers.append(store.consistent_through())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(answers) == mock.clock()
    assert collections_of(stores).log.count_documents({}) == 2


def test_older_instant_is_the_answer_when_the_database_takes_no_writes(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = store.consistent_through()
    mock.clock.move(5)
    tried: list[bool] = []

    def refuse(_: Any) -> Any:
        tried.append(True)
        raise AutoReconnect("no primary")

    with monkeypatch.context() as broken:
        broken.setattr(collections_of(stores).log, "insert_one", refuse)
        assert store.consistent_through() == given
        count = len(tried)
        assert store.consistent_through() == given
        assert len(tried) == count > 0
    monkeypatch.setattr(horizon, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 60))
    assert store.consistent_through() == mock.clock()


def test_reader_helps_when_a_segment_from_a_clock_ahead_stays_unprojected(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.consistent_through()
    mock.clock.move(600)
    store.add_statements(batch(1))
    collections_of(stores).applied.update_one({}, {"$set": {"n": 1, "at": mock.clock() - 600_000_000}})
    mock.clock.move(-300)
    reader = mock.open().records.statements(SCHOOL)
    before = reader.consistent_through()
    assert before < mock.clock()
    monkeypatch.setattr(horizon, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 60))
    assert reader.consistent_through() > mock.clock()
