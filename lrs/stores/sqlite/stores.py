"""The embedded engine: one SQLite file behind all ports, for any number of threads and processes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress

import apsw

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.ports import AccessStore
from lrs.errors import StoreError, StoreUnavailable
from lrs.jobs.ports import JobStore
from lrs.stores import StoreOptions, refuse_commons
from lrs.stores.compression import BodyCodec
from lrs.stores.documents import DocumentHashes
from lrs.stores.moving import Dump, Fault, Load, Looked
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.access import SqliteAccessStore
from lrs.stores.sqlite.activities import Definitions, SqliteActivityStore
from lrs.stores.sqlite.arrivals import Bounds, SqliteArrivalStore
from lrs.stores.sqlite.attachments import SqliteAttachmentStore
from lrs.stores.sqlite.checks import StoreCheck
from lrs.stores.sqlite.connections import (
    MAINTENANCE_CACHE_KIB,
    Files,
    Readers,
    check_sqlite,
    make_file,
    open_writer,
)
from lrs.stores.sqlite.defining import LeftDefinitions
from lrs.stores.sqlite.derived import DerivedFile, SqliteDerivedTables, open_scratch
from lrs.stores.sqlite.documents import SqliteDocumentStore
from lrs.stores.sqlite.dropping import Dropping
from lrs.stores.sqlite.dump import open_dump
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.filling import Filler, Parts, pending_fills
from lrs.stores.sqlite.jobs import SqliteJobStore
from lrs.stores.sqlite.load import SqliteLoad
from lrs.stores.sqlite.locks import ConsistentThrough, WriteLock
from lrs.stores.sqlite.maintenance import Chores, Maintenance
from lrs.stores.sqlite.postings import SPANS
from lrs.stores.sqlite.recorded import SqliteRecordedTables
from lrs.stores.sqlite.rows import RowCodec
from lrs.stores.sqlite.schema import (
    fills,
    read_dictionaries,
    read_instance_key,
    refuse_unfinished,
    upgrade,
)
from lrs.stores.sqlite.spreading import Abandoned
from lrs.stores.sqlite.statements import SqliteStatementStore
from lrs.stores.sqlite.streams import SqliteStreamStore
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.training import Training
from lrs.stores.sqlite.writer import Writer
from lrs.stores.sqlite.writing import Place
from lrs.streams.ports import StreamStore
from lrs.tables.derived import DerivedTables
from lrs.tables.recorded import RecordedTables
from lrs.xapi.ports import RecordStores, StatementStore
from lrs.xapi.ports.activities import ActivityStore
from lrs.xapi.ports.arrivals import ArrivalStore
from lrs.xapi.ports.attachments import AttachmentStore


class SqliteStores:
    """An opened store; open it after a fork, never before."""

    def __init__(self, path: str, options: StoreOptions, spans: Sequence[int]) -> None:
        """Open; ``SqliteStores.open`` is the way in."""
        database, lock = _open_upgraded(path, options)
        with translated():
            self._instance_key = read_instance_key(database)
            bodies = BodyCodec(read_dictionaries(database), self._read_dictionaries)
            pending = bool(pending_fills(database))
        lot_size = spans[0]
        through = ConsistentThrough(path, options.clock)
        bounds = Bounds(options.arrivals_kept, options.arrivals_days, options.clock)
        self._readers = Readers(path)
        self._through = through
        self._files = Files(path)
        self._writer = Writer(
            database,
            lock,
            options.clock,
            options.busy_seconds,
            lambda: _make_readable(database, through),
            self._files.check_writable,
        )
        self._access = SqliteAccessStore(self._readers, self._writer)
        self._records = SqliteRecordStores(self, bodies, bounds, lot_size)
        self._jobs = SqliteJobStore(self._readers, self._writer)
        self._streams = SqliteStreamStore(self._readers, self._writer)
        derived = DerivedFile(
            f"{path}-derived", self._instance_key, options.busy_seconds, durable=options.durable
        )
        self._derived = SqliteDerivedTables(derived)
        maintained = open_writer(path, durable=options.durable, cache_kib=MAINTENANCE_CACHE_KIB)
        self._bodies = bodies
        training = Training(bodies, options.scrub)
        abandoned = Abandoned(self._writer, lambda one: self._records.place(one).codec, lot_size)
        chores = Chores(bounds, abandoned, LeftDefinitions(self._writer, self._records.place))
        self._maintenance = Maintenance(maintained, path, self._writer, chores, spans, training)
        parts = Parts(self._writer, self._instance_key, bodies, self._records.definitions)
        self._filler = Filler(parts, fills(), pending)

    @classmethod
    def open(cls, path: str, options: StoreOptions, spans: Sequence[int] = SPANS) -> "SqliteStores":
        """Open the store in a file, making or upgrading what is missing.

        Args:
            path: The file; its folder is made. More files lie beside it while it is
                open: ``-wal`` and ``-shm`` are SQLite's, ``-lock``, ``-turn`` and
                ``-merge`` order the writers. What is derived lies in ``-derived``.
            options: See StoreOptions.
            spans: Positions a lot of postings, as SPANS; other than that only in tests.

        Raises:
            ConfigError: SQLite is too old.
            StoreTooNew: A newer version of this project wrote the file.
            StoreUnfinished: A restore into it was broken off.
            StoreUnavailable: It cannot be opened.
        """
        check_sqlite(apsw.sqlite_lib_version())
        try:
            return cls(path, options, spans)
        except StoreError as error:
            error.detail = f"{path}: {error.detail}"
            raise

    @property
    def access(self) -> AccessStore:
        """Institutions, clients, keys, sign-ins, sessions."""
        return self._access

    @property
    def records(self) -> RecordStores:
        """Statements and arrivals, by institution handle."""
        return self._records

    @property
    def jobs(self) -> JobStore:
        """Leases and runs."""
        return self._jobs

    @property
    def streams(self) -> StreamStore:
        """Destinations, deliveries, dead letters."""
        return self._streams

    def recorded(self, handle: InstitutionHandle) -> RecordedTables:
        """Open the recorded values of the handle's institution, or of the commons."""
        return SqliteRecordedTables(Tenants(handle.institution_id), self._readers, self._writer)

    def drop_institution(self, handle: InstitutionHandle) -> None:
        """Take away an institution and everything that it has, for good."""
        refuse_commons(handle)
        place = self._records.place(handle.institution_id)
        parts = (self._readers, self._writer)
        Dropping(handle.institution_id, place.codec, place.lot_size, *parts).run()

    @property
    def derived(self) -> DerivedTables:
        """What was derived from all that is recorded."""
        return self._derived

    def derived_scratch(self) -> AbstractContextManager[DerivedTables]:
        """Give empty derived tables that nobody else sees."""
        return open_scratch()

    @property
    def instance_key(self) -> bytes:
        """The 32 random bytes of this store."""
        return self._instance_key

    @property
    def engine(self) -> str:
        """What kind of store this is."""
        return "sqlite"

    def open_dump(self) -> AbstractContextManager[Dump]:
        """Give everything that is kept, from one snapshot; what is left to be merged is merged before."""
        with translated():
            LeftDefinitions(self._writer, self._records.place, 0).look(self._readers.get())
        return open_dump(self._readers, self._records)

    def begin_load(self) -> Load:
        """Begin to fill the store."""
        return SqliteLoad(self._writer, self._records)

    def iter_faults(self) -> Iterator[Fault | Looked]:
        """Check everything that is kept, in one snapshot."""
        with translated():
            database = self._readers.get()
            database.execute("BEGIN")
        try:
            with translated():
                check = StoreCheck(database, self._records, self._access)
            yield from check.run()
        finally:
            # Not a commit: on a damaged file that is one more thing that may fail.
            with suppress(apsw.Error):
                database.execute("ROLLBACK")

    @property
    def readers(self) -> Readers:
        """Connections to read with."""
        return self._readers

    @property
    def writer(self) -> Writer:
        """The way to write."""
        return self._writer

    @property
    def bodies(self) -> BodyCodec:
        """What compresses."""
        return self._bodies

    @property
    def through(self) -> ConsistentThrough:
        """The promiser of instants."""
        return self._through

    @property
    def maintenance(self) -> Maintenance:
        """The thread beside the writers."""
        return self._maintenance

    def _read_dictionaries(self) -> dict[int, bytes]:
        with translated():
            return read_dictionaries(self._readers.get())

    def ping(self) -> None:
        """Return when the store answers; raise StoreUnavailable when it does not."""
        self._files.check()
        with translated():
            sql.rows(self._readers.get(), "SELECT 1 FROM meta LIMIT 1")

    def close(self) -> None:
        """Finish what was begun, stop threads, close connections; safe to call twice."""
        self._filler.close()
        self._maintenance.close()
        self._derived.close()
        self._readers.close()
        self._writer.close()
        self._through.close()
        self._files.close()


class SqliteRecordStores:
    """See lrs.xapi.ports.RecordStores."""

    def __init__(self, stores: SqliteStores, bodies: BodyCodec, bounds: Bounds, lot_size: int) -> None:
        """Take the engine."""
        self._stores = stores
        self._bodies = bodies
        self._definitions = Definitions(bodies)
        self._bounds = bounds
        self._lot_size = lot_size

    @property
    def bodies(self) -> BodyCodec:
        """What compresses."""
        return self._bodies

    def place(self, institution_id: InstitutionId) -> Place:
        """Return where an institution's batches are written, and with what."""
        codec = RowCodec(self._stores.instance_key, institution_id, self._bodies)
        return Place(codec, Tenants(institution_id), self._bodies, self._definitions, self._lot_size)

    @property
    def definitions(self) -> Definitions:
        """What merges activity definitions."""
        return self._definitions

    def statements(self, handle: InstitutionHandle) -> StatementStore:
        """Open the statements of the handle's institution."""
        stores = self._stores
        place = self.place(handle.institution_id)
        parts = (stores.readers, stores.writer, stores.through)
        return SqliteStatementStore(place, *parts, stores.instance_key)

    def arrivals(self, handle: InstitutionHandle) -> ArrivalStore:
        """Open the receipts and refusals of the handle's institution."""
        stores = self._stores
        tenants = Tenants(handle.institution_id)
        return SqliteArrivalStore(tenants, stores.readers, stores.writer, self._bounds)

    def activities(self, handle: InstitutionHandle) -> ActivityStore:
        """Open the activity definitions of the handle's institution."""
        stores = self._stores
        codec = RowCodec(stores.instance_key, handle.institution_id, self._bodies)
        return SqliteActivityStore(codec, Tenants(handle.institution_id), self._bodies, stores.readers)

    def attachments(self, handle: InstitutionHandle) -> AttachmentStore:
        """Open the attachments of the handle's institution."""
        return SqliteAttachmentStore(Tenants(handle.institution_id), self._bodies, self._stores.readers)

    def documents(self, handle: InstitutionHandle) -> SqliteDocumentStore:
        """Open the documents of the handle's institution."""
        stores = self._stores
        hashes = DocumentHashes(stores.instance_key, handle.institution_id)
        tenants = Tenants(handle.institution_id)
        return SqliteDocumentStore(hashes, tenants, self._bodies, stores.readers, stores.writer)


def _make_readable(database: apsw.Connection, through: ConsistentThrough) -> None:
    """Prepare for those who read what was just committed; called by the writer, on its connection.

    Reading once leaves SQLite's mark for readers at the end of the WAL. Otherwise the first reader
    would, through the mapped index: where the files have become read-only since, that kills the process.
    """
    through.forget()
    sql.value(database, "PRAGMA data_version")


def _open_upgraded(path: str, options: StoreOptions) -> tuple[apsw.Connection, WriteLock]:
    """Open the connection that writes, bring the schema up to date, and set the floor."""
    make_file(path)
    lock = WriteLock(path)
    deadline = time.monotonic() + options.busy_seconds
    if not lock.acquire(lambda: time.monotonic() < deadline):
        lock.close()
        raise StoreUnavailable("Another process holds the store; it could not be opened in time.")
    try:
        database = open_writer(path, durable=options.durable)
        with translated(), database:
            upgrade(database, options.random_bytes)
            if not options.restoring:
                refuse_unfinished(database)
            last = sql.value(database, "SELECT stored FROM stmt ORDER BY seq DESC LIMIT 1")
        lock.floor.raise_to(last or 0)
    except BaseException:
        lock.release()
        lock.close()
        raise
    lock.release()
    return database, lock
