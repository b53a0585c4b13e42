"""GET /api/v1/log: every statement once, in order, also what is voided; waiting for the next."""

import json
import threading
from typing import Any

import pytest

from lrs.access.model import Scope
from lrs.streams.log import MOST_WAITING
from tests.http.conftest import Instance
from tests.http.posting import GOOD

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def lines(instance: Instance, key: dict[str, str], **query: Any) -> tuple[list[dict[str, Any]], str]:
    answer = instance.client.get("/api/v1/log", query_string=query, headers=key)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/x-ndjson"
    *found, last = [json.loads(line) for line in answer.text.splitlines()]
    assert set(last) == {"next"}
    return found, last["next"]


def test_every_statement_comes_once_in_order_when_followed_by_next(instance: Instance) -> None:
    key = instance.key()
    ids = [instance.post(GOOD, key).get_json()[0] for _ in range(3)]
    ids += instance.post([GOOD] * 4, key).get_json()
    seen, after = [], ""
    while True:
        found, after = lines(instance, key, after=after, limit=2)
        seen += [one["statement"]["id"] for one in found]
        if not found:
            break
        again, _ = lines(instance, key, after=found[0]["position"], limit=1)
        assert [one["statement"]["id"] for one in again] == [one["statement"]["id"] for one in found[1:]] or (
            len(found) == 1
        )
    assert seen == ids
    newer = instance.post(GOOD, key).get_json()
    assert [one["statement"]["id"] for one in lines(instance, key, after=after)[0]] == newer


def test_line_is_the_statement_as_served_with_its_flag(instance: Instance) -> None:
    key = instance.key()
    (first,) = instance.post({**GOOD, "result": {"score": {"raw": 1.50}}}, key).get_json()
    void = {**GOOD, "verb": {"id": VOIDED}, "object": {"objectType": "StatementRef", "id": first}}
    instance.post(void, key)
    (one, two), _ = lines(instance, key)
    assert (one["voided"], two["voided"]) == (True, False)
    served = instance.get(key, voidedStatementId=first).get_json()
    assert one["statement"] == served
    assert one["statement"]["stored"]


def test_log_of_nothing_has_a_next_when_it_is_empty(instance: Instance) -> None:
    key = instance.key()
    found, after = lines(instance, key)
    assert found == []
    (id_,) = instance.post(GOOD, key).get_json()
    assert [one["statement"]["id"] for one in lines(instance, key, after=after)[0]] == [id_]


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (Scope.ALL, 200),
        (Scope.ALL_READ, 200),
        (Scope.STATEMENTS_READ, 200),
        (Scope.STATEMENTS_READ_MINE, 403),
        (Scope.STATEMENTS_WRITE, 403),
        (Scope.PROFILE, 403),
    ],
)
def test_scope_decides_who_reads(embedded: Instance, scope: Scope, status: int) -> None:
    answer = embedded.client.get("/api/v1/log", headers=embedded.key("School", scope))
    assert answer.status_code == status


def test_administrator_reads_no_log(embedded: Instance) -> None:
    assert embedded.client.get("/api/v1/log", headers=embedded.key(None, Scope.ADMIN)).status_code == 403
    assert embedded.client.get("/api/v1/log").status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"wait": "31"},
        {"wait": "-1"},
        {"since": "2026-01-01T00:00:00Z"},
        {"after": "x"},
        {"after": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_wrong_parameters_are_refused(embedded: Instance, query: dict[str, str]) -> None:
    answer = embedded.client.get("/api/v1/log", query_string=query, headers=embedded.key())
    assert answer.status_code == 400
    assert answer.get_json()["problems"][0]["path"] == next(iter(query))


def test_position_of_another_institution_is_unknown(embedded: Instance) -> None:
    museum, school = embedded.key("Museum"), embedded.key("School")
    embedded.post(GOOD, museum)
    _, after = lines(embedded, museum)
    answer = embedded.client.get("/api/v1/log", query_string={"after": after}, headers=school)
    assert answer.status_code == 400


def test_answer_comes_with_the_statement_when_it_was_waited_for(instance: Instance) -> None:
    key = instance.key()
    posted = []
    timer = threading.Timer(0.5, lambda: posted.extend(instance.post(GOOD, key).get_json()))
    timer.start()
    found, _ = lines(instance, key, wait=20)
    timer.join()
    assert [one["statement"]["id"] for one in found] == posted


def test_answer_is_empty_when_nothing_came_in_time(embedded: Instance) -> None:
    assert lines(embedded, embedded.key(), wait=1)[0] == []


def test_only_so_many_wait_and_a_further_one_is_answered_at_once(
    embedded: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting, over = threading.Semaphore(0), threading.Event()

    def rest(_seconds: float) -> None:
        resting.release()
        over.wait(30)

    monkeypatch.setattr(embedded.services.log, "_rest", rest)
    key = embedded.key()
    waiting = [
        threading.Thread(target=lines, args=(embedded, key), kwargs={"wait": 1}) for _ in range(MOST_WAITING)
    ]
    for one in waiting:
        one.start()
    assert all(resting.acquire(timeout=30) for _ in waiting)
    assert lines(embedded, key, wait=30)[0] == []
    assert not resting.acquire(blocking=False), "a further one waits"
    over.set()
    for one in waiting:
        one.join()
    while resting.acquire(blocking=False):
        pass
    assert lines(embedded, key, wait=1)[0] == []
    assert resting.acquire(blocking=False), "nobody may wait any more"
