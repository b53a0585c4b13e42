"""What is read from lists: positions, counts, plans; and what a check says of those that are damaged."""

import random
from pathlib import Path

import apsw
import pytest

from lrs.stores.sqlite import lists as lists_module
from lrs.stores.sqlite.lists import FORM, Asked, HeldPositions, MergedLot, Span, find_held, iter_positions
from lrs.stores.sqlite.merged import MergedPostings
from tests.contract.builders import (
    ACTIVITY,
    AGENT,
    MUSEUM,
    PASSED,
    SCHOOL,
    VERB,
    activity,
    add,
    agent,
    by,
    find,
    make_statement,
    sid,
    verb,
)
from tests.contract.test_check import faults
from tests.engines import Engine, merging_engine
from tests.http.conftest import make_instance
from tests.unit.stores.test_sqlite_lists import FORMS, merge_all, rows, strays
from tests.unit.stores.test_sqlite_merging import (
    LISTS,
    LOT,
    fill,
    open_store,
)
from tests.worlds import fill as fill_world


@pytest.mark.parametrize("sql", ["_UP", "_DOWN", "_COUNT_BLOCKS"])
def test_plan_of_reading_lists_has_no_sort_and_no_scan(tmp_path, sql):
    stores = open_store(tmp_path)
    values = {"h": 1, "prim": 1, "low": 1, "high": 9, "bound": 5}
    with stores.readers.snapshot() as database:
        asked = f"EXPLAIN QUERY PLAN {getattr(lists_module, sql)}"
        plan = [row[-1] for row in database.execute(asked, values)]
    assert plan
    bad = [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN")]
    assert not [step for step in bad if "subquery" not in step], plan
    stores.close()


@pytest.mark.parametrize("related", [False, True])
@pytest.mark.parametrize("ascending", [False, True])
def test_positions_of_a_span_are_those_that_are_there(tmp_path, related, ascending):
    rng = random.Random(5)
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, 640)
    merge_all(stores, most=100)
    add(store, make_statement("target 0", activity("c1"), agent("a1", primary=False)))
    h = store._codec.term(ACTIVITY, "c1")
    expected = {
        n + 1 for n in range(640) if (n % 4 == 1 or n % 14 == 0) and (related or n % 3 == 0 or n % 14 == 0)
    }
    with stores.readers.snapshot() as database:
        for _ in range(60):
            low = rng.randrange(1, 630)
            span = Span(low, rng.randrange(low, 639))
            asked = sorted((seq for seq in expected if span.low <= seq <= span.high), reverse=not ascending)
            found = list(iter_positions(database, Asked(h, related), span, ascending=ascending))
            assert found == asked
            wanted = sorted(rng.sample(range(1, 640), 90))
            held = find_held(database, Asked(h, related), wanted) & set(wanted)
            assert held == expected & set(wanted)
    stores.close()


def test_statements_are_looked_at_where_that_is_less_work_than_asking_other_lists(tmp_path):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    add(store, *[make_statement(n, verb(), agent(f"a{n % 2}"), activity(f"c{n % 3}")) for n in range(1200)])
    merge_all(stores)
    asked = [Asked(store._codec.term(*one), related=False) for one in ((ACTIVITY, "c2"), (ACTIVITY, "none"))]
    odd = list(range(2, 1000, 2))
    both = [seq for seq in odd if seq % 3 == 0]
    with stores.readers.snapshot() as database:
        merged = MergedPostings(database)
        assert merged.narrow(odd, asked[:1]) == both
        assert merged.narrow(odd, asked[1:]) == []
        assert merged.narrow(odd[:20], asked) == odd[:20]
        assert (merged.count(asked[0], 200), merged.count(asked[0], 3000)) == (200, 399)
        assert merged.count(asked[1], 200) == 0
        assert merged.narrow(odd[:20], asked[:1]) == both[:6], "a rare one is remembered"
        few = Span(9, 20)
        assert list(merged.iter_positions(asked[0], few, ascending=False)) == [18, 15, 12, 9]
        assert list(merged.iter_positions(asked[0], few, ascending=True)) == [9, 12, 15, 18]
    expected = [sid(n) for n in range(1199, -1, -1) if n % 6 == 5]
    assert find(store, by(AGENT, "a1"), by(ACTIVITY, "c2"), limit=500) == expected
    assert find(store, by(AGENT, "a1"), by(ACTIVITY, "c2"), limit=5) == expected
    assert find(store, by(AGENT, "a1"), by(ACTIVITY, "nowhere"), limit=5) == []
    stores.close()


def test_hashes_that_begin_alike_have_one_list(tmp_path):
    stores = open_store(tmp_path)
    alike = [(7 << 40) + n for n in range(3)]
    with apsw.Connection(str(tmp_path / "lrs.db")) as database:
        database.executemany(
            "INSERT INTO lots VALUES (?, ?, 0)", [(lo, 1 + lo // LOT) for lo in range(0, 20, LOT)]
        )
        posted = [(1 + seq // LOT, alike[n], 1, seq) for seq in range(1, LISTS) for n in range(seq % 4)]
        database.executemany("INSERT INTO post VALUES (?, ?, ?, ?)", posted)
    merge_all(stores)
    expected = [seq for seq in range(1, LISTS) if seq % 4]
    with stores.readers.snapshot() as database:
        for h in alike:
            for asked in (Asked(h, related=True), Asked(h, related=False)):
                assert list(iter_positions(database, asked, Span(1, LISTS), ascending=True)) == expected
    stores.close()


def test_held_positions_are_those_of_the_lists(tmp_path):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    add(store, *[make_statement(n, verb(), agent(f"a{n % 5}")) for n in range(150)])
    merge_all(stores)
    terms = {n: store._codec.term(AGENT, f"a{n}") for n in range(5)}
    passed = store._codec.term(VERB, PASSED)
    found = rows(stores, "SELECT lot, lo, form FROM lots WHERE form > 0")
    with stores.readers.snapshot() as database:
        held = HeldPositions(database)
        for lot in [MergedLot(*one) for one in found] * 2:
            for seq in range(max(1, lot.lo), lot.lo + LISTS):
                assert held.holds(lot, passed, 1, seq)
                assert not held.holds(lot, passed, 0, seq)
                assert [n for n in terms if held.holds(lot, terms[n], 1, seq)] == [(seq - 1) % 5]
    stores.close()


# What is done to the lists of a store whose lots are merged.
DAMAGES = {
    "a block too few": (
        "DELETE FROM lists WHERE (lot, h, prim, first) IN (SELECT lot, h, prim, first FROM lists LIMIT 1)"
    ),
    "a block too many": (
        "INSERT INTO lists SELECT lot, 4711, 1, 1, x'010000000021010000' FROM lots WHERE form = 2"
    ),
    "a lot of rows among lists": "UPDATE lots SET form = 0 WHERE lo = (SELECT min(lo) FROM lots)",
}


@pytest.fixture
def merged(tmp_path: Path) -> Engine:
    return merging_engine(tmp_path)


def test_no_fault_is_found_where_lots_are_merged_and_each_damage_is(merged, tmp_path):
    instance = make_instance(merged)
    fill_world(instance)
    assert rows(instance.services.stores, FORMS)[0] == (FORM,)
    assert faults(instance.services.stores) == []
    instance.services.close()
    whole = (tmp_path / "lrs.db").read_bytes()
    for damage, statement in DAMAGES.items():
        (tmp_path / "lrs.db").write_bytes(whole)
        database = apsw.Connection(str(tmp_path / "lrs.db"))
        database.execute(statement)
        assert database.changes() > 0, damage
        database.close()
        stores = merged.open()
        assert "posting" in {one.kind for one in faults(stores)}, damage
        stores.close()


def test_damaged_statements_of_merged_lots_are_taken_away_with_their_institution(tmp_path):
    stores = open_store(tmp_path)
    for n in range(150):
        handle = MUSEUM if n % 3 else SCHOOL
        add(stores.records.statements(handle), make_statement(n, verb(), agent("a")))
    merge_all(stores)
    rows(stores, "UPDATE stmt SET body = zeroblob(3) WHERE seq % 4 = 0")
    stores.drop_institution(MUSEUM)
    assert strays(stores) == 0
    rows(stores, "DELETE FROM stmt WHERE length(body) = 3")
    assert find(stores.records.statements(SCHOOL), by(AGENT, "a"), limit=100) == [
        sid(n) for n in range(149, -1, -1) if n % 3 == 0 and (n + 1) % 4
    ]
    stores.close()
