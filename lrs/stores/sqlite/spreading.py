"""Hands on, in pieces beside the writers, what the transaction of a batch could not (references.py)."""

import time
from collections.abc import Callable, Mapping

import apsw

from lrs.access.handles import InstitutionId
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.postings import Lots
from lrs.stores.sqlite.references import References, Spread, noted_spreads, read_spread
from lrs.stores.sqlite.rows import RowCodec
from lrs.stores.sqlite.writer import LATE_POSTINGS, Piece, Write, Writer

_ABANDONED_SECONDS = 10.0


def finish_spread(writer: Writer, codec: RowCodec, lot_size: int, spread: Spread) -> None:
    """Hand on all that is left, a piece a transaction; others write in between.

    Raises:
        StoreUnavailable: A piece could not be begun; the note of what is left is kept.
    """
    writer.run_in_pieces(_piece(codec, lot_size, spread), LATE_POSTINGS)


def _piece(codec: RowCodec, lot_size: int, spread: Spread) -> Piece:
    def finish(write: Write) -> Piece | None:
        left = References(write, Lots(write.database, lot_size), codec).finish(spread)
        return None if left is None else _piece(codec, lot_size, left)

    return finish


class Abandoned:
    """Finishes what a process that died, or gave up, has left; for the one that maintains the store.

    Args:
        writer: Every piece goes through it.
        make_codec: Makes the rows' codec of an institution.
        lot_size: Positions an unmerged lot.
        patience_seconds: How long whoever left a note is given to do it.
    """

    def __init__(
        self,
        writer: Writer,
        make_codec: Callable[[InstitutionId], RowCodec],
        lot_size: int,
        patience_seconds: float = _ABANDONED_SECONDS,
    ) -> None:
        """Begin without having seen a note."""
        self._writer = writer
        self._make_codec = make_codec
        self._lot_size = lot_size
        self._patience_seconds = patience_seconds
        self._seen: Mapping[tuple[int, int], float] = {}

    def look(self, database: apsw.Connection) -> None:
        """Do what has been noted for long."""
        now = time.monotonic()
        self._seen = {note: self._seen.get(note, now) for note in noted_spreads(database).items()}
        for note, since in self._seen.items():
            if now - since >= self._patience_seconds:
                self._finish(database, *note)

    def _finish(self, database: apsw.Connection, low: int, high: int) -> None:
        spread = read_spread(database, low, high)
        if spread is not None:
            query = "SELECT institution FROM tenants WHERE number = ?"
            codec = self._make_codec(InstitutionId(sql.value(database, query, (spread.tenant,))))
            finish_spread(self._writer, codec, self._lot_size, spread)
