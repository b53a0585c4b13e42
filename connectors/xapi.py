"""Another xAPI record store as a source: its statements as they are, in the order in which it stored them.

Reading goes on from the instant up to which the last reading was complete
(``X-Experience-API-Consistent-Through``), and within a reading from page to page. Statements
keep their ids; what voids comes through as the statement that it is.

Spec: xAPI 1.0.3 Communication 2.1.3, 2.1.4, 3.2, 3.3; xAPI 2.0 4.1.6.1.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from connectors.base import Client, Json, Mapped, Page, Row, Sink
from connectors.config import Members, Problems
from lrs.errors import InvalidBody, InvalidImport, OutboundError, Problem
from lrs.outbound.model import Answer

VERSIONS = ("1.0.3", "2.0.0")
_CONSISTENT = "X-Experience-API-Consistent-Through"
_OVERLAP = timedelta(seconds=60)
"""Read again where the other store does not say up to when it is complete."""


@dataclass(frozen=True, slots=True)
class XapiConfig:
    """Which statements are pulled, and how.

    Attributes:
        since: Only what was stored after it, where nothing has been pulled yet.
        filters: Parameters of the query: verb, activity, agent and their like.
    """

    version: str
    limit: int
    since: str | None
    filters: Mapping[str, str]


class _Found(msgspec.Struct):
    statements: list[msgspec.Raw]
    more: str | None = None


class _Looked(msgspec.Struct):
    """What is looked at in a statement here; whether it is valid is judged elsewhere."""

    id: Any = None
    stored: Any = None
    attachments: Any = None


_read_page = msgspec.json.Decoder(_Found).decode
_look = msgspec.json.Decoder(_Looked).decode


def read_xapi_config(config: object) -> XapiConfig:
    """Read a configuration.

    Raises:
        InvalidImport: With every problem, each with its pointer.
    """
    problems = Problems()
    members = Members(config, "", problems)
    members.optional("name")
    version = members.choice("version", VERSIONS, "1.0.3")
    limit = members.number("limit", 200, 1, 1000)
    since = members.optional("since")
    if since is not None and _instant(since) is None:
        members.wrong("since", "instant", "Write an instant with its zone, such as 2026-09-01T00:00:00Z.")
    filters = {name: members.text(name) for name in ("verb", "activity", "agent") if members.has(name)}
    members.done()
    problems.raise_if_any()
    return XapiConfig(version, limit, since, filters)


def check_place(place: str) -> str:
    """Return a record store's endpoint, without a slash behind it.

    Raises:
        InvalidImport: It is no URL of one.
    """
    parts = urlsplit(place)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        message = "Write the other store's endpoint, such as https://lrs.example.org/xapi."
        raise InvalidImport(message, [Problem("", "config.place", message)])
    return place.rstrip("/").removesuffix("/statements")


class XapiConnector:
    """See ``connectors.base.Connector``.

    Args:
        place: The other store's endpoint.
        config: As docs/formats.md has it.
        credentials: ``KEY:SECRET``; None where it lets everybody in.
        client: The way there.

    Raises:
        InvalidImport: The configuration or the endpoint is wrong.
    """

    gives_all = False

    def __init__(self, place: str, config: object, credentials: str | None, client: Client) -> None:
        """Read the configuration; ask nobody yet."""
        self._config = read_xapi_config(config)
        self._place = check_place(place)
        self._client = client
        self._headers = {"X-Experience-API-Version": self._config.version, "Accept": "application/json"}
        if credentials is not None:
            token = base64.b64encode(credentials.encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def check(self) -> str:
        """Ask for one statement; say which version the other store answered in."""
        answer = self._get(f"{self._place}/statements?limit=1")
        _parse(answer)
        version = answer.headers.get("X-Experience-API-Version", "an unnamed version")
        return f"The store answers statements in {version}."

    def read(self, cursor: Json | None) -> Iterator[Page]:
        """Give what was stored behind the cursor, page by page."""
        known = cursor or {}
        since = known.get("since") or self._config.since
        answer = self._continue(known["more"]) if known.get("more") else None
        if answer is not None:
            yield from self._pages(answer, since, known.get("through"), known.get("newest"))
            return
        answer = self._get(self._first_url(since))
        yield from self._pages(answer, since, answer.headers.get(_CONSISTENT), None)

    def map(self, row: Row, sink: Sink) -> None:
        """Hand a statement on as it is, unless it names attachments that are not to be had by an address."""
        text = row.content["statement"].encode()
        looked = _peek(text)
        missing = _without_address(looked.attachments)
        if missing:
            sink.aside(
                row,
                f"Statement {row.key} has {missing} attachments that only the other store holds; not taken.",
            )
            return
        sink.statement(row, Mapped(text, looked.id.lower() if isinstance(looked.id, str) else None))

    def _pages(
        self, answer: Answer, since: str | None, through: str | None, newest: str | None
    ) -> Iterator[Page]:
        seen: set[str] = set()
        while True:
            found = _parse(answer)
            rows = [_row(raw) for raw in found.statements]
            newest = _later(newest, rows)
            more = self._follow(found.more) if found.more else None
            if more is None:
                yield Page(rows, {"since": _next_since(since, through, newest)})
                return
            if more in seen:
                raise InvalidBody("The other store's pages lead round in a circle; what was read stays.")
            seen.add(more)
            yield Page(rows, {"since": since, "more": more, "through": through, "newest": newest})
            answer = self._get(more)

    def _first_url(self, since: str | None) -> str:
        query = {**self._config.filters, "ascending": "true", "limit": str(self._config.limit)}
        if since:
            query["since"] = since
        return f"{self._place}/statements?{urlencode(query)}"

    def _continue(self, more: str) -> Answer | None:
        """Ask for where a reading was broken off; None where the other store does not know it any more."""
        answer = self._client.get(more, self._headers)
        if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return None
        return _good(answer)

    def _get(self, url: str) -> Answer:
        return _good(self._client.get(url, self._headers))

    def _follow(self, more: str) -> str:
        """Return where the next page is.

        Raises:
            InvalidBody: It is at another host, which would be shown the credentials.
        """
        url = urljoin(f"{self._place}/statements", more)
        if urlsplit(url)[:2] != urlsplit(self._place)[:2]:
            raise InvalidBody("The other store's next page is at another host; it is not asked.")
        return url


def _row(raw: msgspec.Raw) -> Row:
    text = bytes(raw)
    looked = _peek(text)
    named = isinstance(looked.id, str)
    key = looked.id.lower() if named else hashlib.sha256(text).hexdigest()
    content: Json = {"statement": text.decode()}
    if isinstance(looked.stored, str):
        content["stored"] = looked.stored
    return Row(key, key if named else "a statement without an id", content)


def _peek(text: bytes) -> _Looked:
    """Look into a statement; what is none tells nothing."""
    try:
        return _look(text)
    except msgspec.DecodeError:
        return _Looked()


def _later(newest: str | None, rows: Sequence[Row]) -> str | None:
    """Return the latest instant of those that were stored, and one before."""
    known = [one for one in (newest, *(row.content.get("stored") for row in rows)) if one and _instant(one)]
    return max(known, key=lambda text: _instant(text) or 0, default=None)


def _next_since(since: str | None, through: str | None, newest: str | None) -> str | None:
    """Return from where to read on: up to where it is certain that nothing is missing."""
    if through and _instant(through):
        return _latest(since, through)
    stored = datetime.fromisoformat(newest) if newest and _instant(newest) else None
    return _latest(since, (stored - _OVERLAP).isoformat() if stored else None)


def _latest(*texts: str | None) -> str | None:
    return max((one for one in texts if one), key=lambda text: _instant(text) or 0, default=None)


def _instant(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None


def _without_address(attachments: object) -> int:
    """Count the attachments whose bytes the other store would have to send."""
    if not isinstance(attachments, list):
        return 0
    return sum(isinstance(one, dict) and "fileUrl" not in one for one in attachments)


def _parse(answer: Answer) -> _Found:
    try:
        answer.body.decode()
        return _read_page(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody(f"The other store's answer is no StatementResult: {error}.") from error


def _good(answer: Answer) -> Answer:
    """Return an answer that is one.

    Raises:
        OutboundError: It is a refusal.
    """
    if answer.status == HTTPStatus.OK:
        return answer
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise OutboundError(f"The other store answered {answer.status}: look at the credentials.")
    raise OutboundError(f"The other store answered {answer.status}.")
