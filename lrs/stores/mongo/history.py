"""The history of one institution: its own dense log of recorded changes.

``history {_id: "<t>:<m>", t, src, kind, subject, before, after, at, p?, v?, k?}``. An insert
at m+1 is a commit, as in the segment log, and like a segment no entry is ever deleted. ``src``
names what caused it and is unique: ``<n>.<i>``, an entry of a segment, which a projector may
write again; ``<token>.<i>``, an act of changing recorded values; or a restore.

An entry of a recorded value also has its version, its terms, and in ``p`` the entry that
changed it before: 0 where there is none. One that a restore wrote has no ``p``, and version
and terms only where it says how the value stands.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bson import Int64
from pymongo.errors import DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.gone import keys_of
from lrs.stores.mongo.keys import dense_key, number_of
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.segment import Document
from lrs.stores.recorded import VOIDED_KIND
from lrs.xapi.ports import HistoryEntry, HistoryPage, Position


@dataclass(frozen=True, slots=True)
class Change:
    """What is about to become an entry; before and after as JSON text."""

    source: str
    kind: str
    subject: str
    before: str | None
    after: str | None
    at_us: int


class HistoryLog:
    """The entries as they lie, and where they end."""

    def __init__(self, collections: Collections, institution_id: InstitutionId) -> None:
        """Keep where it lies."""
        self._entries = collections.history
        self._institution_id = institution_id

    def following(self, after: int, limit: int) -> Iterator[Document]:
        """Yield the entries right behind one; stops at the first that is missing, or was emptied."""
        if limit <= 0:
            return
        behind = {"$gt": dense_key(self._institution_id, after), "$lt": f"{self._institution_id};"}
        for document in (
            self._entries.find({"t": self._institution_id, "_id": behind}).sort("_id", 1).limit(limit)
        ):
            after += 1
            if number_of(document["_id"]) != after or "kind" not in document:
                return
            yield document

    def is_there(self, m: int) -> bool:
        """Tell whether there is an entry of that number: then all before it are there as well."""
        one = {"t": self._institution_id, "_id": dense_key(self._institution_id, m)}
        return self._entries.find_one(one, {"_id": 1}) is not None

    def head(self) -> int:
        """Return the number of the last entry; 0 before the first."""
        mine = {"t": self._institution_id, "_id": keys_of(self._institution_id)}
        newest = next(iter(self._entries.find(mine, {"_id": 1}).sort("_id", -1).limit(1)), None)
        return number_of(newest["_id"]) if newest else 0

    def to_document(self, m: int, change: Change) -> Document:
        """Return what stands in the collection."""
        return {
            "_id": dense_key(self._institution_id, m),
            "t": self._institution_id,
            "src": change.source,
            "kind": change.kind,
            "subject": change.subject,
            "before": change.before,
            "after": change.after,
            "at": Int64(change.at_us),
        }


class History:
    """Writes the entries that voidings bring, and reads all entries."""

    def __init__(self, collections: Collections, institution_id: InstitutionId) -> None:
        """Keep where it lies; the head is looked for at the first write."""
        self._entries = collections.history
        self._log = HistoryLog(collections, institution_id)
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
        entries = [entry_from(document) for document in self._log.following(after, limit)]
        return HistoryPage(entries, entries[-1].position if entries else after)

    def _append(self, change: Change, patience: Patience) -> None:
        head = self._log.head() if self._head is None else self._head
        while True:
            try:
                self._entries.insert_one(self._log.to_document(head + 1, change))
            except DuplicateKeyError:
                if self._entries.find_one({"t": self._institution_id, "src": change.source}, {"_id": 1}):
                    return
                before, head = head, self._log.head()
                if head == before:
                    patience.rest()
            else:
                self._head = head + 1
                return


def entry_from(document: Document) -> HistoryEntry:
    """Read an entry as it lies in its collection."""
    return HistoryEntry(
        Position(number_of(document["_id"])),
        document["kind"],
        document["subject"],
        json_from(document["before"]),
        json_from(document["after"]),
        document["at"],
    )


def is_recorded(document: Document) -> bool:
    """Tell whether an entry is of a recorded value; the others are of statements."""
    return bool(document["kind"] != VOIDED_KIND)


def segment_in(document: Document) -> int:
    """Return the segment that brought an entry of a statement."""
    return int(document["src"].partition(".")[0])


def json_text(value: dict[str, object] | None) -> str | None:
    """Write JSON as text: as a document it would lose large integers and dotted keys."""
    return None if value is None else json.dumps(value, ensure_ascii=False)


def json_from(text: str | None) -> dict[str, object] | None:
    """Read what was written as text."""
    value: dict[str, object] | None = None if text is None else json.loads(text)
    return value
