"""What only the embedded engine has: its file, its versions, its errors."""

import os
import stat
from pathlib import Path

import apsw
import pytest

from lrs.errors import ConfigError, CorruptRecord, StoreError, StoreTooNew, StoreUnavailable
from lrs.stores.sqlite import errors, schema
from lrs.stores.sqlite.connections import check_sqlite, make_file
from lrs.stores.sqlite.migrations import Migration, runs
from lrs.xapi.ports import Position, StatementQuery
from tests.contract.builders import (
    PASSED,
    SCHOOL,
    VERB,
    add,
    by,
    find,
    ids,
    log,
    make_statement,
    sid,
    verb,
)


def test_files_are_for_their_owner_alone(open_stores, path):
    add(open_stores().records.statements(SCHOOL), make_statement("a"))
    made = sorted(Path(path).parent.iterdir())
    assert {file.name for file in made} >= {"lrs.db", "lrs.db-wal", "lrs.db-shm", "lrs.db-lock"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in made} == {0o600}


def test_folder_is_for_its_owner_alone_when_it_is_made_and_left_as_it_was_when_not(tmp_path):
    made, there = tmp_path / "data", tmp_path / "there"
    there.mkdir(mode=0o755)
    make_file(str(made / "lrs.db"))
    make_file(str(there / "lrs.db"))
    assert (stat.S_IMODE(made.stat().st_mode), stat.S_IMODE(there.stat().st_mode)) == (0o700, 0o755)


def test_old_sqlite_is_refused():
    with pytest.raises(ConfigError, match=r"3\.51\.3"):
        check_sqlite("3.40.1")
    check_sqlite("3.51.3")
    check_sqlite("4.0.0")


def test_newer_store_is_refused_and_left_as_it_is(open_stores, path):
    open_stores().close()
    with apsw.Connection(path) as database:
        database.execute("PRAGMA user_version=999")
    with pytest.raises(StoreTooNew, match="999"):
        open_stores()
    assert apsw.Connection(path).pragma("user_version") == 999


def test_store_carries_its_version_from_the_first_day(open_stores, path):
    open_stores().close()
    database = apsw.Connection(path)
    assert database.pragma("user_version") == schema.newest() >= 1
    assert database.pragma("application_id") == schema.APPLICATION_ID


def test_older_store_is_migrated_step_by_step(open_stores, path, monkeypatch):
    add(open_stores().records.statements(SCHOOL), make_statement("a"))
    step = Migration("a table", runs("CREATE TABLE later (x INTEGER) STRICT"))
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    again = open_stores()
    assert again.records.statements(SCHOOL).find_statement(sid("a")) is not None
    assert apsw.Connection(path).pragma("user_version") == schema.newest()
    assert apsw.Connection(path).execute("SELECT count(*) FROM later").get == 0


def test_migration_that_fails_leaves_the_old_store(open_stores, path, monkeypatch):
    open_stores().close()

    def fail(database: apsw.Connection) -> None:
        database.execute("CREATE TABLE half (x INTEGER) STRICT")
        database.execute("CREATE TABLE half (x INTEGER) STRICT")

    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, Migration("half", fail)))
        with pytest.raises(StoreError):
            open_stores()
    open_stores().ping()
    assert apsw.Connection(path).execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").get == 0


def test_database_of_another_program_is_refused(open_stores, path):
    Path(path).parent.mkdir()
    with apsw.Connection(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    with pytest.raises(CorruptRecord, match="another program"):
        open_stores()


def test_file_that_is_no_database_is_refused(open_stores, path):
    Path(path).parent.mkdir()
    Path(path).write_bytes(b"no database at all" * 1000)
    with pytest.raises(CorruptRecord):
        open_stores()


def test_schema_that_is_damaged_ends_a_check_with_an_error_of_ours(open_stores, path):
    open_stores().close()
    with apsw.Connection(path) as database:
        database.execute("ALTER TABLE tenants RENAME COLUMN number TO numbex")
    with pytest.raises(StoreError, match="number"):
        list(open_stores().iter_faults())


def test_folder_that_cannot_be_made_is_said(path, open_stores):
    Path(path).parent.write_text("a file is in the way")
    with pytest.raises(StoreUnavailable):
        open_stores()


def test_every_error_of_the_driver_has_a_translation():
    kinds = [
        value for value in vars(apsw).values() if isinstance(value, type) and issubclass(value, apsw.Error)
    ]
    assert len(kinds) > 30
    for kind in kinds:
        with pytest.raises(StoreError) as caught, errors.translated():
            raise kind("text")
        assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (apsw.BusyError, StoreUnavailable),
        (apsw.FullError, StoreUnavailable),
        (apsw.IOError, StoreUnavailable),
        (apsw.ReadOnlyError, StoreUnavailable),
        (apsw.CantOpenError, StoreUnavailable),
        (PermissionError, StoreUnavailable),
        (apsw.CorruptError, CorruptRecord),
        (apsw.NotADBError, CorruptRecord),
        (apsw.ConstraintError, StoreError),
    ],
)
def test_error_means_what_the_table_says(kind, expected):
    assert type(errors.translate(kind("text"))) is expected


def test_full_disk_is_said_and_the_store_goes_on_when_there_is_room_again(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a", verb()))
    database = stores.writer._database
    room = database.pragma("max_page_count")
    database.pragma("max_page_count", database.pragma("page_count"))
    with pytest.raises(StoreUnavailable):
        add(store, make_statement("b", verb(), body=os.urandom(1 << 20)))
    assert store.find_statement(sid("b")) is None
    assert find(store, by(VERB, PASSED)) == [sid("a")]
    database.pragma("max_page_count", room)
    add(store, make_statement("b", verb(), body=os.urandom(1 << 20)))
    assert find(store, by(VERB, PASSED)) == [sid("b"), sid("a")]


def test_store_that_became_read_only_is_said_and_recovers(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a"))
    stores.writer._database.pragma("query_only", True)
    with pytest.raises(StoreUnavailable):
        add(store, make_statement("b"))
    stores.writer._database.pragma("query_only", False)
    add(store, make_statement("b"))
    assert ids(log(store)) == [sid("a"), sid("b")]


def test_closed_store_is_unavailable(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a"))
    stores.close()
    stores.close()
    for act in (
        lambda: add(store, make_statement("b")),
        lambda: store.find_statement(sid("a")),
        lambda: store.query_statements(StatementQuery()),
        lambda: store.read_log(Position(0), 1),
        store.consistent_through,
        stores.ping,
        stores.access.list_institutions,
    ):
        with pytest.raises(StoreUnavailable):
            act()


def test_unknown_dictionary_is_a_corrupt_record(open_stores, path):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a"))
    stores.writer.run(lambda write: write.database.execute("UPDATE stmt SET dict = 77").fetchall())
    with pytest.raises(CorruptRecord, match="77"):
        store.find_statement(sid("a"))
