"""Plain requests to /xapi/statements are answered past Flask, and no differently for it."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from flask import request_started
from werkzeug.test import TestResponse

from lrs.access.model import Scope
from lrs.xapi.routes import short_way
from tests.http.conftest import Instance, basic, make_instance

ID = "11111111-2222-4333-8444-555555555555"

STATEMENT: dict[str, Any] = {
    "actor": {"mbox": "mailto:a@example.org"},
    "verb": {"id": "http://example.org/verbs/tried", "display": {"en": "tried", "de": "versuchte"}},
    "object": {"id": "http://example.org/activities/1"},
}
BAD: dict[str, Any] = {**STATEMENT, "verb": {}}
AGENT = json.dumps(STATEMENT["actor"])


@contextmanager
def seen_by_flask(instance: Instance) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_: Any, **__: Any) -> None:
        seen.append("a request")

    with request_started.connected_to(note, instance.app):
        yield seen


@contextmanager
def long_way() -> Iterator[None]:
    """Have nothing answered past Flask."""
    with patch.dict(short_way._TAKES, clear=True):
        yield


def both_ways(ask: Callable[[], TestResponse]) -> TestResponse:
    """Ask on both ways, see that they tell the same, and return the answer."""
    short = ask()
    with long_way():
        assert told(short) == told(ask())
    return short


def told(answer: TestResponse) -> tuple[int, list[tuple[str, str]], Any]:
    """What an answer tells, without what two answers never share."""
    boundary = answer.mimetype_params.get("boundary", "no boundary")
    headers = sorted((name, value.replace(boundary, "B")) for name, value in answer.headers)
    body: Any = answer.data.replace(boundary.encode(), b"B")
    if answer.mimetype == "application/problem+json":
        body = {**answer.json, "errorId": ""}  # type: ignore[dict-item]
    return answer.status_code, headers, body


GETS = {
    "a page": {},
    "a page by agent": {"agent": AGENT},
    "a page by verb, oldest first": {"verb": "http://example.org/verbs/tried", "ascending": "true"},
    "a page in another format": {"format": "canonical", "limit": "1"},
    "a page of ids": {"format": "ids"},
    "a page with attachments": {"attachments": "true", "limit": "0"},
    "one statement": {"statementId": ID},
    "one that is not there": {"statementId": ID.replace("1", "2")},
    "one that is not voided": {"voidedStatementId": ID},
    "an id that is none": {"statementId": "x"},
    "an empty value": {"verb": ""},
    "a value with an umlaut": {"verb": "http://example.org/verbs/übte"},
    "an unknown parameter": {"learner": "a"},
    "one of another case": {"Verb": "http://example.org/verbs/tried"},
    "two that exclude each other": {"statementId": ID, "verb": "http://example.org/verbs/tried"},
    "a more token that is none": {"more": "x"},
}


@pytest.mark.parametrize("params", GETS.values(), ids=GETS.keys())
def test_a_get_is_answered_the_same_on_both_ways(shared_embedded: Instance, params: dict[str, str]) -> None:
    key = shared_embedded.key(ID)
    shared_embedded.post([{**STATEMENT, "id": ID}, STATEMENT], key)
    both_ways(lambda: shared_embedded.get(key, **params))


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=1",
        "verb=%FF",
        "verb=%zz",
        "limit",
        "&&limit=1",
        "verb=a+b",
        "agent=%7B%7D",
        "limit=1;x",
    ],
)
def test_an_odd_query_is_answered_the_same_on_both_ways(shared_embedded: Instance, query: str) -> None:
    key = shared_embedded.key("Odd")
    both_ways(lambda: shared_embedded.client.get("/xapi/statements", query_string=query, headers=key))


POSTS: dict[str, tuple[bytes, str]] = {
    "a statement": (json.dumps({**STATEMENT, "id": ID}).encode(), "application/json"),
    "with a character set": (json.dumps({**STATEMENT, "id": ID}).encode(), "application/json; charset=utf-8"),
    "a batch": (json.dumps([{**STATEMENT, "id": ID}]).encode(), "application/json"),
    "an empty batch": (b"[]", "application/json"),
    "other content under the same id": (
        json.dumps({**STATEMENT, "id": ID, "result": {}}).encode(),
        "application/json",
    ),
    "an invalid one": (json.dumps(BAD).encode(), "application/json"),
    "a batch with invalid ones": (json.dumps([STATEMENT, BAD, BAD]).encode(), "application/json"),
    "no JSON": (b"{", "application/json"),
    "nothing": (b"", "application/json"),
    "another type": (b"x", "text/plain"),
    "parts that are none": (b"x", "multipart/mixed; boundary=x"),
    "more than is taken": (b" " * 2000, "application/json"),
}


@pytest.mark.parametrize(("body", "content_type"), POSTS.values(), ids=POSTS.keys())
def test_a_post_is_answered_the_same_on_both_ways(sqlite: Any, body: bytes, content_type: str) -> None:
    instance = make_instance(sqlite, LRS_MAX_BODY_BYTES="1500")
    key = instance.key()
    instance.post({**STATEMENT, "id": ID}, key)
    both_ways(
        lambda: instance.client.post("/xapi/statements", data=body, headers=key, content_type=content_type)
    )


CALLERS: dict[str, dict[str, str]] = {
    "nobody": {"Authorization": ""},
    "an unknown key": basic("abcdefghjkmn", "0" * 64),
    "not even base64": {"Authorization": "Basic %%%"},
    "no version": {"X-Experience-API-Version": ""},
    "an unknown version": {"X-Experience-API-Version": "3.0"},
    "an old version": {"X-Experience-API-Version": "1.0"},
    "version 2": {"X-Experience-API-Version": "2.0.0"},
}


@pytest.mark.parametrize("changes", CALLERS.values(), ids=CALLERS.keys())
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_callers_and_versions_are_answered_the_same_on_both_ways(
    shared_embedded: Instance, method: str, changes: dict[str, str]
) -> None:
    headers = {**shared_embedded.key(f"{method}{sorted(changes.items())}"), **changes}
    both_ways(
        lambda: shared_embedded.client.open(
            "/xapi/statements",
            method=method,
            headers=headers,
            query_string={"statementId": ID} if method == "PUT" else {},
            data=None if method == "GET" else json.dumps({**STATEMENT, "id": ID}),
            content_type=None if method == "GET" else "application/json",
        )
    )


@pytest.mark.parametrize("scope", [Scope.STATEMENTS_READ_MINE, Scope.STATEMENTS_WRITE, Scope.PROFILE])
def test_what_a_key_may_not_do_is_refused_the_same_on_both_ways(
    shared_embedded: Instance, scope: Scope
) -> None:
    key = shared_embedded.key(f"{scope}", scope)
    both_ways(lambda: shared_embedded.get(key))
    both_ways(lambda: shared_embedded.post({**STATEMENT, "id": ID}, key))


@pytest.mark.parametrize("statement_id", [ID, ID.upper(), ID.replace("1", "2"), "x", None])
def test_a_put_is_answered_the_same_on_both_ways(shared_embedded: Instance, statement_id: str | None) -> None:
    key = shared_embedded.key(f"Put {statement_id}")
    query = {} if statement_id is None else {"statementId": statement_id}
    both_ways(
        lambda: shared_embedded.client.put(
            "/xapi/statements", query_string=query, json={**STATEMENT, "id": ID}, headers=key
        )
    )


@pytest.mark.parametrize("origins", ["*", "http://here.example.org"])
@pytest.mark.parametrize("origin", ["http://here.example.org", "http://there.example.org"])
def test_another_origin_is_answered_the_same_on_both_ways(sqlite: Any, origins: str, origin: str) -> None:
    instance = make_instance(sqlite, LRS_CORS_ORIGINS=origins)
    headers = {**instance.key(), "Origin": origin, "Accept-Language": "de"}
    assert both_ways(lambda: instance.post({**STATEMENT, "id": ID}, headers)).status_code == 200
    answer = both_ways(lambda: instance.get(headers))
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    assert allowed == ("*" if origins == "*" else origin if origins == origin else None)


def test_a_display_in_the_language_asked_for_is_given_with_formats_and_their_more_links(
    shared_embedded: Instance,
) -> None:
    key = {**shared_embedded.key("Languages"), "Accept-Language": "de"}
    shared_embedded.post([STATEMENT, STATEMENT], key)
    answer = both_ways(lambda: shared_embedded.get(key, format="canonical", limit="1"))
    assert answer.json["statements"][0]["verb"]["display"] == {"de": "versuchte"}  # type: ignore[index]
    further = both_ways(lambda: shared_embedded.client.get(answer.json["more"], headers=key))  # type: ignore[index]
    assert further.json["statements"][0]["verb"]["display"] == {"de": "versuchte"}  # type: ignore[index]


def test_plain_requests_do_not_reach_flask_and_others_do(shared_embedded: Instance) -> None:
    key = shared_embedded.key("Seen")
    browser = {**key, "Origin": "http://example.org", "Accept-Language": "de, en;q=0.5"}
    with seen_by_flask(shared_embedded) as seen:
        assert shared_embedded.post(STATEMENT, browser).status_code == 200
        assert shared_embedded.get(browser, limit="1").status_code == 200
        put = shared_embedded.client.put(f"/xapi/statements?statementId={ID}", json=STATEMENT, headers=key)
        assert put.status_code == 204
        assert not seen
        assert shared_embedded.client.head("/xapi/statements", headers=key).status_code == 200
        assert shared_embedded.get(browser, format="canonical").status_code == 200
        assert shared_embedded.get(key, limit="x").status_code == 400
        coded = {**key, "Content-Encoding": "identity"}
        assert shared_embedded.post(STATEMENT, coded).status_code == 200
        assert len(seen) == 4


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_who_calls_is_asked_once_also_where_it_is_nobody(shared_embedded: Instance, method: str) -> None:
    """Asked again on the long way, a token would be verified twice, and a request too many might pass."""
    store = shared_embedded.services.stores.access
    with patch.object(store, "find_credential", wraps=store.find_credential) as asked:
        answer = shared_embedded.client.open(
            "/xapi/statements",
            method=method,
            headers={**basic("abcdefghjkmn", "0" * 64), "X-Experience-API-Version": "2.0.0"},
            query_string={"statementId": ID} if method == "PUT" else {},
            data=None if method == "GET" else json.dumps(STATEMENT),
            content_type=None if method == "GET" else "application/json",
        )
    assert (answer.status_code, answer.headers["X-Experience-API-Version"]) == (401, "2.0.0")
    assert asked.call_count == 1


def test_a_page_leads_on_below_the_base_path(sqlite: Any) -> None:
    instance = make_instance(sqlite, LRS_BASE_PATH="/lrs")
    key = instance.key()
    instance.client.post("/lrs/xapi/statements", json=[STATEMENT, STATEMENT], headers=key)
    with seen_by_flask(instance) as seen:
        answer = instance.client.get("/lrs/xapi/statements?limit=1", headers=key)
        assert not seen
    more = answer.json["more"]  # type: ignore[index]
    assert more.startswith("/lrs/xapi/statements?more=")
    assert len(instance.client.get(more, headers=key).json["statements"]) == 1  # type: ignore[index]
    assert instance.client.get("/xapi/statements", headers=key).status_code == 404


@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), MemoryError()])
def test_an_unforeseen_failure_is_answered_like_any_other_and_not_tried_again(
    embedded: Instance, error: Exception
) -> None:
    key = embedded.key()
    with patch.object(type(embedded.services.statements), "post", side_effect=error) as post:
        answer = embedded.post(STATEMENT, key)
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert answer.json["errorId"]  # type: ignore[index]
    assert post.call_count == 1


def test_a_refused_request_counts_once_against_the_rate_and_is_noted_once(embedded: Instance) -> None:
    key = embedded.key("School", rate_per_minute=3)
    assert [embedded.post(BAD, key).status_code for _ in range(4)] == [400, 400, 400, 429]
    reader = embedded.key("School", Scope.ALL)
    key_id = base64.b64decode(key["Authorization"].removeprefix("Basic ")).decode().partition(":")[0]
    told_of = embedded.client.get(f"/api/v1/keys/{key_id}/arrivals", headers=reader).json
    assert [one["status"] for one in told_of["refusals"]] == [400, 400, 400]  # type: ignore[index]


def test_a_body_that_ends_too_soon_is_refused_as_ever(embedded: Instance) -> None:
    key = embedded.key()
    body = json.dumps(STATEMENT).encode()
    answer = both_ways(
        lambda: embedded.client.post(
            "/xapi/statements",
            input_stream=BytesIO(body[:40]),
            content_length=len(body),
            content_type="application/json",
            headers=key,
        )
    )
    assert answer.status_code == 400


def test_a_sender_who_went_away_is_told_from_a_failure_of_ours(embedded: Instance) -> None:
    class Broken(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise ConnectionResetError

    answer = both_ways(
        lambda: embedded.client.post(
            "/xapi/statements",
            input_stream=Broken(),
            content_length=100,
            content_type="application/json",
            headers=embedded.key(),
        )
    )
    assert answer.status_code == 400


def test_nothing_is_read_of_a_body_before_its_sender_is_known(embedded: Instance) -> None:
    body = BytesIO(json.dumps(STATEMENT).encode())
    answer = embedded.client.post(
        "/xapi/statements",
        input_stream=body,
        content_length=len(body.getvalue()),
        content_type="application/json",
        headers={**basic("abcdefghjkmn", "0" * 64), "X-Experience-API-Version": "1.0.3"},
    )
    assert (answer.status_code, body.tell()) == (401, 0)


def test_nothing_is_read_of_a_body_whose_sender_may_not_write(embedded: Instance) -> None:
    body = BytesIO(json.dumps(STATEMENT).encode())
    answer = embedded.client.post(
        "/xapi/statements",
        input_stream=body,
        content_length=len(body.getvalue()),
        content_type="application/json",
        headers=embedded.key("Reader", Scope.STATEMENTS_READ),
    )
    assert (answer.status_code, body.tell()) == (403, 0)


def test_a_caller_cannot_be_smuggled_in_by_a_header(embedded: Instance) -> None:
    caller = base64.b64encode(b"anybody").decode()
    answer = embedded.get({"lrs.caller": caller, "X-Experience-API-Version": "1.0.3"})
    assert answer.status_code == 401
