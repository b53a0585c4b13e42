"""What stands of the history: one row a value, made of the entries that changed it.

``recorded {_id: "<t>:<kind> <subject>", t, kind, subject, m, v, at, value, k}``: ``m`` is the
entry that it comes from, ``v`` its version, ``value`` JSON text, ``k`` what it is found by. A
row is only ever replaced by one of a higher ``m``, so entries may be projected again, late,
and by several at once. Of a value that was removed stays ``{_id, t, m, gone}``: without it a
late projector would bring the value back. A note is a row of entry 0.

``projections {_id: t, m}`` says that everything up to entry m stands in the rows. It is only
ever raised, and only behind them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from bson import Int64
from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import only_duplicates
from lrs.stores.mongo.gone import check_kept
from lrs.stores.mongo.history import Change, HistoryLog
from lrs.stores.mongo.keys import number_of
from lrs.stores.mongo.patience import Patience, unhurried
from lrs.stores.mongo.segment import Document
from lrs.stores.recorded import KeptEntry, KeptValue, texts_of, value_from
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
        self._collections = collections
        self._rows = collections.recorded
        self._entries = collections.history
        self._projections = collections.projections
        self._history = HistoryLog(collections, institution_id)
        self._institution_id = institution_id
        self._reached = 0

    @property
    def history(self) -> HistoryLog:
        """The entries that the rows are made of."""
        return self._history

    @property
    def reached(self) -> int:
        """An entry up to which everything stands in the rows, as far as is known here."""
        return self._reached

    def is_behind(self, patience: Patience) -> bool:
        """Look whether there are entries behind those that are known to stand in the rows.

        Where there are, the mark is read: others may have brought the rows further.
        """
        if not patience.until_answered(lambda: self._history.is_there(self._reached + 1)):
            return False
        self._reach(patience.until_answered(self.mark))
        return True

    def catch_up(self, patience: Patience) -> None:
        """Project what is missing: then the rows show all that had been committed before."""
        if not self.is_behind(patience):
            return
        while entries := patience.until_answered(lambda: self.read_ahead(self._reached)):
            self.project(entries, patience)

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
        rows = [row_of(self._institution_id, entry) for entry in entries if "v" in entry]
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
        by_key = {key_of(self._institution_id, kind, subject): subject for subject in subjects}
        found = self._rows.find({"_id": {"$in": list(by_key)}})
        return {by_key[row["_id"]]: row for row in found}

    def list(self, kind: str, after: str, limit: int) -> Sequence[Recorded]:
        """Return values of a kind in order of subject, behind one."""
        within = self._of(kind)
        if after:
            within = {"$gt": key_of(self._institution_id, kind, after), "$lt": within["$lt"]}
        return self._read({"_id": within, "gone": {"$exists": False}}, "_id", limit)

    def find_by(self, kind: str, term: str, after: str, limit: int) -> Sequence[Recorded]:
        """Return values of a kind that have a term, in order of subject, behind one."""
        asked: Document = {"t": self._institution_id, "kind": kind, "k": term}
        if after:
            asked["subject"] = {"$gt": after}
        return self._read(asked, "subject", limit)

    def _read(self, asked: Document, order: str, limit: int) -> Sequence[Recorded]:
        found = self._rows.find(asked).sort(order, ASCENDING).limit(limit) if limit > 0 else ()
        return [recorded_from(row) for row in found]

    def count(self, kind: str) -> int:
        """Return how many values there are of a kind."""
        within = self._of(kind)
        with unhurried():
            gone = self._rows.count_documents({"gone": 1, "_id": within})
            return self._rows.count_documents({"_id": within}) - gone

    def put_notes(self, kind: str, notes: Sequence[Note], at_us: int) -> None:
        """Write notes, whatever stood there."""
        kept = [KeptValue(kind, note.subject, *_texts(note), NO_HISTORY, at_us) for note in notes]
        rows = [_kept_row(self._institution_id, one) for one in kept]
        for start in range(0, len(rows), AT_ONCE):
            self._put(rows[start : start + AT_ONCE])
        self.check_open()

    def remove_notes(self, kind: str, subjects: Sequence[str]) -> None:
        """Drop notes."""
        for start in range(0, len(subjects), AT_ONCE):
            keys = [
                key_of(self._institution_id, kind, subject) for subject in subjects[start : start + AT_ONCE]
            ]
            self._rows.delete_many({"_id": {"$in": keys}})

    def keep_values(self, values: Sequence[KeptValue]) -> None:
        """Keep values as they are; for a restore, before the entries."""
        self._rows.insert_many([_kept_row(self._institution_id, one) for one in values], ordered=False)

    def keep_entries(self, entries: Sequence[KeptEntry]) -> None:
        """Append entries behind the history, and let each row know its last one; for a restore.

        Raises:
            DuplicateKeyError: Somebody else writes to the store.
        """
        first = self._history.head() + 1
        keys = [key_of(self._institution_id, one.kind, one.subject) for one in entries]
        rows = {row["_id"]: row for row in self._rows.find({"_id": {"$in": keys}})}
        documents = [
            self._kept_entry(number, one, rows.get(key))
            for number, (one, key) in enumerate(zip(entries, keys, strict=True), first)
        ]
        try:
            self._entries.insert_many(documents, ordered=True)
        except BulkWriteError as error:
            if only_duplicates(error):
                raise DuplicateKeyError("an entry") from error
            raise
        last = {key: number for number, key in enumerate(keys, first)}
        acts: list[Any] = [
            UpdateOne(
                {"_id": key},
                {"$max": {"m": Int64(m)}, "$setOnInsert": {"t": self._institution_id, "gone": 1}},
                upsert=True,
            )
            for key, m in last.items()
        ]
        self._rows.bulk_write(acts, ordered=False)
        self._raise_mark(first + len(entries) - 1)

    def _kept_entry(self, m: int, kept: KeptEntry, row: Document | None) -> Document:
        """Return an entry; how the value stands is known where the row shows just this one."""
        change = Change(f"restored.{m}", kept.kind, kept.subject, kept.before, kept.after, kept.at_us)
        entry = self._history.to_document(m, change)
        if kept.after is None:
            return {**entry, "v": 0, "k": []}
        if row is not None and (row.get("value"), row.get("at")) == (kept.after, kept.at_us):
            return {**entry, "v": row["v"], "k": row["k"]}
        return entry

    def mark(self) -> int:
        """Return the entry up to which the rows are said to be complete."""
        found = self._projections.find_one({"_id": self._institution_id})
        return int(found["m"]) if found else 0

    def check_open(self) -> None:
        """See that the institution may be written to.

        Raises:
            NotFound: It was taken away; what came late is removed.
        """
        check_kept(self._collections, self._institution_id)

    def _of(self, kind: str) -> Document:
        return {"$gte": key_of(self._institution_id, kind, ""), "$lt": f"{self._institution_id}:{kind}!"}

    def _reach(self, m: int) -> None:
        self._reached = max(self._reached, m)

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
        ours = {"_id": self._institution_id, "dropped": {"$exists": False}}
        while True:
            try:
                self._projections.update_one(ours, {"$max": {"m": Int64(m)}}, upsert=True)
            except DuplicateKeyError:
                # Two met on the first document, and the next try raises it; or there is no more to raise.
                self.check_open()
                continue
            return


def _texts(note: Note) -> tuple[str, tuple[str, ...]]:
    text, terms = texts_of(note)
    return text or "", terms


def _kept_row(institution_id: InstitutionId, kept: KeptValue) -> Document:
    """Return the row of a value whose entry is not known, or that has none."""
    return {
        "_id": key_of(institution_id, kept.kind, kept.subject),
        "t": institution_id,
        "m": Int64(0),
        "kind": kept.kind,
        "subject": kept.subject,
        "v": kept.version,
        "at": Int64(kept.at_us),
        "k": list(kept.terms),
        "value": kept.text,
    }


def key_of(institution_id: InstitutionId, kind: str, subject: str) -> str:
    """Return the key of a value's row: in order of kind, then subject."""
    return f"{institution_id}:{kind} {subject}"


def row_of(institution_id: InstitutionId, entry: Document) -> Document:
    """Return the row that an entry makes."""
    row = {
        "_id": key_of(institution_id, entry["kind"], entry["subject"]),
        "t": institution_id,
        "m": Int64(number_of(entry["_id"])),
    }
    if entry["after"] is None:
        return {**row, "gone": 1}
    same = {name: entry[name] for name in ("kind", "subject", "v", "at", "k")}
    return {**row, **same, "value": entry["after"]}


def recorded_from(row: Document) -> Recorded:
    """Read a row of a value that is there."""
    return Recorded(row["kind"], row["subject"], value_from(row["value"]), row["v"], row["at"])


def kept_from(row: Document) -> KeptValue:
    """Read a row as it travels in a backup."""
    return KeptValue(row["kind"], row["subject"], row["value"], tuple(row["k"]), row["v"], row["at"])
