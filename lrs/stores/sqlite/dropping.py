"""Taking an institution away, in pieces beside the writers.

First it is marked: from then on nobody can write to it, in any process, so what is read
beside the writers stays true. Its postings go while every statement is still there, since
what a statement inherits follows from others. Its own record goes last: a removal that was
broken off is found and repeated. The row of ``tenants`` stays, empty and marked, so that no
other institution ever gets its number; and the last position is noted, so that no other
statement ever gets one of its positions.
"""

import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import apsw

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.facts import decode_facts
from lrs.stores.sqlite.lists import MergedLot, remove, remove_of_all
from lrs.stores.sqlite.postings import Lots
from lrs.stores.sqlite.references import forget_spreads, inherited_postings
from lrs.stores.sqlite.rows import RowCodec
from lrs.stores.sqlite.tenants import GOING, GONE
from lrs.stores.sqlite.writer import LAST_SEQ, Write, Writer

_PIECE = 200
_LONGEST_REST_SECONDS = 0.1

_OF_ACCESS = ("keys", "clients", "issuers", "sign_ins", "sessions")
_BY_NUMBER = (
    ("history", "position", 200),
    ("recorded", "rowid", 200),
    ("activities", "number", 500),
    ("documents", "rowid", 50),
    ("attachments", "rowid", 5),
)
"""Tables whose rows have a number, and how many go at once: few where they may be long."""
_BY_KEY = (
    ("recorded_terms", "tenant, kind, term, subject"),
    ("receipts", "tenant, source, n"),
    ("refusals", "tenant, source, n"),
)
_ROWS = "SELECT seq, ref, dict, body FROM stmt WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?"
_UNPOST = "DELETE FROM post WHERE lot = ? AND h = ? AND prim IN (0, 1) AND seq = ?"
_OURS = "SELECT id FROM destinations WHERE institution = ?"
_UNREADABLE = (CorruptRecord, ValueError, IndexError, StopIteration)


class _Found(NamedTuple):
    """By which hashes a statement is found; None where that cannot be read."""

    seq: int
    hashes: Sequence[int] | None


class Dropping:
    """Takes one institution away.

    Args:
        institution_id: Which.
        codec: Of its rows.
        lot_size: Positions a lot.
        readers: Connections to read with.
        writer: Every piece goes through it.
    """

    def __init__(
        self,
        institution_id: InstitutionId,
        codec: RowCodec,
        lot_size: int,
        readers: Readers,
        writer: Writer,
    ) -> None:
        """Take the engine's parts."""
        self._institution_id = institution_id
        self._codec = codec
        self._lot_size = lot_size
        self._readers = readers
        self._writer = writer

    def run(self) -> None:
        """Take all of it away, or what an earlier removal left."""
        tenant = self._writer.run(self._begin)
        if tenant is None:
            return
        self._remove_postings(tenant)
        self._repeat(lambda write: self._remove_statements(write, tenant))
        for table, number, most in _BY_NUMBER:
            self._remove_by_number(tenant, table, number, most)
        for table, key in _BY_KEY:
            whose = f"SELECT {key} FROM {table} WHERE tenant = ? LIMIT {_PIECE}"  # noqa: S608
            self._remove_by_key(f"DELETE FROM {table} WHERE ({key}) IN ({whose})", tenant)  # noqa: S608
        whose = f"SELECT destination, statement FROM letters WHERE destination IN ({_OURS}) LIMIT {_PIECE}"  # noqa: S608
        self._remove_by_key(
            f"DELETE FROM letters WHERE (destination, statement) IN ({whose})",  # noqa: S608
            self._institution_id,
        )
        self._writer.run(self._finish)

    def _begin(self, write: Write) -> int | None:
        """Mark it, and shut its doors; None where there is nothing of it."""
        database, one = write.database, (self._institution_id,)
        known = sql.row(database, "SELECT 1 FROM institutions WHERE id = ?", one)
        found = sql.row(database, "SELECT number, dropped FROM tenants WHERE institution = ?", one)
        if known is None and (found is None or found[1] == GONE):
            return None
        mark = (
            "INSERT INTO tenants (institution, dropped) VALUES (?, ?)"
            " ON CONFLICT (institution) DO UPDATE SET dropped = excluded.dropped RETURNING number"
        )
        tenant = int(sql.value(database, mark, (*one, GOING)))
        database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (LAST_SEQ, write.last_seq))
        forget_spreads(database, tenant)
        self._remove_access(database)
        sql.rows(database, f"DELETE FROM deliveries WHERE destination IN ({_OURS})", one)  # noqa: S608
        return tenant

    def _remove_access(self, database: apsw.Connection) -> None:
        for table in _OF_ACCESS:
            sql.rows(database, f"DELETE FROM {table} WHERE institution = ?", (self._institution_id,))  # noqa: S608

    def _finish(self, write: Write) -> None:
        """Let the record itself go, with whatever came after the beginning."""
        database, one = write.database, (self._institution_id,)
        self._remove_access(database)
        for table in ("letters", "deliveries"):
            sql.rows(database, f"DELETE FROM {table} WHERE destination IN ({_OURS})", one)  # noqa: S608
        sql.rows(database, "DELETE FROM destinations WHERE institution = ?", one)
        sql.rows(database, "DELETE FROM institutions WHERE id = ?", one)
        sql.rows(database, "UPDATE tenants SET dropped = ? WHERE institution = ?", (GONE, *one))

    def _remove_postings(self, tenant: int) -> None:
        for piece in self._iter_found(tenant):
            self._do(lambda write, piece=piece: self._unpost(write, piece))  # type: ignore[misc]

    def _iter_found(self, tenant: int) -> Iterator[Sequence[_Found]]:
        """Yield by what the statements are found, a piece at a time; read beside the writers."""
        after = 0
        while True:
            with self._readers.snapshot() as database:
                rows = sql.rows(database, _ROWS, (tenant, after, _PIECE))
                piece = [self._found(database, tenant, row) for row in rows]
            if not piece:
                return
            yield piece
            after = piece[-1].seq

    def _found(self, database: apsw.Connection, tenant: int, row: Any) -> _Found:
        seq, ref, number, blob = row
        try:
            own = self._codec.postings(decode_facts(self._codec.split(number, blob)))
            hashes = {h for h, _ in own}
            if ref is not None:
                hashes.update(inherited_postings(database, self._codec, tenant, seq))
        except _UNREADABLE:
            return _Found(seq, None)
        return _Found(seq, tuple(hashes))

    def _unpost(self, write: Write, piece: Sequence[_Found]) -> None:
        database = write.database
        lots = Lots(database, self._lot_size)
        keys, unread = [], []
        merged: dict[MergedLot, dict[int, set[int]]] = {}
        damaged: dict[MergedLot, set[int]] = {}
        lots.give_up_merges([seq for seq, _ in piece])
        for seq, hashes in piece:
            lot, lists = lots.of(seq)
            keys += [(lot, h, seq) for h in hashes or ()]
            unread += [(lot, seq)] if hashes is None else []
            if lists is not None and hashes is None:
                damaged.setdefault(lists, set()).add(seq)
            elif lists is not None:
                for h in hashes or ():
                    merged.setdefault(lists, {}).setdefault(h, set()).add(seq)
        database.executemany(_UNPOST, sorted(keys))
        for lists, gone in merged.items():
            remove(database, lists, gone)
        # Of a damaged statement nothing says by what it is found: each costs a walk over its lot.
        database.executemany("DELETE FROM post WHERE lot = ? AND seq = ?", unread)
        for lists, seqs in damaged.items():
            remove_of_all(database, lists, seqs)

    def _remove_statements(self, write: Write, tenant: int) -> int:
        database = write.database
        query = "SELECT seq, id, ref FROM stmt WHERE tenant = ? ORDER BY seq LIMIT ?"
        rows = sql.rows(database, query, (tenant, _PIECE))
        ids = [(self._codec.id_hash(identity), seq) for seq, identity, _ in rows]
        refs = [(self._codec.id_hash(ref), seq) for seq, _, ref in rows if ref is not None]
        database.executemany("DELETE FROM ids WHERE h = ? AND seq = ?", ids)
        database.executemany("DELETE FROM refs WHERE h = ? AND seq = ?", refs)
        database.executemany("DELETE FROM stmt WHERE seq = ?", [(seq,) for seq, _, _ in rows])
        count = "UPDATE tenants SET statements = statements - ? WHERE number = ?"
        sql.rows(database, count, (len(rows), tenant))
        return len(rows)

    def _remove_by_number(self, tenant: int, table: str, number: str, most: int) -> None:
        with translated():
            query = f"SELECT {number} FROM {table} WHERE tenant = ?"  # noqa: S608 - fixed names
            found = [one for (one,) in sql.rows(self._readers.get(), query, (tenant,))]
        delete = f"DELETE FROM {table} WHERE {number} IN carray(?) AND tenant = ?"  # noqa: S608
        for begin in range(0, len(found), most):
            some = apsw.carray(array("q", found[begin : begin + most]))
            self._do(lambda write, some=some: sql.rows(write.database, delete, (some, tenant)))  # type: ignore[misc]

    def _remove_by_key(self, delete: str, whose: int | str) -> None:
        def work(write: Write) -> int:
            sql.rows(write.database, delete, (whose,))
            return write.database.changes()

        self._repeat(work)

    def _repeat(self, work: Callable[[Write], int]) -> None:
        while self._do(work):
            pass

    def _do(self, work: Callable[[Write], Any]) -> Any:
        """Do a piece, and rest as long as it took: others who wait for the lock come first."""
        began = time.monotonic()
        done = self._writer.run(work, _PIECE)
        time.sleep(min(_LONGEST_REST_SECONDS, time.monotonic() - began))
        return done
