"""The commit when the database answers late, wrongly or not at all, and when writers die on the way.

Each rule here lost, doubled or resurrected statements in trials when it was broken.
"""

import contextlib
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, BulkWriteError, NetworkTimeout

from lrs.errors import ConfigError, StatementConflict, StoreTooNew, StoreUnavailable, TooLarge
from lrs.stores import StoreOptions
from lrs.stores.mongo.keys import LARGEST_GROUP, dense_key
from lrs.stores.mongo.stores import MongoStores
from lrs.xapi.ports import BatchOutcome, StatementStore
from tests.engines import Engine
from tests.unit.stores.mongo.conftest import (
    SCHOOL,
    add_all,
    batch,
    collections_of,
    id_of,
    page,
    statement,
    whole_log,
)

Act = Callable[..., Any]


def fail_times(times: int, before: Act, error: Exception, *, lands: bool) -> Act:
    """The act, failing so many times first; the write may have landed all the same."""
    left = [times]

    def act(*args: Any, **rest: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            if lands:
                before(*args, **rest)
            raise error
        return before(*args, **rest)

    return act


def test_statement_is_kept_once_when_the_answer_to_the_insert_was_lost(
    store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collections_of(stores).log
    monkeypatch.setattr(log, "insert_one", fail_times(1, log.insert_one, NetworkTimeout("lost"), lands=True))
    assert store.add_statements(batch(1, 2)) == BatchOutcome((0, 1), ())
    assert whole_log(store) == [1, 2]
    assert log.count_documents({}) == 1


def test_identical_segment_goes_to_the_same_place_when_the_insert_did_not_land(
    store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collections_of(stores).log
    tried: list[dict[str, Any]] = []
    insert = fail_times(2, log.insert_one, AutoReconnect("gone"), lands=False)

    def noting(document: dict[str, Any]) -> Any:
        tried.append(dict(document))
        return insert(document)

    monkeypatch.setattr(log, "insert_one", noting)
    store.add_statements(batch(1))
    assert len(tried) == 3
    assert tried[0] == tried[1] == tried[2]
    assert whole_log(store) == [1]


def test_giving_up_is_no_verdict_when_the_insert_never_answers(
    store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_statements(batch(1))
    log = collections_of(stores).log
    with monkeypatch.context() as broken:
        never = fail_times(10_000, log.insert_one, AutoReconnect("gone"), lands=False)
        broken.setattr(log, "insert_one", never)
        with pytest.raises(StoreUnavailable):
            store.add_statements(batch(2))
    assert page(store) == [1]
    assert store.add_statements(batch(2)) == BatchOutcome((0,), ())
    assert whole_log(store) == [1, 2]


def test_abandoned_group_is_not_taken_for_the_next_one_when_it_lands_late(
    store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collections_of(stores).log
    insert = log.insert_one
    abandoned: list[dict[str, Any]] = []

    def swallow(document: dict[str, Any]) -> Any:
        abandoned.append(dict(document))
        raise AutoReconnect("gone")

    with monkeypatch.context() as broken:
        broken.setattr(log, "insert_one", swallow)
        with pytest.raises(StoreUnavailable):
            store.add_statements(batch(1))

    def late(document: dict[str, Any]) -> Any:
        if abandoned:
            insert(abandoned[0])
            abandoned.clear()
        return insert(document)

    monkeypatch.setattr(log, "insert_one", late)
    # The late segment holds 1 as well: the second try finds it there, equal, and 2 is new.
    assert store.add_statements(batch(1, 2)) == BatchOutcome((1,), (0,))
    assert whole_log(store) == [1, 2]


def test_conflict_is_found_when_the_other_statement_was_written_during_the_race(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_statements(batch(1))
    other = mock.open().records.statements(SCHOOL)
    log = collections_of(stores).log
    insert = log.insert_one
    done: list[bool] = []

    def overtaken(document: dict[str, Any]) -> Any:
        if not done:
            done.append(True)
            other.add_statements(batch(statement(7, content=9)))
        return insert(document)

    monkeypatch.setattr(log, "insert_one", overtaken)
    with pytest.raises(StatementConflict) as caught:
        store.add_statements(batch(6, 7))
    assert (caught.value.indexes, caught.value.ids) == ((1,), (id_of(7),))
    assert whole_log(store) == [1, 7]


def test_writer_catches_up_when_another_wrote_far_more_segments_than_it_reads_ahead(
    mock: Engine, store: StatementStore
) -> None:
    store.add_statements(batch(1))
    other = mock.open().records.statements(SCHOOL)
    add_all(other, range(2, 60))
    assert store.add_statements(batch(59, 60)) == BatchOutcome((1,), (0,))
    assert whole_log(store) == list(range(1, 61))


def test_thinned_segments_are_not_taken_for_empty_when_a_stale_writer_meets_them(
    mock: Engine, store: StatementStore, stores: MongoStores
) -> None:
    store.add_statements(batch(1))
    other = mock.open().records.statements(SCHOOL)
    add_all(other, range(2, 6))
    collections_of(stores).log.update_many({}, {"$unset": {"w": 1, "e": 1, "r": 1}})
    assert store.add_statements(batch(3, 6)) == BatchOutcome((1,), (0,))
    assert whole_log(store) == [1, 2, 3, 4, 5, 6]


def test_next_writer_projects_what_was_left_when_one_died_after_its_insert(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_statements(batch(1))
    statements = collections_of(stores).statements
    with monkeypatch.context() as dying:
        never = fail_times(10_000, statements.insert_many, AutoReconnect("killed"), lands=False)
        dying.setattr(statements, "insert_many", never)
        with pytest.raises(StoreUnavailable):
            store.add_statements(batch(2, 3))
    fresh = mock.open().records.statements(SCHOOL)
    assert page(fresh) == [1]
    assert fresh.add_statements(batch(2, 4)) == BatchOutcome((1,), (0,))
    assert whole_log(fresh) == [1, 2, 3, 4]


def test_page_shows_nothing_of_a_batch_when_it_is_projected_in_part(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_statements(batch(1))
    statements = collections_of(stores).statements
    insert = statements.insert_many

    def half(rows: list[dict[str, Any]], **rest: Any) -> Any:
        with contextlib.suppress(BulkWriteError):
            insert(rows[:1], **rest)
        raise AutoReconnect("killed")

    with monkeypatch.context() as dying:
        dying.setattr(statements, "insert_many", half)
        with pytest.raises(StoreUnavailable):
            store.add_statements(batch(2, 3))
    fresh = mock.open().records.statements(SCHOOL)
    assert page(fresh) == [1]
    assert whole_log(fresh) == [1]
    fresh.add_statements(batch(4))
    assert whole_log(fresh) == [1, 2, 3, 4]


def test_voided_statement_stays_on_the_page_when_the_voiding_is_not_visible_yet(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_statements(batch(1))
    applied = collections_of(stores).applied
    with monkeypatch.context() as dying:
        never = fail_times(10_000, applied.update_one, AutoReconnect("killed"), lands=False)
        dying.setattr(applied, "update_one", never)
        with pytest.raises(StoreUnavailable):
            store.add_statements(batch(statement(2, target=1, voids=True)))
    fresh = mock.open().records.statements(SCHOOL)
    assert page(fresh) == [1]
    fresh.add_statements(batch(3))
    assert page(fresh) == [3, 2]


def test_verdict_waits_for_the_statement_it_is_about_when_its_writer_died(
    mock: Engine, store: StatementStore, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = mock.open().records.statements(SCHOOL)
    other.add_statements(batch(1))
    applied = collections_of(stores).applied
    with monkeypatch.context() as dying:
        never = fail_times(10_000, applied.update_one, AutoReconnect("killed"), lands=False)
        dying.setattr(applied, "update_one", never)
        with pytest.raises(StoreUnavailable):
            store.add_statements(batch(2))
    with pytest.raises(StatementConflict):
        other.add_statements(batch(statement(2, content=9)))
    assert page(other) == [2, 1]


def test_history_holds_a_voiding_once_when_its_segment_is_projected_again(
    mock: Engine, store: StatementStore, stores: MongoStores
) -> None:
    store.add_statements(batch(1, 2))
    store.add_statements(batch(statement(3, target=1, voids=True), statement(4, target=2, voids=True)))
    collections_of(stores).applied.delete_many({})
    fresh = mock.open().records.statements(SCHOOL)
    fresh.add_statements(batch(5))
    entries = fresh.read_history(0, 10).entries  # type: ignore[arg-type]
    assert [(one.position, one.subject, one.after) for one in entries] == [
        (1, id_of(1), {"by": id_of(3)}),
        (2, id_of(2), {"by": id_of(4)}),
    ]
    assert whole_log(fresh) == [1, 2, 3, 4, 5]
    assert page(fresh) == [5, 4, 3]


def test_log_documents_are_dense_when_many_groups_were_written(
    store: StatementStore, stores: MongoStores
) -> None:
    add_all(store, range(1, 20))
    keys = sorted(document["_id"] for document in collections_of(stores).log.find())
    assert keys == [dense_key(SCHOOL.institution_id, n) for n in range(1, len(keys) + 1)]


def test_batch_is_too_large_before_anything_is_written_when_one_segment_cannot_hold_it(
    store: StatementStore, stores: MongoStores
) -> None:
    with pytest.raises(TooLarge):
        store.add_statements(batch(*range(1, LARGEST_GROUP + 2)))
    noise = hashlib.shake_128(b"does not compress").digest(9_000_000)
    with pytest.raises(TooLarge):
        store.add_statements(batch(statement(1, body=noise)))
    assert collections_of(stores).log.count_documents({}) == 0


def test_newer_store_is_refused_when_it_is_opened(mock: Engine, stores: MongoStores) -> None:
    collections_of(stores).meta.update_one({"_id": "instance"}, {"$set": {"schema": 999}})
    with pytest.raises(StoreTooNew):
        mock.open()


def test_store_is_unavailable_when_nothing_listens_there(mock: Engine) -> None:
    options = StoreOptions(clock=mock.clock, random_bytes=bytes, busy_seconds=0.2)
    with pytest.raises(StoreUnavailable):
        MongoStores.open("mongodb://127.0.0.1:9/lrs", options)


@pytest.mark.parametrize("url", ["mongodb://127.0.0.1:9", "mongodb://127.0.0.1:port/lrs", "mongodb:///lrs"])
def test_address_is_refused_when_it_is_malformed_or_names_no_database(mock: Engine, url: str) -> None:
    options = StoreOptions(clock=mock.clock, random_bytes=bytes, busy_seconds=0.2)
    with pytest.raises(ConfigError):
        MongoStores.open(url, options)


def test_closed_store_takes_nothing_when_it_is_used_again(stores: MongoStores, store: StatementStore) -> None:
    stores.close()
    stores.close()
    with pytest.raises(StoreUnavailable):
        store.add_statements(batch(1))
    with pytest.raises(StoreUnavailable):
        stores.records.statements(SCHOOL)
