"""Filling an empty file: rows go in by the same code as those of a post, with the ``stored`` they had."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import Conflict
from lrs.stores.moving import KeptStatement
from lrs.stores.recorded import KeptEntry, KeptValue
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.arrivals import insert_receipt
from lrs.stores.sqlite.attachments import insert_attachments, pack_attachments
from lrs.stores.sqlite.history import append_entries
from lrs.stores.sqlite.recorded import keep_values
from lrs.stores.sqlite.references import Spread
from lrs.stores.sqlite.rows import Row
from lrs.stores.sqlite.schema import is_unfinished
from lrs.stores.sqlite.spreading import finish_spread
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.writer import LAST_SEQ, Write, Writer
from lrs.stores.sqlite.writing import Insertion, Place, Placed
from lrs.xapi.ports import FactKind, PreparedStatement
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.arrivals import Receipt
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentKey

if TYPE_CHECKING:
    from lrs.stores.sqlite.stores import SqliteRecordStores

_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    " AND name NOT IN ('meta', 'dictionaries')"
)
_Ready = tuple[Place, int, Row]
"""Where a row belongs, its ``stored``, and the row."""


class SqliteLoad:
    """See lrs.stores.moving.Load."""

    def __init__(self, writer: Writer, records: "SqliteRecordStores") -> None:
        """Mark the file as unfinished; what an earlier load left behind is deleted.

        Raises:
            Conflict: The store is not empty; nothing was changed.
        """
        self._writer = writer
        self._records = records
        self._places: dict[InstitutionId, Place] = {}
        self._last_seq = writer.run(_begin)

    def add_statements(self, statements: Sequence[tuple[KeptStatement, PreparedStatement]]) -> None:
        """Keep statements behind all that were kept before."""
        ready: list[_Ready] = []
        for kept, prepared in statements:
            place = self._place(kept.institution_id)
            ready.append((place, kept.stored_at_us, place.codec.encode(prepared)))
        self._last_seq, left = self._writer.run(lambda write: self._insert(write, ready), len(ready))
        for place, spread in left:
            finish_spread(self._writer, place.codec, place.lot_size, spread)

    def _insert(self, write: Write, ready: Sequence[_Ready]) -> tuple[int, list[tuple[Place, Spread]]]:
        """Insert rows in runs of one institution: positions, and so lots, rise over all of them."""
        if write.last_seq != self._last_seq:
            raise Conflict("Somebody else writes to the store; stop every server on it and restore anew.")
        left = []
        for place, run in groupby(ready, key=lambda one: one[0]):
            tenant = place.tenants.find_or_add(write.database)
            placed = [Placed(write.next_seq(), stored, row) for _, stored, row in run]
            spread = Insertion(write, tenant, place).insert(placed)
            left += [] if spread is None else [(place, spread)]
        return write.last_seq, left

    def add_attachments(
        self, institution_id: InstitutionId, attachments: Sequence[AttachmentContent]
    ) -> None:
        """Keep attachments."""
        place = self._place(institution_id)
        packed = pack_attachments(attachments, place.bodies)

        def work(write: Write) -> None:
            insert_attachments(write.database, place.tenants.find_or_add(write.database), packed)

        self._writer.run(work)

    def add_documents(
        self, institution_id: InstitutionId, documents: Sequence[tuple[DocumentKey, Document]]
    ) -> None:
        """Keep documents."""
        self._records.documents(InstitutionHandle(institution_id)).keep_documents(documents)

    def add_definitions(
        self, institution_id: InstitutionId, definitions: Sequence[ActivityDefinition]
    ) -> None:
        """Keep merged definitions: each is merged into nothing."""
        place = self._place(institution_id)
        given = [(place.codec.term(FactKind.ACTIVITY, one.activity), one) for one in definitions]

        def work(write: Write) -> None:
            place.definitions.merge(write, place.tenants.find_or_add(write.database), given)

        self._writer.run(work)

    def add_recorded(self, institution_id: InstitutionId, values: Sequence[KeptValue]) -> None:
        """Keep recorded values as they are."""
        tenants = Tenants(institution_id)

        def work(write: Write) -> None:
            keep_values(write.database, tenants.find_or_add(write.database), values)

        self._writer.run(work, len(values))

    def add_entries(self, institution_id: InstitutionId, entries: Sequence[KeptEntry]) -> None:
        """Append entries to the history."""
        tenants = Tenants(institution_id)

        def work(write: Write) -> None:
            append_entries(write.database, tenants.find_or_add(write.database), entries)

        self._writer.run(work, len(entries))

    def add_receipts(self, institution_id: InstitutionId, receipts: Sequence[Receipt]) -> None:
        """Keep receipts, oldest first."""
        place = self._place(institution_id)

        def work(write: Write) -> None:
            tenant = place.tenants.find_or_add(write.database)
            for receipt in receipts:
                insert_receipt(write.database, tenant, receipt)

        self._writer.run(work)

    def finish(self) -> None:
        """Take the mark away."""
        self._writer.run(_finish)

    def _place(self, institution_id: InstitutionId) -> Place:
        if institution_id not in self._places:
            self._places[institution_id] = self._records.place(institution_id)
        return self._places[institution_id]


def _begin(write: Write) -> int:
    """Make the file ready; return the position behind which statements go."""
    database = write.database
    tables = [name for (name,) in sql.rows(database, _TABLES)]
    if is_unfinished(database):
        for name in tables:
            sql.rows(database, f"DELETE FROM {name}")  # noqa: S608 - the schema's own names
        sql.rows(database, "DELETE FROM meta WHERE name = ?", (LAST_SEQ,))
        return 0
    for name in tables:
        if sql.row(database, f"SELECT 1 FROM {name} LIMIT 1"):  # noqa: S608 - the schema's own names
            raise Conflict(
                "The store is not empty. A backup is restored into an empty store: name a new one."
            )
    sql.rows(database, "INSERT INTO meta VALUES ('restoring', 1)")
    return write.last_seq


def _finish(write: Write) -> None:
    sql.rows(write.database, "DELETE FROM meta WHERE name = 'restoring'")
