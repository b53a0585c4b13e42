"""Activities and Agents (xAPI 1.0.3 Communication 2.4, 2.5)."""

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
