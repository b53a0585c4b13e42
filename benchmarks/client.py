"""A load client that costs little beside what it measures: prepared requests over kept connections.

Loopback only. Each process runs several connections in threads; what is sent is written before
the clock runs.
"""

import multiprocessing
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from tests.server import basic

_RECEIVE = 1 << 16


@dataclass(frozen=True)
class Load:
    """What a run of requests gave.

    Attributes:
        seconds: From the first request to the last answer, over all connections.
        latencies: Of each request, in seconds, sorted.
    """

    seconds: float
    latencies: list[float]

    def percentile(self, share: float) -> float:
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def make_request(port: int, key: str, method: str, path: str, body: bytes = b"") -> bytes:
    """Write a whole HTTP request."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {basic(key)}\r\n"
        "X-Experience-API-Version: 1.0.3\r\n"
    )
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def run_load(port: int, requests: Sequence[bytes], connections: int, processes: int) -> Load:
    """Send every request once, spread over the connections; every answer must be a 200."""
    context = multiprocessing.get_context("fork")
    ready, results = context.Barrier(processes + 1), context.Queue()
    each = max(connections // processes, 1)
    workers = [
        context.Process(target=_process, args=(port, requests[n::processes], each, ready, results))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    ready.wait()
    began = time.perf_counter()
    latencies = [one for _ in workers for one in _checked(results.get())]
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return Load(seconds, sorted(latencies))


def _checked(result: list[float] | str) -> list[float]:
    if isinstance(result, str):
        raise RuntimeError(result)  # noqa: TRY004 - it is the other process's failure
    return result


def _process(port: int, requests: Sequence[bytes], connections: int, ready: object, results: object) -> None:
    latencies: list[float] = []
    failures: list[str] = []
    threads = [
        threading.Thread(target=_thread, args=(port, requests[n::connections], latencies, failures))
        for n in range(connections)
    ]
    ready.wait()  # type: ignore[attr-defined]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(failures[0] if failures else latencies)  # type: ignore[attr-defined]


def _thread(port: int, requests: Sequence[bytes], latencies: list[float], failures: list[str]) -> None:
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in requests:
                began = time.perf_counter()
                connection.sendall(request)
                _read_answer(connection)
                latencies.append(time.perf_counter() - began)
    except (OSError, RuntimeError) as error:
        failures.append(f"{type(error).__name__}: {error}")


def _read_answer(connection: socket.socket) -> None:
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _receive(connection)
    head = received[:end].lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(received[:600].decode(errors="replace"))
    start = head.index(b"content-length:") + len(b"content-length:")
    length = int(head[start:].split(b"\r\n", 1)[0])
    missing = length - (len(received) - end - 4)
    while missing > 0:
        missing -= len(_receive(connection))


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(_RECEIVE)
    if not data:
        raise RuntimeError("the server closed the connection")
    return data
