"""Postings in lots: by which hash a statement is found.

The tree of postings is cut into lots by position, so that the part being written is small
and stays hot; closed lots are merged (merging.py). Each statement has a hash at most once:
as primary, or else as related only.
"""

from collections.abc import Iterable

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.rows import Posting

LOT_SIZE = 16_384
"""Positions a lot; a lot begins at each multiple of it."""


_ADD_RELATED = (
    "INSERT OR IGNORE INTO post SELECT ?1, ?2, 0, ?3 WHERE NOT EXISTS"
    " (SELECT 1 FROM post WHERE lot = ?1 AND h = ?2 AND prim = 1 AND seq = ?3)"
)


class Lots:
    """Knows, within one transaction, which lot holds a position."""

    def __init__(self, database: apsw.Connection, lot_size: int) -> None:
        """Read the newest lot."""
        self._database = database
        self._size = lot_size
        newest = sql.row(database, "SELECT lo, lot FROM lots ORDER BY lo DESC LIMIT 1")
        self._lo: int
        self._lot: int
        self._lo, self._lot = newest or (-1, 0)

    def open_for(self, seq: int) -> int:
        """Return the lot of a position at the log's end, beginning a new one where it is due."""
        lo = seq - seq % self._size
        if lo > self._lo:
            self._lo, self._lot = lo, next_lot(self._database)
            self._database.execute("INSERT INTO lots VALUES (?, ?)", (lo, self._lot))
        return self._lot

    def all_of(self, seq: int) -> list[int]:
        """Return every lot that must know a position's postings: its own, and one being merged."""
        found = self._database.execute(
            "SELECT * FROM (SELECT lot FROM lots WHERE lo <= :seq ORDER BY lo DESC LIMIT 1)"
            " UNION ALL SELECT lot FROM merging WHERE lo <= :seq AND :seq < hi",
            {"seq": seq},
        )
        return [lot for (lot,) in found]


def next_lot(database: apsw.Connection) -> int:
    """Return a number that no lot has, listed or being merged."""
    highest = "SELECT max(lot) FROM (SELECT lot FROM lots UNION ALL SELECT lot FROM merging)"
    return int(sql.value(database, highest) or 0) + 1


def insert_new(database: apsw.Connection, rows: Iterable[tuple[int, int, int, int]]) -> None:
    """Write postings (lot, hash, primary, position) of new statements, in key order."""
    database.executemany("INSERT INTO post VALUES (?, ?, ?, ?)", sorted(rows))


def add_late(database: apsw.Connection, lot: int, seq: int, postings: Iterable[Posting]) -> None:
    """Add postings to a statement that may have them: primary wins over related."""
    added = sorted(postings)
    primary = [(lot, h, seq) for h, is_primary in added if is_primary]
    related = [(lot, h, seq) for h, is_primary in added if not is_primary]
    database.executemany("DELETE FROM post WHERE lot = ? AND h = ? AND prim = 0 AND seq = ?", primary)
    database.executemany("INSERT OR IGNORE INTO post VALUES (?, ?, 1, ?)", primary)
    database.executemany(_ADD_RELATED, related)
