"""Fifty clients on a real server of two processes: nothing lost, nothing refused wrongly, no 500."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hammer import Client, Work, profile_path, read_log, run_together, sid, state_path, statement
from tests.server import RunningServer, running_server

pytestmark = pytest.mark.lasting

CLIENTS = 50


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path, "--workers", "2") as started:
        yield started


def change_until_taken(client: Client, path: str, entry: str) -> int:
    """Append to a document by its ETag, as often as another was faster; gives how often that was."""
    for lost in range(10_000):
        before = client.call("GET", path)
        if before.status == 404:
            entries, condition = [], {"If-None-Match": "*"}
        else:
            assert before.status == 200, before.body
            entries, condition = before.json(), {"If-Match": before.headers["etag"]}
        answer = client.call("PUT", path, [*entries, entry], condition)
        if answer.status == 204:
            return lost
        assert answer.status == 412, answer.body
    raise AssertionError("never the first")


@pytest.mark.parametrize("turns", [2, pytest.param(20, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_nothing_is_lost_or_refused_when_fifty_clients_write_about_the_same(
    server: RunningServer, turns: int
) -> None:
    key = server.make_key("School")
    statuses: Counter[int] = Counter()
    overtaken: list[int] = []

    def writer(n: int) -> Work:
        client = Client(server.url, key)

        def work() -> None:
            for turn in range(turns):
                names = {"definition": {"name": {f"x-{n}-{turn}": "named"}}}
                batch = [
                    statement(sid(n, turn * 10 + m), f"learner {m}", m) | {"object": activity(m, names)}
                    for m in range(3)
                ]
                answer = client.call("POST", "/xapi/statements", batch)
                assert answer.status == 200, answer.body
                contested = statement(sid(999, turn), f"learner {n}")
                statuses[client.call("POST", "/xapi/statements", contested).status] += 1
                merged = client.call("POST", state_path("merged"), {f"{n}.{turn}": n})
                assert merged.status == 204, merged.body
                if n % 5 == 0:
                    overtaken.append(change_until_taken(client, profile_path("appended"), f"{n}.{turn}"))
            client.close()

        return work

    run_together([writer(n) for n in range(CLIENTS)])

    client = Client(server.url, key)
    everyone = [(n, turn) for n in range(CLIENTS) for turn in range(turns)]
    kept = Counter(one["id"] for one in read_log(client))
    expected = {sid(n, turn * 10 + m) for n, turn in everyone for m in range(3)}
    assert kept == Counter(expected | {sid(999, turn) for turn in range(turns)})
    assert statuses == Counter({200: turns, 409: (CLIENTS - 1) * turns})
    merged = client.call("GET", state_path("merged")).json()
    assert merged == {f"{n}.{turn}": n for n, turn in everyone}
    appended = client.call("GET", profile_path("appended")).json()
    assert Counter(appended) == Counter(f"{n}.{turn}" for n, turn in everyone if n % 5 == 0)
    for unit in range(3):
        answer = client.call("GET", f"/xapi/activities?activityId=http://school.example/unit/{unit}")
        assert set(answer.json()["definition"]["name"]) == {f"x-{n}-{turn}" for n, turn in everyone}
    client.close()
    assert not [line for line in server.log().splitlines() if "unforeseen" in line or "store-" in line]


def activity(unit: int, more: dict[str, object]) -> dict[str, object]:
    return {"id": f"http://school.example/unit/{unit}", **more}


@pytest.mark.parametrize(
    "puts", [200, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
)
def test_exactly_one_put_wins_when_many_give_one_id_different_bodies(
    server: RunningServer, puts: int
) -> None:
    key = server.make_key("School")
    path = f"/xapi/statements?statementId={sid(1, 1)}"
    answers: list[tuple[int, str]] = []

    def writer(n: int) -> Work:
        client = Client(server.url, key)

        def work() -> None:
            answer = client.call("PUT", path, statement(sid(1, 1), f"learner {n}"))
            answers.append((answer.status, f"learner {n}"))
            if answer.status == 409:
                assert json.loads(answer.body)["code"] == "statement-conflict"
            client.close()

        return work

    run_together([writer(n) for n in range(puts)])
    assert Counter(status for status, _ in answers) == Counter({204: 1, 409: puts - 1})
    (winner,) = [learner for status, learner in answers if status == 204]
    kept = server.call("GET", path, key=key).json()
    assert kept["actor"]["account"]["name"] == winner
