"""Statements to post."""

from typing import Any

from tests.http.conftest import Instance

ID = "11111111-2222-4333-8444-555555555555"
OTHER_ID = "11111111-2222-4333-8444-666666666666"


def statement(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://example.org/verbs/tried", "display": {"en": "tried", "de": "versuchte"}},
        "object": {"id": "http://example.org/activities/1"},
    }
    return {**base, **changes}


def ref(target: str, **changes: Any) -> dict[str, Any]:
    return statement(object={"objectType": "StatementRef", "id": target}, **changes)


def ids_of(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [found["id"] for found in answer.json["statements"]]


def put(instance: Instance, body: Any, key: dict[str, str], **params: str) -> Any:
    return instance.client.put("/xapi/statements", json=body, headers=key, query_string=params)
