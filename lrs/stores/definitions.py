"""What both engines do alike with activity definitions: merging within bounds, and how they lie in a row."""

from collections.abc import Iterable

from lrs.stores.compression import BodyCodec
from lrs.xapi.definitions import MergedDefinition

LARGEST_MERGED_BYTES = 65_536
"""What one activity's merged definition may come to; it is read and written under the write lock."""

MOST_REMEMBERED_ACTIVITIES = 10_000
MOST_REMEMBERED_OF_ONE = 4
LARGEST_REMEMBERED_BYTES = 2048

_MARK = b"\xff"
"""Stands between the activity's IRI and its definition; no UTF-8 text holds this byte."""


def merge_all(before: bytes | None, definitions: Iterable[bytes]) -> bytes | None:
    """Merge definitions into what is there, one after the other.

    A definition with which the merged one would grow beyond bounds, or that is none, is
    left out: its statement is kept all the same, and it must not hold up those behind it.

    Returns:
        The merged text; ``before`` itself, or its equal, where nothing changed.
    """
    merged = MergedDefinition(before, LARGEST_MERGED_BYTES)
    for definition in definitions:
        merged.add(definition)
    return merged.text()


def pack_definition(activity: str, text: bytes, codec: BodyCodec) -> tuple[int, bytes]:
    """Return dictionary number and blob of an activity's IRI and merged definition."""
    return codec.compress(b"".join((activity.encode("utf-8", "surrogatepass"), _MARK, text)))


def unpack_definition(number: int, blob: bytes, codec: BodyCodec) -> tuple[str, bytes]:
    """Return what was packed."""
    activity, _, text = codec.decompress(number, blob).partition(_MARK)
    return activity.decode("utf-8", "surrogatepass"), text
