"""The statements of one institution, as the record store's port promises them."""

from lrs.errors import TooLarge
from lrs.stores.recorded import value_from
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.attachments import pack_attachments
from lrs.stores.sqlite.batches import BatchWork
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.defining import finish_definitions
from lrs.stores.sqlite.encoding import RowEncoder
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.history import read_rows
from lrs.stores.sqlite.locks import ConsistentThrough
from lrs.stores.sqlite.query import PageReader, find_row, to_statement
from lrs.stores.sqlite.rows import Row
from lrs.stores.sqlite.schema import read_dictionary
from lrs.stores.sqlite.spreading import finish_spread
from lrs.stores.sqlite.writer import Writer
from lrs.stores.sqlite.writing import Place
from lrs.xapi.ports import (
    Batch,
    BatchOutcome,
    HistoryEntry,
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

_LARGEST_BATCH = 100_000


class SqliteStatementStore:
    """See lrs.xapi.ports.StatementStore.

    Args:
        place: Where the institution's batches are written, and with what.
        readers: Connections to read with.
        writer: Every change goes through it.
        through: Promises instants; shared by all institutions.
        instance_key: What hashes depend on.
    """

    def __init__(
        self,
        place: Place,
        readers: Readers,
        writer: Writer,
        through: ConsistentThrough,
        instance_key: bytes,
    ) -> None:
        """Take the engine's parts."""
        self._instance_key = instance_key
        self._place = place
        self._codec = place.codec
        self._tenants = place.tenants
        self._readers = readers
        self._writer = writer
        self._through = through

    def add_statements(self, batch: Batch) -> BatchOutcome:
        """Keep a batch, all or nothing, durable when it returns, with its receipt."""
        if len(batch.statements) > _LARGEST_BATCH:
            raise TooLarge(
                f"A batch may hold {_LARGEST_BATCH} statements; this one has {len(batch.statements)}."
            )
        rows = [self._row(statement) for statement in batch.statements]
        attachments = pack_attachments(batch.attachments, self._place.bodies)
        weight = max(1, len(rows)) + sum(one.weight for one in attachments)
        outcome, left, undefined = self._writer.run(BatchWork(batch, rows, attachments, self._place), weight)
        if left is not None:
            finish_spread(self._writer, self._codec, self._place.lot_size, left)
        if undefined:
            finish_definitions(self._writer, self._place)
        return outcome

    def encoder(self) -> RowEncoder:
        """Give what makes rows, with the dictionary that compresses now."""
        number = self._place.bodies.current
        with translated():
            dictionary = read_dictionary(self._readers.get(), number)
        return RowEncoder(self._instance_key, self._tenants.institution_id, number, dictionary)

    def _row(self, statement: PreparedStatement | EncodedStatement) -> Row:
        return statement.content if isinstance(statement, EncodedStatement) else self._codec.encode(statement)

    def count_statements(self) -> int:
        """Return how many statements are kept."""
        with translated():
            return self._tenants.count_statements(self._readers.get())

    def find_statement(self, statement_id: StatementId) -> StoredStatement | None:
        """Return a statement, voided or not, or None."""
        with translated():
            database = self._readers.get()
            tenant = self._tenants.find(database)
            if tenant is None:
                return None
            return find_row(database, self._codec, tenant, id_bytes(statement_id))

    def query_statements(self, query: StatementQuery) -> StatementPage:
        """Return one page."""
        with self._readers.snapshot() as database:
            tenant = self._tenants.find(database)
            if tenant is None:
                return StatementPage((), None)
            return PageReader(database, self._codec, tenant, query).read()

    def consistent_through(self) -> int:
        """Return an instant (µs) up to which everything is visible."""
        return self._through.instant()

    def read_log(self, after: Position, limit: int) -> LogPage:
        """Return what follows a position."""
        with translated():
            database = self._readers.get()
            rows = sql.rows(
                database,
                "SELECT seq, id, stored, state, dict, body FROM stmt"
                " WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?",
                (self._tenants.find(database), after, limit),
            )
        statements = [to_statement(self._codec, row) for row in rows]
        return LogPage(statements, statements[-1].position if statements else after)

    def read_history(self, after: Position, limit: int) -> HistoryPage:
        """Return the history's entries behind a position."""
        with translated():
            database = self._readers.get()
            rows = read_rows(database, self._tenants.find(database), after, limit)
        entries = [
            HistoryEntry(Position(position), kind, subject, _object(before), _object(later), at)
            for position, kind, subject, before, later, at in rows
        ]
        return HistoryPage(entries, entries[-1].position if entries else after)


def _object(text: str | None) -> dict[str, object] | None:
    return None if text is None else value_from(text)
