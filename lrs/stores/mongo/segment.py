"""A segment: one document of the log, which is one group commit of one institution.

``log {_id: "<t>:<n>", w, at, total, e: [...], r: [...], d?, s?}``. ``at`` is the instant of its *last*
entry; the entries before it are one microsecond apart (in a segment that a restore wrote
they have the instants ``s``), so a segment that was thinned to ``{_id, at, total}`` still says all
that the next writer and every reader of instants need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import Int64

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.keys import dense_key, number_of
from lrs.xapi.ports.activities import ActivityDefinition

Document = dict[str, Any]

PackedDefinitions = tuple[int, bytes]
"""Number of a dictionary, and what was compressed with it; see ``activities``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A new statement as the log keeps it.

    Attributes:
        terms: What it is found by, by itself, without pairs.
        checks: See ``terms``.
        dictionary: Number of the dictionary that the blob was compressed with.
        definitions: What it gives to activities; not in the log here, but in its segment.
        size: About how many bytes it takes in a document.
    """

    id: str
    fingerprint: bytes
    terms: tuple[int, ...]
    checks: bytes
    target: str | None
    voids: bool
    dictionary: int
    blob: bytes
    definitions: tuple[ActivityDefinition, ...] = ()

    @property
    def size(self) -> int:
        """About how many bytes it takes in a document, never less than it does."""
        given = sum(len(one.activity.encode()) + len(one.definition) + 20 for one in self.definitions)
        return len(self.blob) + len(self.checks) + 20 * len(self.terms) + given + 250

    def to_document(self) -> Document:
        """Return what stands in the segment."""
        document: Document = {
            "id": self.id,
            "fp": self.fingerprint,
            "k": [Int64(term) for term in self.terms],
        }
        document |= {"c": self.checks, "z": self.dictionary, "b": self.blob}
        if self.target is not None:
            document |= {"ref": self.target, "x": self.voids}
        return document


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """What a segment says about one accepted batch."""

    source: str
    stored: int
    already: int
    first_id: str
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """One group commit; empty ones (ticks) only move the instant.

    Attributes:
        token: Random, one for each group, kept over its retries: tells whose insert won.
        thinned: Its entries were dropped long after everybody had read them.
        definitions: What its entries give to activities, all together.
        instants: Of its entries, rising, where they are not one microsecond apart.
        total: How many statements the institution holds with it. Whoever inserts a segment
            knows the one before it, so this is exact whoever writes and whoever dies.
    """

    n: int
    token: str
    at_us: int
    entries: Sequence[Entry] = ()
    receipts: Sequence[BatchReceipt] = ()
    thinned: bool = False
    definitions: PackedDefinitions | None = None
    instants: Sequence[int] = ()
    total: int = 0

    def stored_at_us(self, index: int) -> int:
        """Return the instant of an entry: distinct, rising, the last one's is ``at_us``."""
        if self.instants:
            return self.instants[index]
        return self.at_us - (len(self.entries) - 1 - index)

    def to_document(self, institution_id: InstitutionId) -> Document:
        """Return the log's document."""
        document: Document = {
            "_id": dense_key(institution_id, self.n),
            "w": self.token,
            "at": Int64(self.at_us),
            "total": Int64(self.total),
            "e": [entry.to_document() for entry in self.entries],
            "r": [_receipt_fields(one) for one in self.receipts],
        }
        if self.definitions is not None:
            document["d"] = list(self.definitions)
        if self.instants:
            document["s"] = [Int64(instant) for instant in self.instants]
        return document


def next_instant(now_us: int, last_us: int, entries: int) -> int:
    """Return the ``at`` of the segment that follows one whose ``at`` was ``last_us``.

    It is now, or as much later as it takes for each of its entries to be later than
    everything before it, whatever the clocks say.
    """
    return max(now_us, last_us + max(1, entries))


def segment_from(document: Mapping[str, Any]) -> Segment:
    """Read a document of the log; a thinned one has no entries left to project."""
    return Segment(
        number_of(document["_id"]),
        document.get("w", ""),
        document["at"],
        tuple(_entry_from(entry) for entry in document.get("e", ())),
        tuple(BatchReceipt(*receipt) for receipt in document.get("r", ())),
        thinned="e" not in document,
        definitions=_definitions_from(document),
        instants=tuple(document.get("s", ())),
        total=document["total"],
    )


def _receipt_fields(receipt: BatchReceipt) -> list[str | int]:
    fields: list[str | int] = [receipt.source, receipt.stored, receipt.already, receipt.first_id]
    return [*fields, receipt.corrected] if receipt.corrected else fields


def _definitions_from(document: Mapping[str, Any]) -> PackedDefinitions | None:
    if "d" not in document:
        return None
    number, blob = document["d"]
    return number, bytes(blob)


def _entry_from(document: Mapping[str, Any]) -> Entry:
    return Entry(
        document["id"],
        bytes(document["fp"]),
        tuple(document["k"]),
        bytes(document["c"]),
        document.get("ref"),
        document.get("x", False),
        document["z"],
        bytes(document["b"]),
    )
