"""Activity definitions over time: collected from statements, merged into one.

Spec: xAPI 1.0.3 Communication 2.5 (Activities Resource), Data 2.4.4.1 (Activity Definition).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import orjson

from lrs.xapi.ports.activities import ActivityDefinition

_MAPS = ("name", "description", "extensions")
_CONTEXT_ACTIVITIES = ("parent", "grouping", "category", "other")
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.encode

Json = Mapping[str, Any]


def definitions_of(statement: Json) -> tuple[ActivityDefinition, ...]:
    """List the definitions that a valid statement gives, its SubStatement's included."""
    found = list(_definitions(statement))
    obj = statement["object"]
    if obj.get("objectType") == "SubStatement":
        found += _definitions(obj)
    return tuple(found)


def _definitions(statement: Json) -> Iterator[ActivityDefinition]:
    for activity in _activities(statement):
        definition = activity.get("definition")
        if definition:
            yield ActivityDefinition(activity["id"], orjson.dumps(definition))


def _activities(statement: Json) -> Iterator[Json]:
    obj = statement["object"]
    if obj.get("objectType", "Activity") == "Activity":
        yield obj
    by_kind = statement.get("context", {}).get("contextActivities", {})
    for kind in _CONTEXT_ACTIVITIES:
        activities = by_kind.get(kind, ())
        yield from (activities,) if isinstance(activities, dict) else activities


def merge_definitions(old: bytes, new: bytes) -> bytes:
    """Merge a later definition into an earlier one.

    Names, descriptions and extensions are merged entry by entry, the later one winning;
    of every other property the later value stands as a whole. What only the earlier one
    has stays. Numbers stay as written.

    Args:
        old: JSON text of a definition object.
        new: The same, later.

    Returns:
        The merged JSON text; ``old`` itself when the new one adds nothing.
    """
    before, after = _raw_object(old), _raw_object(new)
    merged = {**before, **after}
    for name in _MAPS:
        if name in before and name in after:
            merged[name] = msgspec.Raw(_encode({**_raw_object(before[name]), **_raw_object(after[name])}))
    text = _encode(merged)
    return old if text == old else text
