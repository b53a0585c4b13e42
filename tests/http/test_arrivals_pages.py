"""Did my records arrive? The pages that say so, and what they ask to be mended."""

import json
import re

import apsw
import pytest

from lrs.errors import InvalidStatement
from lrs.xapi.verdicts import place_text
from tests.http.conftest import Instance
from tests.http.posting import BAD, GOOD, HTML, arrivals, key_id, sign_in


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
