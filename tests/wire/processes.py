"""Starting, stopping and killing the processes that write."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.wire.writer import open_at


def start(module: str, url: str, folder: Path, name: str, *mode: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, url, str(folder), name, *mode]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()


def kill_for_a_while(module: str, url: str, folder: Path, writers: int, kills: int) -> None:
    """Keep so many writers running; kill one, at a random moment of its work, again and again."""
    seeded = random.Random(11)
    running: list[tuple[str, subprocess.Popen[str]]] = []
    names = (f"writer-{number}" for number in itertools.count(1))
    try:
        for _ in range(kills):
            while len(running) < writers:
                name = next(names)
                running.append((name, start(module, url, folder, name, "race")))
            name, victim = running.pop(seeded.randrange(len(running)))
            wait_for_notes(folder / name, victim)
            time.sleep(seeded.uniform(0.0, 0.4))
            assert victim.poll() is None, "a writer ended by itself"
            os.kill(victim.pid, signal.SIGKILL)
            end(victim)
    finally:
        for _, process in running:
            end(process)


def wait_for_notes(notes: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a writer has been given verdicts."""
    limit = time.monotonic() + 60
    while not notes.exists() or notes.stat().st_size == 0:
        assert process.poll() is None, "a writer ended by itself"
        assert time.monotonic() < limit, "a writer was given no verdict for a minute"
        time.sleep(0.02)


def shares(module: str, url: str, folder: Path, seconds: float) -> list[int]:
    """Let two processes write to one institution; return what each was acknowledged."""
    open_at(url).close()
    processes = [start(module, url, folder, f"writer-{n}", "count", str(seconds)) for n in (1, 2)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [int(process.stdout.readline()) for process in processes if process.stdout is not None]
    finally:
        for process in processes:
            process.wait(timeout=60)
            end(process)
