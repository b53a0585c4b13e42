"""The history of one institution: its own dense log of recorded changes.

``history {_id: "<t>:<m>", t, src, kind, subject, before, after, at}``. An insert at m+1 is
a commit, as in the segment log. ``src`` names what caused the entry (``<n>.<i>``: an entry
of a segment) and is unique, so that a projector may write it again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bson import Int64
from pymongo.errors import DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.keys import dense_key, number_of
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.segment import Document
from lrs.xapi.ports import HistoryEntry, HistoryPage, Position

_STEP = 50


@dataclass(frozen=True, slots=True)
class Change:
    """What is about to become an entry."""

    source: str
    kind: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    at_us: int


class History:
    """Writes and reads the entries."""

    def __init__(self, collections: Collections, institution_id: InstitutionId) -> None:
        """Keep where it lies; the head is looked for at the first write."""
        self._entries = collections.history
        self._institution_id = institution_id
        self._head: int | None = None

    def record(self, changes: Sequence[Change], patience: Patience) -> None:
        """Append changes in order, each once, however often and by whomever they are recorded.

        Raises:
            StoreUnavailable: Another's entry stands in the way and cannot be read.
        """
        if not changes:
            return
        sources = [change.source for change in changes]
        there = self._entries.find({"t": self._institution_id, "src": {"$in": sources}}, {"src": 1})
        known = {document["src"] for document in there}
        for change in changes:
            if change.source not in known:
                self._append(change, patience)

    def read(self, after: Position, limit: int) -> HistoryPage:
        """Return the entries behind a position; stops at the first that is missing."""
        entries = [entry_from(document) for document in self._following(after, limit)]
        return HistoryPage(entries, entries[-1].position if entries else after)

    def _following(self, after: int, limit: int) -> Iterator[Document]:
        last = after + limit
        while after < last:
            step = min(_STEP, last - after)
            keys = [dense_key(self._institution_id, m) for m in range(after + 1, after + 1 + step)]
            found = self._entries.find({"_id": {"$in": keys}}).sort("_id", 1)
            for key, document in zip(keys, found, strict=False):
                if document["_id"] != key:
                    return
                after += 1
                yield document
            if number_of(keys[-1]) != after:
                return

    def _append(self, change: Change, patience: Patience) -> None:
        while True:
            head = self._find_head()
            try:
                self._entries.insert_one(self._document(head + 1, change))
            except DuplicateKeyError:
                if self._entries.find_one({"t": self._institution_id, "src": change.source}, {"_id": 1}):
                    return
                self._head = head + sum(1 for _ in self._following(head, _STEP))
                if self._head == head:
                    patience.rest()
            else:
                self._head = head + 1
                return

    def _find_head(self) -> int:
        if self._head is None:
            mine = {"t": self._institution_id}
            newest = next(iter(self._entries.find(mine, {"_id": 1}).sort("_id", -1).limit(1)), None)
            self._head = number_of(newest["_id"]) if newest else 0
        return self._head

    def _document(self, m: int, change: Change) -> Document:
        return {
            "_id": dense_key(self._institution_id, m),
            "t": self._institution_id,
            "src": change.source,
            "kind": change.kind,
            "subject": change.subject,
            "before": _to_text(change.before),
            "after": _to_text(change.after),
            "at": Int64(change.at_us),
        }


def entry_from(document: Document) -> HistoryEntry:
    """Read an entry as it lies in its collection."""
    return HistoryEntry(
        Position(number_of(document["_id"])),
        document["kind"],
        document["subject"],
        _from_text(document["before"]),
        _from_text(document["after"]),
        document["at"],
    )


def _to_text(value: dict[str, object] | None) -> str | None:
    """Write JSON as text: as a document it would lose large integers and dotted keys."""
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _from_text(text: str | None) -> dict[str, object] | None:
    value: dict[str, object] | None = None if text is None else json.loads(text)
    return value
