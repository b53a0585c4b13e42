"""What stands of the history: one row a value, made of the entries that changed it.

``recorded {_id: "<t>:<kind>:<subject>", t, kind, subject, m, v, at, value, k}``: ``m`` is the
entry that it comes from, ``v`` its version, ``value`` JSON text, ``k`` what it is found by. A
row is only ever replaced by one of a higher ``m``, so entries may be projected again, late,
and by several at once. Of a value that was removed stays ``{_id, t, m}``: without it a late
projector would bring the value back. A note is a row of entry 0.

``projections {_id: t, m}`` says that everything up to entry m stands in the rows. It is only
ever raised, and only behind them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from bson import Int64
from pymongo import ASCENDING, ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import only_duplicates
from lrs.stores.mongo.history import HistoryLog, is_recorded
from lrs.stores.mongo.keys import number_of
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.segment import Document
from lrs.stores.recorded import texts_of, value_from
from lrs.tables.recorded import Note, Recorded

AT_ONCE = 500
NO_HISTORY = 0
"""Version of a note."""

_LARGEST_PIECE = 16_000_000


class Rows:
    """The rows of one institution, and how far they reach.

    Args:
        collections: Where they lie.
        institution_id: Whose.
    """

    def __init__(self, collections: Collections, institution_id: InstitutionId) -> None:
        """Nothing is known before the first look."""
        self._rows = collections.recorded
        self._projections = collections.projections
        self._history = HistoryLog(collections, institution_id)
        self._institution_id = institution_id
        self._reached = 0

    @property
    def history(self) -> HistoryLog:
        """The entries that the rows are made of."""
        return self._history

    def reached(self, patience: Patience) -> int:
        """Return an entry up to which everything stands in the rows: the last one, or one before."""
        if patience.until_answered(lambda: self._history.is_there(self._reached + 1)):
            self._reach(patience.until_answered(self.mark))
        return self._reached

    def catch_up(self, patience: Patience) -> None:
        """Project what is missing: then the rows show all that had been committed before."""
        last = self.reached(patience)
        while entries := patience.until_answered(lambda: self.read_ahead(last)):  # noqa: B023 - called at once
            self.project(entries, patience)
            last = number_of(entries[-1]["_id"])

    def read_ahead(self, after: int) -> list[Document]:
        """Return the entries right behind one: some hundred, fewer where they are long."""
        entries: list[Document] = []
        size = 0
        for entry in self._history.following(after, AT_ONCE):
            entries.append(entry)
            size += len(entry["before"] or "") + len(entry["after"] or "")
            if size > _LARGEST_PIECE:
                break
        return entries

    def project(self, entries: Sequence[Document], patience: Patience) -> None:
        """Bring the rows forward by entries that follow what they reach; then say so."""
        rows = [self._row(entry) for entry in entries if is_recorded(entry)]
        # Of several entries about one value the last one counts.
        newest = list({row["_id"]: row for row in rows}.values())
        for start in range(0, len(newest), AT_ONCE):
            patience.until_answered(lambda: self._replace(newest[start : start + AT_ONCE]))  # noqa: B023 - called at once
        if entries:
            last = number_of(entries[-1]["_id"])
            patience.until_answered(lambda: self._raise_mark(last))
            self._reach(last)

    def load(self, kind: str, subjects: Iterable[str]) -> dict[str, Document]:
        """Return the rows of subjects, by subject; a removed value's too."""
        by_key = {self._key(kind, subject): subject for subject in subjects}
        found = self._rows.find({"_id": {"$in": list(by_key)}})
        return {by_key[row["_id"]]: row for row in found}

    def find(self, kind: str, condition: Document, limit: int) -> Sequence[Recorded]:
        """Return values of a kind in order of subject."""
        if limit <= 0:
            return []
        asked = {"t": self._institution_id, "kind": kind, **condition}
        found = self._rows.find(asked).sort("subject", ASCENDING).limit(limit)
        return [recorded_from(row) for row in found]

    def count(self, kind: str) -> int:
        """Return how many values there are of a kind."""
        return self._rows.count_documents({"t": self._institution_id, "kind": kind})

    def put_notes(self, kind: str, notes: Sequence[Note], at_us: int) -> None:
        """Write notes, whatever stood there."""
        rows = [self._note_row(kind, note, at_us) for note in notes]
        for start in range(0, len(rows), AT_ONCE):
            self._put(rows[start : start + AT_ONCE])

    def remove_notes(self, kind: str, subjects: Sequence[str]) -> None:
        """Drop notes."""
        for start in range(0, len(subjects), AT_ONCE):
            keys = [self._key(kind, subject) for subject in subjects[start : start + AT_ONCE]]
            self._rows.delete_many({"_id": {"$in": keys}})

    def mark(self) -> int:
        """Return the entry up to which the rows are said to be complete."""
        found = self._projections.find_one({"_id": self._institution_id})
        return int(found["m"]) if found else 0

    def _key(self, kind: str, subject: str) -> str:
        return f"{self._institution_id}:{kind}:{subject}"

    def _reach(self, m: int) -> None:
        self._reached = max(self._reached, m)

    def _row(self, entry: Document) -> Document:
        row = {
            "_id": self._key(entry["kind"], entry["subject"]),
            "t": self._institution_id,
            "m": Int64(number_of(entry["_id"])),
        }
        if entry["after"] is None:
            return row
        same = {name: entry[name] for name in ("kind", "subject", "v", "at", "k")}
        return {**row, **same, "value": entry["after"]}

    def _note_row(self, kind: str, note: Note, at_us: int) -> Document:
        text, terms = texts_of(note)
        return {
            "_id": self._key(kind, note.subject),
            "t": self._institution_id,
            "m": Int64(0),
            "kind": kind,
            "subject": note.subject,
            "v": NO_HISTORY,
            "at": Int64(at_us),
            "k": list(terms),
            "value": text,
        }

    def _replace(self, rows: Sequence[Document]) -> None:
        """Replace older rows; done again, or where others did it meanwhile, it changes nothing."""
        while rows:
            found = self._rows.find({"_id": {"$in": [row["_id"] for row in rows]}}, {"m": 1})
            there = {row["_id"]: row["m"] for row in found}
            older = [row for row in rows if there.get(row["_id"], row["m"]) < row["m"]]
            acts: list[Any] = [ReplaceOne({"_id": row["_id"], "m": {"$lt": row["m"]}}, row) for row in older]
            if acts:
                self._rows.bulk_write(acts, ordered=False)
            rows = [row for row in rows if row["_id"] not in there]
            if self._insert(rows):
                return

    def _insert(self, rows: Sequence[Document]) -> bool:
        """Insert new rows; False where somebody else was faster with one."""
        try:
            if rows:
                self._rows.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            return False
        return True

    def _put(self, rows: Sequence[Document]) -> None:
        acts: list[Any] = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
        while True:
            try:
                self._rows.bulk_write(acts, ordered=True)
            except BulkWriteError as error:
                if not only_duplicates(error):
                    raise
                continue  # Two met on a new note; the next try replaces it.
            return

    def _raise_mark(self, m: int) -> None:
        while True:
            try:
                change = {"$max": {"m": Int64(m)}}
                self._projections.update_one({"_id": self._institution_id}, change, upsert=True)
            except DuplicateKeyError:
                continue  # Two met on the first document; the next try raises it.
            return


def recorded_from(row: Document) -> Recorded:
    """Read a row of a value that is there."""
    return Recorded(row["kind"], row["subject"], value_from(row["value"]), row["v"], row["at"])
