"""Did my records arrive? As JSON and as pages, over HTTP."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import apsw
import pytest
from werkzeug.test import TestResponse

from lrs.access.model import Scope
from lrs.errors import InvalidBody, InvalidStatement, Problem
from lrs.xapi.ports import Receipt, Refusal
from lrs.xapi.verdicts import Overview, Verdict, place_text
from tests.engines import Engine, sqlite_engine
from tests.http.conftest import Instance, basic, make_instance

GOOD = {
    "actor": {"mbox": "mailto:ada@example.org"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
    "object": {"id": "https://example.org/robots"},
}
BAD = {**GOOD, "actor": {"mbox": "ada@example.org"}}
HTML = {"Accept": "text/html"}


def sign_in(instance: Instance, name: str) -> None:
    """Sign the test's browser in by a link, as a person does."""
    link = f"/sign-in/{instance.access.create_sign_in(name)}"
    form = re.search(r'name="form" value="([^"]+)"', instance.client.get(link).text)
    assert form
    answer = instance.client.post(link, data={"form": form[1]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/arrivals")


def key_id(headers: dict[str, str]) -> str:
    return base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[0]


def arrivals(
    instance: Instance, headers: dict[str, str], source: str | None = None, **params: object
) -> TestResponse:
    return instance.client.get(
        f"/api/v1/keys/{source or key_id(headers)}/arrivals", headers=headers, query_string=params
    )


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


def test_pages_ask_to_sign_in_when_nobody_is(embedded: Instance) -> None:
    for path in ("/arrivals", "/arrivals/import", "/arrivals/0"):
        answer = embedded.client.get(path, headers=HTML)
        assert answer.status_code == 401
        assert "You are not signed in" in answer.text
        assert "Basic" not in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("role", "subject"), [("learner", "0123456789ab"), ("registrar", None)])
def test_the_pages_are_closed_to_sessions_of_other_roles(
    embedded: Instance, role: str, subject: str | None
) -> None:
    embedded.key("School")
    session = embedded.access.take_sign_in(embedded.access.create_sign_in("School", role, subject))
    embedded.client.set_cookie("lrs_session", session)
    for path in ("/arrivals", "/arrivals/import"):
        answer = embedded.client.get(path, headers=HTML)
        assert answer.status_code == 403
        assert "This page is not for you" in answer.text
        assert "Nothing has arrived yet" not in answer.text


def test_a_key_opens_no_page(embedded: Instance) -> None:
    assert embedded.client.get("/arrivals", headers={**embedded.key(), **HTML}).status_code == 401


def test_the_page_says_what_to_do_when_nothing_has_arrived(embedded: Instance) -> None:
    key = embedded.key()
    sign_in(embedded, "School")
    for path in ("/arrivals", f"/arrivals/{key_id(key)}"):
        page = embedded.client.get(path).text
        assert "Nothing has arrived yet." in page
        assert f"curl http://lrs.example.org/xapi/statements \\\n -u {key_id(key)}:SECRET" in page


def test_the_page_says_how_to_get_a_key_when_there_is_none(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    assert "lrs key create" in embedded.client.get("/arrivals").text


def test_the_page_says_that_all_arrived(embedded: Instance) -> None:
    key = embedded.key()
    embedded.post([GOOD, GOOD], key)
    embedded.clock.move(300)
    sign_in(embedded, "School")
    page = embedded.client.get("/arrivals").text
    assert "Yes, everything arrived." in page
    assert "2 records in 1 post" in page
    assert "(5 minutes ago)" in page


def test_the_page_names_what_to_mend_with_its_place_and_error_id(instance: Instance) -> None:
    key = instance.key()
    first = instance.post([GOOD, BAD], key).get_json()
    second = instance.post([BAD], key).get_json()
    sign_in(instance, "School")
    for path in ("/arrivals", f"/arrivals/{key_id(key)}"):
        page = instance.client.get(path).text
        assert "Not all. 2 posts were refused." in page
        assert "In record 1 of the post, at actor, mbox." in page
        assert "In 2 refused posts" in page
        assert second["errorId"] in page
    assert first["errorId"] in instance.client.get(f"/arrivals/{key_id(key)}").text


def test_what_was_sent_stands_on_the_page_as_text_only(embedded: Instance) -> None:
    key = embedded.key("<b>School</b>")
    embedded.post([{**GOOD, "<script>alert(1)</script>": 1}], key)
    sign_in(embedded, "<b>School</b>")
    page = embedded.client.get("/arrivals").text
    assert "alert(1)" in page
    assert "<script" not in page
    assert "<b>School" not in page


def test_titles_and_addresses_name_nobody(embedded: Instance) -> None:
    key = embedded.key("Annas Atelier")
    embedded.post(BAD, key)
    sign_in(embedded, "Annas Atelier")
    for path in ("/arrivals", f"/arrivals/{key_id(key)}"):
        title = re.search("<title>(.*?)</title>", embedded.client.get(path).text)
        assert title
        assert "Anna" not in title[1]


def test_a_link_is_not_used_up_when_it_is_only_opened(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    link = f"/sign-in/{embedded.access.create_sign_in('School')}"
    for _ in range(3):
        assert embedded.client.get(link).status_code == 200
        assert embedded.client.head(link).status_code == 200
    form = re.search(r'name="form" value="([^"]+)"', embedded.client.get(link).text)
    assert form
    assert embedded.client.post(link, data={"form": form[1]}).status_code == 303


def test_a_used_link_says_so_without_saying_whose_it_was(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    token = embedded.access.create_sign_in("School")
    embedded.access.take_sign_in(token)
    for path in (f"/sign-in/{token}", "/sign-in/unknown"):
        form = re.search(r'name="form" value="([^"]+)"', embedded.client.get(path).text)
        assert form
        answer = embedded.client.post(path, data={"form": form[1]}, headers=HTML)
        assert answer.status_code == 404
        assert "no longer good" in answer.text
        assert "School" not in answer.text


@pytest.mark.parametrize("form", [None, "", "guessed"])
def test_another_site_cannot_sign_somebody_in(embedded: Instance, form: str | None) -> None:
    embedded.access.create_institution("School")
    link = f"/sign-in/{embedded.access.create_sign_in('School')}"
    sent = {} if form is None else {"form": form}
    assert embedded.client.post(link, data=sent).status_code == 400
    embedded.client.get(link)
    assert embedded.client.post(link, data=sent).status_code == 400
    assert embedded.client.get_cookie("lrs_session") is None


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    cookie = embedded.client.get_cookie("lrs_session")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.secure) == (True, "Lax", False)


def test_signing_out_ends_the_session(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    cookie = embedded.client.get_cookie("lrs_session")
    assert cookie is not None
    assert "signed out" in embedded.client.post("/sign-out").text
    embedded.client.set_cookie("lrs_session", cookie.value)
    assert embedded.client.get("/arrivals").status_code == 401


def test_another_site_cannot_sign_somebody_out(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    # A browser that follows a form of another site leaves out cookies that are SameSite=Lax.
    stranger = embedded.app.test_client(use_cookies=False)
    assert "Set-Cookie" not in stranger.post("/sign-out").headers
    assert embedded.client.get("/arrivals").status_code == 200


def test_a_refusal_is_kept_when_the_length_named_is_absurd(instance: Instance) -> None:
    key = instance.key()
    absurd = {"CONTENT_LENGTH": str(2**64 - 1)}
    assert instance.post(b"", key, environ_overrides=absurd).status_code == 413
    assert arrivals(instance, key).get_json()["refusals"][0]["bodyBytes"] == 2**63 - 1


def test_private_headers_stand_on_pages_answers_errors_and_files(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    for path in ("/arrivals", "/api/docs", "/assets/pages.css", "/nothing", "/xapi/about", "/sign-in/x"):
        answer = embedded.client.get(path, headers=HTML)
        answer.close()
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"].startswith("noindex")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "script" not in headers["Content-Security-Policy"]
    assert embedded.client.get("/arrivals").headers["Cache-Control"] == "no-store"


def test_pages_are_small(embedded: Instance) -> None:
    key = embedded.key()
    for number in range(60):
        embedded.post([{**BAD, f"unknown{n}": n} for n in range(30)] if number % 2 else GOOD, key)
        embedded.clock.move(7200)
    sign_in(embedded, "School")
    for path in ("/arrivals", f"/arrivals/{key_id(key)}"):
        assert len(embedded.client.get(path).data) < 100_000


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


def test_the_page_of_many_keys_asks_the_store_no_more_than_that_of_two(embedded: Instance) -> None:
    def count_queries() -> int:
        seen: list[str] = []
        database = embedded.services.stores.readers.get()  # type: ignore[attr-defined]
        database.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: seen.append(event["sql"]))
        assert embedded.client.get("/arrivals").status_code == 200
        database.trace_v2(0, None)
        return len(seen)

    for _ in range(2):
        embedded.post(GOOD, embedded.key())
    sign_in(embedded, "School")
    few = count_queries()
    assert few > 2
    for _ in range(6):
        key = embedded.key()
        embedded.post(GOOD, key)
        embedded.post(BAD, key)
    # One more: only where something was refused, the refusals are read.
    assert count_queries() == few + 1


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


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", "In the post as a whole."),
        ("limit", "In the parameter or header limit."),
        ("/3", "In record 4 of the post."),
        ("/0/actor/mbox", "In record 1 of the post, at actor, mbox."),
        ("/actor/a~1b~0c", "At actor, a/b~c."),
    ],
)
def test_places_are_told_in_words(path: str, text: str) -> None:
    assert place_text(path) == text


def test_a_key_that_stopped_is_listed_only_while_its_posts_are_kept(embedded: Instance) -> None:
    used, unused = embedded.key(), embedded.key()
    embedded.post(GOOD, used)
    for headers in (used, unused):
        embedded.access.keys.revoke(key_id(headers))
    sign_in(embedded, "School")
    page = embedded.client.get("/arrivals").text
    assert key_id(used) in page
    assert "This key was revoked on" in page
    assert key_id(unused) not in page
    assert "It was revoked on" in embedded.client.get(f"/arrivals/{key_id(unused)}").text


def test_a_key_about_to_stop_is_told_on_both_pages_in_time(embedded: Instance) -> None:
    day = 86_400_000_000
    key = embedded.key("School", expires_at_us=embedded.clock() + 20 * day)
    sign_in(embedded, "School")
    paths = ("/arrivals", f"/arrivals/{key_id(key)}")
    assert not any("stops on" in embedded.client.get(path).text for path in paths)
    embedded.clock.move(6 * 86_400 + 1)
    assert all("stops on" in embedded.client.get(path).text for path in paths)
    embedded.clock.move(14 * 86_400)
    sign_in(embedded, "School")
    assert "It expired on" in embedded.client.get(paths[1]).text


def test_cookies_travel_over_https_alone_when_that_is_the_public_address(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    secure = make_instance(engine, LRS_PUBLIC_URL="https://lrs.example.org")
    secure.access.create_institution("School")
    link = f"https://lrs.example.org/sign-in/{secure.access.create_sign_in('School')}"
    shown = secure.client.get(link)
    form = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert form
    answer = secure.client.post(link, data={"form": form[1]})
    cookies = [*shown.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
    assert len(cookies) == 3
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)
    assert cookies[-1].startswith("__Host-lrs_session=")
    assert "Path=/;" in cookies[-1]
    assert secure.client.get("https://lrs.example.org/arrivals").status_code == 200
    engine.close()


def test_names_are_kept_apart_from_the_words_beside_them(embedded: Instance) -> None:
    key = embedded.key("<Schule> \u05d1\u05d9\u05ea")
    embedded.post(GOOD, key)
    sign_in(embedded, "<Schule> \u05d1\u05d9\u05ea")
    shown = "<bdi>&lt;Schule&gt; \u05d1\u05d9\u05ea</bdi>"
    assert embedded.client.get("/arrivals").text.count(shown) == 2
    one = embedded.client.get(f"/arrivals/{key_id(key)}").text
    assert one.count(shown) == 3
    assert f"Did the records of {shown} arrive?" in one


NOTHING = "Nothing of a refused post is stored."
GOOD_ONES = "the good records are stored; those named below were not."


def test_page_says_that_the_good_lines_are_stored_when_others_were_left_out(embedded: Instance) -> None:
    key = embedded.key()
    body = b"\n".join(json.dumps(one).encode() for one in (GOOD, BAD))
    answer = embedded.client.post(
        "/api/v1/statements/lines", data=body, headers=key, content_type="application/x-ndjson"
    )
    assert (answer.status_code, answer.get_json()["stored"]) == (200, 1)
    sign_in(embedded, "School")
    for path in ("/arrivals", f"/arrivals/{key_id(key)}"):
        page = embedded.client.get(path).text
        assert "Not all. Some records were left out." in page
        assert GOOD_ONES in page
        assert NOTHING not in page
        assert "post was refused" not in page
        assert "refused post" not in page.lower()
    embedded.post(BAD, key)
    for path in ("/arrivals", f"/arrivals/{key_id(key)}"):
        page = embedded.client.get(path).text
        assert "Not all. 1 post was refused, and some records were left out." in page
        assert GOOD_ONES in page
        assert NOTHING in page


def test_page_does_not_say_that_nothing_is_stored_when_lines_ended_at_a_quota(embedded: Instance) -> None:
    key = embedded.key()
    institution = embedded.access.get_institution_named("School")
    embedded.access.set_statement_quota(institution.id, 500)
    body = b"\n".join([json.dumps(GOOD).encode()] * 501)
    answer = embedded.client.post(
        "/api/v1/statements/lines", data=body, headers=key, content_type="application/x-ndjson"
    )
    assert (answer.status_code, answer.get_json()["code"]) == (403, "quota-exceeded")
    assert arrivals(embedded, key).get_json()["refusals"][0]["method"] == "LINES"
    sign_in(embedded, "School")
    page = embedded.client.get("/arrivals").text
    assert "<dd>500</dd>" in page
    assert NOTHING not in page
    assert GOOD_ONES in page


def test_page_says_that_the_good_records_of_an_import_are_stored(embedded: Instance) -> None:
    embedded.key()
    handle = embedded.access.handle_for_institution_named("School")
    embedded.services.arrivals.note_refusal(
        handle,
        source="import",
        error=InvalidStatement("month.ndjson, line 3: The statement is invalid (1 problem)."),
        error_id="e",
        status=400,
        method="IMPORT",
        body_bytes=1,
    )
    sign_in(embedded, "School")
    for path in ("/arrivals", "/arrivals/import"):
        page = embedded.client.get(path).text
        assert GOOD_ONES in page
        assert NOTHING not in page
        assert "answered with status" not in page
