"""A receiver for what is sent out: a real server of the loopback address that answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def ids(self) -> list[str]:
        found = self.json()
        return [one["id"] for one in (found["statements"] if isinstance(found, dict) else found)]


Answer = Callable[[Received], "int | tuple[int, dict[str, str]]"]


@dataclass
class Receiver:
    """What came, in order, and what it is answered; ``accepted`` is what got 2xx."""

    port: int
    answer: Answer = lambda received: 200
    received: list[Received] = field(default_factory=list)
    accepted: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/xapi"

    def ids(self) -> list[str]:
        """Every statement's id that was accepted, in order."""
        return [id_ for one in self.accepted for id_ in one.ids()]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            one = Received(self.path, headers, body)
            with lock:
                receiver.received.append(one)
            found = receiver.answer(one)
            status, extra = found if isinstance(found, tuple) else (found, {})
            if 200 <= status < 300:
                with lock:
                    receiver.accepted.append(one)
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
