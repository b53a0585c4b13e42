"""Activities and Agents (xAPI 1.0.3 Communication 2.4, 2.5)."""

import json
from typing import Any

import pytest

from lrs.access.model import Scope
from tests.http.conftest import Instance

ACTIVITY = "http://example.org/activities/1"


def statement(definition: dict[str, Any] | None = None, **actor: Any) -> dict[str, Any]:
    obj: dict[str, Any] = {"id": ACTIVITY}
    if definition is not None:
        obj["definition"] = definition
    return {
        "actor": {"mbox": "mailto:a@example.org", **actor},
        "verb": {"id": "http://example.org/verbs/tried"},
        "object": obj,
    }


def test_an_activity_gathers_what_statements_told_of_it_and_they_stay_as_sent(instance: Instance) -> None:
    key = instance.key()
    first = {"name": {"en": "Old", "de": "Ding"}, "type": "http://example.org/type"}
    (id_,) = instance.post(statement(first), key).json
    instance.post(
        [statement({"name": {"en": "New"}, "moreInfo": "http://example.org/more"}), statement()], key
    )
    answer = instance.client.get("/xapi/activities", query_string={"activityId": ACTIVITY}, headers=key)
    assert answer.json == {
        "objectType": "Activity",
        "id": ACTIVITY,
        "definition": {
            "name": {"en": "New", "de": "Ding"},
            "type": "http://example.org/type",
            "moreInfo": "http://example.org/more",
        },
    }
    assert instance.get(key, statementId=id_).json["object"]["definition"] == first


def test_definitions_do_not_count_without_the_scope_that_defines(instance: Instance) -> None:
    key = instance.key()
    instance.post(statement({"name": {"en": "Sneaked"}}), instance.key("School", Scope.STATEMENTS_WRITE))
    answer = instance.client.get("/xapi/activities", query_string={"activityId": ACTIVITY}, headers=key)
    assert answer.json == {"objectType": "Activity", "id": ACTIVITY}


def test_an_activity_of_another_institution_is_as_unknown_as_any(instance: Instance) -> None:
    instance.post(statement({"name": {"en": "Ours"}}), instance.key("School"))
    answer = instance.client.get(
        "/xapi/activities", query_string={"activityId": ACTIVITY}, headers=instance.key("Museum")
    )
    assert answer.json == {"objectType": "Activity", "id": ACTIVITY}


def test_a_person_has_the_names_met_and_the_identifier_asked_with(instance: Instance) -> None:
    key = instance.key()
    instance.post([statement(name="Ann"), statement(name="Anna"), statement(name="Ann")], key)
    instance.post(statement(name="Stranger"), instance.key("Museum"))
    answer = instance.client.get(
        "/xapi/agents", query_string={"agent": '{"mbox":"mailto:a@example.org","name":"A."}'}, headers=key
    )
    assert answer.json == {
        "objectType": "Person",
        "name": ["A.", "Ann", "Anna"],
        "mbox": ["mailto:a@example.org"],
    }


def names_of(instance: Instance, key: dict[str, str]) -> list[str]:
    answer = instance.client.get(
        "/xapi/agents", query_string={"agent": '{"mbox":"mailto:a@example.org"}'}, headers=key
    )
    names: list[str] = answer.json.get("name", [])
    return names


def test_names_do_not_count_without_the_scope_that_defines(instance: Instance) -> None:
    """Whichever way the statement came; it is kept and shown as it was sent all the same."""
    key, narrow = instance.key(), instance.key("School", Scope.STATEMENTS_WRITE)
    single = {"contextActivities": {"parent": {"id": ACTIVITY}}}
    posted = instance.post([statement(name="Posted"), {**statement(name="Apart"), "context": single}], narrow)
    put = "11111111-1111-4111-8111-111111111111"
    sent = instance.client.put(
        "/xapi/statements", query_string={"statementId": put}, json=statement(name="Put"), headers=narrow
    )
    assert sent.status_code == 204
    line = json.dumps(statement(name="Line")).encode()
    sent = instance.client.post(
        "/api/v1/statements/lines", data=line, headers={**narrow, "Content-Type": "application/x-ndjson"}
    )
    assert sent.json["stored"] == 1
    assert names_of(instance, key) == []
    kept = instance.get(key).json["statements"]
    assert {one["actor"]["name"] for one in kept} == {"Posted", "Apart", "Put", "Line"}
    assert instance.get(key, statementId=put).json["actor"]["name"] == "Put"
    apart = instance.get(key, statementId=posted.json[1]).json
    assert apart["context"] == {"contextActivities": {"parent": [{"id": ACTIVITY}]}}
    instance.post(statement(name="Ann"), instance.key("School", Scope.STATEMENTS_WRITE, Scope.DEFINE))
    assert names_of(instance, key) == ["Ann"]


def test_names_that_count_are_found_behind_many_that_do_not(embedded: Instance) -> None:
    key, narrow = embedded.key(), embedded.key("School", Scope.STATEMENTS_WRITE)
    embedded.post(statement(name="Ann"), key)
    embedded.post([statement(name=f"Sneaked {number}") for number in range(130)], narrow)
    assert names_of(embedded, key) == ["Ann"]
    for _ in range(3):
        embedded.post([statement(name=f"Sneaked {number}") for number in range(130)], narrow)
    assert names_of(embedded, key) == []


def test_no_more_than_fifty_statements_that_count_give_names(embedded: Instance) -> None:
    key, narrow = embedded.key(), embedded.key("School", Scope.STATEMENTS_WRITE)
    embedded.post([statement(name=f"Old {number}") for number in range(20)], key)
    for number in range(50):
        embedded.post(statement(name="Sneaked"), narrow)
        embedded.post(statement(name=f"New {number}"), key)
    assert names_of(embedded, key) == [f"New {number}" for number in reversed(range(50))]


def test_an_agent_never_met_is_a_person_too(embedded: Instance) -> None:
    agent = '{"account":{"homePage":"http://h.org","name":"x"}}'
    answer = embedded.client.get("/xapi/agents", query_string={"agent": agent}, headers=embedded.key())
    assert answer.json == {"objectType": "Person", "account": [{"homePage": "http://h.org", "name": "x"}]}


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("activities", {}),
        ("activities", {"activityId": "no"}),
        ("activities", {"activityId": ACTIVITY, "x": "1"}),
        ("agents", {}),
        ("agents", {"agent": "{}"}),
        ("agents", {"agent": "no"}),
        ("agents", {"agent": '{"objectType":"Group","mbox":"mailto:g@example.org"}'}),
    ],
)
def test_wrong_parameters_are_named(embedded: Instance, path: str, params: dict[str, str]) -> None:
    answer = embedded.client.get(f"/xapi/{path}", query_string=params, headers=embedded.key())
    assert answer.status_code == 400
    assert answer.json["problems"]
