"""The file of derived rows: it may vanish at any time, and belongs to one store."""

import multiprocessing
import os
import threading
from pathlib import Path

import apsw
import pytest

from lrs.errors import CorruptRecord, StoreUnavailable
from lrs.stores import StoreOptions, open_stores
from lrs.stores.sqlite.derived import DerivedFile, SqliteDerivedTables
from lrs.tables.derived import Derivation, DerivedTables, Row
from tests.contract.builders import SCHOOL, add, log, make_statement
from tests.engines import sqlite_engine

ROWS = tuple(Row("levels", f"o{n:02}", f"k{n}", b'{"n":1}') for n in range(50))


@pytest.fixture
def engine(tmp_path):
    made = sqlite_engine(tmp_path)
    yield made
    made.close()


def remove(folder: Path, *endings: str) -> None:
    for ending in endings:
        (folder / f"lrs.db-derived{ending}").unlink(missing_ok=True)


def test_no_file_is_made_until_something_is_asked(engine, tmp_path):
    stores = engine.open()
    assert not (tmp_path / "lrs.db-derived").exists()
    assert stores.derived.cursors() == {}
    made = tmp_path / "lrs.db-derived"
    assert made.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("endings", [("", "-wal", "-shm"), ("",)])
@pytest.mark.parametrize("opened_again", [True, False])
def test_file_is_made_again_empty_when_it_was_removed(engine, tmp_path, endings, opened_again):
    stores = engine.open()
    assert stores.derived.begin(4)
    assert stores.derived.save(4, Derivation(ROWS, (), {"x": 9}))
    if opened_again:
        stores.close()
    remove(tmp_path, *endings)
    tables = engine.open().derived if opened_again else stores.derived
    assert not tables.save(4, Derivation(ROWS[:1], (), {"x": 10})), "what began before knows other rows"
    assert (tables.cursors(), tables.count("levels"), list(tables.owners("levels"))) == ({}, 0, [])
    assert tables.begin(4)
    assert tables.save(4, Derivation(ROWS[:2], (), {"x": 1}))
    assert (tmp_path / "lrs.db-derived").exists()
    assert engine.open().derived.count("levels") == 2


def test_rows_of_another_store_are_forgotten(tmp_path):
    path = str(tmp_path / "derived")
    for key, expected in ((b"1" * 32, 0), (b"1" * 32, 50), (b"2" * 32, 0), (b"1" * 32, 0)):
        file = DerivedFile(path, key, 1, durable=False)
        tables = SqliteDerivedTables(file)
        assert tables.count("levels") == expected
        assert tables.begin(1)
        assert tables.save(1, Derivation(ROWS))
        tables.close()


def test_rows_of_another_version_are_forgotten(engine, tmp_path):
    stores = engine.open()
    assert stores.derived.begin(1)
    assert stores.derived.save(1, Derivation(ROWS))
    stores.close()
    with apsw.Connection(str(tmp_path / "lrs.db-derived")) as database:
        database.execute("PRAGMA user_version=99")
    assert engine.open().derived.count("levels") == 0


def test_damaged_file_is_said_to_be_damaged(engine, tmp_path):
    (tmp_path / "lrs.db-derived").write_bytes(b"no database at all" * 99)
    with pytest.raises(CorruptRecord):
        engine.open().derived.cursors()


def test_every_thread_reads_and_writes(engine):
    tables = engine.open().derived
    assert tables.begin(1)
    outcomes: list[bool] = []

    def work(n: int) -> None:
        for turn in range(20):
            row = Row("levels", f"o{n}", f"{turn:02}", b"{}")
            outcomes.append(tables.save(1, Derivation((row,), (), {f"c{n}": turn})))
            assert tables.rows("levels", f"o{n}")[-1] == row

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 160
    assert tables.count("levels") == 160
    assert tables.cursors() == {f"c{n}": 19 for n in range(8)}


def save_in_process(url: str, first: int) -> None:
    stores = open_stores(url, StoreOptions(lambda: 1, os.urandom, durable=False, busy_seconds=60))
    for n in range(first, first + 50):
        assert stores.derived.save(1, Derivation([Row("levels", str(n), str(k), b"{}") for k in range(40)]))
    stores.close()


@pytest.mark.lasting
def test_processes_wait_for_one_another(engine):
    stores = engine.open()
    assert stores.derived.begin(1)
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=save_in_process, args=(engine.url, first)) for first in (0, 1000)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert stores.derived.count("levels") == 4000


def test_store_is_unavailable_when_another_writes_for_too_long(engine, tmp_path):
    tables = engine.open(busy_seconds=0.1).derived
    assert tables.begin(1)
    other = apsw.Connection(str(tmp_path / "lrs.db-derived"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        tables.save(1, Derivation(ROWS))
    other.execute("ROLLBACK")
    assert tables.save(1, Derivation(ROWS))


def test_nobody_who_posts_waits_while_rows_are_written(engine, tmp_path):
    stores = engine.open(busy_seconds=1)
    assert stores.derived.begin(1)
    other = apsw.Connection(str(tmp_path / "lrs.db-derived"))
    other.execute("BEGIN IMMEDIATE")
    add(stores.records.statements(SCHOOL), make_statement("a"))
    assert len(log(stores.records.statements(SCHOOL))) == 1
    other.execute("ROLLBACK")


def test_nothing_of_a_step_is_kept_when_it_fails(engine):
    tables: DerivedTables = engine.open().derived
    assert tables.begin(1)
    wrong = [*ROWS, Row("levels", "z", "k", "text, not bytes")]  # type: ignore[arg-type]
    with pytest.raises(Exception, match="refused"):
        tables.save(1, Derivation(wrong, (), {"x": 1}))
    assert (tables.count("levels"), tables.cursors()) == (0, {})


def test_closed_store_is_unavailable(engine):
    stores = engine.open()
    assert stores.derived.begin(1)
    stores.close()
    with pytest.raises(StoreUnavailable):
        stores.derived.cursors()
