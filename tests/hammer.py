"""Many clients on one server at once: each with a connection of its own that it keeps."""

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlencode

from tests.server import Answer, basic

Work = Callable[[], None]


class Client:
    """One connection with one key. A connection that broke is an OSError: the outcome is unknown."""

    def __init__(self, url: str, key: str, timeout: float = 60) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        self._headers = {"Authorization": basic(key), "X-Experience-API-Version": "1.0.3"}

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        sent = {**self._headers, **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        try:
            self._connection.request(method, path, body=body, headers=sent)
            response = self._connection.getresponse()
            got = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, got, response.read())
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise OSError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        self._connection.close()


def run_together(works: list[Work]) -> None:
    """Let all go at one moment, each in a thread of its own; raise what one raised."""
    gate = threading.Barrier(len(works))

    def run(work: Work) -> None:
        gate.wait()
        work()

    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(run, work) for work in works]:
            done.result()


def sid(kind: int, number: int) -> str:
    """An id that tells whose it is."""
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def statement(id_: str, learner: str = "learner", unit: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "actor": {"account": {"homePage": "http://school.example", "name": learner}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": f"http://school.example/unit/{unit}"},
        **more,
    }


def state_path(name: str, learner: str = "learner") -> str:
    agent = json.dumps({"account": {"homePage": "http://school.example", "name": learner}})
    asked = {"activityId": "http://school.example/unit/0", "agent": agent, "stateId": name}
    return f"/xapi/activities/state?{urlencode(asked)}"


def statement_path(id_: str) -> str:
    return f"/xapi/statements?statementId={quote(id_)}"


def profile_path(name: str) -> str:
    asked = {"activityId": "http://school.example/unit/0", "profileId": name}
    return f"/xapi/activities/profile?{urlencode(asked)}"


def read_log(client: Client) -> list[dict[str, Any]]:
    """All statements that a key may read, oldest first, page by page."""
    found: list[dict[str, Any]] = []
    path = "/xapi/statements?ascending=true&limit=500"
    while path:
        answer = client.call("GET", path)
        assert answer.status == 200, answer.body
        page = answer.json()
        found += page["statements"]
        path = page["more"]
    return found
