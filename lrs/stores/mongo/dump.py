"""Everything in the database, as far as ``applied`` goes when the dump begins.

Statements and history end there, whatever is written meanwhile. The other collections are
read afterwards, each document as it is when it is reached: so every attachment and key
that a statement needs is there, and of two documents changed meanwhile one may be older.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bson import Int64

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.stores.definitions import unpack_definition
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.history import entry_from, is_recorded, segment_in
from lrs.stores.mongo.keys import dense_key, first_position_after, number_of, statement_id_of
from lrs.stores.mongo.patience import unhurried
from lrs.stores.mongo.recorded_rows import kept_from, row_of
from lrs.stores.mongo.segment import Document as Fields
from lrs.stores.moving import KeptStatement
from lrs.stores.recorded import KeptEntry, KeptValue
from lrs.xapi.ports import FactKind, HistoryEntry
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentKey

if TYPE_CHECKING:
    from lrs.stores.mongo.records import MongoRecordStores

_FIELDS = {"q": 1, "s": 1, "fp": 1, "k": 1, "z": 1, "b": 1}
_ROWS_AT_ONCE = 4000
_LARGEST_PAGE = 500


class MongoDump:
    """See lrs.stores.moving.Dump."""

    def __init__(self, collections: Collections, records: "MongoRecordStores") -> None:
        """Read how far each institution's statements are visible."""
        self._collections = collections
        self._records = records
        self._applied: dict[InstitutionId, int] = {
            InstitutionId(one["_id"]): one["n"] for one in collections.applied.find() if "dropped" not in one
        }
        self._entries: dict[InstitutionId, int] = {
            InstitutionId(one["_id"]): one["m"]
            for one in collections.projections.find()
            if "dropped" not in one
        }

    @translated()
    def count_statements(self) -> dict[InstitutionId, int]:
        """Return how many statements each institution has that has any."""
        with unhurried():
            counted = {
                one: self._collections.statements.count_documents(self._visible(one)) for one in self._applied
            }
        return {one: count for one, count in counted.items() if count}

    def iter_statements(self) -> Iterator[KeptStatement]:
        """Yield all statements in order of ``stored``: the institutions' logs, merged."""
        page = max(10, min(_LARGEST_PAGE, _ROWS_AT_ONCE // max(1, len(self._applied))))
        logs = [self._iter_log(one, page) for one in sorted(self._applied)]
        with translated():
            yield from heapq.merge(*logs, key=lambda one: one.stored_at_us)

    def _iter_log(self, institution_id: InstitutionId, page: int) -> Iterator[KeptStatement]:
        clients = self._client_terms(institution_id)
        condition = self._visible(institution_id)
        while True:
            rows = list(self._collections.statements.find(condition, _FIELDS).sort("q", 1).limit(page))
            for row in rows:
                yield self._to_kept(institution_id, row, clients)
            if len(rows) < page:
                return
            condition["q"] = {**condition["q"], "$gt": Int64(rows[-1]["q"])}

    def _client_terms(self, institution_id: InstitutionId) -> dict[int, str]:
        """Return each client by the number that stands in its statements."""
        terms = self._records.terms(InstitutionHandle(institution_id))
        found = self._collections.clients.find({"institution_id": institution_id}, {"_id": 1})
        return {terms.term(FactKind.CLIENT, one["_id"], True): one["_id"] for one in found}

    def _to_kept(self, institution_id: InstitutionId, row: Fields, clients: dict[int, str]) -> KeptStatement:
        return KeptStatement(
            institution_id,
            statement_id_of(row["_id"]),
            row["s"],
            bytes(row["fp"]),
            next((clients[term] for term in row["k"] if term in clients), None),
            self._records.codec.decompress(row["z"], bytes(row["b"])),
        )

    def _visible(self, institution_id: InstitutionId) -> Fields:
        high = first_position_after(self._applied[institution_id])
        return {"t": institution_id, "q": {"$lt": Int64(high)}}

    @translated()
    def iter_history(self, institution_id: InstitutionId) -> Iterator[HistoryEntry]:
        """Yield what statements left in the history, in order, as far as they are visible."""
        last = self._applied.get(institution_id, 0)
        for document in self._of(self._collections.history, institution_id):
            if is_recorded(document):
                continue
            if segment_in(document) > last:
                return
            yield entry_from(document)

    def iter_recorded(self, institution_id: InstitutionId) -> Iterator[KeptValue]:
        """Yield recorded values as they stood when the dump began, and bookkeeping as it stands."""
        last = self._entries.get(institution_id, 0)
        for row in self._of(self._collections.recorded, institution_id):
            found = row if row["m"] <= last else self._earlier(institution_id, row, last)
            if found is not None and "gone" not in found:
                yield kept_from(found)

    @translated()
    def _earlier(self, institution_id: InstitutionId, row: Fields, last: int) -> Fields | None:
        """Return what stood in the place of a row up to an entry; None where nothing did."""
        entry: Fields | None = {"p": row["m"]}
        while entry is not None and (m := entry.get("p", 0)) > 0:
            entry = self._collections.history.find_one({"_id": dense_key(institution_id, m)})
            if entry is not None and m <= last:
                # Of an entry that a restore wrote not all may be known.
                return row_of(institution_id, entry) if "v" in entry else row
        return None

    def iter_entries(self, institution_id: InstitutionId) -> Iterator[KeptEntry]:
        """Yield the rest of the history, in order, up to where it was when the dump began."""
        last = self._entries.get(institution_id, 0)
        for one in self._of(self._collections.history, institution_id):
            if number_of(one["_id"]) > last:
                return
            if is_recorded(one):
                yield KeptEntry(one["kind"], one["subject"], one["before"], one["after"], one["at"])

    def iter_attachments(self, institution_id: InstitutionId) -> Iterator[AttachmentContent]:
        """Yield attachments by hash."""
        store = self._records.attachments(InstitutionHandle(institution_id))
        for head in self._of(self._collections.attachments, institution_id, ("sha2",)):
            if "sha2" in head:
                found = store.find_attachments([head["sha2"]])
                yield AttachmentContent(head["sha2"], found[head["sha2"]])

    def iter_documents(self, institution_id: InstitutionId) -> Iterator[tuple[DocumentKey, Document]]:
        """Yield documents."""
        store = self._records.documents(InstitutionHandle(institution_id))
        with translated():
            for _, key, document in store.iter_documents():
                yield key, document

    def iter_definitions(self, institution_id: InstitutionId) -> Iterator[ActivityDefinition]:
        """Yield merged activity definitions."""
        for row in self._of(self._collections.activities, institution_id):
            text = unpack_definition(row["z"], bytes(row["b"]), self._records.codec)
            yield ActivityDefinition(*text)

    def _of(
        self, collection: Any, institution_id: InstitutionId, fields: Sequence[str] = ()
    ) -> Iterator[Fields]:
        """Yield an institution's documents of a collection whose keys begin with it, in order."""
        mine = {"_id": {"$gt": f"{institution_id}:", "$lt": f"{institution_id};"}}
        with translated():
            yield from collection.find(mine, list(fields) or None).sort("_id", 1)
