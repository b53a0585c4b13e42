"""State, Activity Profile and Agent Profile through the app (xAPI 1.0.3 Communication 2.2, 2.3, 2.6, 2.7)."""

import hashlib
from typing import Any

import pytest

from lrs.access.model import Scope
from tests.http.conftest import Instance

AGENT = '{"mbox":"mailto:a@example.org"}'
ACTIVITY = "http://example.org/activities/1"
REGISTRATION = "aaaaaaaa-2222-4333-8444-555555555555"
STATE = ("/xapi/activities/state", {"activityId": ACTIVITY, "agent": AGENT}, "stateId")
ACTIVITY_PROFILE = ("/xapi/activities/profile", {"activityId": ACTIVITY}, "profileId")
AGENT_PROFILE = ("/xapi/agents/profile", {"agent": AGENT}, "profileId")
ALL = [STATE, ACTIVITY_PROFILE, AGENT_PROFILE]
NEW = {"If-None-Match": "*"}
Resource = tuple[str, dict[str, str], str]


class Documents:
    """One resource of one instance, asked with one key."""

    def __init__(self, instance: Instance, resource: Resource, key: dict[str, str] | None = None) -> None:
        self.client = instance.client
        self.path, self.about, self.id_name = resource
        self.key = key or instance.key()

    def ask(
        self, method: str, id_: str | None = "one", headers: dict[str, str] | None = None, **kwargs: Any
    ) -> Any:
        params = {**self.about, **kwargs.pop("params", {})}
        if id_ is not None:
            params[self.id_name] = id_
        return self.client.open(
            self.path, method=method, query_string=params, headers={**self.key, **(headers or {})}, **kwargs
        )


@pytest.mark.parametrize("resource", ALL, ids=["state", "activity", "agent"])
def test_a_document_comes_back_byte_for_byte_with_its_type_and_etag(
    instance: Instance, resource: Resource
) -> None:
    documents = Documents(instance, resource)
    content = bytes(range(256)) * 3
    assert documents.ask("PUT", headers=NEW, data=content, content_type="image/x-strange").status_code == 204
    answer = documents.ask("GET")
    assert (answer.status_code, answer.data, answer.content_type) == (200, content, "image/x-strange")
    assert answer.headers["ETag"] == f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'
    assert answer.headers["Last-Modified"]
    head = documents.ask("HEAD")
    assert (head.data, head.headers["ETag"]) == (b"", answer.headers["ETag"])
    assert documents.ask("DELETE").status_code == 204
    assert documents.ask("GET").status_code == 404
    assert documents.ask("DELETE").status_code == 204


@pytest.mark.parametrize("resource", ALL, ids=["state", "activity", "agent"])
def test_a_stale_writer_is_told_and_changes_nothing(instance: Instance, resource: Resource) -> None:
    documents = Documents(instance, resource)
    documents.ask("PUT", headers=NEW, json={"a": 1})
    etag = documents.ask("GET").headers["ETag"]
    assert documents.ask("PUT", headers={"If-Match": etag}, json={"a": 2}).status_code == 204
    for method in ("PUT", "POST", "DELETE"):
        answer = documents.ask(method, headers={"If-Match": etag}, json={"a": 3})
        assert (answer.status_code, answer.json["code"]) == (412, "precondition-failed")
    assert documents.ask("PUT", headers=NEW, json={"a": 3}).status_code == 412
    assert documents.ask("GET").json == {"a": 2}


def test_put_without_preconditions_follows_the_version(instance: Instance) -> None:
    for resource in (ACTIVITY_PROFILE, AGENT_PROFILE):
        old = Documents(instance, resource)
        assert old.ask("PUT", json={}).status_code == 400
        old.ask("PUT", headers=NEW, json={"a": 1})
        refused = old.ask("PUT", json={"a": 2})
        assert (refused.status_code, refused.json["code"]) == (409, "precondition-missing")
        assert "If-Match" in refused.json["detail"]
        assert old.ask("GET").json == {"a": 1}
    state = Documents(instance, STATE)
    assert state.ask("PUT", json={"a": 1}).status_code == 204
    assert state.ask("PUT", json={"a": 2}).status_code == 204
    newer = Documents(instance, STATE, {**state.key, "X-Experience-API-Version": "2.0.0"})
    assert newer.ask("PUT", json={"a": 3}).status_code == 409
    assert newer.ask("PUT", "other", json={"a": 3}).status_code == 204


@pytest.mark.parametrize("resource", ALL, ids=["state", "activity", "agent"])
def test_post_merges_json_and_refuses_the_rest(instance: Instance, resource: Resource) -> None:
    documents = Documents(instance, resource)
    assert documents.ask("POST", json={"a": 1, "b": {"x": 1}}).status_code == 204
    assert documents.ask("POST", json={"b": {"y": 2}, "c": 3}).status_code == 204
    assert documents.ask("GET").json == {"a": 1, "b": {"y": 2}, "c": 3}
    before = documents.ask("GET").headers["ETag"]
    assert documents.ask("POST", data=b"text", content_type="text/plain").status_code == 400
    assert documents.ask("POST", data=b"{", content_type="application/json").status_code == 400
    assert documents.ask("GET").headers["ETag"] == before


@pytest.mark.parametrize("resource", ALL, ids=["state", "activity", "agent"])
def test_ids_are_listed_also_since_an_instant(instance: Instance, resource: Resource) -> None:
    documents = Documents(instance, resource)
    documents.ask("PUT", "b", headers=NEW, json={})
    instance.clock.move(10)
    documents.ask("PUT", "a", headers=NEW, json={})
    assert documents.ask("GET", None).json == ["a", "b"]
    moment = "2023-11-14T22:13:25Z"
    assert documents.ask("GET", None, params={"since": moment}).json == ["a"]


@pytest.mark.parametrize("resource", ALL, ids=["state", "activity", "agent"])
def test_a_list_was_last_modified_when_the_newest_of_it_was(instance: Instance, resource: Resource) -> None:
    """xAPI 1.0.3 Communication 2.2 (Last Modified): of multiple documents the most recently modified."""
    documents = Documents(instance, resource)
    assert "Last-Modified" not in documents.ask("GET", None).headers
    for name in ("b", "a"):
        documents.ask("PUT", name, headers=NEW, json={})
        instance.clock.move(10)
    newest = documents.ask("GET", "a").headers["Last-Modified"]
    assert newest != documents.ask("GET", "b").headers["Last-Modified"]
    assert documents.ask("GET", None).headers["Last-Modified"] == newest
    assert documents.ask("HEAD", None).headers["Last-Modified"] == newest


def test_state_is_kept_apart_by_registration_and_deleted_whole(instance: Instance) -> None:
    state = Documents(instance, STATE)
    registered = {"registration": REGISTRATION}
    state.ask("PUT", json={"in": "none"})
    state.ask("PUT", json={"in": "one"}, params=registered)
    state.ask("PUT", "two", json={}, params=registered)
    assert state.ask("GET").json == {"in": "none"}
    assert state.ask("GET", params={"registration": REGISTRATION.upper()}).json == {"in": "one"}
    assert state.ask("GET", None).json == ["one", "two"]
    assert state.ask("DELETE", None, params=registered).status_code == 204
    assert state.ask("GET", None).json == ["one"]
    assert state.ask("DELETE", None).status_code == 204
    assert state.ask("GET", None).json == []


@pytest.mark.parametrize("headers", [{"If-Match": '"x"'}, {"If-Match": "*"}, {"If-None-Match": "*"}])
def test_states_are_not_deleted_whole_where_the_request_names_which_document_it_means(
    instance: Instance, headers: dict[str, str]
) -> None:
    state = Documents(instance, STATE)
    state.ask("PUT", json={"a": 1})
    refused = state.ask("DELETE", None, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (412, "precondition-failed")
    assert "stateId" in refused.json["detail"]
    assert state.ask("GET").json == {"a": 1}


@pytest.mark.parametrize("resource", ALL, ids=["state", "activity", "agent"])
def test_wrong_parameters_are_named(embedded: Instance, resource: Resource) -> None:
    documents = Documents(embedded, resource)
    for params, method in (
        ({"foo": "1"}, "GET"),
        ({"since": "yesterday"}, "GET"),
        ({"since": "2026-01-01T00:00:00Z"}, "PUT"),
        ({next(iter(documents.about)): ""}, "GET"),
        ({next(iter(documents.about)): "no"}, "PUT"),
    ):
        answer = documents.ask(method, None if method == "GET" else "one", params=params, json={})
        assert (answer.status_code, bool(answer.json["problems"])) == (400, True), params
    for missing in documents.about:
        about = {name: value for name, value in documents.about.items() if name != missing}
        for method in ("GET", "PUT", "POST", "DELETE"):
            answer = embedded.client.open(
                documents.path,
                method=method,
                query_string={**about, documents.id_name: "x"},
                headers=documents.key,
            )
            assert answer.status_code == 400
            assert [problem["path"] for problem in answer.json["problems"]] == [missing]
    for method in ("PUT", "POST"):
        assert documents.ask(method, None, json={}).status_code == 400


def test_scopes_open_their_documents_only(embedded: Instance) -> None:
    opened = {Scope.STATE: STATE, Scope.PROFILE: ACTIVITY_PROFILE}
    for scope, resource in opened.items():
        key = embedded.key("School", scope)
        for other in ALL:
            allowed = other is resource or (scope is Scope.PROFILE and other is AGENT_PROFILE)
            assert (Documents(embedded, other, key).ask("GET", None).status_code == 200) is allowed
    reader = Documents(embedded, STATE, embedded.key("School", Scope.ALL_READ))
    assert reader.ask("GET", None).status_code == 200
    assert reader.ask("PUT", json={}).status_code == 403


@pytest.mark.parametrize("resource", ALL, ids=["state", "activity", "agent"])
def test_two_institutions_have_documents_of_their_own(instance: Instance, resource: Resource) -> None:
    ours, theirs = (Documents(instance, resource, instance.key(name)) for name in ("School", "Museum"))
    ours.ask("PUT", headers=NEW, json={"of": "ours"})
    foreign, unknown = theirs.ask("GET"), theirs.ask("GET", "never")
    assert (foreign.status_code, foreign.json["detail"]) == (unknown.status_code, unknown.json["detail"])
    assert theirs.ask("GET", None).json == []
    assert theirs.ask("PUT", headers=NEW, json={"of": "theirs"}).status_code == 204
    theirs.ask("DELETE")
    assert ours.ask("GET").json == {"of": "ours"}
