"""The contract of recorded tables: no change is lost when many write at once."""

import multiprocessing
import os
import threading
import time

import pytest

from lrs.stores import StoreOptions, open_stores
from lrs.tables.recorded import Entry, Recorded, RecordedTables, Wish
from tests.contract.builders import SCHOOL
from tests.contract.recorded.writing import KIND, entries

TURNS = 12


def count_up(tables: RecordedTables, writer: int, turns: int = TURNS) -> None:
    """Change the one that all change, and what is one's own."""

    def decide(before: Recorded | None) -> Wish:
        done = before.value["by"] if before else []
        return Wish({"by": [*done, writer]}, (f"last {writer}",))

    for n in range(turns):
        tables.change(KIND, "shared", decide, n)
        tables.change_all("own", [(f"{writer}.{n}", Wish({"n": n}))], n)


class Follower(threading.Thread):
    """Reads the entries while others write, in small pages, and then to the end."""

    def __init__(self, tables: RecordedTables) -> None:
        super().__init__()
        self.found: list[Entry] = []
        self.written = threading.Event()
        self._tables = tables

    def run(self) -> None:
        while True:
            finished = self.written.is_set()
            page = self._tables.read_entries(self.found[-1].position if self.found else 0, 3)
            self.found += page
            if finished and not page:
                return


def check_nothing_lost(tables: RecordedTables, follower: Follower, writers: int, turns: int = TURNS) -> None:
    shared = tables.find(KIND, "shared")
    assert sorted(shared.value["by"]) == sorted(list(range(writers)) * turns)
    assert shared.version == writers * turns
    assert sum(bool(tables.find_by(KIND, f"last {n}")) for n in range(writers)) == 1
    told = entries(tables)
    assert [one.after["by"] for one in told if one.kind == KIND] == [
        shared.value["by"][: n + 1] for n in range(writers * turns)
    ]
    befores = [one.before for one in told if one.kind == KIND]
    assert befores == [None, *[one.after for one in told if one.kind == KIND][:-1]]
    own = [(one.subject, one.after["n"]) for one in told if one.kind == "own"]
    assert sorted(own) == sorted((f"{w}.{n}", n) for w in range(writers) for n in range(turns))
    assert follower.found == told


def test_no_change_is_lost_when_threads_change_one_subject(engine):
    opened = [engine.open(busy_seconds=120).recorded(SCHOOL) for _ in range(2)]
    follower = Follower(engine.open().recorded(SCHOOL))
    writers = [threading.Thread(target=count_up, args=(opened[n % 2], n)) for n in range(8)]
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    follower.written.set()
    follower.join()
    check_nothing_lost(opened[0], follower, 8)


def change_in_process(url: str, numbers: list[int]) -> None:
    """What a process does: four threads on one opened store."""
    options = StoreOptions(lambda: time.time_ns() // 1000, os.urandom, durable=False, busy_seconds=120)
    stores = open_stores(url, options)
    tables = stores.recorded(SCHOOL)
    failures = []

    def guarded(n: int) -> None:
        try:
            count_up(tables, n)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=guarded, args=(n,)) for n in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores.close()
    if failures:
        raise failures[0]


@pytest.mark.lasting
def test_no_change_is_lost_when_processes_change_one_subject(engine):
    if engine.url is None:
        pytest.skip("no other process can reach this engine")
    tables = engine.open(clock=lambda: time.time_ns() // 1000).recorded(SCHOOL)
    follower = Follower(tables)
    follower.start()
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=change_in_process, args=(engine.url, list(range(4 * n, 4 * n + 4))))
        for n in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    follower.written.set()
    follower.join()
    assert [process.exitcode for process in processes] == [0, 0]
    check_nothing_lost(tables, follower, 8)
