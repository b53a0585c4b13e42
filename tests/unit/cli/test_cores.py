"""A core for each server process."""

import multiprocessing
import os
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from lrs.cli.cores import Cores, cores_for
from tests.server import RunningServer, running_server

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system does not let a process choose its cores"
)

_PATIENCE_SECONDS = 30


def _take_and_wait(cores: Cores, pipe: Connection) -> None:
    pipe.send((cores.take(), os.sched_getaffinity(0)))
    pipe.recv()


class _Holder:
    """A process that has asked for a core."""

    def __init__(self, cores: Cores) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_take_and_wait, args=(cores, theirs))
        self._process.start()
        self.core, self.affinity = self._pipe.recv()

    def end(self) -> None:
        self._pipe.send(None)
        self._process.join()


def test_each_process_gets_a_core_of_its_own_and_who_comes_late_none() -> None:
    there = os.sched_getaffinity(0)
    cores = Cores()
    holders = [_Holder(cores) for _ in there]
    late = _Holder(cores)
    assert {one.core for one in holders} == there
    assert all(one.affinity == {one.core} for one in holders)
    assert late.core is None
    assert late.affinity == there
    for one in (*holders, late):
        one.end()


def test_core_is_free_again_when_its_holder_has_ended() -> None:
    cores = Cores()
    holders = [_Holder(cores) for _ in os.sched_getaffinity(0)]
    holders[-1].end()
    following = _Holder(cores)
    assert following.core == holders[-1].core
    for one in (*holders[:-1], following):
        one.end()


def test_processes_are_pinned_as_a_rule_where_there_is_exactly_a_core_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert [cores_for(workers, None) is not None for workers in (1, 2, 3)] == [False, True, False]
    assert cores_for(2, pin=False) is None
    assert cores_for(1, pin=True) is not None


def _cores_of_threads(server: RunningServer) -> list[set[frozenset[int]]]:
    """Return where the threads of each server process may run."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [_cores_of(Path(f"/proc/{child}/task")) for child in children]


def _cores_of(threads: Path) -> set[frozenset[int]]:
    found = set()
    for thread in threads.iterdir():
        with suppress(ProcessLookupError):  # It has ended meanwhile.
            found.add(frozenset(os.sched_getaffinity(int(thread.name))))
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="nothing here tells where a thread may run")
def test_every_thread_of_a_server_process_stays_on_its_core_when_processes_are_pinned(tmp_path: Path) -> None:
    there = sorted(os.sched_getaffinity(0))
    options = ("--workers", str(len(there)))
    with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path, *options, "--pin") as server:
        wanted = sorted([{frozenset({core})} for core in there], key=str)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        # The server answers as soon as the first of its processes does.
        while (found := sorted(_cores_of_threads(server), key=str)) != wanted and time.monotonic() < deadline:
            time.sleep(0.1)
    assert found == wanted
    with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path, *options, "--no-pin") as server:
        assert set().union(*_cores_of_threads(server)) == {frozenset(there)}
