"""The write-ahead log: brought in beside the writers, begun anew when it is long, left to its readers."""

import itertools
import time

import apsw
import pytest

from tests.contract.builders import (
    PASSED,
    SCHOOL,
    VERB,
    by,
    find,
)
from tests.unit.stores.test_sqlite_merging import (
    fill,
    open_store,
)


def test_wal_is_emptied_under_the_lock_and_left_alone_while_read(tmp_path):
    stores = open_store(tmp_path, maintained=True)
    store = stores.records.statements(SCHOOL)
    fill(store, 200)
    wal = tmp_path / "lrs.db-wal"
    with stores.readers.snapshot() as database:
        database.execute("SELECT 1 FROM stmt").fetchall()
        fill(store, 50, start=1000)
        stores.maintenance.reset()
        assert wal.stat().st_size > 0
    stores.maintenance.reset()
    assert wal.stat().st_size == 0
    fill(store, 50, start=2000)
    assert len(find(store, by(VERB, PASSED), limit=100)) == 300
    stores.close()


class BusyDatabase:
    """The maintenance's connection, on a store to which somebody writes during every checkpoint.

    What is written meanwhile a checkpoint does not bring over; a reader who came before has that effect.
    """

    def __init__(self, stores, write):
        self._database = stores.maintenance._database
        self._readers = stores.readers
        self._write = write

    def __getattr__(self, name):
        return getattr(self._database, name)

    def wal_checkpoint(self, mode):
        if mode != apsw.SQLITE_CHECKPOINT_PASSIVE:
            return self._database.wal_checkpoint(mode=mode)
        with self._readers.snapshot() as database:
            database.execute("SELECT 1 FROM stmt").fetchall()
            self._write()
            return self._database.wal_checkpoint(mode=mode)


def test_a_long_wal_is_begun_anew_although_somebody_always_writes(tmp_path, monkeypatch):
    monkeypatch.setattr("lrs.stores.sqlite.maintenance._LOOK_SECONDS", 3600)
    monkeypatch.setattr("lrs.stores.sqlite.maintenance._CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr("lrs.stores.sqlite.maintenance._LONG_FRAMES", 200)
    stores = open_store(tmp_path, maintained=True)
    store = stores.records.statements(SCHOOL)
    numbers = itertools.count()
    busy = BusyDatabase(stores, lambda: fill(store, 1, start=next(numbers)))
    monkeypatch.setattr(stores.maintenance, "_database", busy)
    lengths = []
    for _ in range(200):
        fill(store, 1, start=next(numbers))
        stores.maintenance.checkpoint()
        lengths.append((tmp_path / "lrs.db-wal").stat().st_size // 4096)
    assert 200 < lengths[-1] < 300
    assert lengths[-1] == lengths[-50]
    assert len(find(store, by(VERB, PASSED), limit=1000)) >= next(numbers)
    stores.close()


def test_maintenance_goes_on_while_another_process_brings_the_wal_in(tmp_path, caplog):
    stores = open_store(tmp_path, maintained=True)
    reading, other = (apsw.Connection(str(tmp_path / "lrs.db")) for _ in range(2))
    fill(stores.records.statements(SCHOOL), 5)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM stmt").fetchall()
    fill(stores.records.statements(SCHOOL), 10, 5)
    held: list[int] = []

    def hold(times: int) -> bool:
        held.append(times)
        time.sleep(0.1)
        return times < 10

    other.set_busy_handler(hold)
    other.execute("SELECT count(*) FROM stmt").fetchall()
    with pytest.raises(apsw.BusyError):
        other.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    stores.close()
    assert len(held) > 1
    assert "Maintenance will be tried again" not in caplog.text
