"""Filling an empty database: segments at the ends of new logs, projected as ever.

A segment of a restore holds as many statements as fit, with the instants that they have.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pymongo.errors import DuplicateKeyError

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import Conflict
from lrs.stores import StoreOptions
from lrs.stores.mongo.activities import pack_definitions
from lrs.stores.mongo.committer import LARGEST_GROUP_BYTES
from lrs.stores.mongo.database import Collections, is_unfinished
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.log import Applied, SegmentLog
from lrs.stores.mongo.patience import Patience, unhurried
from lrs.stores.mongo.recorded_rows import Rows
from lrs.stores.mongo.segment import Entry, Segment
from lrs.stores.moving import KeptStatement
from lrs.stores.recorded import KeptEntry, KeptValue
from lrs.xapi.ports import PreparedStatement
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.arrivals import Receipt
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentKey

if TYPE_CHECKING:
    from lrs.stores.mongo.records import MongoRecordStores

_TOKEN_BYTES = 12
_Ready = tuple[int, Entry]
"""An entry behind its ``stored``."""


class MongoLoad:
    """See lrs.stores.moving.Load."""

    def __init__(self, collections: Collections, records: "MongoRecordStores", options: StoreOptions) -> None:
        """Mark the database as unfinished; what an earlier load left behind is deleted.

        Raises:
            Conflict: The store is not empty; nothing was changed.
        """
        self._collections = collections
        self._records = records
        self._options = options
        self._ends: dict[InstitutionId, Applied] = {}
        self._receipts: defaultdict[InstitutionId, int] = defaultdict(int)
        self._begin()

    def _begin(self) -> None:
        names = [name for name in Collections.__dataclass_fields__ if name != "meta"]
        everything = [getattr(self._collections, name) for name in names]
        if is_unfinished(self._collections):
            with unhurried():
                for collection in everything:
                    collection.delete_many({})
            return
        if any(collection.find_one({}, {"_id": 1}) is not None for collection in everything):
            raise Conflict(
                "The store is not empty. A backup is restored into an empty store: name a new one."
            )
        try:
            self._collections.meta.insert_one({"_id": "restoring"})
        except DuplicateKeyError as error:
            raise _taken() from error

    @translated()
    def add_statements(self, statements: Sequence[tuple[KeptStatement, PreparedStatement]]) -> None:
        """Keep statements behind all that were kept before, each institution's in its log."""
        ready: defaultdict[InstitutionId, list[_Ready]] = defaultdict(list)
        for kept, prepared in statements:
            store = self._records.statements(InstitutionHandle(kept.institution_id))
            ready[kept.institution_id].append((kept.stored_at_us, store.prepare(prepared)))
        for institution_id, entries in ready.items():
            for group in _cut(entries):
                instants = [stored for stored, _ in group]
                self._append(institution_id, instants, [entry for _, entry in group])

    @translated()
    def add_attachments(
        self, institution_id: InstitutionId, attachments: Sequence[AttachmentContent]
    ) -> None:
        """Keep attachments."""
        self._records.attachments(InstitutionHandle(institution_id)).put(attachments)

    @translated()
    def add_documents(
        self, institution_id: InstitutionId, documents: Sequence[tuple[DocumentKey, Document]]
    ) -> None:
        """Keep documents."""
        self._records.documents(InstitutionHandle(institution_id)).keep_documents(documents)

    @translated()
    def add_definitions(
        self, institution_id: InstitutionId, definitions: Sequence[ActivityDefinition]
    ) -> None:
        """Keep merged definitions: a segment without statements gives them."""
        self._append(institution_id, (), (), definitions)

    @translated()
    def add_recorded(self, institution_id: InstitutionId, values: Sequence[KeptValue]) -> None:
        """Keep recorded values as they are."""
        Rows(self._collections, institution_id).keep_values(values)

    @translated()
    def add_entries(self, institution_id: InstitutionId, entries: Sequence[KeptEntry]) -> None:
        """Append entries to the history."""
        try:
            Rows(self._collections, institution_id).keep_entries(entries)
        except DuplicateKeyError as error:
            raise _taken() from error

    @translated()
    def add_receipts(self, institution_id: InstitutionId, receipts: Sequence[Receipt]) -> None:
        """Keep receipts, oldest first."""
        first = self._receipts[institution_id]
        self._records.receipts(InstitutionHandle(institution_id)).keep(receipts, first)
        self._receipts[institution_id] = first + len(receipts)

    @translated()
    def finish(self) -> None:
        """Take the mark away."""
        self._collections.meta.delete_one({"_id": "restoring"})

    def _append(
        self,
        institution_id: InstitutionId,
        instants: Sequence[int],
        entries: Sequence[Entry],
        definitions: Sequence[ActivityDefinition] = (),
    ) -> None:
        end = self._ends.get(institution_id, Applied(0, 0, refers=False))
        segment = Segment(
            end.n + 1,
            self._options.random_bytes(_TOKEN_BYTES).hex(),
            instants[-1] if instants else end.at_us + 1,
            entries,
            definitions=pack_definitions(definitions, self._records.codec),
            instants=instants,
            total=end.total + len(entries),
        )
        patience = Patience(self._options.busy_seconds)
        if SegmentLog(self._collections, institution_id).insert(segment, patience):
            raise _taken()
        projector = self._records.projector(InstitutionHandle(institution_id))
        self._ends[institution_id] = projector.apply([segment], end, patience)


def _cut(entries: Iterable[_Ready]) -> Iterator[list[_Ready]]:
    """Cut entries into what one segment holds."""
    group: list[_Ready] = []
    size = 0
    for one in entries:
        if group and size + one[1].size > LARGEST_GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += one[1].size
    if group:
        yield group


def _taken() -> Conflict:
    return Conflict("Somebody else writes to the store; stop every server on it and restore anew.")
