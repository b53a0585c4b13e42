"""The whole server is killed under load: a worker, the parent, or all of it, inside writes."""

import itertools
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from tests.hammer import Client, read_log, sid, state_path, statement
from tests.server import LRS, START_SECONDS, clean_environ, free_port, run_lrs, wait_until_healthy

pytestmark = pytest.mark.lasting

SOAK = [pytest.mark.soak, pytest.mark.timeout(3600)]
CLIENTS = 6


class Server:
    """``lrs serve --workers 2`` in a process group of its own, started again at the same address."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._bind = f"127.0.0.1:{port}"
        self._log = folder / "server.log"
        store = f"sqlite:///{folder}/lrs.db"
        self.environ = clean_environ(LRS_STORE=store, LRS_PUBLIC_URL=self.url, LRS_ARRIVALS_KEPT="100000")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*LRS, "serve", "--bind", self._bind, "--workers", "2"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until_healthy(self.url, process, self._log)
        return process

    def workers(self) -> list[int]:
        """Wait until there are two worker processes; gives their ids."""
        deadline = time.monotonic() + START_SECONDS
        while len(found := children(self.process.pid)) < 2:
            self.supervise()
            assert time.monotonic() < deadline, "a killed worker was not replaced"
            time.sleep(0.01)
        return found

    def kill_worker(self, rng: random.Random) -> None:
        os.kill(rng.choice(self.workers()), signal.SIGKILL)

    def kill_all(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        self.process = self._start()

    def supervise(self) -> None:
        """Do what a supervisor does: a server whose workers die one after the other gives up, and says so."""
        if self.process.poll() is not None:
            assert self.process.returncode != 0
            self.start_again()

    def log(self) -> str:
        return self._log.read_text(errors="replace")


def children(pid: int) -> list[int]:
    """Processes that a process started and that live."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    try:
        yield server
    finally:
        server.kill_all()


class Load:
    """Clients that write until they are stopped, and remember what was acknowledged."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key
        self._stop = threading.Event()
        self.sent: dict[str, list[str]] = {}
        self.acknowledged: set[str] = set()
        self.under_way: set[str] = set()
        self.wrong: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self, n: int) -> None:
        client = Client(self._url, self._key, timeout=20)
        turns = itertools.count()
        while not self._stop.is_set():
            self._act(client, n, next(turns))
        client.close()

    def _act(self, client: Client, n: int, turn: int) -> None:
        name = f"{n}.{turn}"
        ids = [sid(n, turn * 100 + m) for m in range(0 if turn % 3 == 2 else 1 + turn * 7 % 25)]
        self.sent[name] = ids
        self.under_way.add(name)
        try:
            if ids:
                batch = [statement(id_, name, turn % 5) for id_ in ids]
                answer = client.call("POST", "/xapi/statements", batch)
            else:
                answer = client.call("POST", state_path("shared"), {name: turn})
        except OSError:
            self._stop.wait(0.02)  # It was killed: the outcome is unknown.
            return
        finally:
            self.under_way.discard(name)
        if answer.status in (200, 204):
            self.acknowledged.add(name)
        else:
            self.wrong.append(f"{answer.status} {answer.body!r}")

    def wait_for_more(self, count: int, meanwhile: Callable[[], None]) -> None:
        """Wait until so many more were acknowledged, and one at least is under way."""
        goal, deadline = len(self.acknowledged) + count, time.monotonic() + START_SECONDS
        while len(self.acknowledged) < goal or not self.under_way:
            assert time.monotonic() < deadline, self.wrong[:3]
            meanwhile()
            time.sleep(0.0005)

    def finish(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def check(server: Server, key: str, load: Load) -> None:
    assert load.wrong == []
    client = Client(server.url, key)
    log = read_log(client)
    kept = Counter(one["id"] for one in log)
    assert max(kept.values()) == 1, "a statement is there twice"
    learners = {one["id"]: one["actor"]["account"]["name"] for one in log}
    document = client.call("GET", state_path("shared")).json()
    client.close()
    stored: dict[str, int] = {}
    for name, ids in load.sent.items():
        if ids:
            found = [id_ for id_ in ids if kept.pop(id_, 0)]
            assert len(found) in ((len(ids),) if name in load.acknowledged else (0, len(ids)))
            assert all(learners[id_] == name for id_ in found)
            if found:
                stored[ids[0]] = len(ids)
        else:
            turn = document.pop(name, None)
            assert turn == int(name.split(".")[1]) or (turn is None and name not in load.acknowledged)
    assert (kept, document) == (Counter(), {})
    assert receipts(server) == stored


def receipts(server: Server) -> dict[str, int]:
    """How many statements each receipt tells of, by the first one's id."""
    path = server.environ["LRS_STORE"].removeprefix("sqlite:///")
    with apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY) as database:
        assert database.execute("PRAGMA integrity_check").get == "ok"
        rows = database.execute("SELECT first, stored FROM receipts").fetchall()
    assert len(dict(rows)) == len(rows)
    return dict(rows)


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=SOAK)])
def test_everything_acknowledged_is_there_whole_and_once_when_the_server_is_killed(
    tmp_path: Path, kills: int
) -> None:
    rng = random.Random(kills)
    with started(tmp_path) as server:
        key = run_lrs("key", "create", "--institution", "School", "--scope", "all", environ=server.environ)
        load = Load(server.url, key.stdout.strip())
        try:
            for turn in range(kills):
                load.wait_for_more(rng.randint(5, 60), server.supervise)
                time.sleep(rng.uniform(0, 0.02))
                if turn % 3 == 1:
                    server.kill_all()
                    server.start_again()
                else:
                    server.kill_worker(rng)
            load.wait_for_more(20, server.supervise)
        finally:
            load.finish()
        check(server, key.stdout.strip(), load)
        assert len(load.acknowledged) < len(load.sent), "no kill met a write"


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        workers = server.workers()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < deadline, "workers live on without their parent"
            time.sleep(0.05)
        server.start_again()
