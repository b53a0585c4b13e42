"""The two texts of a statement, both made once, at write.

*received* is the exact slice of the body, never changed. *served* is received plus what
the standard demands of the store: id, authority, version, a single context activity as an
array. Numbers and order stay as written. What is only known when the write commits
(``stored``, and ``timestamp`` where none was sent) is spliced in when reading.

A packed body is: one byte of flags, four bytes (little endian) that are the length of
*served* where received is kept apart, else the place where the store's additions begin;
then *served*; then, where it is kept apart, *received*.

Spec: xAPI 1.0.3 Data 2.4.1, 2.4.6.2, 2.4.7, 2.4.8, 2.4.9, 2.4.10.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from operator import lt
from typing import Any

import msgspec

from lrs.clock import to_text
from lrs.errors import CorruptRecord

_HEAD = struct.Struct("<BI")
_HEAD_BYTES = _HEAD.size
_read_head = _HEAD.unpack_from
_SECOND_US = 1_000_000
_MICROSECONDS = len("000000Z")
_CUT_SHORT = "A stored statement is cut short."
_APART = 1
_NO_TIMESTAMP = 2
_PLAIN_FLAGS = bytes(flags for flags in range(1 << 8) if not flags & (_APART | _NO_TIMESTAMP))

_CONTEXT_ACTIVITIES = ("parent", "grouping", "category", "other")
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Additions:
    """What the store adds to a statement.

    Attributes:
        statement_id: Added where the statement has none.
        authority: JSON text of an Agent; always replaces what was sent.
        version: Added where the statement has none: ``1.0.0`` or ``2.0.0``.
    """

    statement_id: str
    authority: str
    version: str


def pack(raw: bytes, value: Mapping[str, Any], additions: Additions, sent: bytes | None = None) -> bytes:
    """Make both texts of a valid statement and pack them.

    Args:
        raw: The exact slice of the body, from its brace to its brace; where it was mended, the
            mended text.
        value: The same, parsed.
        additions: What the store sets.
        sent: The exact slice of the body, where it was mended.
    """
    flags = 0 if "timestamp" in value else _NO_TIMESTAMP
    added = _added(value, additions)
    stays = _stays_as_sent(value)
    if stays and sent is None:
        return _HEAD.pack(flags, len(raw) - 1) + raw[:-1] + added + b"}"
    served = (raw if stays else _rebuilt(raw))[:-1] + added + b"}"
    return _HEAD.pack(flags | _APART, len(served)) + served + (raw if sent is None else sent)


def served_text(body: bytes, stored_at_us: int) -> bytes:
    """Return the statement as it is served, with ``stored`` in its place.

    Raises:
        CorruptRecord: The packed body is cut short.
    """
    flags, _, end = _unpack(body)
    stored = to_text(stored_at_us)
    tail = f',"stored":"{stored}"}}'
    if flags & _NO_TIMESTAMP:
        tail = f',"timestamp":"{stored}"' + tail
    return body[_HEAD_BYTES : end - 1] + tail.encode()


def served_list(kept: Iterable[tuple[bytes, int]]) -> bytes:
    """Return many statements as they are served, with commas between: what ``served_text`` says of each.

    Args:
        kept: The packed body of each, and its ``stored``.

    Raises:
        CorruptRecord: One is cut short.
    """
    pairs = list(kept)
    bodies = [body for body, _ in pairs]
    if not _are_plain(bodies):
        return b",".join([served_text(body, stored_at_us) for body, stored_at_us in pairs])
    instants = map(divmod, [stored_at_us for _, stored_at_us in pairs], repeat(_SECOND_US))
    tails = [b'%b%06dZ"}' % (_stored_in(second), microsecond) for second, microsecond in instants]
    return b",".join([body[_HEAD_BYTES:-1] + tail for body, tail in zip(bodies, tails, strict=True)])


def _are_plain(bodies: Sequence[bytes]) -> bool:
    """Tell whether bodies are whole and nothing stands apart or is missing: found out about all at once."""
    heads = b"".join([body[:_HEAD_BYTES] for body in bodies])
    if len(heads) < len(bodies) * _HEAD_BYTES or heads[::_HEAD_BYTES].strip(_PLAIN_FLAGS):
        return False
    return all(map(lt, _lengths_of(len(bodies)).unpack(heads), map(len, bodies)))


@lru_cache(maxsize=1024)
def _lengths_of(count: int) -> struct.Struct:
    """Return what reads the second field of so many heads."""
    return struct.Struct("<" + "xI" * count)


@lru_cache(maxsize=1024)
def _stored_in(second: int) -> bytes:
    """Write ``stored`` up to its fraction; many were stored within the same second."""
    return f',"stored":"{to_text(second * _SECOND_US)[:-_MICROSECONDS]}'.encode()


def received_text(body: bytes) -> bytes:
    """Return exactly what was received.

    Raises:
        CorruptRecord: The packed body is cut short.
    """
    flags, length, end = _unpack(body)
    if flags & _APART:
        return body[end:]
    return body[_HEAD_BYTES : _HEAD_BYTES + length] + b"}"


def _unpack(body: bytes) -> tuple[int, int, int]:
    """Return flags, the second field, and where *served* ends."""
    if len(body) <= _HEAD_BYTES:
        raise CorruptRecord(_CUT_SHORT)
    flags, length = _read_head(body)
    end = _HEAD_BYTES + length if flags & _APART else len(body)
    if end > len(body) or length >= len(body):
        raise CorruptRecord(_CUT_SHORT)
    return flags, length, end


def _added(value: Mapping[str, Any], additions: Additions) -> bytes:
    text = "" if "id" in value else f',"id":"{additions.statement_id}"'
    text += f',"authority":{additions.authority}'
    if "version" not in value:
        text += f',"version":"{additions.version}"'
    return text.encode()


def _has_single(holder: Mapping[str, Any]) -> bool:
    """Tell whether a statement's or SubStatement's context holds an activity without an array."""
    by_kind = holder.get("context", {}).get("contextActivities")
    return bool(by_kind) and any(isinstance(part, dict) for part in by_kind.values())


def _stays_as_sent(value: Mapping[str, Any]) -> bool:
    return (
        "stored" not in value
        and "authority" not in value
        and not _has_single(value)
        and not (value["object"].get("objectType") == "SubStatement" and _has_single(value["object"]))
    )


def _rebuilt(raw: bytes) -> bytes:
    """Return a statement without ``stored`` and ``authority``, single activities as arrays."""
    parts = _raw_object(raw)
    parts.pop("stored", None)
    parts.pop("authority", None)
    _wrap_context(parts)
    sub = _raw_object_or_none(parts.get("object"))
    if sub and "context" in sub:
        _wrap_context(sub)
        parts["object"] = msgspec.Raw(_encode(sub))
    return _encode(parts)


def _raw_object_or_none(part: msgspec.Raw | None) -> dict[str, msgspec.Raw] | None:
    return _raw_object(part) if part is not None and bytes(part)[:1] == b"{" else None


def _wrap_context(parts: dict[str, msgspec.Raw]) -> None:
    context = _raw_object_or_none(parts.get("context"))
    by_kind = _raw_object_or_none(context.get("contextActivities")) if context else None
    if not context or not by_kind:
        return
    for kind in _CONTEXT_ACTIVITIES:
        activity = by_kind.get(kind)
        if activity is not None and bytes(activity)[:1] == b"{":
            by_kind[kind] = msgspec.Raw(b"[" + bytes(activity) + b"]")
    context["contextActivities"] = msgspec.Raw(_encode(by_kind))
    parts["context"] = msgspec.Raw(_encode(context))
