"""When two statements of one id are the same statement: sixteen bytes that say so.

An engine may keep the first eight alone: the form, and 56 bits of a digest. Only statements *of one id*
are ever compared, so of all that are sent a second time with other content, one in 7 * 10^16 would
be taken for a repetition. To bring that about on purpose for what somebody else will send, one must
know his statement and its id before, search through as many others for one to be kept in its place,
and has gained that he is not told of the conflict.

Spec: xAPI 1.0.3 Data 2.3.1 (Statement Immutability) lists what does not count: what the
store sets, activity definitions, verb displays, names of agents, order of members. Data
4.6 adds that durations are compared to 0.01 s. Times are compared as instants, numbers
by value.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from lrs.xapi.scalars import parse_timestamp, truncate_duration

_FORM = b"\x01"
"""Version of this form: a change to the rules below must raise it."""

_SET_BY_STORE = frozenset({"id", "stored", "authority", "version"})
_CONTEXT_ACTIVITIES = ("parent", "grouping", "category", "other")
_ENDS_OF_WHOLE = (b".0,", b".0}", b".0]")
"""How a whole number ends that is written with a fraction. Versions and addresses that do are text: a
quotation mark follows."""

FEWEST_KEPT = 8
"""So many bytes of a fingerprint an engine keeps at least."""

Json = Mapping[str, Any]


def fingerprint(statement: Json) -> bytes:
    """Return 16 bytes that are equal when two valid statements are the same by the standard."""
    return _FORM + _digest(_statement(statement))


def is_same(kept: bytes, made: bytes) -> bool:
    """Tell whether a fingerprint is the one of which all, or the beginning, is kept."""
    return made.startswith(kept)


def digest_properties(statement: Json) -> dict[str, bytes]:
    """Return a digest of each property that counts: valid statements with the same ones are the same."""
    return {name: _digest(part) for name, part in _statement(statement).items()}


def _digest(form: Any) -> bytes:
    text = orjson.dumps(form, option=orjson.OPT_SORT_KEYS)
    if any(map(text.__contains__, _ENDS_OF_WHOLE)):
        text = orjson.dumps(_whole_numbers(form), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=15).digest()


def _statement(statement: Json) -> dict[str, Any]:
    form = {name: part for name, part in statement.items() if name not in _SET_BY_STORE}
    form["actor"] = _agent(statement["actor"])
    form["verb"] = statement["verb"]["id"]
    form["object"] = _object(statement["object"])
    if "timestamp" in form:
        form["timestamp"] = parse_timestamp(form["timestamp"])
    if "context" in form:
        form["context"] = _context(form["context"])
    result = form.get("result")
    if result and "duration" in result:
        form["result"] = {**result, "duration": truncate_duration(result["duration"])}
    return form


def _agent(agent: Json) -> dict[str, Any]:
    form = {name: part for name, part in agent.items() if name != "name"}
    form.setdefault("objectType", "Agent")
    if "member" in form:
        form["member"] = sorted((_agent(member) for member in form["member"]), key=_sort_key)
    return form


def _sort_key(form: Json) -> bytes:
    return orjson.dumps(form, option=orjson.OPT_SORT_KEYS)


def _object(obj: Json) -> Any:
    kind = obj.get("objectType", "Activity")
    if kind == "Activity":
        return {"activity": obj["id"]}
    if kind in {"Agent", "Group"}:
        return _agent(obj)
    if kind == "SubStatement":
        return _statement(obj)
    return {"objectType": kind, "id": obj["id"].lower()}


def _context(context: Json) -> dict[str, Any]:
    form = dict(context)
    for name in ("instructor", "team"):
        if name in form:
            form[name] = _agent(form[name])
    if "registration" in form:
        form["registration"] = form["registration"].lower()
    if "contextActivities" in form:
        form["contextActivities"] = _context_activities(form["contextActivities"])
    for entries, name in (("contextAgents", "agent"), ("contextGroups", "group")):
        if entries in form:
            form[entries] = [{**entry, name: _agent(entry[name])} for entry in form[entries]]
    return form


def _context_activities(by_kind: Json) -> dict[str, Any]:
    form: dict[str, Any] = {}
    for kind in _CONTEXT_ACTIVITIES:
        activities = by_kind.get(kind)
        if isinstance(activities, dict):
            form[kind] = [activities["id"]]
        elif activities is not None:
            form[kind] = [activity["id"] for activity in activities]
    return form


def _whole_numbers(part: Any) -> Any:
    """Write 1.0 as 1 wherever it stands: JSON has one number, however it is written."""
    if isinstance(part, float):
        return int(part) if part.is_integer() and abs(part) < 2**53 else part
    if isinstance(part, dict):
        return {name: _whole_numbers(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_whole_numbers(value) for value in part]
    return part
