"""Two institutions: what is another's looks exactly like what does not exist."""

import re

import pytest
from werkzeug.test import TestResponse

from lrs.access.model import Scope
from tests.http.conftest import Instance
from tests.http.test_arrivals import BAD, GOOD, key_id, sign_in

ROUTES = [
    ("GET", "/api/v1/institutions/{institution}"),
    ("PUT", "/api/v1/institutions/{institution}/quota"),
    ("GET", "/api/v1/institutions/{institution}/keys"),
    ("POST", "/api/v1/institutions/{institution}/keys"),
    ("DELETE", "/api/v1/keys/{key}"),
    ("POST", "/api/v1/keys/{key}/rotations"),
    ("GET", "/api/v1/keys/{key}/arrivals"),
    ("GET", "/arrivals/{key}"),
]
"""Every route of these rooms that takes an id of something an institution owns."""

BODIES = {"keys": {"scopes": ["all"]}, "quota": {"statements": 1}, "rotations": {}}

UNOWNED = {
    "/api/docs",
    "/api/openapi.json",
    "/api/v1/institutions",
    "/arrivals",
    "/assets/<path:filename>",
    "/healthz",
    "/readyz",
    "/sign-in/<token>",
    "/sign-out",
}
"""Routes without such an id. Those under ``/xapi`` have none either: records are walked with the records."""


def without_what_always_differs(answer: TestResponse) -> tuple[int, list[tuple[str, str]], str]:
    headers = sorted((name, value) for name, value in answer.headers if name != "Date")
    return answer.status_code, headers, re.sub(r"error\d+", "error", answer.text)


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("scope", [Scope.ALL, Scope.STATEMENTS_WRITE])
def test_anothers_id_is_answered_like_an_unknown_one(
    instance: Instance, method: str, path: str, scope: Scope
) -> None:
    school, museum = instance.key("School", scope), instance.key("Museum")
    instance.post([GOOD], museum)
    instance.post([BAD], museum)
    sign_in(instance, "School")
    theirs = path.format(institution=instance.access.get_institution_named("Museum").id, key=key_id(museum))
    nobodys = path.format(institution="0" * 10, key="0" * 12)
    headers = {**school, "Accept": "text/html"}
    body = BODIES.get(path.rpartition("/")[2]) if method in {"POST", "PUT"} else None
    answers = [
        instance.client.open(place, method=method, headers=headers, json=body) for place in (theirs, nobodys)
    ]
    assert answers[0].status_code in {403, 404}
    assert without_what_always_differs(answers[0]) == without_what_always_differs(answers[1])


def test_every_route_is_walked(embedded: Instance) -> None:
    walked = {re.sub(r"\{(\w+)\}", "<>", path) for _, path in ROUTES} | UNOWNED
    rules = {rule.rule for rule in embedded.app.url_map.iter_rules() if not rule.rule.startswith("/xapi/")}
    plain = {rule if rule in UNOWNED else re.sub(r"<\w+>", "<>", rule) for rule in rules}
    assert plain == walked


def test_lists_and_pages_show_one_institution_alone(instance: Instance) -> None:
    school, museum = instance.key("School"), instance.key("Museum")
    instance.post([GOOD], museum)
    refused = instance.post([BAD], museum).get_json()["errorId"]
    sign_in(instance, "School")
    page = instance.client.get("/arrivals").text
    listed = instance.client.get("/api/v1/institutions", headers=school).text
    imported = instance.client.get("/api/v1/keys/import/arrivals", headers=school).text
    for text in (page, listed, imported):
        assert "Museum" not in text
        assert key_id(museum) not in text
        assert refused not in text
    assert "Nothing has arrived yet." in page
