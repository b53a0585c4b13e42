"""Processes that write to a store are killed in the middle of a write, again and again."""

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import apsw
import pytest

from lrs.stores import Stores
from lrs.tables.recorded import Entry
from lrs.xapi.ports import Position
from tests.contract.builders import PASSED, SCHOOL, VERB, add, by, find, make_statement, sid
from tests.e2e import killed_writer
from tests.engines import Engine

pytestmark = pytest.mark.lasting

ROOT = Path(__file__).parents[2]
SOAK = [pytest.mark.soak, pytest.mark.timeout(3600)]


class Writer:
    """One writing process, and what it said."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.said: list[str] = []
        command = [sys.executable, "-m", "tests.e2e.killed_writer", url, name]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.said += (line for line in self._process.stdout if line.endswith("\n"))

    def wait_for(self, lines: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.said) < lines:
            assert self._process.poll() is None, "a writer ended by itself"
            assert time.monotonic() < deadline, "a writer was acknowledged nothing for a minute"
            time.sleep(0.001)

    def kill(self) -> bool:
        """Kill it; True where that was in the middle of an act."""
        assert self._process.poll() is None, "a writer ended by itself"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self.said[-1:] != [] and self.said[-1].startswith("begin")

    @property
    def acknowledged(self) -> set[int]:
        return {int(line.split()[1]) for line in self.said if line.startswith("done")}

    @property
    def begun(self) -> set[int]:
        return {int(line.split()[1]) for line in self.said if line.startswith("begin")}


def kill_inside(url: str, kills: int, running: int) -> list[Writer]:
    """Keep so many writers running and kill one at a time, until so many died in the middle of an act."""
    rng = random.Random(kills)
    names = (f"w{n}" for n in itertools.count())
    alive: list[Writer] = []
    dead: list[Writer] = []
    inside = 0
    try:
        while inside < kills:
            while len(alive) < running:
                alive.append(Writer(url, next(names)))
            victim = alive.pop(rng.randrange(len(alive)))
            dead.append(victim)
            victim.wait_for(2 + rng.randrange(12))
            time.sleep(rng.uniform(0, 0.03))
            inside += victim.kill()
    finally:
        for writer in alive:
            writer.kill()
    return dead + alive


def check_batch(stores: Stores, name: str, n: int, acknowledged: bool) -> int:
    """A batch is there whole, with all that belongs to it, or nothing of it; gives its size."""
    records = stores.records
    batch = killed_writer.batch(name, n)
    found = [records.statements(SCHOOL).find_statement(one.id) for one in batch]
    stored = [one for one in found if one is not None]
    assert len(stored) in ((len(batch),) if acknowledged else (0, len(batch)))
    receipts = records.arrivals(SCHOOL).list_receipts(killed_writer.source(name, n), 5)
    kept = records.attachments(SCHOOL).find_attachments([killed_writer.attachment(name, n).sha2])
    definition = records.activities(SCHOOL).find_definition(killed_writer.own_activity(name, n))
    if not stored:
        assert (list(receipts), definition) == ([], None)
        # On MongoDB the bytes go first, where nobody finds them until a statement names them.
        assert not kept or stores.engine == "mongo"
        return 0
    assert [(one.stored, one.already, one.first_id) for one in receipts] == [(len(batch), 0, batch[0].id)]
    assert list(kept.values()) == [killed_writer.attachment(name, n).content]
    assert definition is not None
    assert [one.voided for one in stored] == [n % 5 == 0, *[False] * (len(batch) - 1)]
    assert [one.body for one in stored] == [one.body for one in batch]
    return len(batch)


def check_values(stores: Stores, writers: list[Writer]) -> None:
    """The history tells every value that stands, step by step; nothing that was acknowledged is missing."""
    tables = stores.recorded(SCHOOL)
    acts = [(one, n) for one in writers for n in sorted(one.begun) if killed_writer.is_value(n)]
    found: list[Entry] = []
    while page := tables.read_entries(found[-1].position if found else 0, 500):
        found += page
    steps = [one for one in found if one.kind == killed_writer.VALUE]
    shared = tables.find(killed_writer.VALUE, "shared")
    by = [] if shared is None else shared.value["by"]
    assert [one.after for one in steps] == [{"by": by[: n + 1]} for n in range(len(by))]
    assert [one.before for one in steps] == [None, *[one.after for one in steps[:-1]]][: len(steps)]
    assert len(by) == len(set(by)) == (shared.version if shared else 0)
    changed = {killed_writer.entry(one.name, n): n in one.acknowledged for one, n in acts if n % 2}
    assert {name for name, acknowledged in changed.items() if acknowledged} <= set(by) <= set(changed)
    assert bool(by) == any(tables.find_by(killed_writer.VALUE, f"last {name}") for name in by[-1:])
    own = {one.subject: one.value for one in tables.find_by("own", "own", limit=10**6)}
    assert {one.subject: one.after for one in found if one.kind == "own"} == own
    assert sum(one.kind == "own" for one in found) == tables.count("own") == len(own)
    for one, n in acts:
        if n % 2 == 0 and n in one.acknowledged:
            assert all(own[f"{killed_writer.entry(one.name, n)}{m}"] == {"m": m} for m in range(20))


def check(stores: Stores, writers: list[Writer]) -> None:
    # Whatever the dead left behind becomes visible with the next write.
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("after all"))
    total = 1
    document = stores.records.documents(SCHOOL).find_document(killed_writer.SHARED)
    assert document is not None
    entries = Counter(document.content.decode().split(";")[:-1])
    for writer in writers:
        for n in writer.begun:
            acknowledged = n in writer.acknowledged
            if killed_writer.is_value(n):
                continue
            if killed_writer.is_document(n):
                found = entries.pop(killed_writer.entry(writer.name, n)[:-1], 0)
                assert found in ((1,) if acknowledged else (0, 1))
            else:
                total += check_batch(stores, writer.name, n, acknowledged)
    assert entries == Counter()
    check_values(stores, writers)
    seen: list[str] = []
    voided = 0
    last = Position(0)
    while statements := (page := store.read_log(last, 500)).statements:
        seen += [one.id for one in statements]
        voided += sum(one.voided for one in statements)
        last = page.last
    assert len(seen) == len(set(seen)) == store.count_statements() == total
    # What voids is found by the verb of what it refers to; what is voided is not.
    assert len(find(store, by(VERB, PASSED), limit=500)) == total - voided - 1
    assert sid("after all") in seen


def kill_and_check(engine: Engine, kills: int, running: int) -> None:
    if engine.url is None:
        pytest.skip("other processes cannot reach this store")
    killed_writer.open_durable(engine.url).close()
    writers = kill_inside(engine.url, kills, running)
    stores = killed_writer.open_durable(engine.url)
    check(stores, writers)
    stores.close()
    if engine.name == "sqlite":
        with apsw.Connection(engine.url.removeprefix("sqlite:///")) as database:
            assert database.execute("PRAGMA integrity_check").get == "ok"


@pytest.mark.parametrize("kills", [4, pytest.param(150, marks=SOAK)])
def test_every_act_is_there_whole_or_not_at_all_when_its_process_is_killed(
    engine: Engine, kills: int
) -> None:
    kill_and_check(engine, kills, 2 if kills < 10 else 4)
