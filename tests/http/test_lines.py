"""Statements by the line: the good ones go in, the rest is reported."""

import json
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from lrs.access.model import Scope
from tests.engines import Engine
from tests.factories import make_statement, make_statement_id
from tests.http.conftest import Instance, make_instance
from tests.http.posting import key_id

PATH = "/api/v1/statements/lines"
BAD = {**make_statement(), "actor": {"mbox": "no address"}}


def lines(*values: Any) -> bytes:
    texts = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    return b"\n".join(texts) + b"\n"


def send(instance: Instance, key: dict[str, str], body: bytes, **more: Any) -> TestResponse:
    return instance.client.post(
        PATH, **{"data": body, "headers": key, "content_type": "application/x-ndjson", **more}
    )


def listed(instance: Instance, key: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = instance.get(key, ascending="true").get_json()["statements"]
    return found


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    return make_statement(id=make_statement_id(number), **changes)


def test_good_lines_go_in_and_the_rest_is_reported(instance: Instance) -> None:
    key = instance.key()
    body = lines(numbered(1), BAD, b"", b"{not json", numbered(2), [numbered(3)])
    answer = send(instance, key, body)
    assert answer.status_code == 200, answer.text
    report = answer.get_json()
    rejected = report.pop("rejected")
    assert report == {"read": 5, "stored": 2, "already": 0, "rejectedCount": 3, "errorId": "error00001"}
    assert [(one["line"], one["code"]) for one in rejected] == [
        (2, "invalid-statement"),
        (4, "invalid-body"),
        (6, "invalid-statement"),
    ]
    assert rejected[0]["problems"][0]["path"] == "/actor/mbox"
    assert rejected[0]["problems"][0]["rule"] == "agent.mbox"
    assert [one["id"] for one in listed(instance, key)] == [make_statement_id(1), make_statement_id(2)]


def test_the_authority_is_that_of_the_keys_client(instance: Instance) -> None:
    key = instance.key()
    instance.post([numbered(1)], key)
    send(instance, key, lines(numbered(2)))
    posted, by_line = listed(instance, key)
    assert posted["authority"] == by_line["authority"]


def test_the_same_body_again_changes_nothing_also_without_ids(instance: Instance) -> None:
    key = instance.key()
    body = lines(make_statement(), make_statement(), numbered(1))
    first, again = send(instance, key, body).get_json(), send(instance, key, body).get_json()
    assert (first["stored"], first["already"]) == (3, 0)
    assert (again["stored"], again["already"]) == (0, 3)
    other = send(instance, key, body + b"\n").get_json()
    assert (other["stored"], other["already"]) == (2, 1)


def test_ids_made_for_lines_differ_between_institutions(instance: Instance) -> None:
    school, museum = instance.key("School"), instance.key("Museum")
    for key in (school, museum):
        send(instance, key, lines(make_statement()))
    assert listed(instance, school)[0]["id"] != listed(instance, museum)[0]["id"]


def test_a_line_that_contradicts_what_is_kept_is_rejected_alone(instance: Instance) -> None:
    key = instance.key()
    instance.post([numbered(1)], key)
    other = numbered(1, verb={"id": "http://adlnet.gov/expapi/verbs/failed"})
    report = send(instance, key, lines(other, numbered(2))).get_json()
    assert (report["stored"], report["rejectedCount"]) == (1, 1)
    assert report["rejected"][0]["line"] == 1
    assert report["rejected"][0]["code"] == "statement-conflict"


def test_rejected_lines_are_counted_beyond_the_hundred_that_are_told(embedded: Instance) -> None:
    report = send(embedded, embedded.key(), lines(*[b"{}"] * 130, numbered(1))).get_json()
    assert (report["read"], report["stored"], report["rejectedCount"]) == (131, 1, 130)
    assert [one["line"] for one in report["rejected"]] == list(range(1, 101))


def test_receipts_and_what_was_rejected_stand_on_the_page_of_arrivals(instance: Instance) -> None:
    key = instance.key()
    answer = send(instance, key, lines(numbered(1), BAD)).get_json()
    seen = instance.client.get(f"/api/v1/keys/{key_id(key)}/arrivals", headers=key).get_json()
    assert [one["stored"] for one in seen["receipts"]] == [1]
    (refusal,) = seen["refusals"]
    assert refusal["errorId"] == answer["errorId"]
    assert refusal["status"] == 200
    assert refusal["detail"] == "1 of 2 lines were not stored; the others were."
    assert refusal["problems"][0]["path"] == "/1/actor/mbox"


def test_nothing_is_noted_when_every_line_is_good(instance: Instance) -> None:
    key = instance.key()
    assert send(instance, key, lines(numbered(1))).get_json()["errorId"] is None
    seen = instance.client.get(f"/api/v1/keys/{key_id(key)}/arrivals", headers=key).get_json()
    assert seen["refusals"] == []


def test_an_empty_body_has_no_lines(embedded: Instance) -> None:
    report = send(embedded, embedded.key(), b"\n\n").get_json()
    assert (report["read"], report["stored"], report["rejectedCount"]) == (0, 0, 0)


def test_rules_are_those_of_the_version_asked_for_else_of_the_line(embedded: Instance) -> None:
    key = embedded.key()
    old = numbered(1, timestamp="2026-11-21T09:30Z")
    new = numbered(2, timestamp="2026-11-21T09:30Z", version="2.0.0")
    assert send(embedded, key, lines(old, new)).get_json()["stored"] == 1
    asked = send(
        embedded, key, lines(numbered(3, timestamp="2026-11-21T09:30Z")), query_string="version=2.0.0"
    )
    assert asked.get_json()["rejected"][0]["problems"][0]["rule"] == "timestamp.rfc3339"


@pytest.mark.parametrize(
    ("status", "code", "more"),
    [
        (415, "unsupported-media-type", {"content_type": "application/json"}),
        (400, "invalid-parameter", {"query_string": "version=0.95"}),
        (400, "invalid-parameter", {"query_string": "limit=3"}),
        (401, "unauthenticated", {"headers": {}}),
    ],
)
def test_requests_are_refused_whole_when_they_are_wrong_themselves(
    embedded: Instance, status: int, code: str, more: dict[str, Any]
) -> None:
    answer = send(embedded, embedded.key(), lines(numbered(1)), **more)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_keys_without_the_scope_are_refused(embedded: Instance) -> None:
    for key in (embedded.key("School", Scope.STATEMENTS_READ), embedded.key(None, Scope.ADMIN)):
        assert send(embedded, key, lines(numbered(1))).status_code == 403


def test_a_key_without_define_describes_nothing(embedded: Instance) -> None:
    statement = numbered(1, object={"id": "https://e.org/a", "definition": {"name": {"en": "A"}}})
    send(embedded, embedded.key("School", Scope.STATEMENTS_WRITE), lines(statement))
    reader = embedded.key("School")
    asked = embedded.client.get(
        "/xapi/activities", query_string={"activityId": "https://e.org/a"}, headers=reader
    )
    assert "definition" not in asked.get_json()


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_refused_whole(sqlite: Engine, declared: bool) -> None:
    instance = make_instance(sqlite, LRS_MAX_LINES_BYTES="2048")
    key = instance.key()
    body = lines(*[numbered(number) for number in range(1, 30)])
    more: dict[str, Any] = {}
    if not declared:
        more = {
            "data": None,
            "input_stream": BytesIO(body),
            "environ_overrides": {"wsgi.input_terminated": True},
        }
    answer = send(instance, key, body, **more)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too-large")
    assert listed(instance, key) == []


def test_a_body_may_be_larger_than_a_post_and_a_line_may_not(sqlite: Engine) -> None:
    instance = make_instance(sqlite, LRS_MAX_BODY_BYTES="1024")
    long = numbered(99, result={"response": "x" * 2000})
    report = send(
        instance, instance.key(), lines(*[numbered(number) for number in range(1, 31)], long, numbered(31))
    ).get_json()
    assert (report["stored"], report["rejectedCount"]) == (31, 1)
    assert (report["rejected"][0]["line"], report["rejected"][0]["code"]) == (31, "too-large")


def test_the_description_says_what_is_sent(embedded: Instance) -> None:
    described = embedded.client.get("/api/openapi.json").get_json()["paths"][PATH]["post"]
    assert list(described["requestBody"]["content"]) == ["application/x-ndjson"]
    assert {"200", "400", "401", "403", "413", "415", "500"} <= set(described["responses"])


def test_lines_go_in_until_the_quota_is_used_up(instance: Instance) -> None:
    key = instance.key()
    school = instance.access.get_institution_named("School")
    instance.access.set_statement_quota(school.id, 600)
    body = lines(*[numbered(number) for number in range(1, 1001)])
    answer = send(instance, key, body)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "quota-exceeded")
    instance.access.set_statement_quota(school.id, 1000)
    report = send(instance, key, body).get_json()
    assert (report["stored"], report["already"]) == (500, 500)
