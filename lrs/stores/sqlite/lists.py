"""Reading, and taking from, the lists of merged lots (blocks.py).

A block is kept under its first posting, of whose hash the last bits are zero (in a lot that an
earlier version merged they are what they are). So what a lot holds of a hash stands in the blocks
that begin with it, and in the end of the one before them. Lots that are lists come before
all that are still rows; what came late to one of them is a row beside its lists.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import merge
from itertools import chain
from typing import Any, NamedTuple

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.blocks import (
    PLACES,
    STEM_SHIFT,
    find_among,
    find_places,
    offset_of,
    read_block,
    take_out,
)

FORM_OF_VERSION_6 = 1
FORM = 2
"""Of lots that are lists, in ``lots``; of rows it is 0."""

_END = (
    "SELECT (SELECT min(n.lo) FROM lots n WHERE n.lo > l.lo) FROM lots l WHERE l.form > 0"
    " ORDER BY l.lo DESC LIMIT 1"
)
_KEY = f"CASE l.form WHEN {FORM_OF_VERSION_6} THEN :h ELSE :h & {-1 << STEM_SHIFT} END"
_BASE = f"CASE l.form WHEN {FORM_OF_VERSION_6} THEN l.lo ELSE l.lo & {-PLACES} END"
_IN_SPAN = "l.form > 0 AND l.lo <= :high AND l.lo >= coalesce((SELECT max(lo) FROM lots WHERE lo <= :low), 0)"
_OF_HASH = (
    " FROM lots l CROSS JOIN lists b ON b.lot = l.lot"  # noqa: S608 - fixed text, here and below
    f" WHERE {_IN_SPAN} AND b.h = {_KEY} AND b.prim = :prim AND b.first <= :high"
    " AND b.first >= CASE WHEN :low <= l.lo THEN 0 ELSE coalesce((SELECT max(first) FROM lists"
    f" WHERE lot = l.lot AND h = {_KEY} AND prim = :prim AND first <= :low), 0) END"
)
_BEFORE = (
    " FROM lots l CROSS JOIN lists b ON b.lot = l.lot AND (b.h, b.prim, b.first) ="  # noqa: S608
    f" (SELECT h, prim, first FROM lists WHERE lot = l.lot AND (h, prim) < ({_KEY}, :prim)"
    f" ORDER BY h DESC, prim DESC, first DESC LIMIT 1) WHERE {_IN_SPAN}"
)
_LATE = (
    f" FROM lots l CROSS JOIN post p ON p.lot = l.lot WHERE {_IN_SPAN}"
    " AND p.h = :h AND p.prim = :prim AND p.seq BETWEEN :low AND :high"
)
_RUNS = (
    f"SELECT l.lo, b.first, 0, b.h, b.content, {_BASE}{_OF_HASH}"
    f" UNION ALL SELECT l.lo, 0, 0, b.h, b.content, {_BASE}{_BEFORE}"
    f" UNION ALL SELECT l.lo, p.seq, 1, NULL, NULL, NULL{_LATE}"
    " ORDER BY 1 {order}, 2 {order}, 3 {order}"
)
_DOWN, _UP = (_RUNS.replace("{order}", order) for order in ("DESC", "ASC"))
_COUNT_BLOCKS = f"SELECT count(*) FROM (SELECT 1{_OF_HASH} LIMIT :bound)"  # noqa: S608

_TOUCHED = (
    "SELECT h, prim, first, content FROM lists WHERE lot = :lot AND h = :h AND prim = :prim"
    " AND first <= :high AND first >= coalesce((SELECT max(first) FROM lists"
    " WHERE lot = :lot AND h = :h AND prim = :prim AND first <= :low), 0)"
    " UNION ALL SELECT * FROM (SELECT h, prim, first, content FROM lists"
    " WHERE lot = :lot AND (h, prim) < (:h, :prim) ORDER BY h DESC, prim DESC, first DESC LIMIT 1)"
)
_UPDATE = "UPDATE lists SET content = ? WHERE lot = ? AND h = ? AND prim = ? AND first = ?"
_DELETE = "DELETE FROM lists WHERE lot = ? AND h = ? AND prim = ? AND first = ?"
_AT = (
    "SELECT h, prim, first, content FROM lists WHERE lot = ? AND (h, prim, first) <= (?, ?, ?)"
    " ORDER BY h DESC, prim DESC, first DESC LIMIT 1"
)
_COMMON = 31
"""Of lists that are longer, those last read are kept by who asks again and again."""


class _Common(NamedTuple):
    """A part of a list, from its first to its last position."""

    low: int
    high: int
    positions: AbstractSet[int]


class Span(NamedTuple):
    """Positions asked for, both ends included."""

    low: int
    high: int


class Asked(NamedTuple):
    """What is looked for: a hash, as primary alone or also as related."""

    h: int
    related: bool


class MergedLot(NamedTuple):
    """A lot that is lists; ``lo`` is where it begins."""

    lot: int
    lo: int
    form: int

    @property
    def base(self) -> int:
        """What its places are counted from."""
        return self.lo if self.form == FORM_OF_VERSION_6 else self.lo - self.lo % PLACES

    def key_of(self, h: int) -> int:
        """Return under what its blocks have a hash."""
        return h if self.form == FORM_OF_VERSION_6 else h >> STEM_SHIFT << STEM_SHIFT


def end_of_lists(database: apsw.Connection) -> int:
    """Return the first position behind the lots that are lists; 0 where none are."""
    return int(sql.value(database, _END) or 0)


def iter_positions(database: apsw.Connection, asked: Asked, span: Span, *, ascending: bool) -> Iterator[int]:
    """Yield the positions of a hash in merged lots, each once, in order."""
    primary = chain.from_iterable(_iter_runs(database, asked.h, 1, span, ascending))
    if not asked.related:
        return primary
    related = chain.from_iterable(_iter_runs(database, asked.h, 0, span, ascending))
    return _iter_once(merge(primary, related, reverse=not ascending))


def _iter_once(positions: Iterator[int]) -> Iterator[int]:
    last = None
    for seq in positions:
        if seq != last:
            yield seq
        last = seq


def find_rare(database: apsw.Connection, asked: Asked, span: Span, bound: int) -> list[int] | None:
    """Return all positions of a hash, in order; None where they are more than a bound."""
    found: set[int] = set()
    for prim in (1, 0) if asked.related else (1,):
        for run in _iter_runs(database, asked.h, prim, span, ascending=False):
            found.update(run)
            if len(found) > bound:
                return None
    return sorted(found)


def count_blocks(database: apsw.Connection, asked: Asked, span: Span, bound: int) -> int:
    """Count, up to a bound or twice that, the blocks that reading a hash takes, but for one in each lot."""
    prims = (1, 0) if asked.related else (1,)
    values = {"h": asked.h, "low": span.low, "high": span.high, "bound": bound}
    return sum([int(sql.value(database, _COUNT_BLOCKS, {**values, "prim": prim})) for prim in prims])


def find_held(database: apsw.Connection, asked: Asked, wanted: Sequence[int]) -> set[int]:
    """Return which of some positions, which rise, lists hold under a hash."""
    found: set[int] = set()
    for prim in (1, 0) if asked.related else (1,):
        values = {"h": asked.h, "prim": prim, "low": wanted[0], "high": wanted[-1]}
        found.update(_iter_held(database.execute(_UP, values), asked.h, prim, wanted))
    return found


def _iter_held(rows: Iterator[Any], h: int, prim: int, wanted: Sequence[int]) -> Iterator[int]:
    """Look into each block for the positions in front of the next one, and nowhere else."""
    before: Any = None
    begin = 0
    for row in chain(rows, (None,)):
        if row is not None and row[2]:
            yield row[1]
            continue
        end = len(wanted) if row is None else bisect_left(wanted, max(row[0], row[1]), begin)
        if end > begin and before is not None:
            _, _, _, block_hash, content, base = before
            yield from find_among(content, offset_of(h, block_hash), prim, base, wanted[begin:end])
        before, begin = row, end


def _iter_runs(
    database: apsw.Connection, h: int, prim: int, span: Span, ascending: bool
) -> Iterator[list[int]]:
    """Yield positions, many at a time, in order; each once."""
    values = {"h": h, "prim": prim, "low": span.low, "high": span.high}
    cursor = database.execute(_UP if ascending else _DOWN, values)
    try:
        yield from (_runs_up if ascending else _runs_down)(cursor, h, prim, span)
    finally:
        cursor.close()


def _runs_up(rows: Iterator[Any], h: int, prim: int, span: Span) -> Iterator[list[int]]:
    """What came late stands behind the block among whose positions it belongs."""
    held: list[int] = []
    has_late = False
    for row in rows:
        if row[2]:
            held.append(row[1])
            has_late = True
            continue
        found = _find(row, h, prim, span)
        if found:
            if held:
                yield sorted(set(held)) if has_late else held
            held, has_late = found, False
    if held:
        yield sorted(set(held)) if has_late else held


def _runs_down(rows: Iterator[Any], h: int, prim: int, span: Span) -> Iterator[list[int]]:
    """What came late stands before the block among whose positions it belongs."""
    late: list[int] = []
    for row in rows:
        if row[2]:
            late.append(row[1])
            continue
        found = _find(row, h, prim, span)
        if late and found:
            yield sorted({*late, *found}, reverse=True)
            late = []
        elif found:
            found.reverse()
            yield found
    if late:
        yield late


def _find(row: Any, h: int, prim: int, span: Span) -> list[int]:
    """Return what a block has of a hash within a span."""
    _, _, _, begin, content, base = row
    found = find_places(content, offset_of(h, begin), prim, base)
    if found and (found[0] < span.low or found[-1] > span.high):
        return found[bisect_left(found, span.low) : bisect_right(found, span.high)]
    return found


class HeldPositions:
    """Says whether a list holds a position; quick where those asked for rise, since common lists are kept."""

    def __init__(self, database: apsw.Connection) -> None:
        """Remember nothing yet."""
        self._database = database
        self._lot: MergedLot | None = None
        self._common: dict[tuple[int, int], _Common] = {}

    def holds(self, lot: MergedLot, h: int, primary: int, seq: int) -> bool:
        """Tell whether a lot's lists have a position under a hash."""
        if lot != self._lot:
            self._lot = lot
            self._common.clear()
        known = self._common.get((h, primary))
        if known is not None and known.low <= seq <= known.high:
            return seq in known.positions
        row = sql.row(self._database, _AT, (lot.lot, lot.key_of(h), primary, seq))
        if row is None:
            return False
        begin, prim, first, content = row
        found = find_places(content, offset_of(h, begin), primary, lot.base)
        if (begin, prim) == (lot.key_of(h), primary) and len(found) > _COMMON:
            self._common[h, primary] = _Common(first, found[-1], frozenset(found))
        return seq in found


def remove(database: apsw.Connection, lot: MergedLot, gone: Mapping[int, AbstractSet[int]]) -> None:
    """Take positions out of the lists of hashes, whether primary or related."""
    for h, seqs in gone.items():
        wanted = [seq - lot.base for seq in sorted(seqs)]
        values = {"lot": lot.lot, "h": lot.key_of(h), "low": min(seqs), "high": max(seqs)}
        for prim in (0, 1):
            for row in sql.rows(database, _TOUCHED, {**values, "prim": prim}):
                offset = offset_of(h, row[0])
                if find_among(row[3], offset, prim, 0, wanted):
                    _take_out(database, lot.lot, row, {offset: frozenset(wanted)})


def remove_of_all(database: apsw.Connection, lot: MergedLot, seqs: AbstractSet[int]) -> None:
    """Take positions out of every list of a lot."""
    places = {seq - lot.base for seq in seqs}
    query = "SELECT h, prim, first, content FROM lists WHERE lot = ?"
    for row in sql.rows(database, query, (lot.lot,)):
        _take_out(database, lot.lot, row, {one.offset: places for one in read_block(row[3])})


def _take_out(database: apsw.Connection, lot: int, row: Any, gone: Mapping[int, AbstractSet[int]]) -> None:
    """Write a block without the places that are gone of each list, by its offset; its key stays."""
    *key, content = row
    left = take_out(content, gone)
    if not left:
        sql.rows(database, _DELETE, (lot, *key))
    elif left != content:
        sql.rows(database, _UPDATE, (left, lot, *key))
