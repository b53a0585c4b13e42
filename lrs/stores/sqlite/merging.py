"""Merging closed lots of postings beside the writers: rows to lists, lists to longer ones.

A log-structured tree in levels. The oldest rows come first: so lots that are lists stand in
front of all that are rows; and rows come before lists: while lists are merged, which takes
long, rows that are due are merged in between. A lot that an earlier version merged to rows is
made lists as it is.

Reading and packing need no lock (gathering.py). Finished blocks are inserted a few hundred at a
time; the new lot is unseen until ``lots`` lists it; then the old ones are unseen, and are deleted
in pieces. A crash at any point leaves rows and blocks of unlisted lots, which the next tidying
deletes. Whoever takes postings away gives up the merge of their lots (postings.py): nothing of it
is inserted any more, and it begins anew. Only the process that holds ``-merge`` does any of this.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.blocks import PLACES
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.gathering import gather
from lrs.stores.sqlite.lists import FORM
from lrs.stores.sqlite.locks import open_private, try_flock
from lrs.stores.sqlite.packing import Block, Packer
from lrs.stores.sqlite.postings import next_lot
from lrs.stores.sqlite.writer import Write, Writer

_ROWS_READ = 1000
"""So many are joined and packed in less than a millisecond of the interpreter's time, mostly."""
_BLOCKS_INSERTED = 400
_ROWS_DELETED, _BLOCKS_DELETED = 10_000, 1000
_INSERT = "INSERT INTO lists VALUES (?, ?, ?, ?, ?)"


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


class _Lot(NamedTuple):
    """A row of ``lots``."""

    lo: int
    lot: int
    form: int


class _Due(NamedTuple):
    """Old lots, all of them within [lo, hi), that are to become one."""

    lo: int
    hi: int
    old: tuple[int, ...]
    are_rows: bool


class _Plan(NamedTuple):
    """What is due, and the number of the new lot."""

    new: int
    due: _Due


class Merger:
    """Keeps the number of lots small.

    Args:
        writer: What is written goes through it.
        database: A connection to read with; in no transaction.
        spans: Positions a lot (postings.SPANS).
        stopping: Asked between slices.
        pause: Called between slices, so that others come to work.
    """

    def __init__(
        self,
        writer: Writer,
        database: apsw.Connection,
        spans: Sequence[int],
        stopping: Callable[[], bool],
        pause: Callable[[], None],
    ) -> None:
        """Begin without having looked."""
        self._writer = writer
        self._database = database
        self._spans = spans
        self._stopping = stopping
        self._pause = pause
        self._rows_read = _ROWS_READ
        self._blocks_inserted = _BLOCKS_INSERTED

    def tidy(self) -> None:
        """Forget merges that were broken off, and delete what is left of every lot that is not listed."""
        self._writer.run(_forget_merges)
        for lot in self._writer.run(_find_unlisted):
            self._delete(lot)

    def merge_one(self) -> bool:
        """Merge the oldest lots that are due; False when none are, or when that was given up."""
        return self._merge_rows() or any(self._merge_lists(span) for span in self._spans[2:])

    def _merge_rows(self) -> bool:
        return self._merge(_due_rows(self._lots(), self._spans[1]))

    def _merge_lists(self, span: int) -> bool:
        return self._merge(_due_lists(self._lots(), span))

    def _lots(self) -> list[_Lot]:
        return [_Lot(*row) for row in sql.rows(self._database, "SELECT lo, lot, form FROM lots ORDER BY lo")]

    def _merge(self, due: _Due | None) -> bool:
        if due is None:
            return False
        plan = self._writer.run(lambda write: _begin(write, due))
        is_done = self._copy(plan) and self._writer.run(lambda write: _swap(write, plan))
        for lot in due.old if is_done else (plan.new,):
            self._delete(lot)
        return is_done

    def _copy(self, plan: _Plan) -> bool:
        """Write the new lot; False when broken off, or given up."""
        packer = Packer(plan.due.lo - plan.due.lo % PLACES)
        blocks: list[Block] = []
        for pieces in gather(self._database, plan.due.old, self._rows_read):
            if self._stopping():
                return False
            blocks += packer.add(pieces)
            if len(blocks) >= self._blocks_inserted:
                if not self._keep(plan, blocks):
                    return False
                blocks = []
                while not plan.due.are_rows and self._merge_rows():
                    pass
            self._pause()
        return self._keep(plan, blocks + packer.finish())

    def _keep(self, plan: _Plan, blocks: Sequence[Block]) -> bool:
        return self._writer.run(partial(_insert, plan=plan, blocks=blocks), weight=len(blocks))

    def _delete(self, lot: int) -> None:
        """Delete all of a lot that is not listed, unless broken off."""
        while not self._stopping() and self._writer.run(
            lambda write: _delete_some(write, lot), _ROWS_DELETED
        ):
            self._pause()


def _due_rows(lots: Sequence[_Lot], span: int) -> _Due | None:
    """Find the oldest rows that are to become a lot of lists, if they are closed."""
    rows = [one for one in lots if not one.form]
    hi = _begin_behind(rows, rows[0].lo - rows[0].lo % span + span) if rows else None
    if hi is None:
        return None
    return _Due(rows[0].lo, hi, tuple([one.lot for one in rows if one.lo < hi]), are_rows=True)


def _due_lists(lots: Sequence[_Lot], span: int) -> _Due | None:
    """Find the oldest lots of lists that fill a span and are not one."""
    for begin, group in groupby(lots, lambda one: one.lo - one.lo % span):
        old = list(group)
        if len(old) > 1 and all(one.form == FORM for one in old):
            hi = _begin_behind(lots, begin + span)
            if hi is not None:
                return _Due(old[0].lo, hi, tuple([one.lot for one in old]), are_rows=False)
    return None


def _begin_behind(lots: Sequence[_Lot], position: int) -> int | None:
    """Return where the first lot begins that does so at a position or behind it."""
    return next((one.lo for one in lots if one.lo >= position), None)


def _begin(write: Write, due: _Due) -> _Plan:
    """Note what is merged: from now on what comes late is written to the new lot, too."""
    plan = _Plan(next_lot(write.database), due)
    write.database.execute("INSERT INTO merging VALUES (?, ?, ?)", (plan.new, due.lo, due.hi))
    return plan


def _is_going_on(write: Write, plan: _Plan) -> bool:
    return sql.row(write.database, "SELECT 1 FROM merging WHERE lot = ?", (plan.new,)) is not None


def _insert(write: Write, plan: _Plan, blocks: Sequence[Block]) -> bool:
    """Insert blocks of the new lot, unless its merge was given up."""
    if not _is_going_on(write, plan):
        return False
    write.database.executemany(_INSERT, [(plan.new, *block) for block in blocks])
    return True


def _swap(write: Write, plan: _Plan) -> bool:
    """List the new lot instead of the old ones; readers see either, never both or none."""
    if not _is_going_on(write, plan):
        return False
    write.database.executemany("DELETE FROM lots WHERE lot = ?", [(lot,) for lot in plan.due.old])
    write.database.execute("INSERT INTO lots VALUES (?, ?, ?)", (plan.due.lo, plan.new, FORM))
    write.database.execute("DELETE FROM merging WHERE lot = ?", (plan.new,))
    return True


def _delete_some(write: Write, lot: int) -> bool:
    """Delete the first rows and blocks of a lot; return whether some are left."""
    rows_left = _delete_first(write, lot, "post", "h, prim, seq", _ROWS_DELETED)
    return _delete_first(write, lot, "lists", "h, prim, first", _BLOCKS_DELETED) or rows_left


def _delete_first(write: Write, lot: int, table: str, key: str, most: int) -> bool:
    find = f"SELECT {key} FROM {table} WHERE lot = ? ORDER BY {key} LIMIT 1 OFFSET ?"  # noqa: S608
    end = sql.row(write.database, find, (lot, most))
    before = "" if end is None else f" AND ({key}) < (?, ?, ?)"
    sql.rows(write.database, f"DELETE FROM {table} WHERE lot = ?{before}", (lot, *(end or ())))  # noqa: S608
    return end is not None


def _forget_merges(write: Write) -> None:
    sql.rows(write.database, "DELETE FROM merging")


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
