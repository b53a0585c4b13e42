"""Every route asked with every scope: who may, and who may not.

Spec: xAPI 1.0.3 Communication 4.2. DELETE is a part of what ``state``, ``profile`` and
``all`` allow: documents are all that a request can delete.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from lrs.access.model import Scope
from tests.http.conftest import Instance, basic
from tests.http.posting import GOOD, key_id
from tests.http.test_access_api import administrator

S = Scope
EVERYBODY = frozenset(S)
MEMBERS = EVERYBODY - {S.ADMIN}
WRITERS = frozenset({S.ALL, S.STATEMENTS_WRITE})
READERS = frozenset({S.ALL, S.ALL_READ, S.STATEMENTS_READ, S.STATEMENTS_READ_MINE})
STATE_READERS = frozenset({S.ALL, S.ALL_READ, S.STATE})
STATE_WRITERS = frozenset({S.ALL, S.STATE})
PROFILE_READERS = frozenset({S.ALL, S.ALL_READ, S.PROFILE})
PROFILE_WRITERS = frozenset({S.ALL, S.PROFILE})
OVERSEERS = frozenset({S.ALL, S.ADMIN})
ADMINISTRATORS = frozenset({S.ADMIN})
NOBODY: frozenset[Scope] = frozenset()
"""A signed-in person's, and no key's."""

INSTITUTIONS = "/api/v1/institutions"
DESTINATIONS = f"{INSTITUTIONS}/<institution_id>/destinations"
DESTINATION = f"{DESTINATIONS}/<destination_id>"
HOOK = {"kind": "webhook", "name": "Door", "url": "http://127.0.0.1:9/hook"}
ACTIVITY, AGENT = GOOD["object"]["id"], json.dumps(GOOD["actor"])
STATE_QUERY = {"activityId": ACTIVITY, "agent": AGENT, "stateId": "notes"}
ACTIVITY_QUERY = {"activityId": ACTIVITY, "profileId": "notes"}
AGENT_QUERY = {"agent": AGENT, "profileId": "notes"}
ATTESTATION = {
    "learner": "mailto:mia@example.org",
    "learnerName": "Mia Sol",
    "mentorName": "Ivo Brandt",
    "activity": ACTIVITY,
    "activityName": "Robots",
}
KEPT = "11111111-1111-4111-8111-111111111111"


@dataclass
class Row:
    """A request, and the scopes with each of which alone it may be made."""

    method: str
    rule: str
    may: frozenset[Scope]
    query: dict[str, str]
    body: Any = None


def row(method: str, rule: str, may: frozenset[Scope], body: Any = None, **query: str) -> Row:
    return Row(method, rule, may, query, body)


def documents(
    path: str, query: dict[str, str], reads: frozenset[Scope], writes: frozenset[Scope]
) -> list[Row]:
    several = {name: value for name, value in query.items() if name not in {"stateId", "profileId"}}
    return [
        row("GET", path, reads, **query),
        row("GET", path, reads, **several),
        row("PUT", path, writes, {"a": 2}, **query),
        row("POST", path, writes, {"b": 2}, **query),
        row("DELETE", path, writes, **query),
    ]


ROWS = [
    row("GET", "/xapi/about", EVERYBODY),
    row("POST", "/xapi/statements", WRITERS, [GOOD]),
    row("PUT", "/xapi/statements", WRITERS, GOOD, statementId=KEPT.replace("1", "2")),
    row("GET", "/xapi/statements", READERS),
    row("GET", "/xapi/statements", READERS, statementId=KEPT),
    row("GET", "/xapi/statements", READERS, attachments="true"),
    row("GET", "/xapi/activities", READERS, activityId=ACTIVITY),
    row("GET", "/xapi/agents", READERS, agent=AGENT),
    *documents("/xapi/activities/state", STATE_QUERY, STATE_READERS, STATE_WRITERS),
    row("DELETE", "/xapi/activities/state", STATE_WRITERS, activityId=ACTIVITY, agent=AGENT),
    *documents("/xapi/activities/profile", ACTIVITY_QUERY, PROFILE_READERS, PROFILE_WRITERS),
    *documents("/xapi/agents/profile", AGENT_QUERY, PROFILE_READERS, PROFILE_WRITERS),
    row("POST", "/api/v1/statements/lines", WRITERS, json.dumps(GOOD).encode()),
    row("GET", INSTITUTIONS, OVERSEERS),
    row("POST", INSTITUTIONS, ADMINISTRATORS, {"name": "Museum"}),
    row("GET", f"{INSTITUTIONS}/<institution_id>", OVERSEERS),
    row("GET", f"{INSTITUTIONS}/<institution_id>/keys", OVERSEERS),
    row("POST", f"{INSTITUTIONS}/<institution_id>/keys", ADMINISTRATORS, {"scopes": ["all"]}),
    row("GET", f"{INSTITUTIONS}/<institution_id>/usage", OVERSEERS),
    row("PUT", f"{INSTITUTIONS}/<institution_id>/quota", ADMINISTRATORS, {"statements": 0}),
    row("POST", "/api/v1/keys/<key_id>/rotations", ADMINISTRATORS, {}),
    row("PATCH", "/api/v1/keys/<key_id>", ADMINISTRATORS, {"ratePerMinute": 7}),
    row("DELETE", "/api/v1/keys/<key_id>", ADMINISTRATORS),
    row("GET", "/api/v1/keys/<key_id>/arrivals", frozenset({S.ALL})),
    row("GET", "/api/v1/log", READERS - {S.STATEMENTS_READ_MINE}),
    row("GET", DESTINATIONS, OVERSEERS),
    row("POST", DESTINATIONS, OVERSEERS, HOOK),
    row("POST", f"{DESTINATION}/tests", OVERSEERS, {}),
    row("POST", f"{DESTINATION}/secrets", OVERSEERS, {}),
    row("GET", f"{DESTINATION}/letters", OVERSEERS),
    row("POST", f"{DESTINATION}/replays", OVERSEERS, {}),
    row("DELETE", f"{DESTINATION}/letters/<statement_id>", OVERSEERS),
    row("DELETE", DESTINATION, OVERSEERS),
    row("GET", f"{INSTITUTIONS}/<institution_id>/learners", READERS - {S.STATEMENTS_READ_MINE}),
    row("GET", "/api/v1/learners/<learner_id>/progress", READERS - {S.STATEMENTS_READ_MINE}),
    row("GET", "/api/v1/learners/<learner_id>/explain", READERS - {S.STATEMENTS_READ_MINE}, item="x"),
    row("GET", f"{INSTITUTIONS}/<institution_id>/consents", READERS - {S.STATEMENTS_READ_MINE}),
    row("GET", "/api/v1/attestations", WRITERS),
    row("POST", "/api/v1/attestations", WRITERS, ATTESTATION),
    row("GET", "/api/v1/me/consents", NOBODY),
    row("PUT", "/api/v1/me/consents", NOBODY, {}),
    row("DELETE", "/api/v1/me/consents/<institution_id>/<purpose>", NOBODY),
    row("GET", "/api/v1/me/disclosures", NOBODY),
    row("GET", "/api/v1/crosswalks", READERS - {S.STATEMENTS_READ_MINE}),
    row("GET", "/api/v1/transcripts/<learner_id>", READERS - {S.STATEMENTS_READ_MINE}, crosswalk="diploma"),
    row("GET", "/api/v1/jobs", ADMINISTRATORS),
    row("GET", "/api/v1/jobs/<name>/runs", ADMINISTRATORS),
    row("POST", "/api/v1/jobs/<name>/runs", ADMINISTRATORS),
]


@pytest.fixture
def school(embedded: Instance) -> dict[str, str]:
    """A school in which there is one of each to be asked for."""
    key = embedded.key()
    assert embedded.post({**GOOD, "id": KEPT}, key).status_code == 200
    for path, query in (
        ("/xapi/activities/state", STATE_QUERY),
        ("/xapi/activities/profile", ACTIVITY_QUERY),
        ("/xapi/agents/profile", AGENT_QUERY),
    ):
        kept = embedded.client.post(path, query_string=query, json={"a": 1}, headers=key)
        assert kept.status_code == 204
    return key


def headers_with(instance: Instance, scope: Scope) -> dict[str, str]:
    if scope is S.ADMIN:
        return {**administrator(instance), "X-Experience-API-Version": "1.0.3"}
    return instance.key("School", scope)


def a_destination(instance: Instance, institution: str) -> str:
    path, key = DESTINATIONS.replace("<institution_id>", institution), instance.key()
    known = len(instance.client.get(path, headers=key).json["destinations"])
    made = instance.client.post(path, json={**HOOK, "name": f"Hook {known}"}, headers=key)
    return str(made.json["id"])


def ask(instance: Instance, one: Row, headers: dict[str, str], victim: str) -> int:
    institution = instance.access.get_institution_named("School").id
    path = one.rule.replace("<institution_id>", institution).replace("<key_id>", victim)
    path = path.replace("<name>", "deliver").replace("<statement_id>", KEPT)
    if "<destination_id>" in path:
        path = path.replace("<destination_id>", a_destination(instance, institution))
    extra = {}
    if one.method == "PUT" and "profile" in one.rule:
        tag = instance.client.get(path, query_string=one.query, headers=instance.key()).headers["ETag"]
        extra = {"If-Match": tag}
    sent: dict[str, Any] = {"json": one.body}
    if isinstance(one.body, bytes):
        sent = {"data": one.body, "content_type": "application/x-ndjson"}
    answer = instance.client.open(
        path, method=one.method, query_string=one.query, headers={**headers, **extra}, **sent
    )
    return answer.status_code


@pytest.mark.parametrize("scope", list(S))
def test_each_route_is_open_to_the_scopes_in_the_table_alone(
    embedded: Instance, school: dict[str, str], scope: Scope
) -> None:
    headers = headers_with(embedded, scope)
    refused = {403, 404} if scope in MEMBERS else {403}
    for number, one in enumerate(ROWS):
        status = ask(embedded, one, headers, key_id(embedded.key("School", S.STATE)))
        where = f"{number} {one.method} {one.rule} {one.query}: {status}"
        if scope in one.may and ("<destination_id>" in one.rule or "<learner_id>" in one.rule):
            assert status not in {401, 403}, where
        elif scope in one.may:
            assert 200 <= status < 300, where
        elif one.rule.endswith("/arrivals"):
            assert status in refused, where
        else:
            assert status == 403, where


WRONG: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"nothing": "1"}, {}),
    ({}, {"json": {"nothing": 1}}),
    ({}, {"data": b"{", "content_type": "application/json"}),
    ({}, {"data": b"x", "content_type": "text/plain"}),
]


@pytest.mark.parametrize("scope", list(S))
def test_who_may_not_ask_learns_that_before_what_is_wrong_with_the_request(
    embedded: Instance, school: dict[str, str], scope: Scope
) -> None:
    headers = headers_with(embedded, scope)
    institution = embedded.access.get_institution_named("School").id
    for one in ROWS:
        own = one.rule.endswith("/arrivals") and scope in MEMBERS
        if scope in one.may or own:
            continue
        path = one.rule.replace("<institution_id>", institution)
        for query, sent in WRONG:
            answer = embedded.client.open(
                path, method=one.method, query_string=query, headers=headers, **sent
            )
            assert answer.status_code == 403, f"{one.method} {path} {query} {sent}: {answer.text}"
        unspoken = {**headers, "X-Experience-API-Version": "0.9"}
        assert embedded.client.open(path, method=one.method, headers=unspoken).status_code == 403


def test_the_table_has_every_route_and_method_that_takes_a_key(embedded: Instance) -> None:
    served = {
        (method, rule.rule)
        for rule in embedded.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if re.match("/xapi/|/api/v1/", rule.rule)
    }
    assert {(one.method, one.rule) for one in ROWS} == served


def test_no_administrator_gets_at_a_record(embedded: Instance, school: dict[str, str]) -> None:
    admin = headers_with(embedded, S.ADMIN)
    for one in ROWS:
        if one.rule.startswith("/xapi/") and one.rule != "/xapi/about":
            assert ask(embedded, one, admin, "") == 403, one
    assert embedded.client.get("/api/v1/keys/import/arrivals", headers=admin).status_code == 403


@pytest.mark.parametrize("scope", sorted(MEMBERS))
def test_each_key_may_ask_about_its_own_arrivals(embedded: Instance, scope: Scope) -> None:
    key = embedded.key("School", scope)
    assert embedded.client.get(f"/api/v1/keys/{key_id(key)}/arrivals", headers=key).status_code == 200


# Reading only what the same client wrote


def referring(target: str) -> dict[str, Any]:
    return {**GOOD, "verb": {"id": "https://example.org/verbs/confirmed"}, "object": reference(target)}


def reference(target: str) -> dict[str, str]:
    return {"objectType": "StatementRef", "id": target}


@pytest.fixture
def clients(instance: Instance) -> tuple[dict[str, str], dict[str, str]]:
    """Two clients of one school; each may write, and read what it wrote."""
    scopes = (S.STATEMENTS_WRITE, S.STATEMENTS_READ_MINE, S.DEFINE)
    made = [instance.access.create_key("School", name, scopes) for name in ("door", "desk")]
    door, desk = ({**basic(one.key.id, one.secret), "X-Experience-API-Version": "1.0.3"} for one in made)
    return door, desk


def ids_of(instance: Instance, headers: dict[str, str], **params: str) -> set[str]:
    return {one["id"] for one in instance.get(headers, **params).get_json()["statements"]}


def test_chains_show_none_but_own_statements(
    instance: Instance, clients: tuple[dict[str, str], dict[str, str]]
) -> None:
    """A statement that refers to another is found with it, and still belongs to who wrote it."""
    door, desk = clients
    first = instance.post(GOOD, door).get_json()[0]
    second = instance.post(referring(first), desk).get_json()[0]
    third = instance.post(referring(second), door).get_json()[0]
    for params in ({}, {"verb": GOOD["verb"]["id"]}, {"activity": ACTIVITY}, {"agent": AGENT}):
        assert ids_of(instance, door, **params) == {first, third}, params
        assert ids_of(instance, desk, **params) == {second}, params
    assert instance.get(door, statementId=second).status_code == 404
    assert instance.get(desk, statementId=first).status_code == 404
    assert instance.get(desk, statementId=second).status_code == 200


def test_more_links_give_nobody_more_than_their_own(
    instance: Instance, clients: tuple[dict[str, str], dict[str, str]]
) -> None:
    door, desk = clients
    for number in range(6):
        instance.post(GOOD, clients[number % 2])
    first = instance.get(door, limit="1").get_json()
    rest = instance.client.get(first["more"], headers=door).get_json()
    everything = instance.get(instance.key(), limit="1").get_json()["more"]
    followed = instance.client.get(everything, headers=desk).get_json()["statements"]
    mine = {key_of(one) for one in instance.get(desk).get_json()["statements"]}
    assert {key_of(one) for one in first["statements"] + rest["statements"]} & mine == set()
    assert followed
    assert {key_of(one) for one in followed} <= mine


def key_of(statement: dict[str, Any]) -> str:
    id_: str = statement["id"]
    return id_


def test_a_voided_statement_of_another_client_is_not_shown(
    instance: Instance, clients: tuple[dict[str, str], dict[str, str]]
) -> None:
    door, desk = clients
    first = instance.post(GOOD, door).get_json()[0]
    void = {**GOOD, "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, "object": reference(first)}
    instance.post(void, door)
    assert instance.get(door, voidedStatementId=first).status_code == 200
    assert instance.get(desk, voidedStatementId=first).status_code == 404


def test_names_come_from_own_statements_alone(
    instance: Instance, clients: tuple[dict[str, str], dict[str, str]]
) -> None:
    door = clients[0]
    instance.post({**GOOD, "actor": {**GOOD["actor"], "name": "Ada at the door"}}, door)
    asked = [
        instance.client.get("/xapi/agents", query_string={"agent": AGENT}, headers=one) for one in clients
    ]
    assert asked[0].get_json()["name"] == ["Ada at the door"]
    assert "name" not in asked[1].get_json()
