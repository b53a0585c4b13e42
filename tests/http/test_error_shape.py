"""Every failure of every route has the one shape, and its id."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from lrs.errors import StoreUnavailable
from lrs.web.kinds import KINDS
from tests.http.conftest import Instance, basic

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
BY_CODE = {error.code: kind for error, kind in KINDS.items()}


def assert_canonical(answer: TestResponse) -> None:
    where = f"{answer.request.method} {answer.request.path}"
    assert answer.mimetype == "application/problem+json", where
    body: dict[str, Any] = answer.get_json()
    required = {"type", "title", "status", "detail", "code", "errorId", "problems"}
    assert required <= set(body) <= required | {"badIndexes"}, where
    assert body["status"] == answer.status_code, where
    assert body["title"] == BY_CODE[body["code"]].title, where
    assert body["type"] == f"/api/docs#error-{body['code']}"
    assert re.fullmatch(r"error\d{5}", body["errorId"]), where
    assert len(body["detail"]) > 10
    for problem in body["problems"]:
        assert set(problem) == {"path", "rule", "message", "spec"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401), where
    assert ("Allow" in answer.headers) == (answer.status_code == 405), where


@pytest.mark.parametrize("who", ["nobody", "stranger", "malformed", "school", "administrator"])
def test_whatever_fails_on_any_route_fails_in_the_one_shape(embedded: Instance, who: str) -> None:
    admin = embedded.access.create_administrator_key()
    headers = {
        "nobody": {},
        "stranger": basic("unknown", "wrong"),
        "malformed": {"Authorization": "Basic:xxxx"},
        "school": embedded.key("School"),
        "administrator": basic(admin.key.id, admin.secret),
    }[who]
    failed = 0
    for rule in embedded.app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in METHODS:
            for query in ("", "?unknown=1"):
                answer = embedded.client.open(path + query, method=method, headers=headers)
                if answer.status_code >= 400:
                    assert answer.status_code < 500, f"{method} {path}: {answer.text}"
                    assert_canonical(answer)
                    failed += 1
                answer.close()
    assert failed > 100


def test_each_failure_has_an_id_of_its_own(embedded: Instance) -> None:
    ids = [embedded.client.get("/api/v1/institutions").get_json()["errorId"] for _ in range(3)]
    assert len(set(ids)) == 3


def test_a_failing_store_is_answered_without_telling_about_the_inside(
    embedded: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("disk I/O error in /secret/place")

    key = embedded.key()
    monkeypatch.setattr(type(embedded.services.stores.access), "find_credential", away)
    for path in ("/xapi/statements", "/api/v1/institutions"):
        answer = embedded.client.get(path, headers=key)
        assert answer.status_code == 500
        assert_canonical(answer)
        assert "secret" not in answer.text
        assert answer.headers["Retry-After"]
