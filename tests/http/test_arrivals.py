"""Did my records arrive? What is kept of posts and refusals, as JSON."""

import json
from typing import Any

import pytest

from lrs.access.model import Scope
from lrs.errors import InvalidBody, InvalidStatement, Problem
from lrs.xapi.ports.arrivals import Receipt, Refusal
from lrs.xapi.verdicts import Overview, Verdict
from tests.engines import Engine
from tests.http.conftest import Instance, basic, make_instance
from tests.http.posting import BAD, GOOD, arrivals, key_id


def test_nothing_is_said_to_have_arrived_when_nothing_was_sent(embedded: Instance) -> None:
    body = arrivals(embedded, embedded.key()).get_json()
    assert (body["verdict"], body["receipts"], body["refusals"]) == ("nothing-yet", [], [])


def test_posts_and_refusals_are_told_newest_first(instance: Instance) -> None:
    key = instance.key()
    assert (
        instance.post([GOOD, {**GOOD, "id": "a3b6f4f2-5a2c-4b9e-9a57-0123456789ab"}], key).status_code == 200
    )
    instance.clock.move(60)
    refused = instance.post([GOOD, BAD], key)
    assert refused.status_code == 400
    instance.clock.move(60)
    again = {**GOOD, "id": "a3b6f4f2-5a2c-4b9e-9a57-0123456789ab"}
    assert instance.post(again, key).status_code == 200
    body = arrivals(instance, key).get_json()
    assert body["verdict"] == "some-refused"
    assert [(one["stored"], one["already"]) for one in body["receipts"]] == [(0, 1), (2, 0)]
    [refusal] = body["refusals"]
    answered = refused.get_json()
    assert (refusal["errorId"], refusal["status"], refusal["code"]) == (
        answered["errorId"],
        400,
        answered["code"],
    )
    assert [problem["path"] for problem in refusal["problems"]] == ["/1/actor/mbox"]
    assert refusal["bodyBytes"] == len(json.dumps([GOOD, BAD]))
    assert body["reasons"][0]["rule"] == answered["problems"][0]["rule"]


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, "invalid-body"),
        (b'{"a": NaN}', {}, "invalid-body"),
        (b"[]", {"X-Experience-API-Version": "0.9"}, "unsupported-version"),
        (b"[]", {"Content-Type": "text/plain"}, "unsupported-media-type"),
        (b"x" * 3000, {}, "too-large"),
    ],
)
def test_a_refusal_is_kept_when_the_body_could_not_even_be_read(
    sqlite: Engine, body: bytes, headers: dict[str, str], code: str
) -> None:
    embedded = make_instance(sqlite, LRS_MAX_BODY_BYTES="2048")
    key = embedded.key()
    sent = {"Content-Type": "application/json", **key, **headers}
    answer = embedded.client.post("/xapi/statements", data=body, headers=sent)
    assert answer.status_code in {400, 413}
    [refusal] = arrivals(embedded, key).get_json()["refusals"]
    assert (refusal["code"], refusal["errorId"]) == (code, answer.get_json()["errorId"])


@pytest.mark.parametrize(
    "body",
    [
        {**GOOD, "maria@example.org": 1},
        [{**GOOD, "verb": {"id": "http://example.org/v", "display": {"maria@example.org": 1}}}],
        b'{"actor": {"maria@example.org": 1, "maria@example.org": 2}}',
        [{**GOOD, "id": "maria@example.org"}],
    ],
)
def test_a_refusal_is_kept_without_a_name_that_the_answer_told(
    embedded: Instance, body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    key = embedded.key()
    answered = embedded.post(body, key)
    assert answered.status_code == 400
    assert "maria@example.org" in answered.text
    kept = arrivals(embedded, key)
    assert "…" in str(kept.get_json()["refusals"][0])
    for text in (kept.text, json.dumps(kept.get_json(), ensure_ascii=False), caplog.text):
        assert "maria" not in text


def test_a_refusal_is_kept_when_the_key_may_not_write(embedded: Instance) -> None:
    key = embedded.key("School", Scope.STATEMENTS_READ)
    assert embedded.post(GOOD, key).status_code == 403
    assert arrivals(embedded, key).get_json()["refusals"][0]["code"] == "not-permitted"


def test_only_so_many_are_told_when_a_limit_is_asked(embedded: Instance) -> None:
    key = embedded.key()
    for _ in range(3):
        embedded.post(GOOD, key)
        embedded.post(BAD, key)
    body = arrivals(embedded, key, limit=2).get_json()
    assert (len(body["receipts"]), len(body["refusals"])) == (2, 2)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=1&limit=2", "Limit=1", "foo=1"])
def test_a_wrong_limit_is_refused(embedded: Instance, query: str) -> None:
    key = embedded.key()
    answer = embedded.client.get(f"/api/v1/keys/{key_id(key)}/arrivals?{query}", headers=key)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid-parameter")


def test_a_narrow_key_may_ask_about_itself_alone(embedded: Instance) -> None:
    narrow, wide = embedded.key("School", Scope.STATEMENTS_WRITE), embedded.key("School")
    assert arrivals(embedded, narrow).status_code == 200
    assert arrivals(embedded, narrow, key_id(wide)).status_code == 404
    assert arrivals(embedded, narrow, "import").status_code == 404
    assert arrivals(embedded, wide, key_id(narrow)).status_code == 200
    assert arrivals(embedded, wide, "import").status_code == 200


def test_an_administrator_may_not_ask(embedded: Instance) -> None:
    made = embedded.access.create_administrator_key()
    admin = basic(made.key.id, made.secret)
    known, unknown = key_id(embedded.key()), "0" * 12
    answers = [arrivals(embedded, admin, source) for source in (known, unknown, made.key.id)]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_texts_are_cut_when_an_error_quotes_much(embedded: Instance) -> None:
    key = embedded.key()
    handle = embedded.access.handle_for_institution_named("School")
    error = InvalidStatement("d" * 900, [Problem("/p" * 450, "r", "m" * 900)] * 150)
    embedded.services.arrivals.note_refusal(
        handle, source=key_id(key), error=error, error_id="e", status=400, method="POST", body_bytes=1
    )
    [refusal] = arrivals(embedded, key).get_json()["refusals"]
    assert (len(refusal["problems"]), refusal["problemCount"]) == (20, 150)
    texts = [refusal["detail"], refusal["problems"][0]["path"], refusal["problems"][0]["message"]]
    assert [len(text) for text in texts] == [200, 200, 200]


def test_a_refusal_is_kept_when_the_length_named_is_absurd(instance: Instance) -> None:
    key = instance.key()
    absurd = {"CONTENT_LENGTH": str(2**64 - 1)}
    assert instance.post(b"", key, environ_overrides=absurd).status_code == 413
    assert arrivals(instance, key).get_json()["refusals"][0]["bodyBytes"] == 2**63 - 1


def overview(receipts: list[int], refusals: list[int], **problems: str) -> Overview:
    day = 86_400_000_000
    made = [
        Refusal("k", f"e{at}", at * day, "POST", 400, "c", "D.", (Problem("/3/x", "r", "m"),), 1, 9)
        for at in refusals
    ]
    return Overview("k", 100 * day, 30, True, [Receipt("k", at * day, 2, 1, "id") for at in receipts], made)


def test_the_page_says_the_same_of_a_source_as_the_page_of_all_when_it_is_the_only_one(
    instance: Instance,
) -> None:
    key = instance.key()
    handle = instance.access.handle_for_institution_named("School")
    arrivals = instance.services.arrivals
    told = [
        "as_of_us",
        "days",
        "complete",
        "verdict",
        "posts",
        "refusal_count",
        "refused_posts",
        "left_out",
        "stored",
        "already",
        "corrected",
        "last_at_us",
        "last_arrived_us",
        "last_refused_us",
        "arrived_since",
        "reasons",
        "reasons_from",
        "by_day",
    ]

    def check() -> None:
        tallies, one = arrivals.tallies(handle), arrivals.overview(handle, key_id(key))
        assert [getattr(tallies.whole, name) for name in told] == [getattr(one, name) for name in told]
        counted = tallies.of(key_id(key))
        apart = {"reasons", "reasons_from"}
        assert [getattr(counted, n) for n in told if n not in apart] == [
            getattr(one, n) for n in told if n not in apart
        ]

    check()
    for body in (GOOD, BAD, [GOOD, BAD], [GOOD, GOOD], [{**BAD, "unknown": 1}], GOOD):
        instance.post(body, key)
        check()
        instance.clock.move(50_000)
    lines = b"\n".join(json.dumps(one).encode() for one in (GOOD, BAD))
    sent = instance.client.post(
        "/api/v1/statements/lines", data=lines, headers={**key, "Content-Type": "application/x-ndjson"}
    )
    assert sent.status_code == 200, sent.text
    check()
    instance.post(GOOD, key)
    check()


def test_the_verdict_follows_from_what_is_kept() -> None:
    assert overview([], []).verdict is Verdict.NOTHING_YET
    assert overview([99], []).verdict is Verdict.ALL_ARRIVED
    mixed = overview([99, 97, 95], [98, 96])
    assert mixed.verdict is Verdict.SOME_REFUSED
    assert (mixed.arrived_since, mixed.stored, mixed.already) == (1, 6, 3)
    assert [(reason.posts, reason.error_id) for reason in mixed.reasons] == [(2, "e98")]
    assert [day.accepted for day in mixed.by_day[-6:]] == [1, 0, 1, 0, 1, 0]
    assert sum(day.refused for day in mixed.by_day) == 2


def test_a_refusal_without_single_problems_gives_its_sentence_as_the_reason(embedded: Instance) -> None:
    key = embedded.key()
    handle = embedded.access.handle_for_institution_named("School")
    embedded.services.arrivals.note_refusal(
        handle,
        source=key_id(key),
        error=InvalidBody("It is no JSON."),
        error_id="e",
        status=400,
        method="POST",
        body_bytes=1,
    )
    [reason] = arrivals(embedded, key).get_json()["reasons"]
    assert (reason["rule"], reason["message"]) == ("invalid-body", "It is no JSON.")
