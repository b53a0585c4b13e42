"""The RecordStores on MongoDB: what one process keeps for each institution that it serves."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import StoreUnavailable
from lrs.stores import StoreOptions
from lrs.stores.compression import BodyCodec
from lrs.stores.documents import DocumentHashes
from lrs.stores.mongo.activities import Definitions, MongoActivityStore
from lrs.stores.mongo.arrivals import MongoArrivalStore, Receipts
from lrs.stores.mongo.attachments import MongoAttachmentStore
from lrs.stores.mongo.committer import Committer
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.documents import MongoDocumentStore
from lrs.stores.mongo.horizon import Horizon
from lrs.stores.mongo.log import SegmentLog
from lrs.stores.mongo.projector import Projector
from lrs.stores.mongo.statements import MongoStatementStore
from lrs.stores.mongo.terms import Terms
from lrs.stores.mongo.writer import Writer
from lrs.xapi.ports.activities import ActivityStore
from lrs.xapi.ports.arrivals import ArrivalStore


@dataclass(frozen=True, slots=True)
class _Institution:
    """The opened parts of one institution."""

    statements: MongoStatementStore
    arrivals: MongoArrivalStore
    documents: MongoDocumentStore
    attachments: MongoAttachmentStore
    committer: Committer
    receipts: Receipts
    projector: Projector
    terms: Terms


class MongoRecordStores:
    """Opens the record of one institution; each is made once a process."""

    def __init__(self, collections: Collections, instance_key: bytes, options: StoreOptions) -> None:
        """Nothing is open yet."""
        self._collections = collections
        self._instance_key = instance_key
        self._options = options
        self._codec = BodyCodec()
        self._lock = threading.Lock()
        self._open: dict[InstitutionId, _Institution] = {}
        self._closed = False

    def statements(self, handle: InstitutionHandle) -> MongoStatementStore:
        """Open the statements of the handle's institution."""
        return self._institution(handle).statements

    def arrivals(self, handle: InstitutionHandle) -> ArrivalStore:
        """Open the receipts and refusals of the handle's institution."""
        return self._institution(handle).arrivals

    def documents(self, handle: InstitutionHandle) -> MongoDocumentStore:
        """Open the documents of the handle's institution."""
        return self._institution(handle).documents

    def attachments(self, handle: InstitutionHandle) -> MongoAttachmentStore:
        """Open the attachments of the handle's institution."""
        return self._institution(handle).attachments

    def activities(self, handle: InstitutionHandle) -> ActivityStore:
        """Open the activity definitions of the handle's institution."""
        return MongoActivityStore(self._collections, handle.institution_id, self._codec)

    def receipts(self, handle: InstitutionHandle) -> Receipts:
        """Return what keeps receipts of the handle's institution."""
        return self._institution(handle).receipts

    def projector(self, handle: InstitutionHandle) -> Projector:
        """Return what makes segments of the handle's institution visible; for a restore."""
        return self._institution(handle).projector

    def terms(self, handle: InstitutionHandle) -> Terms:
        """Return the terms of the handle's institution."""
        return self._institution(handle).terms

    @property
    def codec(self) -> BodyCodec:
        """What compresses."""
        return self._codec

    def close(self) -> None:
        """Finish what was begun and stop the threads."""
        with self._lock:
            self._closed = True
            opened = list(self._open.values())
        for institution in opened:
            institution.committer.close()

    def _institution(self, handle: InstitutionHandle) -> _Institution:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("The store was closed.")
            found = self._open.get(handle.institution_id)
            if found is None:
                found = self._open[handle.institution_id] = self._make(handle.institution_id)
            return found

    def _make(self, institution_id: InstitutionId) -> _Institution:
        collections, options = self._collections, self._options
        terms = Terms(self._instance_key, institution_id)
        receipts = Receipts(collections, institution_id, options)
        projector = self._make_projector(institution_id, terms, receipts)
        new_token = _token_maker(options.random_bytes)
        writer = Writer(collections, institution_id, options.clock, new_token, projector)
        committer = Committer(writer, options.busy_seconds)
        # The horizon projects from other threads than the writer: what is counted or cached
        # in a projector is not shared, what it writes may be written twice.
        horizon = Horizon(
            SegmentLog(collections, institution_id),
            self._make_projector(institution_id, terms, receipts),
            options.clock,
            new_token,
            busy_seconds=options.busy_seconds,
        )
        statements = MongoStatementStore(
            collections, institution_id, terms=terms, codec=self._codec, committer=committer, horizon=horizon
        )
        arrivals = MongoArrivalStore(collections, institution_id, options, receipts)
        return _Institution(
            statements,
            arrivals,
            self._make_documents(institution_id),
            statements.attachments,
            committer,
            receipts,
            projector,
            terms,
        )

    def _make_projector(self, institution_id: InstitutionId, terms: Terms, receipts: Receipts) -> Projector:
        definitions = Definitions(self._collections, institution_id, self._codec)
        return Projector(self._collections, institution_id, terms, receipts, definitions)

    def _make_documents(self, institution_id: InstitutionId) -> MongoDocumentStore:
        return MongoDocumentStore(
            self._collections,
            institution_id,
            hashes=DocumentHashes(self._instance_key, institution_id),
            codec=self._codec,
            options=self._options,
        )


def _token_maker(random_bytes: Callable[[int], bytes]) -> Callable[[], str]:
    return lambda: random_bytes(12).hex()
