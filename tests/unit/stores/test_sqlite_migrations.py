"""Files of earlier versions are brought up to date while they are in use, once, and whatever is killed."""

import json
import lzma
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Institution, InstitutionId, Key, KeyId
from lrs.errors import StoreTooNew
from lrs.stores import StoreOptions
from lrs.stores.sqlite import filling, schema
from lrs.stores.sqlite.migrations import MIGRATIONS
from lrs.stores.sqlite.stores import SqliteStores
from lrs.xapi.definitions import merge_definitions
from lrs.xapi.ports import Position
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.texts import received_text
from tests.contract.builders import add, make_statement

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"
OLD = ["sqlite-1", "sqlite-1-early"]
UNITS = [f"http://school.example/unit/{n}" for n in range(7)]


def unpack(name: str, folder: Path) -> Path:
    path = folder / "lrs.db"
    path.write_bytes(lzma.decompress((DATA / f"{name}.db.xz").read_bytes()))
    return path


def open_at(path: Path) -> SqliteStores:
    options = StoreOptions(lambda: time.time_ns() // 1000, os.urandom, durable=False)
    return SqliteStores.open(str(path), options)


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Fill in pieces of four statements, each only when the event is set."""
    go = threading.Event()
    real = filling.Filler._do_piece

    def piece_of_four(filler, write):
        filler._piece = 4
        return real(filler, write) if go.is_set() else True

    monkeypatch.setattr(filling.Filler, "_do_piece", piece_of_four)
    return go


def pending(stores: SqliteStores) -> dict[int, int]:
    return stores.writer.run(lambda write: filling.pending_fills(write.database))


def wait_until_filled(stores: SqliteStores) -> None:
    deadline = time.monotonic() + 20
    while pending(stores):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def of(stores: SqliteStores, name: str) -> InstitutionHandle:
    institution = stores.access.find_institution_named(name)
    assert institution is not None
    return InstitutionHandle(institution.id)


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table and index by its columns; not by its text, which ALTER TABLE leaves as it was."""
    database = apsw.Connection(str(path))
    found = {}
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (table,) in database.execute(tables).fetchall():
        columns = 'SELECT cid, name, type, "notnull", pk FROM pragma_table_info(?)'
        indexes = (
            "SELECT i.origin, i.'unique', group_concat(c.name) FROM pragma_index_list(?) i,"
            " pragma_index_info(i.name) c GROUP BY i.name"
        )
        found[table] = database.execute(columns, (table,)).fetchall()
        found[f"indexes of {table}"] = sorted(database.execute(indexes, (table,)).fetchall())
        kind = "SELECT wr, strict FROM pragma_table_list WHERE name = ?"
        found[f"kind of {table}"] = database.execute(kind, (table,)).fetchall()
    return found


def expected_definitions(stores: SqliteStores, name: str) -> dict[str, bytes]:
    """What merging in the order of the log gives."""
    found: dict[str, bytes] = {}
    page = stores.records.statements(of(stores, name)).read_log(Position(0), 500)
    for one in page.statements:
        activity = json.loads(received_text(one.body))["object"]
        if "definition" in activity:
            text = json.dumps(activity["definition"]).encode()
            before = found.get(activity["id"])
            found[activity["id"]] = text if before is None else merge_definitions(before, text)
    return found


def check_definitions(stores: SqliteStores, expected: dict[str, bytes], name: str = "School") -> None:
    store = stores.records.activities(of(stores, name))
    for unit in UNITS:
        kept = store.find_definition(unit)
        assert kept is not None
        assert json.loads(kept) == json.loads(expected[unit])


@pytest.mark.parametrize("name", OLD)
def test_old_file_becomes_what_a_new_file_is(tmp_path, name):
    old = unpack(name, tmp_path)
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / "lrs.db"
    for path in (old, new):
        stores = open_at(path)
        wait_until_filled(stores)
        stores.close()
    assert shape(old) == shape(new)
    assert {apsw.Connection(str(path)).pragma("user_version") for path in (old, new)} == {schema.newest()}


@pytest.mark.parametrize("name", OLD)
def test_everything_kept_is_there_after_the_upgrade(tmp_path, name):
    stores = open_at(unpack(name, tmp_path))
    school = stores.records.statements(of(stores, "School"))
    log = school.read_log(Position(0), 500).statements
    assert [int(one.id[:8], 16) for one in log] == list(range(62))
    assert [int(one.id[:8], 16) for one in log if one.voided] == [3]
    museum = stores.records.statements(of(stores, "Museum")).read_log(Position(0), 500).statements
    assert [int(one.id[:8], 16) for one in museum] == list(range(100, 105))
    institution = stores.access.find_institution_named("School")
    assert institution.statement_quota == 0
    (client,) = stores.access.list_clients(institution.id)
    (key,) = stores.access.list_keys(institution.id)
    assert (key.rate_per_minute, key.replaced_by) == (None, None)
    assert stores.access.find_credential(key.id).client == client
    counted = "SELECT count(*) FROM documents"
    assert stores.writer.run(lambda write: write.database.execute(counted).get) == 2
    stores.access.add_institution(Institution(InstitutionId("new0000001"), "Employer", 1, 7))
    administrator = Key(KeyId("administra"), None, None, b"x" * 32, frozenset(), None, 1)
    stores.access.add_key(administrator)
    assert stores.access.find_institution_named("Employer").statement_quota == 7
    assert list(stores.access.list_keys(None)) == [administrator]
    stores.close()


@pytest.mark.parametrize("name", OLD)
def test_definitions_given_before_are_merged_beneath_those_given_since(tmp_path, slowly, name):
    stores = open_at(unpack(name, tmp_path))
    expected = expected_definitions(stores, "School")
    assert set(expected) == set(UNITS)
    later = b'{"name": {"en": "The latest"}, "extensions": {"http://x.example/": 1}}'
    given = replace(make_statement("new"), definitions=(ActivityDefinition(UNITS[2], later),))
    add(stores.records.statements(of(stores, "School")), given)
    expected[UNITS[2]] = merge_definitions(expected[UNITS[2]], later)
    slowly.set()
    wait_until_filled(stores)
    check_definitions(stores, expected)
    stores.close()


def test_filling_goes_on_where_it_was_broken_off(tmp_path, slowly):
    path = unpack("sqlite-1", tmp_path)
    expected = None
    left = []
    for _ in range(40):
        stores = open_at(path)
        expected = expected or expected_definitions(stores, "School")
        if not pending(stores):
            break
        before = pending(stores)
        slowly.set()
        while pending(stores) == before:
            time.sleep(0.001)
        slowly.clear()
        left.append(pending(stores).get(2, 0))
        stores.close()
    assert len(left) > 3
    assert left == sorted(left, reverse=True)
    check_definitions(stores, expected)
    stores.close()


UPGRADING = """
import sys, time
from pathlib import Path
from lrs.stores.sqlite import filling
from tests.unit.stores.test_sqlite_migrations import open_at

real = filling.Filler._do_piece

def piece_of_two(filler, write):
    filler._piece = 2
    return real(filler, write)

filling.Filler._do_piece = piece_of_two
print("go", flush=True)
open_at(Path(sys.argv[1]))
time.sleep(60)
"""


@pytest.mark.lasting
def test_upgrade_is_whole_when_its_process_is_killed_again_and_again(tmp_path):
    path = unpack("sqlite-1-early", tmp_path)
    rng = random.Random(7)
    seen = set()
    for _ in range(8):
        command = [sys.executable, "-c", UPGRADING, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(rng.uniform(0, 0.12))
        process.kill()
        process.communicate()
        with apsw.Connection(str(path)) as database:
            pending = "SELECT value FROM meta WHERE name GLOB 'fill:*'"
            seen.add((database.pragma("user_version"), database.execute(pending).get))
    assert len(seen) > 2, "no kill met the upgrade"
    stores = open_at(path)
    wait_until_filled(stores)
    check_definitions(stores, expected_definitions(stores, "School"))
    stores.close()
    with apsw.Connection(str(path)) as database:
        assert database.execute("PRAGMA integrity_check").get == "ok"


def test_two_processes_share_the_filling(tmp_path, slowly):
    path = unpack("sqlite-1", tmp_path)
    both = [open_at(path) for _ in range(2)]
    expected = expected_definitions(both[0], "School")
    slowly.set()
    wait_until_filled(both[0])
    for stores in both:
        check_definitions(stores, expected)
        stores.close()


def test_statement_that_cannot_be_read_holds_up_nothing(tmp_path, slowly, caplog):
    stores = open_at(unpack("sqlite-1", tmp_path))
    stores.writer.run(lambda write: write.database.execute("UPDATE stmt SET dict = 77 WHERE seq = 20").get)
    slowly.set()
    wait_until_filled(stores)
    assert "statement at 20" in caplog.text
    assert stores.records.activities(of(stores, "School")).find_definition(UNITS[0])
    stores.close()


def test_nothing_is_migrated_or_filled_twice(tmp_path, monkeypatch):
    path = unpack("sqlite-1", tmp_path)
    stores = open_at(path)
    wait_until_filled(stores)
    stores.close()
    called = []
    changed = tuple(one._replace(change=called.append) for one in MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", changed)
    stores = open_at(path)
    assert (called, pending(stores)) == ([], {})
    assert stores._filler._thread.ident is None
    stores.close()


def test_new_file_has_nothing_to_fill(tmp_path):
    stores = open_at(tmp_path / "lrs.db")
    assert pending(stores) == {}
    stores.close()


def test_upgraded_file_is_refused_by_the_version_that_made_it(tmp_path, monkeypatch):
    path = unpack("sqlite-1", tmp_path)
    open_at(path).close()
    monkeypatch.setattr(schema, "MIGRATIONS", ())
    with pytest.raises(StoreTooNew, match="version"):
        open_at(path)
    assert apsw.Connection(str(path)).pragma("user_version") == 1 + len(MIGRATIONS)


def test_two_processes_that_open_an_old_file_at_once_migrate_it_once(tmp_path):
    path = unpack("sqlite-1-early", tmp_path)
    opened: list[SqliteStores] = []
    threads = [threading.Thread(target=lambda: opened.append(open_at(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    wait_until_filled(opened[0])
    check_definitions(opened[3], expected_definitions(opened[0], "School"))
    for stores in opened:
        stores.close()


def test_writers_go_on_while_old_statements_are_filled(tmp_path, slowly):
    stores = open_at(unpack("sqlite-1", tmp_path))
    slowly.set()
    store = stores.records.statements(of(stores, "School"))
    n = 0
    while pending(stores):
        add(store, make_statement(n))
        n += 1
    assert n > 3
    assert len(store.read_log(Position(0), 10_000).statements) == 62 + n
    stores.close()
