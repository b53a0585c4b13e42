"""One request to a destination, and what its answer means for what comes next."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.clock import Clock
from lrs.errors import ConfigError, CorruptRecord, OutboundError
from lrs.outbound import Outbound
from lrs.outbound.model import Answer, OutboundLimits
from lrs.outbound.retry import Backoff, is_transient, retry_after
from lrs.sealing import SecretBox
from lrs.streams.model import Destination, Kind, SealedSecret, live_secrets
from lrs.streams.signing import signature_headers
from lrs.streams.tokens import PositionTokens
from lrs.xapi.log import LogEntry, LogReader

LIMITS = OutboundLimits(connect_seconds=5, read_seconds=15, total_seconds=20, max_bytes=1 << 20)
BACKOFF = Backoff(first_seconds=2.0, most_seconds=900.0, attempts=1 << 62)
"""It never gives up: what waits costs nothing, and is not lost."""
HOLD_SECONDS = 300.0
"""The wait where something must be mended first: an address, a key, a certificate."""

_ABOUT_THE_WAY = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.GONE,
    }
)
"""Refusals that are about the address or the credentials, whatever statement is sent."""
_ONLY_2_0 = frozenset({"contextAgents", "contextGroups"})
_SUCCESS, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500
_SECOND_US = 1_000_000


class Result(Enum):
    """What became of a request.

    ``REFUSED``: for what was in it; the same is refused again. ``LATER``: for anything else.
    """

    SENT = auto()
    REFUSED = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means.

    Attributes:
        count: How many of the entries the request held, from the first.
        wait_seconds: Nothing is to be sent before, where it was not sent.
    """

    result: Result
    count: int
    status: int = 0
    reason: str = ""
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Request:
    """What goes out for so many entries."""

    count: int
    url: str
    headers: dict[str, str]
    body: bytes


class Sender:
    """Sends to destinations.

    Args:
        outbound: The way out.
        reader: Packs statements with their attachments.
        box: Opens secrets.
        tokens: Writes positions.
        clock: Now, in microseconds.
        draw: Gives a number from 0 to 1, so that many that failed at once do not come back at once.
    """

    def __init__(
        self,
        outbound: Outbound,
        reader: LogReader,
        box: SecretBox,
        tokens: PositionTokens,
        clock: Clock,
        draw: Callable[[], float],
    ) -> None:
        """Keep what was handed in."""
        self._outbound = outbound
        self._reader = reader
        self._box = box
        self._tokens = tokens
        self._clock = clock
        self._draw = draw

    def send(self, destination: Destination, entries: Sequence[LogEntry], attempt: int) -> Verdict:
        """Send entries, one at least, of one xAPI version; as few of them as must be.

        Args:
            destination: Where to.
            entries: In the order of the log.
            attempt: The how many-th it is, from 1.
        """
        try:
            request = self._request(destination, entries)
        except (ConfigError, CorruptRecord) as error:
            return Verdict(Result.LATER, len(entries), 0, error.detail, HOLD_SECONDS)
        return self._exchange(request, attempt)

    def send_test(self, destination: Destination) -> Verdict:
        """Send what a receiver takes for nothing: an event without statements, or an empty array.

        A record store may refuse an empty array with 400, once it has found the credentials good.
        """
        try:
            if destination.kind is Kind.WEBHOOK:
                request = self._call(destination, "test", [], "test")
            else:
                request = self._forward(destination, 0, b"[]", "application/json", "1.0.3")
        except (ConfigError, CorruptRecord) as error:
            return Verdict(Result.LATER, 0, 0, error.detail)
        verdict = self._exchange(request, 1)
        if destination.kind is Kind.FORWARD and verdict.status == HTTPStatus.BAD_REQUEST:
            return Verdict(Result.SENT, 0, verdict.status)
        return verdict

    def _exchange(self, request: _Request, attempt: int) -> Verdict:
        try:
            outcome: Answer | OutboundError = self._outbound.request(
                "POST", request.url, request.headers, request.body, limits=LIMITS
            )
        except OutboundError as error:
            outcome = error
        return self._judge(outcome, request.count, attempt)

    def _judge(self, outcome: Answer | OutboundError, count: int, attempt: int) -> Verdict:
        wait = retry_after(outcome, attempt, self._draw, BACKOFF)
        if isinstance(outcome, OutboundError):
            return Verdict(Result.LATER, count, 0, outcome.detail, self._hold() if wait is None else wait)
        status = outcome.status
        if _SUCCESS <= status < _SUCCESS + 100:
            return Verdict(Result.SENT, count, status)
        reason = f"It answered {status}."
        if wait is not None:
            return Verdict(Result.LATER, count, status, reason, wait)
        about_content = _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _ABOUT_THE_WAY
        if about_content and not is_transient(outcome):
            return Verdict(Result.REFUSED, count, status, reason, BACKOFF.first_seconds)
        return Verdict(Result.LATER, count, status, reason, self._hold())

    def _hold(self) -> float:
        return HOLD_SECONDS * (0.5 + self._draw() / 2)

    def _request(self, destination: Destination, entries: Sequence[LogEntry]) -> _Request:
        if destination.kind is Kind.WEBHOOK:
            ends = f"{destination.id} {entries[0].position} {entries[-1].position}".encode()
            message = hashlib.blake2b(ends, digest_size=15).digest()
            message_id = "msg_" + base64.urlsafe_b64encode(message).decode()
            return self._call(destination, "statements", entries, message_id)
        packed = self._reader.pack(InstitutionHandle(destination.institution_id), entries)
        version = "2.0.0" if version_of(entries[0]).startswith("2") else "1.0.3"
        return self._forward(destination, packed.count, packed.body, packed.content_type, version)

    def _forward(
        self, destination: Destination, count: int, body: bytes, content_type: str, version: str
    ) -> _Request:
        credentials = self._secrets(destination)[0]
        headers = {
            "Authorization": "Basic " + base64.b64encode(credentials).decode(),
            "Content-Type": content_type,
            "X-Experience-API-Version": version,
        }
        return _Request(count, destination.url.rstrip("/") + "/statements", headers, body)

    def _call(
        self, destination: Destination, event: str, entries: Sequence[LogEntry], message_id: str
    ) -> _Request:
        position = None
        if entries:
            position = self._tokens.encode(destination.institution_id, entries[-1].position)
        head = orjson.dumps({"event": event, "destination": destination.id, "position": position})
        body = head[:-1] + b',"statements":[' + b",".join(entry.text for entry in entries) + b"]}"
        secrets = [one.decode() for one in self._secrets(destination)]
        signed = signature_headers(secrets, message_id, self._clock() // _SECOND_US, body)
        return _Request(len(entries), destination.url, {"Content-Type": "application/json", **signed}, body)

    def _secrets(self, destination: Destination) -> list[bytes]:
        live: Sequence[SealedSecret] = live_secrets(destination.secrets, self._clock())
        return [self._box.open(one.sealed, about(destination)) for one in live]


def about(destination: Destination) -> str:
    """Name what a destination's secrets are bound to."""
    return f"destination {destination.institution_id} {destination.id} {destination.url}"


def version_of(entry: LogEntry) -> str:
    """Return the xAPI version that a statement is to be sent under.

    It is the one that it names, but for one that names 1.0 and has what only 2.0 has.

    Spec: xAPI 2.0 4.2.2.5 (contextAgents, contextGroups).
    """
    statement = orjson.loads(entry.text)
    for one in (statement, statement["object"]):
        if _ONLY_2_0.intersection(one.get("context", ())):
            return "2.0.0"
    return str(statement["version"])
