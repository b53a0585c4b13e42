"""POST, PUT and GET /xapi/statements (xAPI 1.0.3 Communication 2.1) through the real app."""

import json
from typing import Any

import pytest

from lrs.access.model import Scope
from tests.http.conftest import Instance, basic, make_instance

ID = "11111111-2222-4333-8444-555555555555"
OTHER_ID = "11111111-2222-4333-8444-666666666666"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


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


def put(instance: Instance, body: Any, key: dict[str, str], **params: str) -> Any:
    return instance.client.put("/xapi/statements", json=body, headers=key, query_string=params)


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


def test_each_filter_finds_its_statements_and_those_that_refer_to_them(instance: Instance) -> None:
    key = instance.key()
    registration = "aaaaaaaa-2222-4333-8444-555555555555"
    context = {
        "registration": registration,
        "instructor": {"mbox": "mailto:i@example.org"},
        "contextActivities": {"parent": [{"id": "http://example.org/course"}]},
    }
    instance.post(
        [statement(id=ID, context=context), ref(ID, id=OTHER_ID, verb={"id": "http://example.org/v2"})], key
    )
    instance.post(
        statement(actor={"mbox": "mailto:z@example.org"}, object={"id": "http://example.org/z"}), key
    )
    both = [OTHER_ID, ID]
    for params in (
        {"verb": "http://example.org/verbs/tried", "activity": "http://example.org/activities/1"},
        {"agent": '{"mbox":"mailto:a@example.org"}', "registration": registration.upper()},
        {"registration": registration},
        {"agent": '{"mbox":"mailto:i@example.org"}', "related_agents": "true"},
        {"activity": "http://example.org/course", "related_activities": "true"},
    ):
        assert ids_of(instance.get(key, **params)) == both, params
    assert ids_of(instance.get(key, registration=registration, ascending="true")) == both[::-1]
    assert ids_of(instance.get(key, agent='{"mbox":"mailto:i@example.org"}')) == []
    assert ids_of(instance.get(key, activity="http://example.org/course")) == []
    assert ids_of(instance.get(key, verb="http://example.org/nothing")) == []


def test_more_walks_every_page_with_format_and_filters_kept(instance: Instance) -> None:
    key = instance.key()
    made = instance.post([statement() for _ in range(7)], key).json
    instance.post(statement(verb={"id": "http://example.org/other"}), key)
    answer = instance.get(key, limit="3", format="ids", verb="http://example.org/verbs/tried")
    seen = []
    while True:
        assert all(
            found["verb"] == {"id": "http://example.org/verbs/tried"} for found in answer.json["statements"]
        )
        seen += ids_of(answer)
        if not answer.json["more"]:
            break
        instance.post(statement(), key)
        answer = instance.client.get(answer.json["more"], headers=key)
    assert seen == made[::-1]


def test_since_and_until_speak_of_stored(instance: Instance) -> None:
    key = instance.key()
    stored = []
    for _ in range(3):
        instance.clock.move(1)
        (id_,) = instance.post(statement(timestamp="2001-01-01T00:00:00Z"), key).json
        stored.append((id_, instance.get(key, statementId=id_).json["stored"]))
    (first, at1), (second, at2), (third, _) = stored
    assert ids_of(instance.get(key, since=at1)) == [third, second]
    assert ids_of(instance.get(key, until=at2)) == [second, first]
    assert ids_of(instance.get(key, since=at1, until=at2)) == [second]


def test_canonical_speaks_the_reader_s_language(instance: Instance) -> None:
    key = instance.key()
    instance.post(statement(id=ID), key)
    german = {**key, "Accept-Language": "fr;q=0, de-AT, en;q=0.5"}
    assert instance.get(german, statementId=ID, format="canonical").json["verb"]["display"] == {
        "de": "versuchte"
    }
    assert len(instance.get(german, statementId=ID).json["verb"]["display"]) == 2


def test_canonical_stays_quick_when_languages_are_asked_for_without_end(embedded: Instance) -> None:
    key = embedded.key()
    embedded.post(statement(id=ID), key)
    endless = ", ".join([*(f"q{a}{b}" for a in "abcdef" for b in "abcdef"), "de"])
    for languages in ("de" + "-a" * 100_000, endless):
        shown = embedded.get({**key, "Accept-Language": languages}, statementId=ID, format="canonical")
        assert "de" not in shown.json["verb"]["display"]
    shown = embedded.get({**key, "Accept-Language": "de" + "-a" * 31}, statementId=ID, format="canonical")
    assert "de" in shown.json["verb"]["display"]


@pytest.mark.parametrize(
    "params",
    [
        {"statementId": "x"},
        {"statementId": ID, "voidedStatementId": ID},
        {"statementId": ID, "verb": "http://example.org/v"},
        {"voidedStatementId": ID, "limit": "1"},
        {"StatementId": ID},
        {"foo": "bar"},
        {"agent": "{}"},
        {"agent": "not json"},
        {"agent": '{"objectType":"Group","member":[{"mbox":"mailto:a@example.org"}]}'},
        {"agent": '{"mbox":"mailto:a@example.org","mbox":"mailto:b@example.org"}'},
        {"verb": "tried"},
        {"activity": "1"},
        {"registration": "1"},
        {"related_agents": "True"},
        {"related_activities": "1"},
        {"ascending": ""},
        {"since": "yesterday"},
        {"until": "2026-01-01"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "٣"},
        {"format": "IDS"},
        {"attachments": "yes"},
        {"more": "made-up"},
        {"more": "made-up", "limit": "1"},
    ],
)
def test_wrong_parameters_are_refused_and_named(shared_embedded: Instance, params: dict[str, str]) -> None:
    answer = shared_embedded.get(shared_embedded.key(), **params)
    assert answer.status_code == 400
    assert answer.json["problems"]
    assert answer.headers["X-Experience-API-Consistent-Through"]
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"


def test_a_repeated_parameter_is_refused(embedded: Instance) -> None:
    answer = embedded.client.get("/xapi/statements?limit=3&limit=4", headers=embedded.key())
    assert answer.status_code == 400
    assert answer.json["problems"][0]["rule"] == "parameter.repeated"


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
    ("sent", "spoken"), [("1.0", "1.0.3"), ("1.0.0", "1.0.3"), ("2.0", "2.0.0"), ("2.0.0", "2.0.0")]
)
def test_every_answer_names_the_version_spoken(embedded: Instance, sent: str, spoken: str) -> None:
    key = {**embedded.key(), "X-Experience-API-Version": sent}
    assert embedded.post(statement(), key).headers["X-Experience-API-Version"] == spoken
    assert embedded.get(key, foo="1").headers["X-Experience-API-Version"] == spoken
    bad = {**basic("no", "no"), "X-Experience-API-Version": sent}
    refused = embedded.get(bad)
    assert (refused.status_code, refused.headers["X-Experience-API-Version"]) == (401, spoken)


def test_the_version_written_is_that_of_the_request(embedded: Instance) -> None:
    key = {**embedded.key(), "X-Experience-API-Version": "2.0.0"}
    embedded.post(statement(id=ID), key)
    assert embedded.get(key, statementId=ID).json["version"] == "2.0.0"


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
