"""Reading the postings of lots that are merged: rows and lists, in order, some at a time.

All is read beside the writers, each part in a snapshot of its own. That is enough: nothing
is added to a closed lot that is not added to the new one as well, and where something is
taken away the merge is given up (postings.py).
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import apsw
import orjson

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.blocks import PLACES, STEM_SHIFT
from lrs.stores.sqlite.packing import Piece, read_pieces, unite, write_all

_LAST_BITS = (1 << STEM_SHIFT) - 1
_LAST_HASH = (1 << 63) - 1
_ROWS_A_BLOCK = 48
"""So many take as long to read as a block."""
_stem = itemgetter(0)

_BOUND = (
    "SELECT min(h) FROM (SELECT (SELECT h FROM post WHERE lot = c.value AND h >= :low"
    " ORDER BY h, prim, seq LIMIT 1 OFFSET :rows) AS h FROM carray(:lots) c"
    " UNION ALL SELECT (SELECT h FROM lists WHERE lot = c.value AND h >= :low"
    " ORDER BY h, prim, first LIMIT 1 OFFSET :blocks) FROM carray(:lots) c)"
)
# As text, and as one row: each step of a query lets go of the interpreter, and may have to wait for it.
_ROWS = (
    "SELECT '[' || group_concat(found) || ']' FROM (SELECT json_array(p.h >> :shift, p.prim,"
    " json_group_array(p.seq & :mask)) AS found FROM carray(:lots) c CROSS JOIN post p ON p.lot = c.value"
    " WHERE p.h BETWEEN :low AND :high GROUP BY p.h >> :shift, p.prim)"
)
_BLOCKS = (
    "SELECT b.h, b.content FROM carray(:lots) c CROSS JOIN lists b ON b.lot = c.value"
    " WHERE b.h BETWEEN :low AND :high"
)


def gather(database: apsw.Connection, lots: Sequence[int], most: int) -> Iterator[list[Piece]]:
    """Yield the lists of several lots, joined, in order.

    Args:
        database: A connection that is in no transaction.
        lots: Their numbers; none begins before a multiple of PLACES and ends behind it.
        most: About how many rows are read at once.
    """
    kept: list[Piece] = []
    low = 0
    while low <= _LAST_HASH:
        high = _find_bound(database, lots, low, most)
        values = {"lots": _numbers(lots), "low": low, "high": high}
        new = _read_rows(database, values)
        for block in database.execute(_BLOCKS, values):
            kept += read_pieces(*block)
        kept.sort()
        end = bisect_right(kept, high >> STEM_SHIFT, key=_stem)
        listed, kept = kept[:end], kept[end:]
        yield unite(sorted(listed + new), {piece[0] for piece in new}) if listed else new
        low = high + 1


def _numbers(lots: Sequence[int]) -> Any:
    return apsw.carray(array("q", lots))


def _find_bound(database: apsw.Connection, lots: Sequence[int], low: int, most: int) -> int:
    """Return the last hash of what is read next: no lot has more than its share of it, but for one stem."""
    rows = max(1, most // len(lots))
    values = {"lots": _numbers(lots), "low": low, "rows": rows, "blocks": rows // _ROWS_A_BLOCK}
    found = sql.value(database, _BOUND, values)
    return _LAST_HASH if found is None else int(found) | _LAST_BITS


def _read_rows(database: apsw.Connection, values: dict[str, Any]) -> list[Piece]:
    text = sql.value(database, _ROWS, {**values, "shift": STEM_SHIFT, "mask": PLACES - 1})
    return write_all(orjson.loads(text or "[]"))
