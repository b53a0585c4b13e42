"""The alternate request syntax (xAPI 1.0.3 Communication 1.3) and cross-origin requests."""

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.engines import Engine
from tests.http.conftest import Instance, make_instance

ID = "11111111-2222-4333-8444-555555555555"
STATEMENT = {
    "actor": {"mbox": "mailto:ä@example.org"},
    "verb": {"id": "http://example.org/v"},
    "object": {"id": "http://example.org/o"},
}


def send(
    instance: Instance, method: str, form: dict[str, str], path: str = "statements", extra: str = ""
) -> Any:
    return instance.client.post(
        f"/xapi/{path}?method={method}{extra}",
        data=urlencode(form),
        content_type="application/x-www-form-urlencoded",
    )


def test_any_request_can_be_sent_as_a_form(embedded: Instance) -> None:
    key = embedded.key()
    put = {**key, "statementId": ID, "content": json.dumps(STATEMENT), "Content-Type": "application/json"}
    assert send(embedded, "PUT", put).status_code == 204
    got = send(embedded, "GET", {**key, "statementId": ID})
    assert (got.status_code, got.json["id"], got.json["actor"]) == (200, ID, STATEMENT["actor"])
    state = {"activityId": "http://example.org/o", "agent": '{"mbox":"mailto:a@example.org"}', "stateId": "s"}
    made = {**key, **state, "content": "hello", "content-type": "text/plain", "If-None-Match": "*"}
    assert send(embedded, "PUT", made, "activities/state").status_code == 204
    assert send(embedded, "PUT", made, "activities/state").status_code == 412
    assert send(embedded, "GET", {**key, **state}, "activities/state").data == b"hello"
    assert send(embedded, "DELETE", {**key, **state}, "activities/state").status_code == 204


@pytest.mark.parametrize(
    ("method", "change", "extra"),
    [
        ("GET", {}, "&limit=1"),
        ("PATCH", {}, ""),
        ("PUT", {"statementId": ID}, ""),
        ("POST", {}, ""),
        ("GET", {"foo": "1"}, ""),
        ("GET", {"X-Experience-API-Version": "2.0.0"}, ""),
        ("GET", {"X-Experience-API-Version": ""}, ""),
    ],
)
def test_what_is_wrong_in_the_form_is_a_400(
    embedded: Instance, method: str, change: dict[str, str], extra: str
) -> None:
    answer = send(embedded, method, {**embedded.key(), **change}, extra=extra)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


@pytest.mark.parametrize("path", ["agents", "activities", "about"])
def test_what_is_wrong_in_the_form_is_a_400_also_where_nothing_is_posted(
    embedded: Instance, path: str
) -> None:
    answer = send(embedded, "GET", embedded.key(), path, "&agent=%7B%7D")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid-request")
    assert "method is the only query parameter" in answer.json["detail"]


def test_a_body_that_is_no_form_is_a_400_and_bad_credentials_in_it_a_401(embedded: Instance) -> None:
    key = embedded.key()
    answer = embedded.client.post("/xapi/statements?method=GET", json=STATEMENT, headers=key)
    assert answer.status_code == 400
    assert send(embedded, "GET", {**key, "Authorization": "Basic:xx"}).status_code == 401


def test_fields_are_bounded_like_the_address_and_headers_that_they_stand_for(embedded: Instance) -> None:
    key = embedded.key()
    longest = "http://example.org/" + "x" * 60_000
    assert send(embedded, "GET", {**key, "verb": longest}).status_code == 200
    for form in ({"verb": longest + longest}, {"x" * 70_000: ""}, {"Accept-Language": "en," * 30_000}):
        answer = send(embedded, "GET", {**key, **form})
        assert answer.status_code == 400
        assert "65535 characters" in answer.json["detail"]


def test_a_length_that_only_looks_like_a_number_is_a_400(embedded: Instance) -> None:
    answer = embedded.client.post(
        "/xapi/statements?method=GET",
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"CONTENT_LENGTH": "\u00b2"},
    )
    assert answer.status_code == 400


class _SlowForm(io.BytesIO):
    """A form whose sender takes time over it: says when it is being read, and goes on when told."""

    def __init__(self, body: bytes, begun: threading.Semaphore, go_on: threading.Event) -> None:
        super().__init__(body)
        self.begun, self.go_on = begun, go_on

    def read(self, size: int | None = -1) -> bytes:
        self.begun.release()
        assert self.go_on.wait(30)
        return super().read(size)


def test_only_a_quarter_of_the_threads_read_forms_when_their_senders_are_slow(embedded: Instance) -> None:
    key, begun, go_on = embedded.key(), threading.Semaphore(0), threading.Event()
    body = urlencode({**key, "limit": "1"}).encode()

    def send_slowly() -> int:
        return (
            embedded.app.test_client()
            .post(
                "/xapi/statements?method=GET",
                input_stream=_SlowForm(body, begun, go_on),
                content_type="application/x-www-form-urlencoded",
                environ_overrides={"CONTENT_LENGTH": str(len(body))},
            )
            .status_code
        )

    with ThreadPoolExecutor(4) as senders:
        slow = [senders.submit(send_slowly) for _ in range(4)]
        try:
            assert all(begun.acquire(timeout=30) for _ in slow)
            refused = send(embedded, "GET", key)
            beside = embedded.get(key)
        finally:
            go_on.set()
        assert [one.result() for one in slow] == [200] * 4
    assert (refused.status_code, refused.json["code"]) == (429, "rate-limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert beside.status_code == 200
    assert send(embedded, "GET", key).status_code == 200


def test_a_form_is_refused_unread_when_it_is_longer_than_a_body_may_be(sqlite: Engine) -> None:
    small = make_instance(sqlite, LRS_MAX_BODY_BYTES="2048")
    form = {**small.key(), "content": json.dumps({**STATEMENT, "id": ID}), "x": ""}
    assert send(small, "POST", {**small.key(), "content": json.dumps(STATEMENT)}).status_code == 200
    for padding in ("x" * 2048, "x" * 40_000):
        answer = send(small, "POST", {**form, "x": padding})
        assert (answer.status_code, answer.json["code"]) == (413, "too-large")
    endless = small.client.post(
        "/xapi/statements?method=GET",
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"CONTENT_LENGTH": "9" * 5000},
    )
    assert endless.status_code == 413


def test_version_2_has_no_alternate_syntax(embedded: Instance) -> None:
    key = {**embedded.key(), "X-Experience-API-Version": "2.0.0"}
    answer = embedded.client.post(
        "/xapi/statements?method=GET",
        data="limit=1",
        headers=key,
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 400


def test_a_browser_elsewhere_is_let_in_without_cookies(embedded: Instance) -> None:
    origin = {"Origin": "https://content.example.org"}
    preflight = embedded.client.options("/xapi/statements", headers=origin)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "X-Experience-API-Version" in preflight.headers["Access-Control-Allow-Headers"]
    answer = embedded.get({**embedded.key(), **origin})
    assert "X-Experience-API-Consistent-Through" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = embedded.get(origin)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")
    assert (
        "Access-Control-Allow-Origin"
        not in embedded.client.get("/api/v1/institutions", headers=origin).headers
    )


def test_only_the_origins_named_are_let_in(tmp_path: Any) -> None:
    from tests.engines import sqlite_engine

    engine = sqlite_engine(tmp_path)
    narrow = make_instance(engine, LRS_CORS_ORIGINS="https://a.example.org https://b.example.org")
    for origin, allowed in (("https://b.example.org", True), ("https://c.example.org", False)):
        answer = narrow.client.get("/xapi/about", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert "Origin" in answer.headers["Vary"]
    engine.close()
