"""Writer processes that are killed, and two that share an institution, over the wire."""

import json
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from lrs.xapi.ports import Position, StatementStore, StoredStatement
from tests.wire.processes import kill_for_a_while, shares
from tests.wire.writer import INSTITUTIONS, open_at, send, statement, statements_of

pytestmark = pytest.mark.mongo_server

WRITER = "tests.wire.writer"


class Follower:
    """Reads one institution's log by position, beside the writers; opens the store anew now and then."""

    def __init__(self, url: str, institution: str) -> None:
        self.seen: list[str] = []
        self._url = url
        self._institution = institution
        self._stop = threading.Event()
        self._last = Position(0)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()
        self._read_some(10**6)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._read_some(30)

    def _read_some(self, pages: int) -> None:
        stores = open_at(self._url)
        store = statements_of(stores, self._institution)
        for _ in range(pages):
            page = store.read_log(self._last, 17)
            self.seen += [one.id for one in page.statements]
            self._last = page.last
            if not page.statements and self._stop.is_set():
                break
            time.sleep(0.001 if page.statements else 0.02)
        stores.close()


def whole_log(store: StatementStore) -> list[StoredStatement]:
    found: list[StoredStatement] = []
    last = Position(0)
    while statements := (page := store.read_log(last, 500)).statements:
        found += statements
        last = page.last
    return found


def verdicts_in(folder: Path) -> dict[str, list[tuple[str, str, int]]]:
    """By institution: verdict, id and content of all that writers were told; a torn line was never read."""
    told: dict[str, list[tuple[str, str, int]]] = {institution: [] for institution in INSTITUTIONS}
    for notes in folder.iterdir():
        for line in notes.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                institution, verdict, ids = json.loads(line)
                told[institution] += [(verdict, id_, content) for id_, content in ids]
    return told


def check(log: list[StoredStatement], told: list[tuple[str, str, int]], seen: list[str]) -> None:
    bodies = {one.id: json.loads(one.body) for one in log}
    assert len(bodies) == len(log), "a statement is there twice"
    assert [one.position for one in log] == sorted(one.position for one in log)
    stored = [one.stored_at_us for one in log]
    assert stored == sorted(set(stored)), "stored does not rise"
    for verdict, id_, content in told:
        if verdict == "kept":
            assert bodies[id_]["content"] == content, "an acknowledged statement is missing or changed"
        elif verdict == "conflict":
            assert bodies[id_]["content"] != content, "a refused statement was stored"
    sizes = Counter(body["batch"] for body in bodies.values() if "batch" in body)
    for body in bodies.values():
        assert "batch" not in body or sizes[body["batch"]] == body["of"], "a batch is there in part"
    assert seen == [one.id for one in log], "a follower saw another log"


def run_kills(url: str, folder: Path, writers: int, kills: int) -> None:
    open_at(url).close()
    followers = {institution: Follower(url, institution) for institution in INSTITUTIONS}
    try:
        kill_for_a_while(WRITER, url, folder, writers, kills)
        stores = open_at(url)
        for institution in INSTITUTIONS:
            # Whatever the dead left behind becomes visible with the next write.
            assert send(statements_of(stores, institution), [statement(0, 10**12, 1, {})]) == "kept"
    finally:
        for follower in followers.values():
            follower.finish()
    told = verdicts_in(folder)
    for institution in INSTITUTIONS:
        log = whole_log(statements_of(stores, institution))
        check(log, told[institution], followers[institution].seen)
        assert statements_of(stores, institution).count_statements() == len(log)
        assert len(log) > kills
    assert {verdict for one in told.values() for verdict, _, _ in one} >= {"kept", "conflict"}
    stores.close()


def test_nothing_acknowledged_is_lost_when_writers_are_killed(url: str, tmp_path: Path) -> None:
    run_kills(url, tmp_path, writers=3, kills=8)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_lost_when_two_hundred_writers_are_killed(url: str, tmp_path: Path) -> None:
    run_kills(url, tmp_path, writers=6, kills=200)


def test_neither_server_starves_when_two_write_to_one_institution(url: str, tmp_path: Path) -> None:
    done = shares(WRITER, url, tmp_path, 3)
    assert min(done) >= sum(done) / 4, done


@pytest.mark.soak
def test_neither_server_starves_when_two_write_to_one_institution_for_a_minute(
    url: str, tmp_path: Path
) -> None:
    done = shares(WRITER, url, tmp_path, 60)
    assert min(done) >= sum(done) / 4, done
