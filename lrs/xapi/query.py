"""The parameters of GET statements: read strictly, turned into what is asked of the store.

Spec: xAPI 1.0.3 Communication 2.1.3 (parameters), 3.2 (what is refused); xAPI 2.0 4.1.6.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from lrs.errors import InvalidParameter, Problem
from lrs.xapi.formats import Format
from lrs.xapi.params import ParamReader
from lrs.xapi.ports import FactKind, Filter, StatementId
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

_SPEC = "xAPI 1.0.3 Communication 2.1.3"


@dataclass(frozen=True, slots=True)
class SingleRequest:
    """A request for one statement by id."""

    statement_id: StatementId
    voided: bool
    format: Format
    attachments: bool


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page.

    Attributes:
        limit: As asked, None where nothing or 0 was asked: the server's own.
        attachments: Whether the attachments are to come along.
        given: The parameters as they were given, to be carried in ``more``.
    """

    filters: tuple[Filter, ...]
    since_us: int | None
    until_us: int | None
    ascending: bool
    limit: int | None
    format: Format
    attachments: bool
    given: Mapping[str, str]


def read_request(params: Mapping[str, str], version: Version) -> SingleRequest | PageRequest:
    """Turn the parameters (each known and given once) into a request.

    Args:
        params: Without ``more``, which the caller has resolved.
        version: The version in use.

    Raises:
        InvalidParameter: With one problem for each parameter that is wrong.
    """
    reader = ParamReader(params, version, _SPEC)
    single = sorted(SINGLE & params.keys())
    if single:
        request: SingleRequest | PageRequest = _single(reader, params, single)
    else:
        request = _page(reader, params)
    reader.raise_if_wrong()
    return request


def _single(reader: ParamReader, params: Mapping[str, str], single: list[str]) -> SingleRequest:
    name = single[0]
    for other in sorted((FILTERS & params.keys()) | set(single[1:])):
        reader.refuse(other, f"{other} cannot be combined with {name}.", "parameter.combination")
    statement_id = reader.uuid(name) or ""
    return SingleRequest(
        StatementId(statement_id), name == "voidedStatementId", reader.format(), reader.flag("attachments")
    )


def _page(reader: ParamReader, params: Mapping[str, str]) -> PageRequest:
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
        attachments=reader.flag("attachments"),
        given=dict(params),
    )


def encode_given(given: Mapping[str, str]) -> bytes:
    """Write the parameters of a page for its ``more`` link; ``decode_given`` reads them."""
    return orjson.dumps(dict(given))


def decode_given(text: bytes) -> dict[str, str]:
    """Read what ``encode_given`` wrote."""
    given: dict[str, str] = orjson.loads(text)
    return given


def check_more_alone(params: Mapping[str, str]) -> None:
    """Refuse what is given beside ``more``.

    Raises:
        InvalidParameter: Naming each.
    """
    others = sorted(params.keys() - {MORE})
    if others:
        problems = [
            Problem(name, "parameter.combination", "more already holds the parameters of its first page.", "")
            for name in others
        ]
        raise InvalidParameter("more cannot be combined with other parameters.", problems)
