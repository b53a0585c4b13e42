"""The parameters of GET statements: read strictly, turned into what is asked of the store.

Spec: xAPI 1.0.3 Communication 2.1.3 (parameters), 3.2 (what is refused); xAPI 2.0 4.1.6.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from lrs.errors import InvalidAttachment, InvalidParameter, LrsError, Problem
from lrs.xapi.actor import validate_agent
from lrs.xapi.facts import agent_key
from lrs.xapi.formats import Format
from lrs.xapi.ports import FactKind, Filter, StatementId
from lrs.xapi.reader import ReadLimits, read_json
from lrs.xapi.scalars import is_iri, is_uuid, parse_timestamp
from lrs.xapi.versions import Version

SINGLE = frozenset({"statementId", "voidedStatementId"})
FILTERS = frozenset(
    {
        "agent",
        "verb",
        "activity",
        "registration",
        "related_activities",
        "related_agents",
        "since",
        "until",
        "limit",
        "ascending",
    }
)
SHOWING = frozenset({"format", "attachments"})
MORE = "more"
KNOWN = SINGLE | FILTERS | SHOWING | {MORE}

_LIMIT_DIGITS = 9
_SPEC = "xAPI 1.0.3 Communication 2.1.3"
_AGENT_LIMITS = ReadLimits(max_body_bytes=16_384, max_depth=16, max_statements=1)


@dataclass(frozen=True, slots=True)
class SingleRequest:
    """A request for one statement by id."""

    statement_id: StatementId
    voided: bool
    format: Format


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page.

    Attributes:
        limit: As asked, None where nothing or 0 was asked: the server's own.
        given: The parameters as they were given, to be carried in ``more``.
    """

    filters: tuple[Filter, ...]
    since_us: int | None
    until_us: int | None
    ascending: bool
    limit: int | None
    format: Format
    given: Mapping[str, str]


class _Reader:
    """Reads one parameter after the other and collects what is wrong with them."""

    def __init__(self, params: Mapping[str, str], version: Version) -> None:
        self._params = params
        self._version = version
        self.problems: list[Problem] = []

    def refuse(self, name: str, message: str, rule: str = "parameter.value") -> None:
        self.problems.append(Problem(name, rule, message, _SPEC))

    def flag(self, name: str) -> bool:
        value = self._params.get(name, "false")
        if value not in {"true", "false"}:
            self.refuse(name, f"{name} must be true or false.")
        return value == "true"

    def format(self) -> Format:
        value = self._params.get("format", Format.EXACT)
        try:
            return Format(value)
        except ValueError:
            self.refuse("format", "format must be ids, exact or canonical.")
            return Format.EXACT

    def instant(self, name: str) -> int | None:
        value = self._params.get(name)
        if value is None:
            return None
        instant = parse_timestamp(value)
        if instant is None:
            self.refuse(
                name,
                f"{name} must be an RFC 3339 timestamp such as 2026-11-21T09:30:00Z; mind that a plus sign"
                " in a URL is written %2B.",
            )
        return instant

    def limit(self) -> int | None:
        value = self._params.get("limit")
        if value is None:
            return None
        if not (value.isascii() and value.isdigit()) or len(value) > _LIMIT_DIGITS:
            self.refuse(
                "limit", "limit must be a whole number, 0 or more; 0 means as many as the server gives."
            )
            return None
        return int(value) or None

    def uuid(self, name: str) -> str | None:
        value = self._params.get(name)
        if value is not None and not is_uuid(value):
            self.refuse(name, f"{name} must be a UUID.")
        return value.lower() if value is not None else None

    def iri(self, name: str) -> str | None:
        value = self._params.get(name)
        if value is not None and not is_iri(value):
            self.refuse(name, f"{name} must be an IRI with its scheme, such as http://example.org/x.")
        return value

    def agent(self) -> str | None:
        value = self._params.get("agent")
        if value is None:
            return None
        try:
            agent = read_json(value.encode("utf-8", "surrogatepass"), _AGENT_LIMITS)
        except LrsError as error:
            self.refuse("agent", f"agent must be the JSON of an Agent or Identified Group: {error.detail}")
            return None
        problems = validate_agent(agent, self._version, "agent")
        self.problems += problems
        if problems or not isinstance(agent, dict):
            return None
        key = agent_key(agent)
        if key is None:
            self.refuse("agent", "agent must have an identifier; an Anonymous Group cannot be asked for.")
        return key


def read_request(params: Mapping[str, str], version: Version) -> SingleRequest | PageRequest:
    """Turn the parameters (each known and given once) into a request.

    Args:
        params: Without ``more``, which the caller has resolved.
        version: The version in use.

    Raises:
        InvalidParameter: With one problem for each parameter that is wrong.
        InvalidAttachment: ``attachments=true`` is asked for, which is not served yet.
    """
    reader = _Reader(params, version)
    single = sorted(SINGLE & params.keys())
    if single:
        request: SingleRequest | PageRequest = _single(reader, params, single)
    else:
        request = _page(reader, params)
    attachments = reader.flag("attachments")
    if reader.problems:
        raise InvalidParameter("The request's parameters cannot be used.", reader.problems)
    if attachments:
        raise InvalidAttachment(
            "attachments=true is not served yet; leave it out, or say attachments=false, to get the"
            " statements as application/json."
        )
    return request


def _single(reader: _Reader, params: Mapping[str, str], single: list[str]) -> SingleRequest:
    name = single[0]
    for other in sorted((FILTERS & params.keys()) | set(single[1:])):
        reader.refuse(other, f"{other} cannot be combined with {name}.", "parameter.combination")
    statement_id = reader.uuid(name) or ""
    return SingleRequest(StatementId(statement_id), name == "voidedStatementId", reader.format())


def _page(reader: _Reader, params: Mapping[str, str]) -> PageRequest:
    related_agents, related_activities = reader.flag("related_agents"), reader.flag("related_activities")
    wanted = (
        (FactKind.AGENT, reader.agent(), related_agents),
        (FactKind.VERB, reader.iri("verb"), False),
        (FactKind.ACTIVITY, reader.iri("activity"), related_activities),
        (FactKind.REGISTRATION, reader.uuid("registration"), False),
    )
    return PageRequest(
        filters=tuple(Filter(kind, value, related) for kind, value, related in wanted if value is not None),
        since_us=reader.instant("since"),
        until_us=reader.instant("until"),
        ascending=reader.flag("ascending"),
        limit=reader.limit(),
        format=reader.format(),
        given=dict(params),
    )


def encode_given(given: Mapping[str, str]) -> bytes:
    """Write the parameters of a page for its ``more`` link; ``decode_given`` reads them."""
    return orjson.dumps(dict(given))


def decode_given(text: bytes) -> dict[str, str]:
    """Read what ``encode_given`` wrote."""
    given: dict[str, str] = orjson.loads(text)
    return given
