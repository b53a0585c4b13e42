"""The writer of the embedded engine: its lock, its groups, its patience."""

import fcntl
import logging
import os
import threading
import time
from pathlib import Path

import pytest

from lrs.errors import StoreError, StoreUnavailable
from lrs.stores import StoreOptions
from lrs.stores.sqlite.stores import SqliteStores
from tests.contract.builders import (
    SCHOOL,
    add,
    ids,
    log,
    make_statement,
    sid,
)


def test_work_that_never_began_is_withdrawn_when_patience_ends(open_stores, path):
    stores = open_stores(busy_seconds=0.2)
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a"))
    with Path(f"{path}-lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable, match=r"0\.2 s"):
            add(store, make_statement("b"))
        assert ids(log(store)) == [sid("a")]
    add(store, make_statement("c"))
    assert ids(log(store)) == [sid("a"), sid("c")]


def test_store_does_not_open_while_another_holds_the_lock_beyond_patience(open_stores, path):
    open_stores().close()
    with Path(f"{path}-lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable):
            open_stores(busy_seconds=0.1)
    open_stores().ping()


def test_nothing_is_written_or_promised_under_a_lock_that_was_removed(open_stores, path, clock):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a"))
    promised = store.consistent_through()
    Path(f"{path}-lock").unlink()
    clock.move(60)
    assert store.consistent_through() == promised
    other = open_stores().records.statements(SCHOOL)
    clock.move(60)
    assert store.consistent_through() == promised
    with pytest.raises(StoreUnavailable, match="start anew"):
        add(store, make_statement("b"))
    assert ids(log(other)) == [sid("a")]
    add(other, make_statement("b"))
    assert other.consistent_through() > promised


def test_what_writes_waits_for_the_disk_unless_it_is_told_not_to(tmp_path, clock):
    full, off = 2, 0
    for durable, expected in ((True, full), (False, off)):
        options = StoreOptions(clock, os.urandom, durable=durable)
        stores = SqliteStores.open(str(tmp_path / f"{durable}.db"), options)
        assert stores.writer._database.pragma("synchronous") == expected
        assert stores.maintenance._database.pragma("synchronous") == expected
        stores.close()
    assert StoreOptions(clock, os.urandom).durable


def test_nothing_is_acknowledged_when_the_file_is_removed_while_it_is_written(open_stores, path):
    stores = open_stores()
    add(stores.records.statements(SCHOOL), make_statement("a"))

    def write_and_remove(write) -> None:
        write.database.execute("INSERT INTO meta VALUES ('lost', 1)").fetchall()
        Path(path).unlink()

    with pytest.raises(StoreUnavailable):
        stores.writer.run(write_and_remove)


def test_what_is_committed_is_promised_also_while_somebody_else_writes(open_stores, path):
    store = open_stores().records.statements(SCHOOL)
    add(store, make_statement("a"))
    with Path(f"{path}-lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert store.consistent_through() >= log(store)[0].stored_at_us


def test_neighbours_are_kept_when_one_piece_of_a_group_fails_after_writing(open_stores, path, caplog):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    results: dict[object, object] = {}

    def broken(write) -> None:
        write.database.execute("INSERT INTO meta VALUES ('half', 1)").fetchall()
        raise RuntimeError("a bug")

    def post(name: object) -> None:
        try:
            results[name] = stores.writer.run(broken) if name == "bug" else add(store, make_statement(name))
        except StoreError as error:
            results[name] = error

    threads = [threading.Thread(target=post, args=(name,)) for name in (1, 2, "bug", 3, 4)]
    with Path(f"{path}-lock").open("rb") as held, caplog.at_level(logging.CRITICAL):
        fcntl.flock(held, fcntl.LOCK_EX)
        for thread in threads:
            thread.start()
        while len(stores.writer._queue) < len(threads):
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert type(results["bug"]) is StoreError
    assert set(ids(log(store))) == {sid(n) for n in (1, 2, 3, 4)}
    found = "SELECT count(*) FROM meta WHERE name = 'half'"
    assert stores.writer.run(lambda write: write.database.execute(found).get) == 0


def test_failure_inside_a_transaction_is_logged_with_its_place_and_without_its_message(open_stores, caplog):
    quoted = "@".join(("ana", "school.example"))

    def quoting_work(_write) -> None:
        try:
            {}[quoted]
        except KeyError as error:
            raise RuntimeError(quoted) from error

    with pytest.raises(StoreError) as raised:
        open_stores().writer.run(quoting_work)
    assert quoted not in caplog.text + raised.value.detail
    assert "quoting_work" in caplog.text
    assert "builtins.KeyError" in caplog.text
    assert "builtins.RuntimeError" in caplog.text


def test_batches_of_one_group_see_the_accepted_ones_before_them(open_stores, path):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    outcomes: list[object] = []

    def post() -> None:
        outcomes.append(add(store, make_statement("same"), make_statement("other")))

    threads = [threading.Thread(target=post) for _ in range(6)]
    with Path(f"{path}-lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for thread in threads:
            thread.start()
        while len(stores.writer._queue) < len(threads):
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert sorted(len(outcome.stored) for outcome in outcomes) == [0, 0, 0, 0, 0, 2]
    assert len(log(store)) == 2


def test_writers_of_two_stores_take_turns(open_stores):
    stores = [open_stores().records.statements(SCHOOL) for _ in range(2)]
    counts = [0, 0]

    def work(n: int) -> None:
        while sum(counts) < 400:
            add(stores[n], make_statement((n, counts[n])))
            counts[n] += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(counts) > 0.25 * max(counts)
