"""Inserting statements that are new: their rows, voidings and references."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw
import orjson

from lrs.stores.compression import BodyCodec
from lrs.stores.recorded import VOIDED_KIND, KeptEntry
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.activities import Definitions
from lrs.stores.sqlite.history import append_entries
from lrs.stores.sqlite.postings import Lots, insert_new
from lrs.stores.sqlite.references import Arrived, References, Spread
from lrs.stores.sqlite.rows import Row, RowCodec, State
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.writer import Write
from lrs.xapi.fingerprint import FEWEST_KEPT
from lrs.xapi.ports import id_text

_INSERT = "INSERT INTO stmt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_COUNT = "UPDATE tenants SET statements = statements + ? WHERE number = ?"
_VOIDED_BEFORE = (
    "SELECT 1 FROM refs r CROSS JOIN stmt s ON s.seq = r.seq"
    " WHERE r.h = ? AND s.tenant = ? AND s.ref = ? AND s.state = ? LIMIT 1"
)
_REFERRED = "SELECT r.h FROM carray(?) c CROSS JOIN refs r ON r.h = c.value"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one institution's batches are written, and with what.

    Attributes:
        lot_size: Positions a lot.
    """

    codec: RowCodec
    tenants: Tenants
    bodies: BodyCodec
    definitions: Definitions
    lot_size: int


def _hashes(rows: Sequence[Row]) -> Any:
    """Hand the ids' hashes to SQLite as one value, so that one query looks all of them up."""
    return apsw.carray(array("q", [row.id_hash for row in rows]))


class Placed(NamedTuple):
    """A row with the position and the ``stored`` that it gets."""

    seq: int
    stored: int
    row: Row


class Insertion:
    """Inserts rows that are new, inside a transaction, with voidings, references and history."""

    def __init__(self, write: Write, tenant: int, place: Place) -> None:
        """Find the lot at the log's end."""
        self._database = write.database
        self._tenant = tenant
        self._lots = Lots(write.database, place.lot_size)
        self._references = References(write, self._lots, place.codec)

    def insert(self, placed: Sequence[Placed]) -> Spread | None:
        """Insert rows of one institution, in order of position, behind all that are there.

        Returns:
            What is to be handed on afterwards, where it is too much for one transaction.
        """
        self._insert_rows(placed)
        hashes = _hashes([row for _, _, row in placed])
        referred = {h for (h,) in sql.rows(self._database, _REFERRED, (hashes,))}
        linked = [item for item in placed if item[2].ref is not None or item[2].id_hash in referred]
        for seq, stored, row in linked:
            if row.state is State.VOIDING:
                self._void(row, stored)
            else:
                self._void_if_asked_before(seq, row)
        arrived = [Arrived(seq, row.id, row.ref) for seq, _, row in linked]
        return self._references.begin(self._tenant, arrived)

    def _insert_rows(self, placed: Sequence[Placed]) -> None:
        tenant = self._tenant
        self._database.executemany(
            _INSERT,
            [
                (
                    seq,
                    tenant,
                    row.id,
                    stored,
                    row.fingerprint[:FEWEST_KEPT],
                    int(row.state),
                    row.ref,
                    row.dictionary,
                    row.blob,
                )
                for seq, stored, row in placed
            ],
        )
        ids = sorted((row.id_hash, seq) for seq, _, row in placed)
        self._database.executemany("INSERT INTO ids VALUES (?, ?)", ids)
        self._database.execute(_COUNT, (len(placed), tenant))
        refs = [(row.ref_hash, seq) for seq, _, row in placed if row.ref is not None]
        self._database.executemany("INSERT INTO refs VALUES (?, ?)", refs)
        insert_new(
            self._database,
            [
                (lot, h, primary, seq)
                for lot, seq, row in [(self._lots.open_for(seq), seq, row) for seq, _, row in placed]
                for h, primary in row.postings
            ],
        )

    def _void(self, row: Row, stored: int) -> None:
        """Void the target if it is there, and leave the fact in the history.

        Spec: xAPI 1.0.3 Data 2.3.2.
        """
        assert row.ref is not None  # noqa: S101 - what voids refers: a PreparedStatement promises it
        self._database.execute(
            "UPDATE stmt SET state = ? WHERE seq IN (SELECT seq FROM ids WHERE h = ?)"
            " AND tenant = ? AND id = ? AND state = ?",
            (int(State.VOIDED), row.ref_hash, self._tenant, row.ref, int(State.PLAIN)),
        )
        after = orjson.dumps({"by": id_text(row.id)}).decode()
        append_entries(
            self._database, self._tenant, [KeptEntry(VOIDED_KIND, id_text(row.ref), None, after, stored)]
        )

    def _void_if_asked_before(self, seq: int, row: Row) -> None:
        """Void a statement on arrival when a voiding one came before it."""
        asked = (row.id_hash, self._tenant, row.id, int(State.VOIDING))
        if sql.row(self._database, _VOIDED_BEFORE, asked) is not None:
            self._database.execute("UPDATE stmt SET state = ? WHERE seq = ?", (int(State.VOIDED), seq))
