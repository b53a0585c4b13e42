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
_RawObject = dict[str, msgspec.Raw]


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


class _Entries:
    """A JSON object's entries, their values as written, and how long they are written out."""

    def __init__(self, text: bytes | msgspec.Raw) -> None:
        """Read them; MsgspecError where it is no object."""
        self.values = _raw_object(text)
        written = _encode(self.values)
        self.size = len(written)
        self.is_rewritten = written != bytes(text)

    def compare(self, later: _RawObject) -> tuple[int, bool]:
        """Return by how many bytes later entries would make it longer, and whether they change it."""
        growth, count, changed = 0, len(self.values), False
        for name, value in later.items():
            old = self.values.get(name)
            if old is None:
                growth += len(_encode(name)) + len(b":") + len(value) + (count > 0)
                count += 1
            else:
                growth += len(value) - len(old)
            changed = changed or old is None or old != value
        return growth, changed


class MergedDefinition:
    """Merges many definitions into one: as ``merge_definitions`` one after the other, but written out once.

    What a definition costs grows with itself, not with what it is merged into.

    Args:
        text: What was merged before; None where nothing was.
        most_bytes: A definition that would make the text longer is left out, as one that is none.
    """

    def __init__(self, text: bytes | None, most_bytes: int) -> None:
        """Read nothing yet."""
        self._text = text
        self._most_bytes = most_bytes
        self._top: _Entries | None = None
        self._size = 0
        self._is_written = True
        self._read_maps: dict[str, _Entries] = {}
        # Names of the maps that were merged: their entries stand instead of what the top has.
        self._merged_maps: set[str] = set()

    def text(self) -> bytes | None:
        """Return the merged text; None where nothing was merged."""
        if not self._is_written and self._top is not None:
            maps = {name: msgspec.Raw(_encode(self._read_maps[name].values)) for name in self._merged_maps}
            self._text, self._is_written = _encode({**self._top.values, **maps}), True
        return self._text

    def add(self, definition: bytes) -> bool:
        """Merge a later definition; False where that changed nothing."""
        if self._text is None:
            fits = len(definition) <= self._most_bytes
            self._text = definition if fits else None
            return fits
        try:
            return self._add(self._read(), _raw_object(definition))
        except msgspec.MsgspecError:
            return False

    def _read(self) -> _Entries:
        if self._top is None:
            self._top = _Entries(self._text or b"")
            self._size = self._top.size
        return self._top

    def _add(self, top: _Entries, after: _RawObject) -> bool:
        later = {name: _raw_object(after[name]) for name in _MAPS if name in after and name in top.values}
        plain = {name: value for name, value in after.items() if name not in later}
        growth, changed = top.compare(plain)
        # As the text is written out for the first time, spaces may go.
        changed = changed or (top.is_rewritten and self._is_written)
        for name, entries in later.items():
            grows, changes = self._compare_map(top, name, entries)
            growth, changed = growth + grows, changed or changes
        if self._size + growth > self._most_bytes:
            return False
        top.values.update(plain)
        for name, entries in later.items():
            self._read_maps[name].values.update(entries)
        self._merged_maps.update(later)
        self._size += growth
        self._is_written = self._is_written and not changed
        return changed

    def _compare_map(self, top: _Entries, name: str, later: _RawObject) -> tuple[int, bool]:
        if name not in self._read_maps:
            self._read_maps[name] = _Entries(top.values[name])
        entries = self._read_maps[name]
        growth, changed = entries.compare(later)
        if name in self._merged_maps:
            return growth, changed
        return growth + entries.size - len(top.values[name]), changed or entries.is_rewritten
