"""Postings in lots: by which hash a statement is found.

The tree of postings is cut into lots by position, so that the part being written is small
and stays hot; closed lots are merged, and then are lists (merging.py, lists.py). Each
statement has a hash at most once: as primary, or else as related only. In a merged lot what
comes late is a row beside the lists, which stay as they are: it may say again what they say,
or be primary where they have the hash as related. What comes late while its lot is being merged
is written to the old lot and to the new one; where something is taken away meanwhile, the merge
is given up.
"""

from collections.abc import Iterable, Sequence

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.lists import MergedLot
from lrs.stores.sqlite.rows import Posting

SPANS = (1024, 32_768, 262_144)
"""Positions a lot of rows, and a lot of lists when it is made of rows, then of lists; each begins
at a multiple of its span."""


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
            self._database.execute("INSERT INTO lots (lo, lot) VALUES (?, ?)", (lo, self._lot))
        return self._lot

    def all_of(self, seq: int) -> list[int]:
        """Return every lot that must know a position's postings: its own, and one being merged."""
        found = self._database.execute(
            "SELECT * FROM (SELECT lot FROM lots WHERE lo <= :seq ORDER BY lo DESC LIMIT 1)"
            " UNION ALL SELECT lot FROM merging WHERE lo <= :seq AND :seq < hi",
            {"seq": seq},
        )
        return [lot for (lot,) in found]

    def of(self, seq: int) -> tuple[int, MergedLot | None]:
        """Return the lot of a position, 0 where none holds it; and the same as one of lists, where it is."""
        query = "SELECT lot, lo, form FROM lots WHERE lo <= ? ORDER BY lo DESC LIMIT 1"
        lot = MergedLot(*(sql.row(self._database, query, (seq,)) or (0, 0, 0)))
        return lot.lot, lot if lot.form else None

    def give_up_merges(self, seqs: Sequence[int]) -> None:
        """Let no lot be merged that holds one of some positions, of which something is to be taken away."""
        give_up = "DELETE FROM merging WHERE lo <= ?1 AND ?1 < hi"
        self._database.executemany(give_up, [(seq,) for seq in seqs])


def next_lot(database: apsw.Connection) -> int:
    """Return a number that no lot has: listed, being merged, or left by a merge that was broken off."""
    tables = ("lots", "merging", "post", "lists")
    highest = " UNION ALL ".join(f"SELECT max(lot) AS lot FROM {table}" for table in tables)  # noqa: S608
    return int(sql.value(database, f"SELECT max(lot) FROM ({highest})") or 0) + 1  # noqa: S608


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
