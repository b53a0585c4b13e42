"""What is left in the file when an institution was taken away: nothing, wherever it was broken off."""

import itertools
import random
import threading

import pytest

from lrs.errors import StoreUnavailable
from lrs.stores.sqlite.stores import SqliteStores
from lrs.stores.sqlite.writer import Write
from lrs.tables.recorded import Note
from tests.contract.builders import AGENT, MUSEUM, SCHOOL, add, agent, by, find, log, make_statement, voiding
from tests.contract.recorded.writing import put
from tests.contract.test_check import faults
from tests.engines import sqlite_engine
from tests.http.conftest import make_instance
from tests.unit.stores.test_sqlite_merging import merger, open_store, postings
from tests.worlds import fill

BY_TENANT = ("history", "receipts", "refusals", "activities", "attachments", "documents", "recorded")
COUNTED = ("stmt", *BY_TENANT, "recorded_terms")


def mix(stores: SqliteStores, seed: int, count: int = 60) -> None:
    """Let two institutions post in turn: chains, cycles, targets that come late, voidings."""
    rng = random.Random(seed)
    opened = [stores.records.statements(one) for one in (SCHOOL, MUSEUM)]
    tables = [stores.recorded(one) for one in (SCHOOL, MUSEUM)]
    for n in range(count):
        which = rng.randrange(2)
        target = ("x", which, rng.randrange(count)) if rng.random() < 0.6 else None
        facts = (agent(f"a{rng.randrange(4)}"), agent("all", primary=rng.random() < 0.5))
        add(opened[which], make_statement(("x", which, n), *facts, target=target))
        if rng.random() < 0.1:
            add(opened[which], voiding(("v", which, n), of=("x", which, rng.randrange(count))))
        put(tables[which], f"p{n % 5}", {"n": n}, f"t{n % 3}")
        tables[which].note("noted", [Note(f"p{n % 5}", {"n": n}, (f"t{n % 3}",))], n)


def rows(stores: SqliteStores, query: str, *values: object) -> list[tuple[int, ...]]:
    return stores.writer.run(lambda write: write.database.execute(query, values).fetchall())


def strays(stores: SqliteStores) -> dict[str, int]:
    """Rows that find statements that are not there."""
    count = "SELECT count(*) FROM {} WHERE seq NOT IN (SELECT seq FROM stmt)"
    there = {seq for (seq,) in rows(stores, "SELECT seq FROM stmt")}
    posted = sum(1 for *_, seq in postings(stores) if seq not in there)
    return {"post": posted, **{one: rows(stores, count.format(one))[0][0] for one in ("ids", "refs")}}


def posted_of(stores: SqliteStores, tenant: int) -> set[tuple[int, int, int, int]]:
    there = {seq for (seq,) in rows(stores, "SELECT seq FROM stmt WHERE tenant = ?", tenant)}
    return {one for one in postings(stores) if one[3] in there}


def held(stores: SqliteStores, tenant: int) -> dict[str, int]:
    count = "SELECT count(*) FROM {} WHERE tenant = ?"
    return {one: found for one in COUNTED if (found := rows(stores, count.format(one), tenant)[0][0])}


NO_STRAYS = {"post": 0, "ids": 0, "refs": 0}


@pytest.mark.parametrize("seed", range(4))
def test_no_row_is_left_and_no_other_is_touched(seed, tmp_path):
    stores = open_store(tmp_path)
    mix(stores, seed)
    work = merger(stores)
    while seed % 2 and work.merge_one():
        pass
    ((school,),) = rows(stores, "SELECT number FROM tenants WHERE institution = ?", SCHOOL.institution_id)
    ((museum,),) = rows(stores, "SELECT number FROM tenants WHERE institution = ?", MUSEUM.institution_id)
    before, posted = held(stores, museum), posted_of(stores, museum)
    assert len(held(stores, school)) == 5
    stores.drop_institution(SCHOOL)
    assert held(stores, school) == {}
    assert strays(stores) == NO_STRAYS
    assert held(stores, museum) == before
    assert posted_of(stores, museum) == posted
    stores.close()


def test_no_row_is_left_when_lots_are_merged_meanwhile(tmp_path):
    stores = open_store(tmp_path)
    mix(stores, 9, 150)
    expected = find(stores.records.statements(MUSEUM), by(AGENT, "all", related=True))
    done = threading.Event()

    def merge() -> None:
        work = merger(stores)
        while not done.is_set() or work.merge_one():
            work.merge_one()

    thread = threading.Thread(target=merge)
    thread.start()
    stores.drop_institution(SCHOOL)
    done.set()
    thread.join()
    merger(stores).tidy()
    assert strays(stores) == NO_STRAYS
    assert find(stores.records.statements(MUSEUM), by(AGENT, "all", related=True)) == expected
    stores.close()


class Killed(StoreUnavailable):
    """In place of a process that ends."""


def break_off(stores: SqliteStores, pieces: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let a removal end behind so many pieces; False when it came to its end."""
    count = itertools.count()
    real = stores.writer.run

    def run(work, weight=1):
        if next(count) == pieces:
            raise Killed("killed")
        return real(work, weight)

    with monkeypatch.context() as patched:
        patched.setattr(stores.writer, "run", run)
        try:
            stores.drop_institution(SCHOOL)
        except Killed:
            return True
    return False


def test_removal_that_was_broken_off_anywhere_is_reported_and_goes_on(tmp_path, monkeypatch):
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine)
    fill(instance)
    stores = instance.services.stores
    # Its pieces of work would count, too.
    stores.maintenance.close()
    handle = instance.access.handle_for_institution_named("School")
    monkeypatch.setattr("tests.unit.stores.test_sqlite_dropping.SCHOOL", handle)
    broken = 0
    for pieces in itertools.count(1):
        if not break_off(stores, pieces, monkeypatch):
            break
        broken += 1
        assert [(one.kind, one.where) for one in faults(stores)] == [("institution", handle.institution_id)]
        assert stores.access.find_institution(handle.institution_id) is not None
        with stores.open_dump() as dump:
            assert handle.institution_id not in dump.count_statements()
            assert list(dump.iter_history(handle.institution_id)) == []
    assert broken > 5
    assert faults(stores) == []
    assert strays(stores) == NO_STRAYS
    assert stores.access.find_institution(handle.institution_id) is None
    engine.close()


def test_removal_goes_on_where_no_record_of_the_institution_was_kept(tmp_path, monkeypatch):
    stores = open_store(tmp_path)
    mix(stores, 3)
    assert break_off(stores, 3, monkeypatch)
    stores.drop_institution(SCHOOL)
    assert held(stores, 1) == {}
    assert not break_off(stores, 1, monkeypatch), "there was something left to do"
    stores.close()


def test_damaged_statement_does_not_hold_up_a_removal(tmp_path):
    stores = open_store(tmp_path)
    mix(stores, 3)
    rows(stores, "UPDATE stmt SET body = zeroblob(3) WHERE seq % 5 = 0 AND tenant = 1")
    stores.drop_institution(SCHOOL)
    assert held(stores, 1) == {}
    assert strays(stores) == NO_STRAYS
    stores.close()


def test_positions_and_numbers_are_never_given_again(tmp_path):
    stores = open_store(tmp_path)
    museum = stores.records.statements(MUSEUM)
    add(museum, make_statement("m"))
    for n in range(20):
        add(stores.records.statements(SCHOOL), make_statement(n))
    last = log(stores.records.statements(SCHOOL))[-1]
    stores.drop_institution(SCHOOL)
    stores.close()
    stores = open_store(tmp_path)
    add(stores.records.statements(MUSEUM), make_statement("n", agent("one")))
    new = log(stores.records.statements(MUSEUM))[-1]
    assert new.position > last.position
    assert new.stored_at_us > last.stored_at_us
    assert find(stores.records.statements(MUSEUM), by(AGENT, "one")) == [new.id]
    assert rows(stores, "SELECT dropped FROM tenants ORDER BY dropped") == [(0,), (2,)]
    put(stores.recorded(type(SCHOOL)("new0000001")), "ada", {"n": 1})
    assert len(rows(stores, "SELECT number FROM tenants")) == 3
    stores.close()


def test_no_piece_is_long(tmp_path):
    """Of what grows without bound, no transaction takes more than two hundred rows."""
    stores = open_store(tmp_path)
    add(stores.records.statements(SCHOOL), *[make_statement(n, agent("a"), target=n + 1) for n in range(700)])
    stores.recorded(SCHOOL).note("noted", [Note(f"{n}", {}, ("a", "b")) for n in range(900)], 1)
    changed: list[int] = []
    real = stores.writer.run

    def run(work, weight=1):
        def counted(write: Write) -> object:
            before = write.database.total_changes()
            done = work(write)
            changed.append(write.database.total_changes() - before)
            return done

        return real(counted, weight)

    stores.writer.run = run  # type: ignore[method-assign]
    stores.drop_institution(SCHOOL)
    assert sum(changed) > 700 * 3 + 900 * 3
    assert len(changed) > 15
    assert max(changed) < 200 * 20
    del stores.writer.run
    stores.close()
