"""Merging lots changes no answer, whatever is written or killed meanwhile."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lrs.errors import StoreUnavailable
from lrs.stores import StoreOptions
from lrs.stores.sqlite.blocks import read_block
from lrs.stores.sqlite.connections import open_writer
from lrs.stores.sqlite.lists import FORM, MergedLot
from lrs.stores.sqlite.merging import Leadership, Merger
from lrs.stores.sqlite.stores import SqliteStores
from lrs.stores.sqlite.writer import Write
from lrs.xapi.ports import StatementStore
from tests.contract.builders import (
    ACTIVITY,
    AGENT,
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
    voiding,
)

ROOT = Path(__file__).parents[3]
LOT, LISTS, LONGEST = SPANS = (4, 16, 64)
QUESTIONS = [
    (),
    (by(VERB, PASSED),),
    *[(by(AGENT, f"a{n}"),) for n in range(5)],
    *[(by(ACTIVITY, f"c{n}", related=True),) for n in range(4)],
    (by(AGENT, "a1"), by(ACTIVITY, "c1", related=True)),
    (by(ACTIVITY, "late 0"),),
    (by(ACTIVITY, "late 1", related=True), by(AGENT, "a2")),
]


def open_store(folder: Path, *, maintained: bool = False, spans: tuple[int, ...] = SPANS) -> SqliteStores:
    """Open with small lots; unless it is maintained, nobody merges but the test."""
    options = StoreOptions(lambda: time.time_ns() // 1000, os.urandom, durable=False)
    stores = SqliteStores.open(str(folder / "lrs.db"), options, spans)
    if not maintained:
        stores.maintenance.close()
    return stores


def fill(store: StatementStore, count: int, start: int = 0) -> None:
    for n in range(start, start + count, 5):
        add(
            store,
            *[
                make_statement(
                    m,
                    verb(),
                    agent(f"a{m % 5}"),
                    activity(f"c{m % 4}", primary=m % 3 == 0),
                    target=f"target {m % 2}" if m % 7 == 0 else None,
                )
                for m in range(n, n + 5)
            ],
        )


def answers(store: StatementStore) -> list[list[str]]:
    return [find(store, *q, ascending=up, limit=9) for q in QUESTIONS for up in (False, True)]


def lots(stores: SqliteStores) -> list[tuple[int, int]]:
    return stores.writer.run(
        lambda write: write.database.execute("SELECT lo, lot FROM lots ORDER BY lo").fetchall()
    )


def lots_with_rows(stores: SqliteStores) -> set[int]:
    found = "SELECT lot FROM post UNION SELECT lot FROM lists"
    return {lot for (lot,) in stores.writer.run(lambda write: write.database.execute(found).fetchall())}


def postings(stores: SqliteStores) -> set[tuple[int, int, int, int]]:
    """Lot, the kept part of the hash, primary and position of all postings, in rows and in lists."""

    def read(write: Write) -> set[tuple[int, int, int, int]]:
        posted = write.database.execute("SELECT lot, h >> 23, prim, seq FROM post")
        listed = write.database.execute(
            "SELECT b.lot, coalesce(l.lo, m.lo), coalesce(l.form, ?), b.h >> 23, b.content FROM lists b"
            " LEFT JOIN lots l USING (lot) LEFT JOIN merging m USING (lot)",
            (FORM,),
        )
        return {*posted} | {
            (lot, begin + one.offset, one.primary, MergedLot(lot, lo, form).base + at)
            for lot, lo, form, begin, content in listed
            for one in read_block(content)
            for at in one.places
        }

    return stores.writer.run(read)


def merger(
    stores: SqliteStores, pause=lambda: None, stopping=lambda: False, spans=SPANS, most: int = 7
) -> Merger:
    database = open_writer(stores.readers._path, durable=False)
    made = Merger(stores.writer, database, spans, stopping, pause)
    made._rows_read, made._blocks_inserted = most, 2
    return made


def test_merged_lots_give_the_same_answers(tmp_path):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, 300)
    before, pieces = answers(store), len(lots(stores))
    work = merger(stores)
    merges = 0
    while work.merge_one():
        merges += 1
        assert answers(store) == before
    long, short = 300 // LONGEST, 300 % LONGEST // LISTS
    assert merges == 300 // LISTS + long
    assert len(lots(stores)) == long + short + pieces - 300 // LISTS * (LISTS // LOT)
    assert [lo for lo, _ in lots(stores)] == [0, 64, 128, 192, 256, 272, 288, 292, 296, 300]
    assert lots_with_rows(stores) == {lot for _, lot in lots(stores)}
    assert not work.merge_one()
    fill(store, 300, start=1000)
    while work.merge_one():
        merges += 1
    assert find(store, by(AGENT, "a3"), limit=50) == [
        sid(n) for n in [*range(1299, 999, -1), *range(299, -1, -1)] if n % 5 == 3
    ]
    stores.close()


LATE = [f"late {n}" for n in range(12)]
"""Hashes of twelve terms: wherever a merge's cursor stands, some lie on either side of it."""


def arrive_late(store: StatementStore) -> None:
    """Two targets that many refer to, each in lots of their own; and a voiding."""
    facts = [activity(value, primary=n % 2 == 0) for n, value in enumerate(LATE)]
    add(store, make_statement("target 0", *facts, activity("c1")))
    add(store, make_statement("target 1", agent("a2")), voiding("v", of=14))


@pytest.mark.parametrize("moment", [2, 20, 28, 60, 74, 79, 82])
def test_late_facts_and_voidings_reach_old_and_new_lot_while_they_are_merged(tmp_path, moment):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, 200)
    slices = 0

    def write_between_slices() -> None:
        nonlocal slices
        slices += 1
        if slices == moment:
            arrive_late(store)

    work = merger(stores, pause=write_between_slices)
    while work.merge_one():
        pass
    assert slices > moment
    referring = {sid(n) for n in range(0, 200, 14) if n != 14} | {sid("target 0"), sid("v")}
    for n, value in enumerate(LATE):
        assert set(find(store, by(ACTIVITY, value, related=True))) == referring
        assert set(find(store, by(ACTIVITY, value))) == (set() if n % 2 else referring)
    merged = answers(store)
    stores.close()

    (tmp_path / "other").mkdir()
    unmerged = open_store(tmp_path / "other")
    again = unmerged.records.statements(SCHOOL)
    fill(again, 200)
    arrive_late(again)
    assert answers(again) == merged
    unmerged.close()


@pytest.mark.parametrize("slices", [0, 5, 30, 60])
def test_merge_that_is_broken_off_anywhere_is_tidied_and_begun_again(tmp_path, slices):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, 150)
    before = answers(store)
    left = slices

    def stopping() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    merger(stores, stopping=stopping).merge_one()
    assert answers(store) == before
    stores.close()
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    assert answers(store) == before
    add(store, make_statement("target 0", activity("late 0")))
    expected = answers(store)
    work = merger(stores)
    work.tidy()
    assert answers(store) == expected
    while work.merge_one():
        pass
    assert answers(store) == expected
    assert lots_with_rows(stores) == {lot for _, lot in lots(stores)}
    stores.close()


def test_maintenance_merges_by_itself_while_writers_write(tmp_path):
    stores = open_store(tmp_path, maintained=True)
    store = stores.records.statements(SCHOOL)
    most = 600 // LONGEST + LONGEST // LISTS + LISTS // LOT
    stop = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not stop.is_set():
            found = find(store, by(AGENT, "a1"), limit=17, ascending=True)
            if found != [sid(n) for n in range(1, 5 * len(found), 5)]:
                wrong.append("a page missed or repeated")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        fill(store, 600)
        deadline = time.monotonic() + 20
        while len(lots(stores)) > most and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        reader.join()
    assert wrong == []
    assert len(lots(stores)) <= most
    assert len(find(store, by(VERB, PASSED), limit=100)) == 600
    stores.close()


def test_only_one_merges(tmp_path):
    first, second = Leadership(str(tmp_path / "x")), Leadership(str(tmp_path / "x"))
    assert first.try_take()
    assert first.try_take()
    assert not second.try_take()
    first.close()
    assert second.try_take()
    second.close()


WRITER = """
import sys
from pathlib import Path
from tests.contract.builders import SCHOOL, add, agent, make_statement, verb, voiding
from tests.unit.stores.test_sqlite_merging import open_store

stores = open_store(Path(sys.argv[1]), maintained=True)
store = stores.records.statements(SCHOOL)
n = 0
while True:
    name = (sys.argv[2], n)
    extra = [voiding((*name, "v"), of=name)] if n % 5 == 0 else [make_statement((*name, "r"), target=name)]
    add(store, make_statement(name, verb(), agent(f"a{n % 5}")), *extra)
    print(n, flush=True)
    n += 1
"""


def kill_writers(folder: Path, kills: int) -> int:
    """Start two writing, merging processes, kill them while they write; return what was acknowledged."""
    rng = random.Random(kills)
    acknowledged = 0
    for k in range(kills):
        command = [sys.executable, "-c", WRITER, str(folder)]
        processes = [
            subprocess.Popen([*command, f"{k}.{n}"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
            for n in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "0\n"
        time.sleep(rng.uniform(0.1, 0.6))
        lines = []
        for process in processes:
            process.send_signal(signal.SIGKILL)
            lines.append(process.communicate()[0].split("\n"))
        stores = open_store(folder)
        store = stores.records.statements(SCHOOL)
        for n, printed in enumerate(lines):
            last = int(printed[-2]) if len(printed) > 1 else 0
            for m in range(last + 1):
                name = (f"{k}.{n}", m)
                found = store.find_statement(sid(name))
                assert found is not None
                assert found.voided == (m % 5 == 0)
                assert store.find_statement(sid((*name, "v" if m % 5 == 0 else "r"))) is not None
            acknowledged += last + 1
        check_whole(stores, store)
        stores.close()
    return acknowledged


def check_whole(stores: SqliteStores, store: StatementStore) -> None:
    """The file is sound, and every posting leads to a statement that has it, and back."""
    assert stores.writer.run(lambda write: write.database.execute("PRAGMA integrity_check").get) == "ok"
    total = stores.writer.run(
        lambda write: write.database.execute("SELECT count(*) FROM stmt WHERE state <> 1").get
    )
    everything = stores.writer.run(lambda write: write.database.execute("SELECT count(*) FROM stmt").get)
    assert store.count_statements() == everything
    assert len(find(store, by(VERB, PASSED), limit=500)) == total
    by_agent = sum(len(find(store, by(AGENT, f"a{n}"), limit=500)) for n in range(5))
    assert by_agent == total


@pytest.mark.lasting
def test_nothing_acknowledged_is_lost_when_writers_are_killed(tmp_path):
    assert kill_writers(tmp_path, 2) > 10


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_lost_in_two_hundred_kills(tmp_path):
    assert kill_writers(tmp_path, 100) > 1000


def test_store_unavailable_is_what_a_stopped_merger_leaves_to_its_callers(tmp_path):
    stores = open_store(tmp_path)
    work = merger(stores)
    stores.close()
    with pytest.raises(StoreUnavailable):
        work.tidy()
