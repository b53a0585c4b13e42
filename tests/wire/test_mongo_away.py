"""The database goes away under a running server, and comes back."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.hammer import Client, profile_path, read_log, sid, statement
from tests.mongo_server.server import running as running_database
from tests.server import Answer, RunningServer, running_server

pytestmark = pytest.mark.mongo_server

BUSY_SECONDS = 2
PATIENCE_SECONDS = 10 * BUSY_SECONDS
"""How long an answer is waited for: less than the driver waits for its database by itself."""


class Gate:
    """A door before a database: shut, it refuses connections and cuts those that stand.

    Silent, it takes connections and keeps those that stand, and passes nothing on.
    """

    def __init__(self, port: int) -> None:
        self._behind = ("127.0.0.1", port)
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None
        self._speaking = threading.Event()
        self._speaking.set()
        self.port = 0
        self.open()

    def silence(self) -> None:
        self._speaking.clear()

    def speak(self) -> None:
        self._speaking.set()

    def open(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def shut(self) -> None:
        assert self._listening is not None
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listening.accept()
                there = socket.create_connection(self._behind)
                with self._lock:
                    self._open += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                self._speaking.wait()
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def gate() -> Iterator[Gate]:
    with running_database() as url:
        found = re.search(r":(\d+)", url.removeprefix("mongodb://"))
        assert found is not None
        made = Gate(int(found[1]))
        yield made
        made.shut()


@pytest.fixture
def server(gate: Gate, tmp_path: Path) -> Iterator[RunningServer]:
    url = f"mongodb://127.0.0.1:{gate.port}/lrs"
    with running_server(url, tmp_path, LRS_BUSY_SECONDS=str(BUSY_SECONDS)) as started:
        yield started


def post(server: RunningServer, key: str, number: int) -> Answer:
    batch = [statement(sid(number, n)) for n in range(5)]
    return server.call("POST", "/xapi/statements", batch, key=key, patience_seconds=PATIENCE_SECONDS)


def check_refused(server: RunningServer, answer: Answer) -> None:
    assert answer.status == 500, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    body = answer.json()
    assert (body["status"], body["code"]) == (500, "store-unavailable")
    assert "127.0.0.1" not in answer.body.decode()
    assert f"{body['errorId']} store-unavailable" in server.log()


def wait_until_ready(server: RunningServer) -> None:
    deadline = time.monotonic() + 30
    while server.call("GET", "/readyz").status != 200:
        assert time.monotonic() < deadline, "the server did not find its database again"
        time.sleep(0.1)


def test_server_says_that_its_database_is_away_and_goes_on_when_it_is_back(
    gate: Gate, server: RunningServer
) -> None:
    key = server.make_key("School")
    assert post(server, key, 1).status == 200
    gate.shut()
    check_refused(server, post(server, key, 2))
    check_refused(server, server.call("GET", "/xapi/statements", key=key))
    check_refused(server, server.call("POST", profile_path("p"), {"a": 1}, key=key))
    assert server.call("GET", "/readyz").status == 503
    assert server.call("GET", "/healthz").status == 200
    gate.open()
    wait_until_ready(server)
    assert post(server, key, 2).status == 200
    assert server.call("POST", profile_path("p"), {"a": 1}, key=key).status == 204
    client = Client(server.url, key)
    kept = Counter(one["id"] for one in read_log(client))
    client.close()
    assert kept == Counter(sid(number, n) for number in (1, 2) for n in range(5))


def test_requests_end_in_time_when_the_database_takes_connections_and_says_nothing(
    gate: Gate, server: RunningServer
) -> None:
    key = server.make_key("School")
    assert post(server, key, 1).status == 200
    call = partial(server.call, key=key, patience_seconds=PATIENCE_SECONDS)
    gate.silence()
    try:
        check_refused(server, post(server, key, 2))
        check_refused(server, call("GET", "/xapi/statements"))
        check_refused(server, call("POST", profile_path("p"), {"a": 1}))
        assert call("GET", "/readyz").status == 503
        assert server.call("GET", "/healthz").status == 200
    finally:
        gate.speak()
    wait_until_ready(server)
    assert post(server, key, 2).status == 200
    client = Client(server.url, key)
    kept = Counter(one["id"] for one in read_log(client))
    client.close()
    assert kept == Counter(sid(number, n) for number in (1, 2) for n in range(5))


def test_nothing_acknowledged_is_lost_or_doubled_when_connections_are_cut_again_and_again(
    gate: Gate, server: RunningServer
) -> None:
    key = server.make_key("School")
    stop = threading.Event()
    acknowledged: set[int] = set()
    wrong: list[Any] = []

    def write(writer: int) -> None:
        client = Client(server.url, key)
        for turn in range(10_000):
            if stop.is_set():
                break
            number = writer * 10_000 + turn
            batch = [statement(sid(number, n)) for n in range(5)]
            answer = client.call("POST", "/xapi/statements", batch)
            if answer.status == 200:
                acknowledged.add(number)
            elif answer.status != 500 or answer.json()["code"] != "store-unavailable":
                wrong.append(answer)
        client.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 5)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        time.sleep(0.5)
        gate.shut()
        time.sleep(0.3)
        gate.open()
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    wait_until_ready(server)
    assert post(server, key, 0).status == 200
    client = Client(server.url, key)
    kept = Counter(one["id"] for one in read_log(client))
    client.close()
    assert set(kept.values()) == {1}
    by_number = Counter(id_[:8] for id_ in kept)
    assert set(by_number.values()) == {5}
    assert {f"{number:08x}" for number in acknowledged} <= set(by_number)
    assert len(acknowledged) > 10
