"""Received and served: what is kept, what is added, what stays as written."""

import json
from typing import Any

import pytest

from lrs.errors import CorruptRecord
from lrs.xapi.marks import mark_undefining
from lrs.xapi.texts import Additions, pack, received_text, served_list, served_text

ID = "11111111-2222-4333-8444-555555555555"
AUTHORITY = '{"objectType":"Agent","mbox":"mailto:lrs@example.org"}'
ADDITIONS = Additions(ID, AUTHORITY, "1.0.0")
STORED_US = 1_763_700_000_123_456
STORED = "2025-11-21T04:40:00.123456Z"
BARE = b'{ "actor": {"mbox":"mailto:a@example.org"},\n "verb":{"id":"http://e.org/v"}, "object":{"id":"http://e.org/o"}'


def packed(raw: bytes) -> bytes:
    return pack(raw, json.loads(raw), ADDITIONS)


def served(raw: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(served_text(packed(raw), STORED_US))
    return value


def test_id_authority_version_stored_and_timestamp_are_added_when_absent() -> None:
    value = served(BARE + b"}")
    assert value["id"] == ID
    assert value["authority"] == json.loads(AUTHORITY)
    assert value["version"] == "1.0.0"
    assert value["stored"] == value["timestamp"] == STORED


def test_id_version_and_timestamp_stay_as_sent() -> None:
    raw = (
        BARE
        + b', "id":"AAAAAAAA-2222-4333-8444-555555555555","version":"1.0.2",'
        + b'"timestamp":"2020-01-01T00:00:00+02:00"}'
    )
    value = served(raw)
    assert value["id"] == "AAAAAAAA-2222-4333-8444-555555555555"
    assert value["version"] == "1.0.2"
    assert value["timestamp"] == "2020-01-01T00:00:00+02:00"


def test_authority_and_stored_that_were_sent_are_replaced_once() -> None:
    raw = BARE + b',"authority":{"mbox":"mailto:evil@example.org"},"stored":"1999-01-01T00:00:00Z"}'
    text = served_text(packed(raw), STORED_US)
    assert text.count(b'"authority"') == text.count(b'"stored"') == 1
    assert b"evil" not in text
    assert b"1999" not in text


@pytest.mark.parametrize(
    "tail",
    [
        b"}",
        b" \n}",
        b',"stored":"1999-01-01T00:00:00Z"}',
        b',"context":{"contextActivities":{"parent":{"id":"http://e.org/p"}}}}',
    ],
)
def test_received_is_the_exact_slice_whatever_was_changed(tail: bytes) -> None:
    assert received_text(packed(BARE + tail)) == BARE + tail


def test_numbers_stay_as_written() -> None:
    numbers = (
        b'"result":{"score":{"raw":1.10},"extensions":{"http://e.org/n":[12345678901234567890123,1e2,-0.0]}}'
    )
    for tail in (b"," + numbers + b"}", b',"stored":"1999-01-01T00:00:00Z",' + numbers + b"}"):
        assert numbers in served_text(packed(BARE + tail), STORED_US)


def test_a_single_context_activity_becomes_an_array_also_in_a_substatement() -> None:
    activities = b'{"parent":{"id":"http://e.org/p"},"other":[{"id":"http://e.org/x"}]}'
    single = b'{"contextActivities":' + activities + b', "revision":"\\u00e9"}'
    sub = (
        b'{"actor":{"mbox":"mailto:a@e.org"},"verb":{"id":"http://e.org/v"},"context":'
        + single
        + b',"object":'
        b'{"objectType":"SubStatement","actor":{"mbox":"mailto:a@e.org"},"verb":{"id":"http://e.org/v"},"object":'
        b'{"id":"http://e.org/o"},"context":' + single + b"}}"
    )
    value = served(sub)
    for context in (value["context"], value["object"]["context"]):
        assert context["contextActivities"] == {
            "parent": [{"id": "http://e.org/p"}],
            "other": [{"id": "http://e.org/x"}],
        }
        assert context["revision"] == "é"


def test_a_list_holds_what_each_is_served_as() -> None:
    bodies = [packed(BARE + b"}"), packed(BARE + b',"timestamp":"2020-01-01T00:00:00Z","stored":"x"}')]
    bodies.append(packed(BARE + b',"timestamp":"2020-01-01T00:00:00Z"}'))
    kept = [(body, STORED_US + step * 400_001) for step, body in enumerate(bodies * 4)]
    assert json.loads(b"[" + served_list(kept) + b"]") == [json.loads(served_text(*one)) for one in kept]
    assert served_list(kept) == b",".join(served_text(*one) for one in kept)
    assert served_list(kept[:1]) == served_text(*kept[0])
    assert served_list([]) == b""
    for length in (0, 3, 5, 40):
        with pytest.raises(CorruptRecord):
            served_list([kept[0], (bodies[2][:length], STORED_US)])


def test_many_plain_and_marked_texts_served_together_are_what_each_is_alone() -> None:
    plain = packed(BARE + b',"timestamp":"2020-01-01T00:00:00Z"}')
    kept = [(plain, STORED_US + step * 400_001) for step in range(7)]
    kept.append((mark_undefining(plain), STORED_US))
    assert served_list(kept) == b",".join(served_text(*one) for one in kept)
    for length in (0, 3, 5, 40):
        with pytest.raises(CorruptRecord):
            served_list([kept[0], (plain[:length], STORED_US)])


def test_a_body_that_is_cut_short_is_reported() -> None:
    body = packed(BARE + b',"stored":"1999-01-01T00:00:00Z"}')
    for length in (0, 3, 5, 40):
        with pytest.raises(CorruptRecord):
            served_text(body[:length], STORED_US)
