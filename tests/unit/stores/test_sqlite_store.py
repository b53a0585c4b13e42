"""What only the embedded engine has: its file, its versions, its errors, its locks."""

import fcntl
import logging
import os
import stat
import threading
import time
from pathlib import Path

import apsw
import pytest

from lrs.access.model import KeyId
from lrs.errors import ConfigError, CorruptRecord, StoreError, StoreTooNew, StoreUnavailable
from lrs.stores import StoreOptions
from lrs.stores.sqlite import errors, schema
from lrs.stores.sqlite.connections import check_sqlite, make_file
from lrs.stores.sqlite.migrations import Migration, runs
from lrs.stores.sqlite.spreading import Abandoned
from lrs.stores.sqlite.stores import SqliteStores
from lrs.xapi.ports import Position, StatementQuery
from tests.contract.builders import (
    AGENT,
    MUSEUM,
    PASSED,
    SCHOOL,
    VERB,
    add,
    agent,
    by,
    find,
    ids,
    log,
    make_statement,
    sid,
    verb,
    voiding,
)
from tests.engines import HandClock


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "new folder" / "lrs.db")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def open_stores(path, clock):
    opened = []

    def open_again(lot_size: int = 16, busy_seconds: float = 5.0) -> SqliteStores:
        options = StoreOptions(clock, os.urandom, durable=False, busy_seconds=busy_seconds)
        stores = SqliteStores.open(path, options, (lot_size, 4 * lot_size))
        opened.append(stores)
        return stores

    yield open_again
    for stores in opened:
        stores.close()


# --- the file -----------------------------------------------------------------------------


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


def test_folder_that_cannot_be_made_is_said(path, open_stores):
    Path(path).parent.write_text("a file is in the way")
    with pytest.raises(StoreUnavailable):
        open_stores()


# --- errors -------------------------------------------------------------------------------


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


# --- the writer ---------------------------------------------------------------------------


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


# --- reading ------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0, 1, 3])
def test_collisions_of_hashes_are_harmless(open_stores, monkeypatch, bits):
    from lrs.stores.sqlite import rows

    real, real_id = rows.term_hash, rows.RowCodec.id_hash
    mask = (1 << bits) - 1
    monkeypatch.setattr(rows, "term_hash", lambda *parts: real(*parts) & mask)
    monkeypatch.setattr(rows.RowCodec, "id_hash", lambda codec, identity: real_id(codec, identity) & mask)
    records = open_stores().records
    store, other = records.statements(SCHOOL), records.statements(MUSEUM)
    for n in range(30):
        target = n + 100 if n % 5 == 0 else None
        facts = [agent(f"a{n % 7}"), verb(f"v{n % 2}"), agent("all", primary=False)]
        add(store, make_statement(n, *facts, target=target))
        add(other, make_statement(n, agent(f"a{n % 3}")))
    add(store, make_statement(105, agent("late")), voiding("v", of=3))
    assert find(store, by(AGENT, "a3"), limit=2) == [sid(n) for n in ("v", 24, 17, 10)]
    everyone = [sid(n) for n in ("v", *range(29, -1, -1)) if n != 3]
    assert find(store, by(AGENT, "all", related=True), limit=7) == everyone
    assert find(store, by(AGENT, "all")) == []
    assert find(store, by(AGENT, "a3"), by(VERB, "v0"), limit=1) == [sid(24), sid(10)]
    assert find(store, by(AGENT, "late"), ascending=True) == [sid(5), sid(105)]
    assert find(store, by(AGENT, "nobody")) == []
    assert find(other, by(AGENT, "a0"), limit=3) == [sid(n) for n in range(27, -1, -3)]
    assert store.find_statement(sid(3)).voided
    assert not other.find_statement(sid(3)).voided


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize(
    "filters",
    [
        (),
        (by(VERB, PASSED),),
        (by(AGENT, "a", related=True),),
        (by(AGENT, "a", related=True), by(VERB, PASSED)),
        (by(AGENT, "a"), by(VERB, PASSED, related=True)),
    ],
)
def test_plan_of_a_page_has_no_sort_and_no_scan(open_stores, filters, ascending):
    from lrs.stores.sqlite.query import PageReader

    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a", verb(), agent("a")))
    with stores.readers.snapshot() as database:
        reader = PageReader(database, store._codec, 1, StatementQuery(filters, ascending=ascending))
        values = {"tenant": 1, "low": 1, "high": 9, "limit": 5, "h0": 1, "h1": 2}
        plan = [row[-1] for row in database.execute(f"EXPLAIN QUERY PLAN {reader._sql}", values)]
    assert plan
    assert not [step for step in plan if "TEMP B-TREE" in step]
    assert not [step for step in plan if step.startswith("SCAN") and not step.startswith("SCAN CONSTANT")], (
        plan
    )


def test_ends_of_the_log_are_found_without_a_scan(open_stores):
    from lrs.stores.sqlite.query import ENDS

    with open_stores().readers.snapshot() as database:
        plan = [row[-1] for row in database.execute(f"EXPLAIN QUERY PLAN {ENDS}")]
        assert database.execute(ENDS).fetchall() == [(1, 0)]
    assert [step for step in plan if step.startswith("SEARCH stmt")]
    assert not [step for step in plan if step.startswith("SCAN stmt")]


def test_page_is_filled_up_over_the_bounds_of_lots(open_stores):
    store = open_stores(lot_size=4).records.statements(SCHOOL)
    add(store, *[make_statement(n, verb(), agent(f"a{n % 3}")) for n in range(50)])
    assert find(store, by(AGENT, "a0"), limit=5) == [sid(n) for n in range(48, -1, -3)]
    assert find(store, by(AGENT, "a0"), by(VERB, PASSED), ascending=True) == [sid(n) for n in range(0, 50, 3)]


def test_connection_of_a_thread_is_gone_with_the_thread(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    for _ in range(20):
        thread = threading.Thread(target=lambda: store.query_statements(StatementQuery()))
        thread.start()
        thread.join()
    assert len(list(stores.readers._all)) <= 2


def test_what_a_process_left_to_hand_on_is_finished_by_the_one_that_maintains_the_store(
    open_stores, monkeypatch
):
    monkeypatch.setattr("lrs.stores.sqlite.statements.finish_spread", lambda *_: None)
    store = open_stores().records.statements(SCHOOL)
    add(store, *[make_statement(n, verb(), target="t") for n in range(2000)])
    add(store, make_statement("t", *[agent(f"a{n}") for n in range(20)]))
    expected = {sid("t"), *(sid(n) for n in range(2000))}
    partly = set(find(store, by(AGENT, "a7"), limit=1000))
    assert partly < expected
    assert len(partly) > 100
    other = open_stores()
    notes = "SELECT name FROM meta WHERE name GLOB 'spread:*'"
    abandoned = Abandoned(other.writer, lambda one: other.records.place(one).codec, 16, patience_seconds=0)
    abandoned.look(other.readers.get())
    assert set(find(store, by(AGENT, "a7"), limit=1000)) == expected
    assert not other.readers.get().execute(notes).fetchall()


def test_no_query_is_planned_anew_when_another_value_is_bound(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, *[make_statement(name, verb(), agent(f"mbox mailto:{name}@example.org")) for name in "abc"])
    planned = []

    def ask(name: str) -> None:
        assert store.find_statement(sid(name)) is not None
        assert len(find(store, by(VERB, PASSED), by(AGENT, f"mbox mailto:{name}@example.org"))) == 1
        assert stores.access.find_credential(KeyId(name)) is None

    def authorize(*action: object) -> int:
        # Who plans asks what it may do.
        planned.append(action)
        return apsw.SQLITE_OK

    stores.readers.get().authorizer = authorize
    ask("a")
    assert planned
    planned.clear()
    ask("b")
    ask("c")
    assert planned == []


def test_what_a_group_of_single_statements_needs_is_planned_once_however_many_rows_it_writes(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    planned = []

    def authorize(*action: object) -> int:
        planned.append(action)
        return apsw.SQLITE_OK

    def write_group(group: str) -> None:
        facts = [agent(f"mbox mailto:{n}@example.org") for n in range(10)]
        add(store, *[make_statement(f"{group}{n}", verb(), *facts) for n in range(20)])

    stores.writer._database.authorizer = authorize
    write_group("a")
    write_group("b")
    assert planned
    planned.clear()
    write_group("c")
    assert planned == []
