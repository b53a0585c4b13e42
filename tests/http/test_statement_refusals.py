"""The statements resource: versions, credentials and bodies that are refused."""

import json
from typing import Any

import pytest

from tests.http.conftest import Instance, make_instance
from tests.http.made_statements import statement


@pytest.mark.parametrize("version", [None, "", "0.9", "1.1.0", "2.1.0", "1", "1.0.3, 2.0.0", "latest"])
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_a_missing_or_unknown_version_is_refused_in_the_form_of_the_key_s(
    shared_embedded: Instance, version: str | None, method: str
) -> None:
    key = shared_embedded.key("School", default_version="2.0.0")
    del key["X-Experience-API-Version"]
    if version is not None:
        key["X-Experience-API-Version"] = version
    answer = getattr(shared_embedded.client, method)(
        "/xapi/statements", headers=key, json=None if method == "get" else statement()
    )
    assert answer.status_code == 400
    assert answer.json["code"] == "unsupported-version"
    assert answer.headers["X-Experience-API-Version"] == "2.0.0"


@pytest.mark.parametrize(
    ("authorization", "first"),
    [
        *[
            (one, "Basic")
            for one in (None, "", "Basic", "Basic:xxxx", "Basic %%%", "Basic bm9jb2xvbg==", "x y")
        ],
        *[(one, "Bearer") for one in ("Bearer", "Bearer x", "bearer a.b.c")],
    ],
)
def test_malformed_credentials_are_a_401_that_names_both_ways_in_and_first_the_one_tried(
    shared_embedded: Instance, authorization: str | None, first: str
) -> None:
    headers = {"X-Experience-API-Version": "1.0.3"}
    if authorization is not None:
        headers["Authorization"] = authorization
    for answer in (shared_embedded.get(headers), shared_embedded.post(statement(), headers)):
        assert answer.status_code == 401
        schemes = [one.partition(" ")[0] for one in answer.headers.getlist("WWW-Authenticate")]
        assert schemes == [first, *({"Basic", "Bearer"} - {first})]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid-body"),
        (b"{", "invalid-body"),
        (b"\xff\xfe", "invalid-body"),
        (b'{"actor": NaN}', "invalid-body"),
        (b'{"actor": 1e400}', "invalid-body"),
        (b'{"a":{"b":1,"b":2}}', "invalid-body"),
        (b"[" * 100 + b"]" * 100, "invalid-body"),
        (b'"text"', "invalid-body"),
        (b"7", "invalid-body"),
        (b"[7]", "invalid-statement"),
        (b"{}", "invalid-statement"),
    ],
)
def test_a_body_that_is_no_statement_is_refused_with_reasons_and_noted(
    embedded: Instance, body: bytes, code: str
) -> None:
    key = embedded.key()
    answer = embedded.post(body, key)
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert answer.json["problems"]
    assert answer.content_type == "application/problem+json"
    handle = embedded.access.handle_for_institution_named("School")
    (refusal,) = embedded.services.stores.records.arrivals(handle).list_refusals(
        embedded.access.keys.list(handle.institution_id)[0].id, 10
    )
    assert (refusal.error_id, refusal.code, refusal.body_bytes) == (answer.json["errorId"], code, len(body))


def test_a_body_over_the_limit_is_a_413(tmp_path: Any) -> None:
    from tests.engines import sqlite_engine

    engine = sqlite_engine(tmp_path)
    small = make_instance(engine, LRS_MAX_BODY_BYTES="2048", LRS_MAX_STATEMENTS="3")
    key = small.key()
    assert small.post(b" " * 2049, key).status_code == 413
    assert small.post([statement()] * 4, key).status_code == 413
    assert small.post(statement(), key).status_code == 200
    engine.close()


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/related; boundary=x",
        "",
    ],
)
def test_other_content_types_are_refused(embedded: Instance, content_type: str) -> None:
    key = embedded.key()
    answer = embedded.client.post(
        "/xapi/statements", data=json.dumps(statement()), headers=key, content_type=content_type
    )
    assert answer.status_code == 400
    assert "application/json" in answer.json["detail"]
