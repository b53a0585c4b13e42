"""Processes that change recorded values of one institution, and are killed, over the wire."""

import json
import os
import signal
import threading
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lrs.stores import Stores
from lrs.stores.moving import Fault
from lrs.tables.recorded import Entry, RecordedTables
from tests.wire.changer import COUNTERS, count_up, tables_of
from tests.wire.processes import end, kill_for_a_while, shares, start
from tests.wire.writer import INSTITUTIONS, open_at

pytestmark = pytest.mark.mongo_server

CHANGER = "tests.wire.changer"


class Follower:
    """Reads a history by position, and values, beside the writers."""

    def __init__(self, stores: Stores, institution: str) -> None:
        self.seen: list[Entry] = []
        self.wrong: list[str] = []
        self._tables = tables_of(stores, institution)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()
        self._follow()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._follow()
            self._look()
            time.sleep(0.01)

    def _follow(self) -> None:
        while some := self._tables.read_entries(self.seen[-1].position if self.seen else 0, 100):
            self.seen += some

    def _look(self) -> None:
        """See that no value is older than the history that was read before it."""
        for subject in COUNTERS:
            told = [one.after for one in self.seen[-100:] if one.subject == subject and one.after]
            found = self._tables.find("counter", subject)
            if told and (found is None or found.value["n"] < told[-1]["n"]):
                self.wrong.append(f"{subject} is {found}, and was {told[-1]}")


def told_in(folder: Path) -> dict[str, list[tuple[str, Any]]]:
    """By institution: what changers were told; a torn line was never read."""
    told: dict[str, list[tuple[str, Any]]] = {institution: [] for institution in INSTITUTIONS}
    for notes in folder.iterdir():
        for line in notes.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                institution, act, what = json.loads(line)
                told[institution].append((act, what))
    return told


def check(tables: RecordedTables, entries: list[Entry], told: list[tuple[str, Any]]) -> None:
    assert [one.position for one in entries] == list(range(1, len(entries) + 1)), "not dense"
    about: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for one in entries:
        about[one.kind, one.subject].append(one)
    for changes in about.values():
        assert changes[0].before is None
        assert all(one.after == other.before for one, other in pairwise(changes)), "a change was lost"
    for kind in {kind for kind, _ in about}:
        found = tables.find_many(kind, [subject for of, subject in about if of == kind])
        for subject, one in found.items():
            changes = about.pop((kind, subject))
            assert (one.value, one.version, one.at_us) == (changes[-1].after, len(changes), changes[-1].at_us)
    assert not about, "a value is missing"
    counted = {(one.subject, one.after["n"], one.after["by"]) for one in entries if one.kind == "counter"}
    for act, what in told:
        if act == "counted":
            assert (what[0], what[1]["n"], what[1]["by"]) in counted, "an acknowledged change is missing"
        elif act == "many":
            by, many, changed = what
            assert changed == many == len(tables.find_by("many", by))


def faults(stores: Stores) -> list[Fault]:
    return [one for one in stores.iter_faults() if isinstance(one, Fault)]


def run_kills(url: str, folder: Path, writers: int, kills: int) -> None:
    stores = open_at(url)
    followers = {institution: Follower(stores, institution) for institution in INSTITUTIONS}
    try:
        kill_for_a_while(CHANGER, url, folder, writers, kills)
    finally:
        for follower in followers.values():
            follower.finish()
    told = told_in(folder)
    for institution in INSTITUTIONS:
        fresh = open_at(url)
        tables = tables_of(fresh, institution)
        assert followers[institution].wrong == []
        assert len(followers[institution].seen) > kills
        check(tables, followers[institution].seen, told[institution])
        fresh.close()
    assert {act for act, _ in told[INSTITUTIONS[0]]} >= {"counted", "many"}
    assert faults(stores) == []
    stores.close()


def test_no_change_is_lost_when_processes_are_killed(url: str, tmp_path: Path) -> None:
    run_kills(url, tmp_path, writers=3, kills=8)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_no_change_is_lost_when_a_hundred_processes_are_killed(url: str, tmp_path: Path) -> None:
    run_kills(url, tmp_path, writers=6, kills=100)


def test_change_is_seen_when_its_process_was_killed_right_behind_the_commit(url: str, tmp_path: Path) -> None:
    opened = [open_at(url) for _ in range(3)]
    looking, listing, changing = (tables_of(stores, INSTITUTIONS[0]) for stores in opened)
    for tables in (looking, listing, changing):
        count_up(tables, COUNTERS[0], "us")
    process = start(CHANGER, url, tmp_path, "dying", "die")
    assert process.wait(60) == -signal.SIGKILL
    end(process)
    found = looking.find("counter", COUNTERS[0])
    assert found is not None
    assert (found.value, found.version) == ({"n": 4, "by": "the dead"}, 4)
    assert [one.subject for one in listing.find_by("counter", "by the dead")] == [COUNTERS[0]]
    after = count_up(changing, COUNTERS[0], "us")
    assert after is not None
    assert after.value["n"] == 5
    assert faults(opened[0]) == []
    for stores in opened:
        stores.close()


def test_change_goes_on_when_a_process_was_stopped_in_its_own(url: str, tmp_path: Path) -> None:
    stores = open_at(url)
    tables = tables_of(stores, INSTITUTIONS[0])
    stopped = start(CHANGER, url, tmp_path, "writer-1", "count", "3")
    try:
        assert stopped.stdout is not None
        assert stopped.stdin is not None
        assert stopped.stdout.readline().strip() == "ready"
        stopped.stdin.write("go\n")
        stopped.stdin.flush()
        while (found := tables.find("counter", COUNTERS[0])) is None or found.value["n"] < 20:
            time.sleep(0.01)
        os.kill(stopped.pid, signal.SIGSTOP)
        before = tables.find("counter", COUNTERS[0])
        for _ in range(50):
            count_up(tables, COUNTERS[0], "us")
        os.kill(stopped.pid, signal.SIGCONT)
        done = int(stopped.stdout.readline())
    finally:
        end(stopped)
    found = tables.find("counter", COUNTERS[0])
    assert before is not None
    assert found is not None
    assert found.value["n"] == done + 50 == tables.read_entries(found.value["n"] - 1, 9)[0].position
    stores.close()


def test_neither_process_starves_when_two_change_one_value(url: str, tmp_path: Path) -> None:
    done = shares(CHANGER, url, tmp_path, 3)
    assert min(done) >= sum(done) / 4, done
