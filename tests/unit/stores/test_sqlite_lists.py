"""Merged lots are lists: they answer as rows do, whatever is written, taken away or merged meanwhile."""

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from lrs.errors import StatementConflict
from lrs.stores.sqlite import merging
from lrs.stores.sqlite.blocks import PLACES, count_places
from lrs.stores.sqlite.lists import FORM
from lrs.stores.sqlite.merging import Merger
from lrs.stores.sqlite.packing import Piece
from lrs.stores.sqlite.postings import next_lot
from lrs.stores.sqlite.stores import SqliteStores
from tests.contract.builders import (
    AGENT,
    MUSEUM,
    SCHOOL,
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
from tests.contract.test_statement_queries_brute_force import Model, random_query, random_statement
from tests.unit.stores.test_sqlite_merging import (
    LISTS,
    LONGEST,
    answers,
    arrive_late,
    fill,
    lots,
    merger,
    open_store,
    postings,
)

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


def test_nothing_is_inserted_for_a_merge_that_was_given_up(tmp_path, monkeypatch):
    stores = open_store(tmp_path)
    for n in range(200):
        handle = MUSEUM if n % 3 else SCHOOL
        add(stores.records.statements(handle), make_statement(n, verb(), agent("a")))
    real = merging.gather

    def drop_and_gather(*given: Any) -> Iterator[list[Piece]]:
        stores.drop_institution(MUSEUM)
        yield from real(*given)

    monkeypatch.setattr(merging, "gather", drop_and_gather)
    # Its number may be another merge's by now, so it is not enough that what was inserted is deleted.
    monkeypatch.setattr(Merger, "_delete", lambda *_: None)
    assert not merger(stores).merge_one()
    assert rows(stores, "SELECT count(*) FROM lists") == [(0,)]
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
