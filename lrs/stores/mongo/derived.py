r"""Derived rows: fenced by the epoch of whoever writes them.

``derived {_id: "<table>\0<owner>\0<key>", c, e}``: content and epoch. A row is only ever
replaced by one of the same epoch or a later one, and left where it holds the same; of a row
that was removed stays ``{_id, e, gone}`` for some epochs, so that nobody who was late brings
it back. ``{_id: "", epoch, c}``
is the head: who may write, and the cursors. It is written behind the rows, and only while
its epoch is the writer's: so cursors never run ahead, whoever dies or wakes up.

A writer that looked at the head, was stopped for longer than its lease, and goes on with
the next few hundred rows can still write such as nobody wrote since. ``lrs rebuild`` makes
everything again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from bson import Int64
from pymongo import ASCENDING, ReplaceOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from lrs.stores import StoreOptions
from lrs.stores.mongo.errors import only_duplicates, translated
from lrs.stores.mongo.patience import Patience, unhurried
from lrs.stores.mongo.segment import Document
from lrs.tables.derived import Derivation, Row

_HEAD = ""
_AT_ONCE = 500
_EPOCHS_TO_WAKE_UP = 8
"""How many epochs a removed row is remembered."""


class MongoDerivedTables:
    """See lrs.tables.derived.DerivedTables.

    Args:
        rows: Where they lie; ``make_derived_index`` has been there.
        busy_seconds: How long a write is tried.
    """

    def __init__(self, rows: Collection[Document], busy_seconds: float) -> None:
        """Keep where they lie."""
        self._rows = rows
        self._busy_seconds = busy_seconds

    @translated()
    def begin(self, epoch: int) -> bool:
        """Let nobody with a lower epoch write from now on; False when a higher one has begun."""
        ours = {"_id": _HEAD, "epoch": {"$lte": epoch}}
        try:
            change = {"$set": {"epoch": Int64(epoch)}}
            self._rows.update_one(ours, change, upsert=True)
        except DuplicateKeyError:
            # There is a head: of a higher epoch, or made by somebody else a moment ago.
            if self._rows.update_one(ours, change).matched_count == 0:
                return False
        with unhurried():
            self._rows.delete_many({"gone": {"$lte": Int64(epoch - _EPOCHS_TO_WAKE_UP)}})
        return True

    @translated()
    def cursors(self) -> dict[str, int]:
        """Return every cursor by name."""
        head = self._rows.find_one({"_id": _HEAD}) or {}
        return {bytes.fromhex(name).decode(): position for name, position in head.get("c", {}).items()}

    @translated()
    def save(self, epoch: int, derivation: Derivation) -> bool:
        """Write a step: the rows, a few hundred at a time, and behind them the cursors."""
        patience = Patience(self._busy_seconds)
        wanted = _documents(derivation, epoch)
        while some := list(islice(wanted, _AT_ONCE)):
            if not self._write(epoch, some, patience):
                return False
        named = {_field(name): Int64(at) for name, at in (derivation.cursors or {}).items()}
        change = {"$set": named} if named else {"$set": {"epoch": Int64(epoch)}}
        ours = {"_id": _HEAD, "epoch": epoch}
        return patience.until_answered(lambda: self._rows.update_one(ours, change)).matched_count == 1

    @translated()
    def clear(self, epoch: int) -> bool:
        """Forget every cursor, then every row; not the epoch."""
        ours = {"_id": _HEAD, "epoch": epoch}
        if self._rows.update_one(ours, {"$set": {"c": {}}}).matched_count == 0:
            return False
        with unhurried():
            self._rows.delete_many({"e": {"$lte": Int64(epoch)}})
        return self._is_current(epoch)

    @translated()
    def find(self, table: str, owner: str, key: str = "") -> Row | None:
        """Return one row, or None."""
        found = self._rows.find_one({"_id": _id(table, owner, key)})
        return None if found is None or "gone" in found else _row(found)

    @translated()
    def rows(self, table: str, owner: str, after: str = "", limit: int | None = None) -> Sequence[Row]:
        """Return an owner's rows in order of key, behind one key."""
        within = _owned(table, owner)
        if after:
            within = {"$gt": _id(table, owner, after), "$lt": within["$lt"]}
        return list(self._iterate(within)) if limit is None else self._page(within, limit)

    @translated()
    def rows_of(self, table: str, owners: Sequence[str]) -> Sequence[Row]:
        """Return the rows of several owners, in order of owner, then key."""
        wanted = sorted(set(owners))
        found: list[Row] = []
        for start in range(0, len(wanted), _AT_ONCE):
            ranges = [{"_id": _owned(table, owner)} for owner in wanted[start : start + _AT_ONCE]]
            some = self._rows.find({"$or": ranges, "gone": {"$exists": False}}).sort("_id", ASCENDING)
            found += map(_row, some)
        return found

    @translated()
    def owners(self, table: str, after: str = "", limit: int = 1000) -> Sequence[str]:
        """Return who has rows in a table, in order, behind one."""
        within = _in_table(table)
        if after:
            within["$gte"] = _owned(table, after)["$lt"]
        found: list[str] = []
        while len(found) < limit:
            names = {row.owner: None for row in self._page(within, _AT_ONCE, {"_id": 1})}
            if not names:
                break
            found += names
            within["$gte"] = _owned(table, found[-1])["$lt"]
        return found[:limit]

    def iter_rows(self, table: str) -> Iterator[Row]:
        """Yield all rows of a table in order of owner, then key."""
        yield from self._iterate(_in_table(table))

    @translated()
    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        within = _in_table(table)
        with unhurried():
            gone = self._rows.count_documents({"_id": within, "gone": {"$gt": 0}})
            return self._rows.count_documents({"_id": within}) - gone

    def _iterate(self, within: Document) -> Iterator[Row]:
        while True:
            with translated():
                some = self._page(within, _AT_ONCE)
            yield from some
            if len(some) < _AT_ONCE:
                return
            within = {"$gt": _id(*some[-1].name), "$lt": within["$lt"]}

    def _page(self, within: Document, limit: int, fields: Document | None = None) -> list[Row]:
        if limit <= 0:
            return []
        asked = {"_id": within, "gone": {"$exists": False}}
        return [_row(one) for one in self._rows.find(asked, fields).sort("_id", ASCENDING).limit(limit)]

    def _is_current(self, epoch: int) -> bool:
        return self._rows.find_one({"_id": _HEAD, "epoch": epoch}, {"_id": 1}) is not None

    def _write(self, epoch: int, documents: Sequence[Document], patience: Patience) -> bool:
        """Replace rows; False when the epoch is not the head's."""
        while self._is_current(epoch):
            if patience.until_answered(lambda: self._put(documents)):
                return True
            patience.rest()
        return False

    def _put(self, documents: Sequence[Document]) -> bool:
        """Replace rows that differ; False where a later epoch's stands, or two tries met on a new one."""
        by_id = {one["_id"]: one for one in documents}
        there = {one["_id"]: one for one in self._rows.find({"_id": {"$in": list(by_id)}})}
        if any(one["e"] > by_id[name]["e"] for name, one in there.items()):
            return False
        new = [one for name, one in by_id.items() if name not in there]
        acts: list[Any] = [
            ReplaceOne({"_id": name, "e": {"$lte": by_id[name]["e"]}}, by_id[name], upsert=True)
            for name, one in there.items()
            if one.get("c") != by_id[name].get("c")
        ]
        try:
            if new:
                self._rows.insert_many(new, ordered=False)
            if acts:
                self._rows.bulk_write(acts, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            return False
        return True


def make_derived_index(rows: Collection[Document]) -> None:
    """Make the index by which removed rows are found."""
    rows.create_index([("gone", ASCENDING)], sparse=True)


@contextmanager
def open_scratch(derived: Collection[Document], options: StoreOptions) -> Iterator[MongoDerivedTables]:
    """See lrs.tables.derived.OpenScratch: a collection of its own, dropped at the end.

    One whose process was killed stays; nothing reads ``derived_scratch_*`` but who made it.
    """
    with translated():
        rows = derived.database[f"derived_scratch_{options.random_bytes(8).hex()}"]
        make_derived_index(rows)
    try:
        yield MongoDerivedTables(rows, options.busy_seconds)
    finally:
        with translated():
            rows.drop()


def _documents(derivation: Derivation, epoch: int) -> Iterator[Document]:
    for row in derivation.puts:
        yield {"_id": _id(*row.name), "c": row.content, "e": Int64(epoch)}
    for name in derivation.removals:
        yield {"_id": _id(*name), "e": Int64(epoch), "gone": Int64(epoch)}


def _id(*parts: str) -> str:
    """Join names so that they sort as they do one by one: between them stands what comes first."""
    return "\0".join(map(_escaped, parts))


def _escaped(text: str) -> str:
    return text.replace("\1", "\1\2").replace("\0", "\1\1")


def _plain(text: str) -> str:
    return text.replace("\1\1", "\0").replace("\1\2", "\1")


def _owned(table: str, owner: str) -> Document:
    """Return the range of an owner's rows."""
    return {"$gte": _id(table, owner, ""), "$lt": f"{_id(table, owner)}\1"}


def _in_table(table: str) -> Document:
    """Return the range of a table's rows."""
    return {"$gte": _id(table, ""), "$lt": f"{_id(table)}\1"}


def _row(document: Document) -> Row:
    table, owner, key = map(_plain, document["_id"].split("\0"))
    return Row(table, owner, key, bytes(document.get("c", b"")))


def _field(cursor: str) -> str:
    """Return where a cursor stands in the head: a name may hold what no field's name may."""
    return f"c.{cursor.encode().hex()}"
