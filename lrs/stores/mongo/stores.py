"""The scale-out engine, opened: everything that an instance keeps, in one database."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Self

from pymongo import MongoClient

from lrs.access.handles import InstitutionHandle
from lrs.access.ports import AccessStore
from lrs.errors import ConfigError
from lrs.jobs.ports import JobStore
from lrs.stores import StoreOptions, refuse_commons
from lrs.stores.mongo.access import MongoAccessStore
from lrs.stores.mongo.checks import StoreCheck
from lrs.stores.mongo.database import open_collections, prepare, warn_if_standalone
from lrs.stores.mongo.derived import MongoDerivedTables, open_scratch
from lrs.stores.mongo.dropping import drop
from lrs.stores.mongo.dump import MongoDump
from lrs.stores.mongo.errors import BAD_ADDRESS, translated
from lrs.stores.mongo.filling import Filler
from lrs.stores.mongo.jobs import MongoJobStore
from lrs.stores.mongo.load import MongoLoad
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.recorded import MongoRecorded, MongoRecordedTables
from lrs.stores.mongo.records import MongoRecordStores
from lrs.stores.mongo.segment import Document
from lrs.stores.mongo.streams import MongoStreamStore
from lrs.stores.moving import Dump, Fault, Load, Looked
from lrs.streams.ports import StreamStore
from lrs.tables.derived import DerivedTables
from lrs.xapi.ports import RecordStores


class MongoStores:
    """A database of a MongoDB server, replica set or sharded cluster, 4.4 or newer.

    Args:
        client: Connected; tests hand in mongomock's.
        database_name: Where everything lies.
        options: See StoreOptions.
        owns_client: Whether ``close`` closes the client too.

    Raises:
        StoreTooNew: A newer version of this project wrote the store.
        StoreUnavailable: It cannot be reached.
    """

    @translated()
    def __init__(
        self,
        client: MongoClient[Document],
        database_name: str,
        options: StoreOptions,
        owns_client: bool = True,
    ) -> None:
        """Make what is missing in the database."""
        self._client = client
        self._owns_client = owns_client
        collections = open_collections(client, database_name, options.busy_seconds)
        self._instance_key = prepare(collections, options)
        self._collections = collections
        self._options = options
        self._access = MongoAccessStore(collections)
        self._records = MongoRecordStores(collections, self._instance_key, options)
        self._recorded = MongoRecorded(collections, options)
        self._derived = MongoDerivedTables(collections.derived, options.busy_seconds)
        self._jobs = MongoJobStore(collections)
        self._streams = MongoStreamStore(collections)
        self._filler = Filler(collections, self._records.codec)

    @classmethod
    @translated()
    def open(cls, url: str, options: StoreOptions) -> Self:
        """Connect to the database that a ``mongodb://`` or ``mongodb+srv://`` URL names.

        Raises:
            ConfigError: The URL is malformed or names no database.
            StoreTooNew: A newer version of this project wrote the store.
            StoreUnavailable: It cannot be reached.
        """
        client = _connect(url, options.busy_seconds)
        try:
            stores = cls(client, client.get_default_database().name, options)
            warn_if_standalone(client)
        except BaseException:
            client.close()
            raise
        return stores

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

    def recorded(self, handle: InstitutionHandle) -> MongoRecordedTables:
        """Open the recorded values of the handle's institution, or of the commons."""
        return self._recorded(handle)

    @property
    def derived(self) -> DerivedTables:
        """What was derived from all that is recorded."""
        return self._derived

    def derived_scratch(self) -> AbstractContextManager[DerivedTables]:
        """Give empty derived tables that nobody else sees."""
        return open_scratch(self._collections.derived, self._options)

    @translated()
    def drop_institution(self, handle: InstitutionHandle) -> None:
        """Take away an institution and everything that it has, for good."""
        refuse_commons(handle)
        drop(self._collections, handle.institution_id, Patience(self._options.busy_seconds))

    @property
    def instance_key(self) -> bytes:
        """The 32 random bytes that were made with the store."""
        return self._instance_key

    @property
    def engine(self) -> str:
        """What kind of store this is."""
        return "mongo"

    @translated()
    def open_dump(self) -> AbstractContextManager[Dump]:
        """Give everything that is kept: statements as far as they are visible now."""
        return nullcontext(MongoDump(self._collections, self._records))

    @translated()
    def begin_load(self) -> Load:
        """Begin to fill the store."""
        return MongoLoad(self._collections, self._records, self._options)

    def iter_faults(self) -> Iterator[Fault | Looked]:
        """Check everything that is kept, as far as it is visible now."""
        with translated():
            yield from StoreCheck(self._collections, self._records, self._access).run()

    @translated()
    def ping(self) -> None:
        """Return when the server answers."""
        self._client.admin.command("ping")

    def close(self) -> None:
        """Finish what was begun, stop threads, close the client if it is ours."""
        self._filler.close()
        self._records.close()
        if self._owns_client:
            self._client.close()


def _connect(url: str, busy_seconds: float) -> MongoClient[Document]:
    milliseconds = max(1, int(busy_seconds * 1000))
    try:
        return MongoClient(
            url,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            timeoutMS=milliseconds,
            appname="lrs",
        )
    except ValueError as error:
        # The driver says this of a port that is no number.
        raise ConfigError(BAD_ADDRESS) from error
