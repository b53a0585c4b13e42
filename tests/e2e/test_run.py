"""``lrs run`` as a newcomer meets it: real processes, a pipe, signals."""

import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.server import LRS, clean_environ, free_port, run_lrs, stop_process


class Runner:
    """A started ``lrs run`` whose lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def read_until(self, text: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return line.strip()
        raise AssertionError(f"{text!r} was not said:\n" + "\n".join(self.lines))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@contextmanager
def run(folder: Path, port: int, *options: str) -> Iterator[Runner]:
    environ = clean_environ(LRS_STORE=f"sqlite:///{folder}/lrs.db")
    with (folder / "errors.log").open("a") as errors:
        process = subprocess.Popen(
            [*LRS, "run", "--bind", f"127.0.0.1:{port}", *options],
            env=environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Runner(process)
        finally:
            stop_process(process)
            assert process.stdout is not None
            process.stdout.close()


def is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def curl(runner: Runner) -> str:
    """Run the line that was printed, as it stands."""
    line = next(line for line in runner.lines if line.strip().startswith("curl "))
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def test_store_is_filled_and_every_line_works_when_it_was_empty(tmp_path: Path) -> None:
    port = free_port()
    with run(tmp_path, port) as runner:
        runner.read_until("Press Ctrl-C")
        total = re.search(r"Together (\d+) statements", runner.text)
        assert total is not None
        assert int(total[1]) >= 500
        for what in ("api/docs", "portfolio/shared/", "transcript/shared/"):
            assert f"http://127.0.0.1:{port}/{what}" in runner.text
        assert len(re.findall(rf"http://127\.0\.0\.1:{port}/sign-in/\S+", runner.text)) == 5
        assert '"statements":[{' in curl(runner)
        assert stop_process(runner.process, signal.SIGINT) == 0
    assert is_free(port)
    errors = (tmp_path / "errors.log").read_text()
    assert "Traceback" not in errors
    assert "by force" not in errors


@pytest.mark.lasting
def test_nothing_is_posted_again_when_it_runs_a_second_time(tmp_path: Path) -> None:
    port = free_port()
    with run(tmp_path, port) as first:
        first.read_until("Press Ctrl-C")
        before = curl(first)
    with run(tmp_path, port) as second:
        second.read_until("Press Ctrl-C")
        assert "nothing was added" in second.text
        assert "moves in" not in second.text
        assert curl(second) == before
        links = [set(re.findall(r"/sign-in/(\S+)", runner.text)) for runner in (first, second)]
        assert links[0]
        assert links[1]
        assert links[0].isdisjoint(links[1])


@pytest.mark.lasting
def test_administrators_key_is_printed_once_when_it_starts_empty(tmp_path: Path) -> None:
    port = free_port()
    with run(tmp_path, port, "--no-demo") as runner:
        runner.read_until("administrator's key")
        key = runner.read_until(":")
        runner.read_until("Press Ctrl-C")
        assert re.fullmatch(r"[0-9a-z]{12}:[0-9a-f]{64}", key)
        assert stop_process(runner.process, signal.SIGTERM) == 0
    with run(tmp_path, port, "--no-demo") as again:
        again.read_until("Press Ctrl-C")
        assert "administrator's key" not in again.text
    environ = clean_environ(LRS_STORE=f"sqlite:///{tmp_path}/lrs.db")
    assert run_lrs("institution", "list", environ=environ).stdout == ""


@pytest.mark.parametrize("command", ["run", "serve"])
def test_it_says_so_plainly_when_the_port_is_busy(tmp_path: Path, command: str) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run_lrs(
            command,
            "--bind",
            f"127.0.0.1:{port}",
            environ=clean_environ(LRS_STORE=f"sqlite:///{tmp_path}/lrs.db"),
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is in use" in done.stderr
    assert "make run PORT=" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "lrs.db").exists()


@pytest.mark.lasting
def test_it_serves_when_the_folder_holds_modules_of_another_project(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    for stranger in ("wsgi.py", "config/__init__.py"):
        (tmp_path / stranger).write_text("raise SystemExit('this is another project')")
    with run(tmp_path, free_port(), "--no-demo") as runner:
        runner.read_until("Press Ctrl-C")
    assert "another project" not in (tmp_path / "errors.log").read_text()


@pytest.mark.lasting
@pytest.mark.parametrize("said", ["moves in", "statements in", "The record store runs at"])
def test_it_ends_cleanly_when_it_is_told_to_while_it_fills_or_starts(tmp_path: Path, said: str) -> None:
    port = free_port()
    with run(tmp_path, port) as runner:
        runner.read_until(said)
        assert stop_process(runner.process, signal.SIGTERM) == 0
    assert is_free(port)
