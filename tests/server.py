"""A real server in a process of its own: what the end-to-end, browser and wire tests talk to.

with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path) as server:
    key = server.make_key("Museum")
    status, body, headers = server.call("GET", "/xapi/statements", key=key)
"""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forked import run_forked

LRS = [sys.executable, "-P", "-c", "import sys; from lrs.cli import main; sys.exit(main())"]
"""The ``lrs`` command of this checkout, whether or not it is installed."""

START_SECONDS = 60
STOP_SECONDS = 60
"""Longer than a command gives its own child before it ends it by force."""


@dataclass
class Answer:
    """What came back: status, headers (lower-case names, repeated ones joined) and the raw body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RunningServer:
    """A started ``lrs serve`` and the store behind it."""

    url: str
    store_url: str
    environ: Mapping[str, str]
    process: subprocess.Popen[bytes]
    log_path: Path

    def lrs(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run an ``lrs`` command on the server's store."""
        return run_lrs(*arguments, environ=self.environ, check=check)

    def make_key(self, institution: str, *options: str, scope: str = "all") -> str:
        """Make a key, with institution and client where missing; gives ``KEY:SECRET``."""
        done = self.lrs("key", "create", "--institution", institution, "--scope", scope, *options)
        return done.stdout.strip()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        version: str | None = "1.0.3",
        headers: Mapping[str, str] | None = None,
        patience_seconds: float = 30,
    ) -> Answer:
        """Send one request; a body that is neither bytes nor None goes as JSON."""
        sent = dict(headers or {})
        if key is not None:
            sent.setdefault("Authorization", basic(key))
        if version is not None:
            sent.setdefault("X-Experience-API-Version", version)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        host, port = self.url.removeprefix("http://").split(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=patience_seconds)) as connection:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            got: dict[str, str] = {}
            for name, value in response.getheaders():
                before = got.get(name.lower())
                got[name.lower()] = value if before is None else f"{before}, {value}"
            return Answer(response.status, got, response.read())

    def stop(self) -> int:
        """Ask the server to end as an operator would; gives its exit code."""
        return stop_process(self.process)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environ(**variables: str) -> dict[str, str]:
    """The environment without any LRS_ variable of the caller, plus the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    root = str(Path(__file__).parents[1])
    kept["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, **variables}


def run_lrs(
    *arguments: str, environ: Mapping[str, str], check: bool = True, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an ``lrs`` command to its end."""
    done = run_forked([*arguments], environ, cwd, 300)
    if check and done.returncode:
        raise AssertionError(f"lrs {' '.join(arguments)} exited {done.returncode}:\n{done.stderr}")
    return done


def stop_process(process: subprocess.Popen[Any], by: signal.Signals = signal.SIGTERM) -> int:
    """End a process of ours, with force only when it does not listen."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def wait_until_healthy(url: str, process: subprocess.Popen[Any], log_path: Path) -> None:
    """Return once ``/healthz`` answers 200; raise with the log when the process ended or time is up."""
    host, port = url.removeprefix("http://").split(":")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with closing(http.client.HTTPConnection(host, int(port), timeout=5)) as connection:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"The server did not come up:\n{log_path.read_text(errors='replace')}")


@contextmanager
def running_server(store_url: str, folder: Path, *options: str, **variables: str) -> Iterator[RunningServer]:
    """Start ``lrs serve`` on a free port of the loopback address, and stop it at the end.

    Args:
        store_url: What LRS_STORE names.
        folder: Where the server's log is written.
        options: More options of ``lrs serve``.
        variables: More settings, such as ``LRS_MAX_BODY_BYTES="2048"``.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = clean_environ(LRS_STORE=store_url, LRS_PUBLIC_URL=url, **variables)
    log_path = folder / f"server-{port}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*LRS, "serve", "--bind", f"127.0.0.1:{port}", *options],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_healthy(url, process, log_path)
        yield RunningServer(url, store_url, environ, process, log_path)
    finally:
        stop_process(process)
