"""Eight writers write while followers read the log, the history, and pages by ``since``.

Each follower must meet everything once and nothing twice, whatever was being written
meanwhile; on engines that other processes can reach, the writers are processes too.
"""

import multiprocessing
import os
import threading
import time
from dataclasses import dataclass, field

import pytest

from lrs.errors import StatementConflict
from lrs.stores import StoreOptions, open_stores
from lrs.xapi.ports import Position, StatementQuery, StatementStore
from tests.contract.builders import (
    PASSED,
    SCHOOL,
    VERB,
    add,
    by,
    log,
    make_statement,
    sid,
    verb,
    voiding,
    walk,
)
from tests.engines import Engine

BATCHES = 12
PATIENCE_SECONDS = 60.0


def real_clock() -> int:
    return time.time_ns() // 1000


def write(store: StatementStore, writer: int) -> None:
    """Post batches of one to three; try a conflict; void every fourth first statement; race on ids."""
    for n in range(BATCHES):
        add(store, *[make_statement((writer, n, part), verb()) for part in range(1 + n % 3)])
        if n % 4 == 0:
            add(store, voiding((writer, n, "void"), of=(writer, n, 0)))
            with pytest.raises(StatementConflict):
                add(
                    store,
                    make_statement((writer, n, "never")),
                    make_statement((writer, n, 0), content="else"),
                )
        try:
            add(store, make_statement(("shared", n), content=str(writer)))
        except StatementConflict:
            continue


def expected_ids(writers: int) -> set[str]:
    own = {sid((w, n, part)) for w in range(writers) for n in range(BATCHES) for part in range(1 + n % 3)}
    voids = {sid((w, n, "void")) for w in range(writers) for n in range(0, BATCHES, 4)}
    return own | voids | {sid(("shared", n)) for n in range(BATCHES)}


@dataclass
class Follower:
    """Follows in three ways until told that all is written, and then to the end."""

    store: StatementStore
    written: threading.Event
    log: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    since: list[str] = field(default_factory=list)

    def follow_log(self) -> None:
        last = Position(0)
        while True:
            finished = self.written.is_set()
            page = self.store.read_log(last, 7)
            self.log += [entry.id for entry in page.statements]
            last = page.last
            if finished and not page.statements:
                return

    def follow_history(self) -> None:
        last = Position(0)
        while True:
            finished = self.written.is_set()
            page = self.store.read_history(last, 3)
            self.history += [str(entry.after) for entry in page.entries]
            last = page.last
            if finished and not page.entries:
                return

    def follow_since(self, stop_behind: list[int]) -> None:
        """Ask again and again for what was stored up to an instant that is final."""
        last = 0
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            finished = self.written.is_set()
            instant = self.store.consistent_through()
            query = StatementQuery(since_us=last, until_us=instant, ascending=True, limit=9)
            self.since += [entry.id for entry in walk(self.store, query)]
            last = max(last, instant)
            if finished and last >= stop_behind[0]:
                return

    def run(self, writers: list[threading.Thread]) -> None:
        """Start followers and writers, and wait for both."""
        stop_behind = [1 << 62]
        followers = [
            threading.Thread(target=self.follow_log),
            threading.Thread(target=self.follow_history),
            threading.Thread(target=self.follow_since, args=(stop_behind,)),
        ]
        for thread in (*followers, *writers):
            thread.start()
        try:
            for thread in writers:
                thread.join()
        finally:
            stop_behind[0] = max((entry.stored_at_us for entry in log(self.store)), default=0)
            self.written.set()
            for thread in followers:
                thread.join()


def check(store: StatementStore, follower: Follower, writers: int) -> None:
    entries = log(store)
    expected = expected_ids(writers)
    assert {entry.id for entry in entries} == expected
    assert len(entries) == len(expected)
    assert follower.log == [entry.id for entry in entries]
    assert len(follower.history) == len(set(follower.history)) == writers * len(range(0, BATCHES, 4))
    assert len(follower.since) == len(set(follower.since))
    voided = {entry.id for entry in entries if entry.voided}
    assert len(voided) == writers * len(range(0, BATCHES, 4))
    assert expected - voided <= set(follower.since) <= expected
    found = walk(store, StatementQuery((by(VERB, PASSED),), limit=50))
    passed = {sid((w, n, p)) for w in range(writers) for n in range(BATCHES) for p in range(1 + n % 3)}
    voids = {sid((w, n, "void")) for w in range(writers) for n in range(0, BATCHES, 4)}
    assert {entry.id for entry in found} == (passed | voids) - voided


def test_followers_miss_nothing_and_see_nothing_twice_while_threads_write_to_two_stores(engine: Engine):
    opened = [engine.open(clock=real_clock), engine.open(clock=real_clock)]
    stores = [stores.records.statements(SCHOOL) for stores in opened]
    follower = Follower(engine.open(clock=real_clock).records.statements(SCHOOL), threading.Event())
    writers = [threading.Thread(target=write, args=(stores[n % 2], n)) for n in range(8)]
    follower.run(writers)
    check(stores[0], follower, 8)


def write_in_process(url: str, numbers: list[int], failures: "multiprocessing.Queue[str]") -> None:
    """What a writing process does: two writers on one opened store."""
    stores = open_stores(url, StoreOptions(clock=real_clock, random_bytes=os.urandom, durable=False))
    store = stores.records.statements(SCHOOL)

    def guarded(n: int) -> None:
        try:
            write(store, n)
        except Exception as error:
            failures.put(f"writer {n}: {error!r}")
            raise

    threads = [threading.Thread(target=guarded, args=(n,)) for n in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores.close()


@pytest.mark.lasting
def test_followers_miss_nothing_and_see_nothing_twice_while_processes_write(engine: Engine):
    if engine.url is None:
        pytest.skip("no other process can reach this engine")
    store = engine.open(clock=real_clock).records.statements(SCHOOL)
    follower = Follower(store, threading.Event())
    context = multiprocessing.get_context("spawn")
    failures: multiprocessing.Queue[str] = context.Queue()
    processes = [
        context.Process(target=write_in_process, args=(engine.url, [2 * n, 2 * n + 1], failures))
        for n in range(4)
    ]

    def run(process: multiprocessing.context.SpawnProcess) -> None:
        process.start()
        process.join()

    follower.run([threading.Thread(target=run, args=(process,)) for process in processes])
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert failures.empty()
    check(store, follower, 8)
