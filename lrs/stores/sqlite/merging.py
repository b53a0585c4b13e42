"""Merging closed lots of postings, sixteen to one, in short slices beside the writers.

The new lot is made of lists (blocks.py). A lot that an earlier version merged, which is rows,
is made anew as if it were sixteen. The oldest come first: so lots that are lists stand in
front of all that are rows.

Each slice is one piece of work for the writer. The new lot is unseen until ``lots`` lists
it; then the old ones are unseen and their rows are deleted, in slices too. A crash at any
point leaves rows of unlisted lots, which the next tidying deletes. Only the process that
holds ``-merge`` does any of this.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.blocks import Key, cut_into_blocks
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.locks import open_private, try_flock
from lrs.stores.sqlite.postings import next_lot
from lrs.stores.sqlite.writer import Write, Writer

WIDTH = 16
_SLICE_SECONDS = 0.01
_FIRST_SLICE_ROWS = 1000
_SMALLEST_SLICE_ROWS = 100
_LARGEST_SLICE_ROWS = 20_000
_BEFORE_ALL = (-1, -1, -1)
_INSERT = "INSERT INTO lists VALUES (?, ?, ?, ?, ?)"
_BLOCKS_DELETED = 1000


class Leadership:
    """Held by at most one process on a store, until it ends."""

    def __init__(self, database_path: str) -> None:
        """Open the file."""
        with translated():
            self._file = open_private(f"{database_path}-merge")
        self._held = False

    def try_take(self) -> bool:
        """Take it if nobody has it; True also when it was taken before."""
        self._held = self._held or try_flock(self._file)
        return self._held

    def close(self) -> None:
        """Give it up."""
        if self._held:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Old lots, all of them within [lo, hi), become the new one."""

    new: int
    lo: int
    hi: int
    old: tuple[int, ...]


class _Pace:
    """How many rows make a slice of ten milliseconds."""

    def __init__(self) -> None:
        self.rows = _FIRST_SLICE_ROWS

    def measure(self, seconds: float) -> None:
        """Adapt to what the last slice took."""
        factor = min(2.0, max(0.25, _SLICE_SECONDS / max(seconds, 1e-6)))
        self.rows = int(min(_LARGEST_SLICE_ROWS, max(_SMALLEST_SLICE_ROWS, self.rows * factor)))


class Merger:
    """Keeps the number of lots small.

    Args:
        writer: Every slice goes through it.
        lot_size: Positions an unmerged lot.
        stopping: Asked between slices.
        pause: Called between slices, so that others come to write.
    """

    def __init__(
        self, writer: Writer, lot_size: int, stopping: Callable[[], bool], pause: Callable[[], None]
    ) -> None:
        """Begin to measure."""
        self._writer = writer
        self._lot_size = lot_size
        self._stopping = stopping
        self._pause = pause
        self._pace = _Pace()

    def tidy(self) -> None:
        """Forget a merge that was broken off, and delete the rows of every lot that is not listed."""
        self._writer.run(_forget_merge)
        unlisted = self._writer.run(_find_unlisted)
        for lot in unlisted:
            self._repeat(lambda write, lot=lot: self._delete_slice(write, lot))  # type: ignore[misc]
            self._repeat(lambda write, lot=lot: self._delete_blocks(write, lot))  # type: ignore[misc]

    def merge_one(self) -> bool:
        """Merge the oldest lots that are due; False when none are."""
        plan = self._writer.run(self._plan)
        if plan is None:
            return False
        if self._copy(plan):
            self._writer.run(lambda write: _swap(write, plan))
            self.tidy()
        return True

    def _copy(self, plan: _Plan) -> bool:
        """Write the new lot; False when broken off."""
        after: Key | None = _BEFORE_ALL
        while after is not None:
            if self._stopping():
                return False
            # A slice may be run again: how far it came counts once it is committed.
            work = partial(self._copy_slice, plan=plan, after=after)
            after = self._writer.run(work, weight=self._pace.rows)
            self._pause()
        return True

    def _repeat(self, work: Callable[[Write], bool]) -> bool:
        """Run slices until one says that nothing is left; False when broken off."""
        while not self._stopping():
            if not self._writer.run(work, weight=self._pace.rows):
                return True
            self._pause()
        return False

    def _plan(self, write: Write) -> _Plan | None:
        """Find the oldest aligned range of closed lots that is still in pieces, and note it."""
        lots = sql.rows(write.database, "SELECT lo, lot, form FROM lots ORDER BY lo")
        span = self._lot_size * WIDTH
        newest = lots[-1][0] if lots else 0
        for lo in sorted({lo - lo % span for lo, _, form in lots if form == 0}):
            old = tuple([lot for begin, lot, _ in lots if lo <= begin < lo + span])
            if lo + span <= newest:
                new = next_lot(write.database)
                write.database.execute("INSERT INTO merging VALUES (?, ?, ?)", (new, lo, lo + span))
                return _Plan(new, lo, lo + span, old)
        return None

    def _copy_slice(self, write: Write, plan: _Plan, after: Key) -> Key | None:
        """Make blocks of what follows a key; return the last key in them, None when nothing follows."""
        began = time.monotonic()
        most = self._pace.rows
        values = dict(zip(("h", "p", "s", "rows"), (*after, most), strict=True))
        rows = sql.rows(write.database, f"{_merged(plan.old)} LIMIT :rows", values)
        if not rows:
            return None
        blocks, done = cut_into_blocks(plan.lo, rows, is_end=len(rows) < most)
        write.database.executemany(_INSERT, [(plan.new, *block) for block in blocks])
        self._pace.measure(time.monotonic() - began)
        return cast(Key, rows[done - 1])

    def _delete_slice(self, write: Write, lot: int) -> bool:
        began = time.monotonic()
        find = "SELECT h, prim, seq FROM post WHERE lot = ? ORDER BY h, prim, seq LIMIT 1 OFFSET ?"
        end = sql.row(write.database, find, (lot, self._pace.rows))
        if end is None:
            write.database.execute("DELETE FROM post WHERE lot = ?", (lot,))
            return False
        delete = "DELETE FROM post WHERE lot = ? AND (h, prim, seq) < (?, ?, ?)"
        write.database.execute(delete, (lot, *end))
        self._pace.measure(time.monotonic() - began)
        return True

    def _delete_blocks(self, write: Write, lot: int) -> bool:
        find = "SELECT h, prim, first FROM lists WHERE lot = ? ORDER BY h, prim, first LIMIT 1 OFFSET ?"
        end = sql.row(write.database, find, (lot, _BLOCKS_DELETED))
        behind = "" if end is None else " AND (h, prim, first) < (?, ?, ?)"
        sql.rows(write.database, f"DELETE FROM lists WHERE lot = ?{behind}", (lot, *(end or ())))  # noqa: S608
        return end is not None


def _merged(lots: Sequence[int]) -> str:
    """Write the query that walks several lots as one, behind a key, without a sort."""
    arms = " UNION ALL ".join(
        f"SELECT h, prim, seq FROM post WHERE lot = {lot:d} AND (h, prim, seq) > (:h, :p, :s)"  # noqa: S608
        for lot in lots
    )
    return f"SELECT h, prim, seq FROM ({arms} ORDER BY 1, 2, 3)"  # noqa: S608


def _forget_merge(write: Write) -> None:
    sql.rows(write.database, "DELETE FROM merging")


def _swap(write: Write, plan: _Plan) -> None:
    """List the new lot instead of the old ones; readers see either, never both or none."""
    write.database.execute("DELETE FROM lots WHERE lo >= ? AND lo < ?", (plan.lo, plan.hi))
    write.database.execute("INSERT INTO lots VALUES (?, ?, 1)", (plan.lo, plan.new))
    write.database.execute("DELETE FROM merging WHERE lot = ?", (plan.new,))


def _find_unlisted(write: Write) -> list[int]:
    """Return the lots that have postings and are not listed, leaping from lot to lot."""
    listed = {lot for (lot,) in write.database.execute("SELECT lot FROM lots")}
    found = {lot for table in ("post", "lists") for lot in _iter_lots(write.database, table)}
    return sorted(found - listed)


def _iter_lots(database: apsw.Connection, table: str) -> Iterator[int]:
    lot = sql.value(database, f"SELECT min(lot) FROM {table}")  # noqa: S608 - fixed names
    while lot is not None:
        yield lot
        lot = sql.value(database, f"SELECT min(lot) FROM {table} WHERE lot > ?", (lot,))  # noqa: S608
