"""Everything in the file, read from one snapshot while others go on writing.

The snapshot keeps the WAL from beginning anew, so the WAL grows by what is written
meanwhile. Every read stands on this thread's connection, ports of other rooms included.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import apsw

from lrs.access.handles import InstitutionId
from lrs.stores.definitions import unpack_definition
from lrs.stores.moving import KeptStatement
from lrs.stores.recorded import VOIDED_KIND, KeptEntry, KeptValue, value_from
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.documents import iter_documents
from lrs.stores.sqlite.facts import decode_facts
from lrs.stores.sqlite.identities import put_back_id
from lrs.stores.sqlite.recorded import iter_values
from lrs.stores.sqlite.rows import RowCodec
from lrs.xapi.ports import FactKind, HistoryEntry, Position, id_text
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentKey

if TYPE_CHECKING:
    from lrs.stores.sqlite.stores import SqliteRecordStores

_STATEMENTS = "SELECT tenant, id, stored, fp, dict, body FROM stmt ORDER BY seq"
_HISTORY = "SELECT position, kind, subject, before, after, at FROM history WHERE tenant = ? AND"
_IN_ORDER = "ORDER BY position"


@contextmanager
def open_dump(readers: Readers, records: "SqliteRecordStores") -> Iterator["SqliteDump"]:
    """Give a dump for as long as the block runs, on this thread."""
    with readers.snapshot() as database:
        yield SqliteDump(database, records)


class SqliteDump:
    """See lrs.stores.moving.Dump."""

    def __init__(self, database: apsw.Connection, records: "SqliteRecordStores") -> None:
        """Read which institutions there are; one that is being taken away is none any more."""
        self._database = database
        self._records = records
        self._tenants: dict[InstitutionId, int] = {
            InstitutionId(institution): number
            for number, institution in sql.rows(
                database, "SELECT number, institution FROM tenants WHERE NOT dropped"
            )
        }

    def count_statements(self) -> dict[InstitutionId, int]:
        """Return how many statements each institution has that has any."""
        counted = dict(sql.rows(self._database, "SELECT tenant, count(*) FROM stmt GROUP BY tenant"))
        return {one: counted[number] for one, number in self._tenants.items() if number in counted}

    def iter_statements(self) -> Iterator[KeptStatement]:
        """Yield all statements in order of ``stored``: that is the order of positions."""
        institutions = {number: one for one, number in self._tenants.items()}
        codecs = {number: self._records.place(one).codec for number, one in institutions.items()}
        for tenant, *row in self._database.execute(_STATEMENTS):
            if tenant in institutions:
                yield _to_kept(institutions[tenant], codecs[tenant], row)

    def iter_history(self, institution_id: InstitutionId) -> Iterator[HistoryEntry]:
        """Yield what statements left in the history, in order."""
        for position, kind, subject, before, after, at in self._of(
            institution_id, f"{_HISTORY} kind = '{VOIDED_KIND}' {_IN_ORDER}"
        ):
            yield HistoryEntry(Position(position), kind, subject, _object(before), _object(after), at)

    def iter_recorded(self, institution_id: InstitutionId) -> Iterator[KeptValue]:
        """Yield recorded values and bookkeeping by kind, then subject."""
        tenant = self._tenants.get(institution_id)
        if tenant is not None:
            yield from iter_values(self._database, tenant)

    def iter_entries(self, institution_id: InstitutionId) -> Iterator[KeptEntry]:
        """Yield the rest of the history, in order."""
        for _, *row in self._of(institution_id, f"{_HISTORY} kind <> '{VOIDED_KIND}' {_IN_ORDER}"):
            yield KeptEntry(*row)

    def iter_attachments(self, institution_id: InstitutionId) -> Iterator[AttachmentContent]:
        """Yield attachments by hash."""
        query = "SELECT sha2, dict, content FROM attachments WHERE tenant = ? ORDER BY sha2"
        for sha2, number, blob in self._of(institution_id, query):
            yield AttachmentContent(sha2, self._records.bodies.decompress(number, blob))

    def iter_documents(self, institution_id: InstitutionId) -> Iterator[tuple[DocumentKey, Document]]:
        """Yield documents."""
        tenant = self._tenants.get(institution_id)
        if tenant is not None:
            for row in iter_documents(self._database, tenant, self._records.bodies):
                yield row.key, row.document

    def iter_definitions(self, institution_id: InstitutionId) -> Iterator[ActivityDefinition]:
        """Yield merged activity definitions in the order in which activities were met."""
        query = "SELECT dict, content FROM activities WHERE tenant = ? ORDER BY number"
        for number, blob in self._of(institution_id, query):
            yield ActivityDefinition(*unpack_definition(number, blob, self._records.bodies))

    def _of(self, institution_id: InstitutionId, query: str) -> Iterator[Any]:
        tenant = self._tenants.get(institution_id)
        return iter(()) if tenant is None else iter(self._database.execute(query, (tenant,)))


def _to_kept(institution_id: InstitutionId, codec: RowCodec, row: list[Any]) -> KeptStatement:
    identity, stored, fingerprint, number, blob = row
    content = codec.split(number, blob)
    clients = (fact.value for fact in decode_facts(content) if fact.kind is FactKind.CLIENT)
    body = put_back_id(content.body, identity)
    return KeptStatement(institution_id, id_text(identity), stored, fingerprint, next(clients, None), body)


def _object(text: str | None) -> dict[str, object] | None:
    return None if text is None else value_from(text)
