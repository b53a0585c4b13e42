"""What one statement says of one person, in the few words that the rooms behind this one ask for. Pure.

Numbers stay text as they were written: what is compared for credit never was a binary float.

Spec: xAPI 1.0.3 Data 2.4
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from lrs.learners.handles import IdentityId
from lrs.tables.derived import Row
from lrs.vouchers import VOUCHER, VOUCHERS
from lrs.xapi.facts import agent_key, is_voiding
from lrs.xapi.scalars import parse_timestamp

Json = Mapping[str, Any]

ACTS = "acts"
"""The derived table of acts; an owner is an identity."""

LONGEST_NARRATIVE = 2_000
"""Characters of a response that an act keeps; the statement has the rest."""

_YEAR_ONE_US = -62_135_596_800_000_000
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_SPAN = re.compile(
    rf"P(?:(?P<weeks>{_NUMBER})W|(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?)"
)
_UNITS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_MILLI = 1_000
_LONGEST_SPAN = 255
_MOST_SECONDS = 100 * 366 * 86_400

read_statement = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode
"""Parse a statement that was stored, with every number that is not whole as the text that stood there."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """Who stands for what is said.

    Attributes:
        kind: One of VOUCHERS.
        identifier: None where the voucher is a Group without identifier.
    """

    kind: str
    name: str | None = None
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What one statement says of one person.

    Attributes:
        id: The statement's id, lower case.
        institution: Whose record it is in.
        at: The statement's timestamp, in microseconds since the epoch, UTC.
        identifier: Of the person, as ``lrs.xapi.facts.agent_key`` writes it.
        group: Where a Group acted: its name, else its identifier, else empty.
        verb: IRI; verb_name is its display.
        object: IRI of the activity; None where the object is none.
        type: IRI of the activity's type, as this statement gives it.
        parents: IRIs of the context's activities; so groupings and categories.
        scaled: Decimal text as written; so raw, min and max.
        seconds: The duration, rounded to a whole one (half up); None where there is none, it has
            years or months, which are no number of seconds, or is longer than a century.
        narrative: The response, cut.
        client: The client that wrote it, where it was handed in, else the authority's identifier.
    """

    id: str
    institution: str
    at: int
    identifier: str
    name: str | None
    group: str | None
    verb: str
    verb_name: Json
    object: str | None
    object_name: Json
    type: str | None
    parents: tuple[str, ...]
    groupings: tuple[str, ...]
    categories: tuple[str, ...]
    scaled: str | None
    raw: str | None
    min: str | None
    max: str | None
    success: bool | None
    completion: bool | None
    seconds: int | None
    narrative: str | None
    voucher: Voucher
    client: str


def acts_of(statement: Json, institution_id: str, client_id: str | None = None) -> Sequence[Act]:
    """List what a statement says of persons: its actor, or each member of the Group that acted.

    Args:
        statement: As it is served, parsed by ``read_statement``.
        institution_id: Whose record it is in.
        client_id: The client that wrote it, where it is known.

    Returns:
        One act for each identified person, in order; none where nobody is identified or the
        statement voids another.
    """
    if is_voiding(statement):
        return ()
    actor = statement["actor"]
    people = _people(actor)
    if not people:
        return ()
    common = {
        "id": statement["id"].lower(),
        "institution": institution_id,
        "at": _instant(statement),
        "group": _group(actor),
        **_verb_and_object(statement),
        **_context(statement.get("context", {})),
        **_result(statement.get("result", {})),
        "voucher": _voucher(statement),
        "client": client_id or agent_key(statement.get("authority", {})) or "",
    }
    return [Act(identifier=identifier, name=name, **common) for identifier, name in people.items()]


def sortable(at_us: int) -> str:
    """Write an instant so that text order is time's order: eighteen digits, from the year 1 on."""
    return f"{at_us - _YEAR_ONE_US:018d}"


def act_key(act: Act) -> str:
    """Return the key of an act's row: keys of one person's acts are in order of time, then statement id."""
    return f"{sortable(act.at)} {act.id} {act.institution}"


def act_row(identity: IdentityId, act: Act) -> Row:
    """Write an act as a derived row; what is empty is left out."""
    content = {_NAMES[name]: value for name in _NAMES if (value := getattr(act, name)) not in _EMPTY}
    voucher = {"kind": act.voucher.kind, "name": act.voucher.name, "identifier": act.voucher.identifier}
    content["voucher"] = {name: value for name, value in voucher.items() if value is not None}
    return Row(ACTS, identity, act_key(act), orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def act_from(row: Row) -> Act:
    """Read an act from its row."""
    content = orjson.loads(row.content)
    values: dict[str, Any] = {name: content.get(key) for name, key in _NAMES.items()}
    for name in ("parents", "groupings", "categories"):
        values[name] = tuple(values[name] or ())
    for name in ("verb_name", "object_name"):
        values[name] = values[name] or {}
    values["client"] = values["client"] or ""
    values["voucher"] = Voucher(**content["voucher"])
    return Act(**values)


_RENAMED = {"verb_name": "verbName", "object_name": "objectName"}
_NAMES = {field.name: _RENAMED.get(field.name, field.name) for field in fields(Act)}
_EMPTY: tuple[object, ...] = (None, (), {})


def _people(actor: Json) -> dict[str, str | None]:
    """Return who acted, by identifier, each once."""
    agents = actor.get("member", ()) if actor.get("objectType") == "Group" else (actor,)
    found: dict[str, str | None] = {}
    for agent in agents:
        identifier = agent_key(agent)
        if identifier is not None:
            found[identifier] = found.get(identifier) or agent.get("name")
    return found


def _group(actor: Json) -> str | None:
    if actor.get("objectType") != "Group":
        return None
    return actor.get("name") or agent_key(actor) or ""


def _instant(statement: Json) -> int:
    """Return when it happened; a time that an early version let through unread gives way to ``stored``."""
    at = parse_timestamp(statement["timestamp"])
    return at if at is not None else parse_timestamp(statement["stored"]) or 0


def _verb_and_object(statement: Json) -> dict[str, Any]:
    verb, target = statement["verb"], statement["object"]
    is_activity = target.get("objectType", "Activity") == "Activity"
    definition = target.get("definition", {}) if is_activity else {}
    return {
        "verb": verb["id"],
        "verb_name": verb.get("display", {}),
        "object": target["id"] if is_activity else None,
        "object_name": definition.get("name", {}),
        "type": definition.get("type"),
    }


def _context(context: Json) -> dict[str, Any]:
    activities = context.get("contextActivities", {})
    return {
        "parents": _ids(activities.get("parent", ())),
        "groupings": _ids(activities.get("grouping", ())),
        "categories": _ids(activities.get("category", ())),
    }


def _ids(activities: Any) -> tuple[str, ...]:
    listed = (activities,) if isinstance(activities, dict) else activities
    return tuple(dict.fromkeys(activity["id"] for activity in listed))


def _result(result: Json) -> dict[str, Any]:
    score = result.get("score", {})
    response = result.get("response")
    return {
        **{name: _decimal(score.get(name)) for name in ("scaled", "raw", "min", "max")},
        "success": result.get("success"),
        "completion": result.get("completion"),
        "seconds": seconds_of(result["duration"]) if "duration" in result else None,
        "narrative": response[:LONGEST_NARRATIVE] if response else None,
    }


def _decimal(number: object) -> str | None:
    return None if number is None else str(number)


@lru_cache(maxsize=4096)
def seconds_of(duration: str) -> int | None:
    """Read a duration as whole seconds, rounded half up; None where it is no number of seconds.

    Nobody learns for a century: what is longer is a mistake, and no sum may carry it.

    Spec: xAPI 1.0.3 Data 4.6 (ISO 8601:2004 4.4.3.2)
    """
    match = _SPAN.fullmatch(duration) if len(duration) <= _LONGEST_SPAN else None
    if match is None or any(_thousandths(match[name]) for name in ("years", "months")):
        return None
    total = sum(_thousandths(match[name]) * factor for name, factor in _UNITS.items())
    seconds = (total + _MILLI // 2) // _MILLI
    return seconds if seconds <= _MOST_SECONDS else None


def _thousandths(text: str | None) -> int:
    """Read a number as thousandths, cut beyond them."""
    whole, _, fraction = (text or "0").replace(",", ".").partition(".")
    return int(whole) * _MILLI + int(fraction[:3].ljust(3, "0"))


def _voucher(statement: Json) -> Voucher:
    """Return who stands for a statement: the instructor, else the authority.

    Spec: xAPI 1.0.3 Data 2.4.6 (instructor), 2.4.9 (authority)
    """
    context = statement.get("context", {})
    agent = context.get("instructor") or statement.get("authority", {})
    said = context.get("extensions", {}).get(VOUCHER)
    kind = "teacher" if "instructor" in context else "machine"
    return Voucher(said if said in VOUCHERS else kind, agent.get("name"), agent_key(agent))
