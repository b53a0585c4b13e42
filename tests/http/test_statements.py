"""The statements resource: what is stored comes back, once, and to whom it may."""

from typing import Any

import pytest

from lrs.access.model import Scope
from tests.http.conftest import Instance, basic
from tests.http.made_statements import ID, OTHER_ID, ids_of, put, ref, statement

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def test_a_posted_statement_comes_back_whole_with_what_the_store_sets(instance: Instance) -> None:
    key = instance.key()
    posted = instance.post(statement(id=ID), key)
    assert (posted.status_code, posted.json) == (200, [ID])
    answer = instance.get(key, statementId=ID)
    found = answer.json
    assert {name: found[name] for name in ("id", "actor", "verb", "object")} == statement(id=ID)
    assert found["version"] == "1.0.0"
    assert found["authority"]["account"]["homePage"].startswith("http://lrs.example.org/institutions/")
    assert found["timestamp"] == found["stored"]
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    assert answer.headers["Last-Modified"]
    assert answer.headers["X-Experience-API-Consistent-Through"] >= found["stored"]


def test_ids_are_made_where_none_are_sent_in_the_order_sent(instance: Instance) -> None:
    key = instance.key()
    made = instance.post([statement(), statement(id=ID), statement()], key).json
    assert made[1] == ID
    assert len(set(made)) == 3
    assert ids_of(instance.get(key)) == list(reversed(made))


def test_an_empty_batch_stores_nothing_and_is_no_error(instance: Instance) -> None:
    key = instance.key()
    answer = instance.post([], key)
    assert (answer.status_code, answer.json) == (200, [])
    assert ids_of(instance.get(key)) == []


def test_a_batch_with_a_bad_statement_stores_nothing_and_lists_every_bad_index(instance: Instance) -> None:
    key = instance.key()
    bad = statement(verb={"id": "no-iri"})
    answer = instance.post([statement(id=ID), bad, statement(), bad], key)
    assert answer.status_code == 400
    assert answer.json["badIndexes"] == [1, 3]
    assert {problem["path"] for problem in answer.json["problems"]} == {"/1/verb/id", "/3/verb/id"}
    assert instance.get(key, statementId=ID).status_code == 404


def test_one_id_twice_in_a_batch_is_refused(instance: Instance) -> None:
    key = instance.key()
    answer = instance.post([statement(id=ID), statement(id=ID.upper())], key)
    assert (answer.status_code, answer.json["code"]) == (400, "duplicate-id-in-batch")
    assert answer.json["badIndexes"] == [1]
    assert instance.get(key, statementId=ID).status_code == 404


def test_the_same_statement_again_is_no_error_and_another_of_its_id_is_a_conflict(instance: Instance) -> None:
    key = instance.key()
    instance.post(statement(id=ID), key)
    assert instance.post(statement(id=ID), key).status_code == 200
    other = statement(id=ID, verb={"id": "http://example.org/verbs/other"})
    conflict = instance.post([statement(id=OTHER_ID), other], key)
    assert conflict.status_code == 409
    assert conflict.json["code"] == "statement-conflict"
    assert conflict.json["problems"][0]["path"] == "/1/id"
    assert instance.get(key, statementId=OTHER_ID).status_code == 404
    assert instance.get(key, statementId=ID).json["verb"]["id"] == "http://example.org/verbs/tried"


def test_put_stores_under_the_id_named(instance: Instance) -> None:
    key = instance.key()
    answer = put(instance, statement(), key, statementId=ID)
    assert (answer.status_code, answer.data) == (204, b"")
    assert instance.get(key, statementId=ID).json["id"] == ID
    assert put(instance, statement(), key, statementId=ID).status_code == 204
    other = statement(actor={"mbox": "mailto:b@example.org"})
    assert put(instance, other, key, statementId=ID).status_code == 409


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (statement(), {}),
        (statement(), {"statementId": "no-uuid"}),
        (statement(), {"StatementId": ID}),
        (statement(), {"statementId": ID, "foo": "1"}),
        (statement(id=OTHER_ID), {"statementId": ID}),
        ([statement()], {"statementId": ID}),
        (statement(verb={}), {"statementId": ID}),
    ],
)
def test_put_is_refused_when_id_or_body_is_wrong(
    embedded: Instance, body: Any, params: dict[str, str]
) -> None:
    key = embedded.key()
    answer = put(embedded, body, key, **params)
    assert answer.status_code == 400
    assert answer.json["problems"]
    assert ids_of(embedded.get(key)) == []


def test_a_voided_statement_is_gone_from_every_answer_that_must_not_show_it(instance: Instance) -> None:
    key = instance.key()
    instance.post([statement(id=ID), ref(ID, id=OTHER_ID, verb={"id": VOIDED})], key)
    assert instance.get(key, statementId=ID).status_code == 404
    assert instance.get(key, voidedStatementId=ID).json["id"] == ID
    assert instance.get(key, voidedStatementId=OTHER_ID).status_code == 404
    assert ids_of(instance.get(key)) == [OTHER_ID]
    assert ids_of(instance.get(key, verb="http://example.org/verbs/tried")) == [OTHER_ID]


def test_a_statement_is_voided_when_it_arrives_after_its_voiding(instance: Instance) -> None:
    key = instance.key()
    instance.post(ref(ID, id=OTHER_ID, verb={"id": VOIDED}), key)
    instance.post(statement(id=ID), key)
    assert instance.get(key, statementId=ID).status_code == 404
    assert instance.get(key, voidedStatementId=ID).status_code == 200


@pytest.mark.parametrize(
    ("sent", "spoken"), [("1.0", "1.0.3"), ("1.0.0", "1.0.3"), ("2.0", "2.0.0"), ("2.0.0", "2.0.0")]
)
def test_every_answer_names_the_version_spoken(embedded: Instance, sent: str, spoken: str) -> None:
    key = {**embedded.key(), "X-Experience-API-Version": sent}
    assert embedded.post(statement(), key).headers["X-Experience-API-Version"] == spoken
    assert embedded.get(key, foo="1").headers["X-Experience-API-Version"] == spoken
    bad = {**basic("no", "no"), "X-Experience-API-Version": sent}
    refused = embedded.get(bad)
    assert (refused.status_code, refused.headers["X-Experience-API-Version"]) == (401, spoken)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/xapi/about", 200),
        ("OPTIONS", "/xapi/statements", 200),
        ("DELETE", "/xapi/statements", 405),
        ("POST", "/xapi/agents", 405),
        ("GET", "/xapi/nothing", 404),
    ],
)
@pytest.mark.parametrize(("sent", "spoken"), [("1.0", "1.0.3"), ("2.0", "2.0.0"), ("3.0", "1.0.3")])
def test_what_no_route_looks_at_is_answered_in_the_version_spoken_too(
    embedded: Instance, method: str, path: str, status: int, sent: str, spoken: str
) -> None:
    answer = embedded.client.open(path, method=method, headers={"X-Experience-API-Version": sent})
    assert (answer.status_code, answer.headers["X-Experience-API-Version"]) == (status, spoken)


def test_the_version_written_is_that_of_the_request(embedded: Instance) -> None:
    key = {**embedded.key(), "X-Experience-API-Version": "2.0.0"}
    embedded.post(statement(id=ID), key)
    assert embedded.get(key, statementId=ID).json["version"] == "2.0.0"


def test_scopes_hold(instance: Instance) -> None:
    writer, reader = (
        instance.key("School", Scope.STATEMENTS_WRITE),
        instance.key("School", Scope.STATEMENTS_READ),
    )
    instance.post(statement(id=ID), writer)
    assert instance.get(writer, statementId=ID).status_code == 403
    assert instance.get(reader, statementId=ID).status_code == 200
    assert instance.post(statement(), reader).status_code == 403
    administrator = instance.key(None, Scope.ADMIN)
    assert instance.get(administrator).status_code == 403
    assert instance.post(statement(), administrator).status_code == 403


def test_read_mine_shows_only_what_the_client_wrote(instance: Instance) -> None:
    mine = instance.access.create_key("School", "mine", [Scope.STATEMENTS_WRITE, Scope.STATEMENTS_READ_MINE])
    key = {**basic(mine.key.id, mine.secret), "X-Experience-API-Version": "1.0.3"}
    instance.post(statement(id=ID), instance.key("School"))
    instance.post([statement(id=OTHER_ID), ref(ID)], key)
    assert instance.get(key, statementId=ID).status_code == 404
    assert instance.get(key, statementId=OTHER_ID).status_code == 200
    assert ID not in ids_of(instance.get(key))
    assert len(ids_of(instance.get(key))) == 2


def test_two_institutions_never_see_each_other(instance: Instance) -> None:
    ours, theirs = instance.key("School"), instance.key("Museum")
    instance.post([statement(id=ID), statement()], ours)
    for params in ({"statementId": ID}, {"voidedStatementId": ID}):
        foreign, unknown = (instance.get(theirs, **dict.fromkeys(params, id_)) for id_ in (ID, OTHER_ID))
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json["detail"].replace(ID, OTHER_ID) == unknown.json["detail"]
    for params in (
        {},
        {"verb": "http://example.org/verbs/tried"},
        {"agent": '{"mbox":"mailto:a@example.org"}'},
    ):
        assert ids_of(instance.get(theirs, **params)) == []
    more = instance.get(ours, limit="1").json["more"]
    foreign = instance.client.get(more, headers=theirs)
    made_up = instance.client.get("/xapi/statements?more=AAAA", headers=theirs)
    assert foreign.status_code == made_up.status_code == 400
    assert foreign.json["problems"] == made_up.json["problems"]
    other = statement(id=ID, verb={"id": "http://example.org/verbs/theirs"})
    assert instance.post(other, theirs).status_code == 200
    assert instance.get(ours, statementId=ID).json["verb"]["id"] == "http://example.org/verbs/tried"
    voiding = ref(ID, verb={"id": VOIDED})
    assert instance.post(voiding, theirs).status_code == 200
    assert instance.get(ours, statementId=ID).status_code == 200


def test_head_answers_as_get_without_a_body(embedded: Instance) -> None:
    key = embedded.key()
    embedded.post(statement(id=ID), key)
    head = embedded.client.head("/xapi/statements", headers=key, query_string={"statementId": ID})
    got = embedded.get(key, statementId=ID)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "Content-Type", "Last-Modified", "X-Experience-API-Version"):
        assert head.headers[name] == got.headers[name]


def test_browsers_are_told_to_ask_again_before_they_show_what_they_read_before(embedded: Instance) -> None:
    """Without a word of it they guess from Last-Modified how long an answer stays good (RFC 9111 4.2.2)."""
    key = embedded.key()
    embedded.post(statement(id=ID), key)
    state = {"activityId": "http://example.org/o", "agent": '{"mbox":"mailto:a@example.org"}', "stateId": "s"}
    embedded.client.put("/xapi/activities/state", query_string=state, json={}, headers=key)
    for path, params in (
        ("statements", {"statementId": ID}),
        ("statements", {"format": "ids"}),
        ("activities/state", state),
        ("agents", {"agent": state["agent"]}),
    ):
        for method in ("GET", "HEAD"):
            answer = embedded.client.open(f"/xapi/{path}", method=method, query_string=params, headers=key)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert embedded.get(key, statementId=ID.replace("1", "2")).headers["Cache-Control"] == "no-store"


def test_about_needs_no_key_and_names_both_versions(embedded: Instance) -> None:
    answer = embedded.client.get("/xapi/about")
    assert answer.json["version"] == ["1.0.3", "2.0.0"]
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    assert embedded.client.get("/xapi/about?foo=1").status_code == 400


def test_an_unknown_path_under_xapi_has_the_same_shape_of_error(embedded: Instance) -> None:
    answer = embedded.client.get("/xapi/nothing", headers=embedded.key())
    assert answer.status_code == 404
    assert answer.json["code"] == "not-found"
    assert answer.headers["X-Experience-API-Version"]


def test_numbers_and_order_come_back_as_written(instance: Instance) -> None:
    key = instance.key()
    raw = (
        b'{"verb":{"id":"http://e.org/v"},"object":{"id":"http://e.org/o"},"result":{"score":{"raw":1.10,"max":2e0},'
        b'"extensions":{"http://e.org/x.y$":[123456789012345678901234567890,null,"",{}]}},"actor":{"mbox":"mailto:a@e.org"}}'
    )
    (id_,) = instance.post(raw, key).json
    assert instance.get(key, statementId=id_).data.startswith(raw[:-1])
