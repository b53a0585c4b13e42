"""Merged lots are lists: they answer as rows do, whatever is written, taken away or merged meanwhile."""

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import apsw
import pytest

from lrs.errors import StatementConflict
from lrs.stores.sqlite import lists as lists_module
from lrs.stores.sqlite import merging
from lrs.stores.sqlite.blocks import PLACES, count_places
from lrs.stores.sqlite.lists import FORM, Asked, HeldPositions, MergedLot, Span, find_held, iter_positions
from lrs.stores.sqlite.merged import MergedPostings
from lrs.stores.sqlite.merging import Merger
from lrs.stores.sqlite.packing import Piece
from lrs.stores.sqlite.postings import next_lot
from lrs.stores.sqlite.stores import SqliteStores
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
    ids,
    log,
    make_statement,
    sid,
    verb,
    walk,
)
from tests.contract.test_check import faults
from tests.contract.test_statement_queries_brute_force import Model, random_query, random_statement
from tests.engines import Engine, merging_engine
from tests.http.conftest import make_instance
from tests.unit.stores.test_sqlite_merging import (
    LISTS,
    LONGEST,
    LOT,
    answers,
    arrive_late,
    fill,
    lots,
    merger,
    open_store,
    postings,
)
from tests.worlds import fill as fill_world

FORMS = "SELECT form FROM lots ORDER BY lo"


def rows(stores: SqliteStores, sql: str, *values: object) -> list[tuple[int, ...]]:
    return stores.writer.run(lambda write: write.database.execute(sql, values).fetchall())


def merge_all(stores: SqliteStores, most: int = 1000) -> None:
    work = merger(stores, most=most)
    while work.merge_one():
        pass


def strays(stores: SqliteStores) -> int:
    """Postings, in rows and lists, of statements that are not there."""
    there = {seq for (seq,) in rows(stores, "SELECT seq FROM stmt")}
    return sum(1 for *_, seq in postings(stores) if seq not in there)


SMALLEST = (1, 4, 16)


class Worlds:
    """Two institutions in one file, and what each must say."""

    def __init__(self, stores: SqliteStores, rng: random.Random) -> None:
        self.stores = stores
        self.rng = rng
        self.models = {SCHOOL: Model(), MUSEUM: Model()}

    def write(self) -> None:
        handle = self.rng.choice(list(self.models))
        made = (random_statement(self.rng) for _ in range(self.rng.choice([1, 2, 9])))
        batch = {one.id: one for one in made}
        accepted = self.models[handle].add(list(batch.values()))
        try:
            add(self.stores.records.statements(handle), *batch.values())
        except StatementConflict:
            assert not accepted

    def drop_museum(self) -> None:
        if MUSEUM in self.models:
            del self.models[MUSEUM]
            self.stores.drop_institution(MUSEUM)

    def something(self) -> None:
        chance = self.rng.random()
        if chance < 0.5:
            self.write()
        elif chance < 0.502:
            self.drop_museum()

    def merge(self, until: int = 10_000) -> None:
        """Merge what is due, unless broken off, with writes and removals between the slices."""
        left = until

        def stopping() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        most = self.rng.choice([1, 7, 40, 1000])
        work = merger(self.stores, self.something, stopping, SMALLEST, most)
        work.tidy()
        while work.merge_one() and left > 0:
            pass

    def check(self) -> None:
        for handle, model in self.models.items():
            store = self.stores.records.statements(handle)
            entries = log(store)
            assert ids(entries) == list(model.kept)
            stored = {entry.id: entry.stored_at_us for entry in entries}
            for _ in range(25):
                asked = random_query(self.rng, list(stored.values()) or [0])
                assert ids(walk(store, asked)) == model.answer(asked, stored), asked


@pytest.mark.parametrize("seed", range(8))
def test_random_stores_say_what_looking_at_everything_says(tmp_path, seed):
    rng = random.Random(seed)
    worlds = Worlds(open_store(tmp_path, spans=SMALLEST), rng)
    for _ in range(30):
        worlds.write()
        if rng.random() < 0.3:
            worlds.merge(rng.choice([3, 20, 10_000]))
        if rng.random() < 0.1:
            worlds.check()
    if seed % 2:
        worlds.drop_museum()
    worlds.merge()
    worlds.merge()
    forms = [form for (form,) in rows(worlds.stores, FORMS)]
    assert forms == sorted(forms, reverse=True)
    assert forms.count(FORM) > 1, "nothing was merged"
    worlds.check()
    if len(worlds.models) == 1:
        assert strays(worlds.stores) == 0
    worlds.stores.close()


def found_by(stores: SqliteStores) -> set[tuple[int, int, int]]:
    """By which hashes which statements are found; where by both, as primary."""
    found = {one[1:] for one in postings(stores)}
    return {(h, primary, seq) for h, primary, seq in found if primary or (h, 1, seq) not in found}


@pytest.mark.parametrize("count", [200, 150])
def test_what_came_late_to_lists_is_in_those_that_they_become(tmp_path, count):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, count)
    while merger(stores)._merge_rows():
        pass
    arrive_late(store)
    assert rows(stores, "SELECT count(*) FROM post JOIN lots USING (lot) WHERE form > 0") > [(50,)]
    before = answers(store), found_by(stores)
    merge_all(stores)
    assert (answers(store), found_by(stores)) == before
    assert rows(stores, "SELECT count(*) FROM post p JOIN lots l USING (lot) WHERE l.lo < 128") == [(0,)]
    listed = rows(stores, "SELECT content FROM lists JOIN lots USING (lot) WHERE lo < 128")
    kept = sum(count_places(content) for (content,) in listed)
    assert kept == sum(1 for _, _, seq in found_by(stores) if seq < 128)
    stores.close()


def test_places_begin_anew_behind_every_multiple_of_what_they_can_say(tmp_path):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("first", agent("a0")))
    rows(stores, "INSERT INTO meta VALUES ('last_seq', ?)", 3 * PLACES - 101)
    fill(store, 300)
    before = answers(store)
    merge_all(stores)
    assert [lo - 3 * PLACES for lo, _ in lots(stores)[1:]] == [-100, -64, 0, 64, 128, 192, 196]
    assert set(rows(stores, FORMS)[:-2]) == {(FORM,)}
    assert answers(store) == before
    stores.drop_institution(SCHOOL)
    assert postings(stores) == set()
    stores.close()


@pytest.mark.parametrize("pieces", [0, 2, None])
def test_merge_is_given_up_where_something_of_its_lots_is_taken_away_and_begins_anew(
    tmp_path, pieces, monkeypatch
):
    stores = open_store(tmp_path)
    for n in range(200):
        handle = MUSEUM if n % 3 else SCHOOL
        add(stores.records.statements(handle), make_statement(n, verb(), agent("a")))
    work = merger(stores)
    real = merging.gather

    def gather_and_drop(*given: Any) -> Iterator[list[Piece]]:
        """Gather so many pieces before something is taken away."""
        found = real(*given)
        yield from islice(found, pieces)
        stores.drop_institution(MUSEUM)
        yield from found

    def copy_and_drop(self: Merger, plan: Any) -> bool:
        """Take it away when nothing is left but to put the new lot in place."""
        done = real_copy(self, plan)
        stores.drop_institution(MUSEUM)
        return done

    real_copy = Merger._copy
    if pieces is None:
        monkeypatch.setattr(Merger, "_copy", copy_and_drop)
    else:
        monkeypatch.setattr(merging, "gather", gather_and_drop)
    assert not work.merge_one()
    assert set(rows(stores, FORMS)) == {(0,)}
    assert rows(stores, "SELECT (SELECT count(*) FROM merging), (SELECT count(*) FROM lists)") == [(0, 0)]
    monkeypatch.undo()
    while work.merge_one():
        pass
    assert rows(stores, FORMS)[0] == (FORM,)
    assert strays(stores) == 0
    assert find(stores.records.statements(SCHOOL), by(AGENT, "a"), limit=100) == [
        sid(n) for n in range(198, -1, -3)
    ]
    stores.close()


def test_rows_that_are_due_are_merged_while_lists_are(tmp_path):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, LONGEST)
    for _ in range(LONGEST // LISTS - 1):
        merger(stores)._merge_rows()
    seen: list[list[int]] = []

    def write_more() -> None:
        seen.append([form for (form,) in rows(stores, FORMS)])
        if len(seen) == 1:
            fill(store, 100, start=1000)

    work = merger(stores, pause=write_more)
    assert work.merge_one()
    assert work._merge_lists(LONGEST)
    assert any(forms.count(FORM) > LONGEST // LISTS for forms in seen)
    assert [lo for lo, _ in lots(stores)][:4] == [0, 64, 80, 96]
    stores.close()


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


def test_number_of_a_lot_that_was_left_behind_is_not_given_again(tmp_path):
    stores = open_store(tmp_path)
    fill(stores.records.statements(SCHOOL), 100)
    calls = 0

    def stopping() -> bool:
        nonlocal calls
        calls += 1
        return calls > 4

    merger(stores, stopping=stopping).merge_one()
    rows(stores, "DELETE FROM merging")
    (left,) = rows(stores, "SELECT max(lot) FROM lists")[0]
    assert left > max(lot for _, lot in lots(stores))
    assert stores.writer.run(lambda write: next_lot(write.database)) == left + 1
    stores.close()


def test_slice_that_is_taken_back_for_a_neighbour_s_fault_is_done_again(tmp_path):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, 100)
    before = answers(store)
    real = stores.writer.run
    failing = iter([True, True, False] * 100)

    def run(work, weight=1):
        def first_taken_back(write):
            if work.__class__.__name__ == "partial" and next(failing):
                database = write.database
                database.execute("SAVEPOINT neighbour")
                work(write)
                database.execute("ROLLBACK TO neighbour; RELEASE neighbour")
            return work(write)

        return real(first_taken_back, weight)

    stores.writer.run = run  # type: ignore[method-assign]
    merge_all(stores, most=20)
    del stores.writer.run
    assert rows(stores, FORMS)[0] == (FORM,)
    assert answers(store) == before
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
