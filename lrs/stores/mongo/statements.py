"""The StatementStore of one institution on MongoDB."""

from bson import Int64

from lrs.access.handles import InstitutionId
from lrs.stores.compression import BodyCodec
from lrs.stores.mongo.attachments import MongoAttachmentStore
from lrs.stores.mongo.committer import Committer
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.encoding import EntryEncoder, encode_entry
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.history import History
from lrs.stores.mongo.horizon import Horizon
from lrs.stores.mongo.keys import NEVER, first_position_after, statement_id_of, statement_key
from lrs.stores.mongo.log import SegmentLog
from lrs.stores.mongo.pages import PageReader
from lrs.stores.mongo.segment import Document, Entry
from lrs.stores.mongo.terms import Terms
from lrs.stores.mongo.verdicts import PreparedBatch
from lrs.xapi.ports import (
    Batch,
    BatchOutcome,
    HistoryPage,
    LogPage,
    Position,
    PreparedStatement,
    StatementId,
    StatementPage,
    StatementQuery,
    StoredStatement,
    id_bytes,
)
from lrs.xapi.ports.encoding import EncodedStatement

_FIELDS = {"q": 1, "s": 1, "v": 1, "z": 1, "b": 1}


class MongoStatementStore:
    """Keeps and finds statements; shared by all threads of a process.

    Args:
        collections: Where they lie.
        institution_id: Whose.
        terms: Hashes facts and filters.
        codec: Compresses bodies.
        committer: Takes batches.
        horizon: Knows how far everything is visible.
    """

    def __init__(
        self,
        collections: Collections,
        institution_id: InstitutionId,
        *,
        terms: Terms,
        codec: BodyCodec,
        committer: Committer,
        horizon: Horizon,
    ) -> None:
        """Keep the parts."""
        self._statements = collections.statements
        self._institution_id = institution_id
        self._terms = terms
        self._codec = codec
        self._committer = committer
        self._horizon = horizon
        self._log = SegmentLog(collections, institution_id)
        self._history = History(collections, institution_id)
        self._pages = PageReader(collections, institution_id, terms)
        self.attachments = MongoAttachmentStore(collections, institution_id, codec, committer.busy_seconds)

    def add_statements(self, batch: Batch) -> BatchOutcome:
        """Keep a batch, all or nothing; see the port."""
        entries: list[Entry] = [
            one.content if isinstance(one, EncodedStatement) else self.prepare(one)
            for one in batch.statements
        ]
        if entries and batch.attachments:
            self.attachments.put(batch.attachments)
        return self._committer.submit(PreparedBatch(batch, entries))

    @translated()
    def count_statements(self) -> int:
        """Return how many statements are kept."""
        return self._log.applied().total

    @translated()
    def find_statement(self, statement_id: StatementId) -> StoredStatement | None:
        """Return a statement, voided or not, or None."""
        key = statement_key(self._institution_id, statement_id)
        found = self._statements.find_one({"t": self._institution_id, "_id": key}, _FIELDS)
        return None if found is None else self._stored(found)

    @translated()
    def query_statements(self, query: StatementQuery) -> StatementPage:
        """Return one page."""
        rows = self._pages.rows(query, query.limit + 1)
        page = [self._stored(row) for row in rows[: query.limit]]
        return StatementPage(page, page[-1].position if len(rows) > query.limit else None)

    @translated()
    def consistent_through(self) -> int:
        """Return an instant up to which everything is visible."""
        return self._horizon.consistent_through()

    @translated()
    def read_log(self, after: Position, limit: int) -> LogPage:
        """Return what follows a position, up to the last whole segment that is visible."""
        high = first_position_after(self._log.applied().n)
        asked: Document = {"t": self._institution_id, "q": {"$gt": Int64(after), "$lt": Int64(high)}}
        found = self._statements.find(asked, _FIELDS).sort("q", 1).limit(limit)
        statements = [self._stored(document) for document in found]
        return LogPage(statements, statements[-1].position if statements else after)

    @translated()
    def read_history(self, after: Position, limit: int) -> HistoryPage:
        """Return the history's entries behind a position."""
        return self._history.read(after, limit)

    def prepare(self, statement: PreparedStatement) -> Entry:
        """Make a statement as the log keeps it."""
        return encode_entry(statement, self._terms, self._codec)

    def encoder(self) -> EntryEncoder:
        """Give what makes entries of the log."""
        return EntryEncoder(self._terms)

    def _stored(self, row: Document) -> StoredStatement:
        return StoredStatement(
            id_bytes(statement_id_of(row["_id"])),
            Position(row["q"]),
            row["s"],
            self._codec.decompress(row["z"], bytes(row["b"])),
            row["v"] < NEVER,
        )
