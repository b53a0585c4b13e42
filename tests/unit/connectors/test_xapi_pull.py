"""Another record store is read page by page, and on from where it was complete."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from connectors.xapi import XapiConnector
from lrs.errors import InvalidBody, InvalidImport, OutboundError
from lrs.outbound.model import Answer
from tests.unit.connectors.sinks import drain

PLACE = "https://other.example.org/xapi"
IDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(10)]


def statement(number: int, **more: Any) -> dict[str, Any]:
    return {"id": IDS[number], "stored": f"2026-05-03T10:00:0{number}.000001Z", **more}


class Other:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, *answers: Any, headers: Mapping[str, str] | None = None) -> None:
        self.answers = list(answers)
        self.headers = headers or {}
        self.asked: list[str] = []
        self.sent: list[Mapping[str, str]] = []

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(url)
        self.sent.append(headers)
        found = self.answers.pop(0)
        if isinstance(found, int):
            return Answer(found, {}, b"", url)
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Answer(200, self.headers, body, url)


def page(statements: Sequence[Any], more: str = "") -> dict[str, Any]:
    return {"statements": statements, "more": more}


def pull(other: Other, **config: Any) -> XapiConnector:
    return XapiConnector(PLACE, config, "key:secret", other)


def cursors(connector: XapiConnector, cursor: Any = None) -> list[Any]:
    return [one.cursor for one in connector.read(cursor)]


def test_pages_are_followed_and_statements_stay_as_they_are() -> None:
    first = (
        b'{"statements": [ {"id": "%s",  "x": 1.50} ], "more": "/xapi/statements?more=a"}' % IDS[0].encode()
    )
    other = Other(first, page([statement(1)]))
    connector = pull(other)
    rows = [row for one in connector.read(None) for row in one.rows]
    assert [row.key for row in rows] == IDS[:2]
    assert rows[0].content["statement"] == f'{{"id": "{IDS[0]}",  "x": 1.50}}'
    assert other.asked == [
        f"{PLACE}/statements?ascending=true&limit=200",
        "https://other.example.org/xapi/statements?more=a",
    ]
    assert other.sent[0]["X-Experience-API-Version"] == "1.0.3"
    assert other.sent[0]["Authorization"] == "Basic a2V5OnNlY3JldA=="


def test_the_next_reading_begins_where_this_one_was_certainly_complete() -> None:
    through = "2026-05-03T10:00:00.500000Z"
    other = Other(
        page([statement(0), statement(1)]), headers={"X-Experience-API-Consistent-Through": through}
    )
    (cursor,) = cursors(pull(other))
    assert cursor == {"since": through}
    again = Other(page([statement(1)]), headers={"X-Experience-API-Consistent-Through": through})
    assert cursors(pull(again), cursor) == [{"since": through}]
    assert "since=2026-05-03T10%3A00%3A00.500000Z" in again.asked[0]


def test_without_that_header_a_minute_is_read_again_and_it_never_goes_back() -> None:
    (cursor,) = cursors(pull(Other(page([statement(3)]))))
    assert cursor == {"since": "2026-05-03T09:59:03.000001+00:00"}
    assert cursors(pull(Other(page([]))), cursor) == [cursor]
    late = {"since": "2026-05-03T09:59:59Z"}
    assert cursors(pull(Other(page([statement(3)]))), late) == [late]


def test_the_cursor_of_a_page_leads_to_the_next_one() -> None:
    other = Other(page([statement(0)], "/more/1"), page([statement(1)], "/more/2"), page([statement(2)]))
    first, second, last = cursors(pull(other, since="2026-01-01T00:00:00Z"))
    assert first["more"] == "https://other.example.org/more/1"
    assert second["more"] == "https://other.example.org/more/2"
    assert "more" not in last
    on = Other(page([statement(1)], "/more/2"), page([statement(2)]))
    assert cursors(pull(on, since="2026-01-01T00:00:00Z"), first) == [second, last]
    assert on.asked[0] == "https://other.example.org/more/1"


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_place_that_the_other_store_has_forgotten_is_read_again_from_the_beginning(status: int) -> None:
    other = Other(status, page([statement(0)]))
    cursors(pull(other), {"since": "2026-01-01T00:00:00Z", "more": f"{PLACE}/more/1"})
    assert "since=2026-01-01" in other.asked[1]


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ([401], OutboundError, "look at the credentials"),
        ([500], OutboundError, "answered 500"),
        ([b"<html>"], InvalidBody, "no StatementResult"),
        ([b'{"statements": "\xff"}'], InvalidBody, "no StatementResult"),
        ([page([], "https://evil.example.org/more")], InvalidBody, "another host"),
        ([page([], "/a"), page([], "/a")], InvalidBody, "circle"),
    ],
)
def test_what_is_no_page_ends_the_reading_in_words(answers: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        drain(pull(Other(*answers)))


def test_attachments_that_only_the_other_store_holds_are_told() -> None:
    held, linked = {"sha2": "x"}, {"sha2": "y", "fileUrl": "https://files.example.org/y"}
    sink = drain(pull(Other(page([statement(0, attachments=[held]), statement(1, attachments=[linked])]))))
    assert [one["id"] for one in sink.statements] == [IDS[1]]
    assert sink.unwanted == [
        f"Statement {IDS[0]} has 1 attachments that only the other store holds; not taken."
    ]


def test_what_is_no_statement_is_handed_on_to_be_judged() -> None:
    sink = drain(pull(Other(page(["text", {"no": "id"}]))))
    assert sink.statements == ["text", {"no": "id"}]


def test_filters_and_the_first_instant_are_the_configurations() -> None:
    other = Other(page([]))
    cursors(
        pull(other, verb="http://adlnet.gov/expapi/verbs/attended", since="2026-01-01T00:00:00Z", limit=5)
    )
    assert "verb=http%3A%2F%2Fadlnet.gov" in other.asked[0]
    assert "limit=5&" in other.asked[0] + "&"


@pytest.mark.parametrize(
    "make",
    [
        lambda: pull(Other(), sinc="x"),
        lambda: pull(Other(), since="yesterday"),
        lambda: pull(Other(), limit=0),
        lambda: pull(Other(), version="0.9"),
        lambda: XapiConnector("ftp://other.example.org", {}, None, Other()),
    ],
)
def test_a_configuration_that_is_wrong_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidImport) as caught:
        make()
    assert caught.value.problems
