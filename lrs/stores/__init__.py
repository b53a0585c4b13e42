"""Both engines behind the rooms' ports, and the one function that opens either."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from lrs.access.handles import InstitutionHandle
from lrs.access.ports import AccessStore
from lrs.clock import Clock
from lrs.errors import ConfigError, NotFound
from lrs.jobs.ports import JobStore
from lrs.stores.moving import Dump, Fault, Load, Looked
from lrs.streams.ports import StreamStore
from lrs.tables.derived import DerivedTables
from lrs.tables.recorded import COMMONS, RecordedTables
from lrs.xapi.ports import RecordStores

Scrub = Callable[[Sequence[bytes], Callable[[], None]], Sequence[bytes]]
"""Empties bodies of what identifies; calls the second argument now and then to let others work."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What an engine needs to know besides where it lies.

    Attributes:
        clock: Now, in microseconds; tests hand in their own.
        random_bytes: ``os.urandom`` outside tests.
        durable: False only in tests: SQLite then runs with ``synchronous=OFF``.
        arrivals_kept: Receipts, and refusals, kept a source.
        arrivals_days: Days after which they are dropped.
        busy_seconds: Patience with a store that is busy or away.
        restoring: Open also a store into which a restore was broken off, in order to restore anew.
        scrub: With it, an engine may train compression dictionaries on what it keeps.
    """

    clock: Clock
    random_bytes: Callable[[int], bytes]
    durable: bool = True
    arrivals_kept: int = 500
    arrivals_days: int = 30
    busy_seconds: float = 10.0
    restoring: bool = False
    scrub: Scrub | None = None


class Stores(Protocol):
    """An opened store: everything that an instance keeps."""

    @property
    def access(self) -> AccessStore:
        """Institutions, clients, keys, sign-ins, sessions."""
        ...

    @property
    def records(self) -> RecordStores:
        """Statements and arrivals, by institution handle."""
        ...

    @property
    def jobs(self) -> JobStore:
        """Leases and runs of the whole instance."""
        ...

    @property
    def streams(self) -> StreamStore:
        """Destinations, deliveries and dead letters of the whole instance."""
        ...

    def recorded(self, handle: InstitutionHandle) -> RecordedTables:
        """Open the recorded values of the handle's institution, or of the commons."""
        ...

    @property
    def derived(self) -> DerivedTables:
        """What was derived from all that is recorded."""
        ...

    def derived_scratch(self) -> AbstractContextManager[DerivedTables]:
        """Give empty derived tables that nobody else sees and that vanish at the end."""
        ...

    def drop_institution(self, handle: InstitutionHandle) -> None:
        """Take away an institution and everything that it has, for good.

        Nobody can write to it once this has begun: its keys, issuers and sessions go first,
        and who still has a handle gets NotFound. Its statements, log, history, receipts,
        refusals, documents, attachments, definitions, recorded values, notes, destinations
        and what belongs to them follow, a piece at a time, so that no other write waits
        long; its own record goes last.
        What was derived from it stays until the job that derives sees that it is gone.
        Safe to repeat: broken off, the next call goes on. One that is unknown is no error.

        Raises:
            NotFound: It is the commons, which is no institution.
            StoreUnavailable: The store is away or busy beyond patience.
        """
        ...

    @property
    def instance_key(self) -> bytes:
        """32 random bytes made with the store and kept in it, for keyed hashes and cursors."""
        ...

    @property
    def engine(self) -> str:
        """``sqlite`` or ``mongo``."""
        ...

    def open_dump(self) -> AbstractContextManager[Dump]:
        """Give everything that is kept, as of now, while others go on writing."""
        ...

    def begin_load(self) -> Load:
        """Begin to fill the store, which serves nobody until that is finished.

        What a load that was broken off left behind is deleted first.

        Raises:
            Conflict: The store is not empty; nothing was changed.
        """
        ...

    def iter_faults(self) -> Iterator[Fault | Looked]:
        """Check everything that is kept, and yield what is wrong; also how far it has come."""
        ...

    def ping(self) -> None:
        """Return when the store answers; raise StoreUnavailable when it does not."""
        ...

    def close(self) -> None:
        """Finish what was begun, stop threads, close connections; safe to call twice."""
        ...


def refuse_commons(handle: InstitutionHandle) -> None:
    """Let nobody take the commons away.

    Raises:
        NotFound: It is what was asked for.
    """
    if handle == COMMONS:
        raise NotFound("The commons is no institution, and cannot be taken away.")


def open_stores(url: str, options: StoreOptions) -> Stores:
    """Open the store that a URL names, creating or upgrading what is missing.

    Args:
        url: ``sqlite:///PATH`` (what follows the three slashes is the path, so an absolute
            one has four) or ``mongodb://…`` / ``mongodb+srv://…`` with a database name.
        options: See StoreOptions.

    Raises:
        ConfigError: The URL is not one of these.
        StoreTooNew: A newer version of this project wrote the store.
        StoreUnfinished: A restore into it was broken off, and ``restoring`` was not asked for.
        StoreUnavailable: It cannot be opened or reached.
    """
    if url.startswith("sqlite:///"):
        from lrs.stores.sqlite.stores import SqliteStores  # noqa: PLC0415 - one driver is enough

        return SqliteStores.open(url.removeprefix("sqlite:///"), options)
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from lrs.stores.mongo.stores import MongoStores  # noqa: PLC0415 - one driver is enough

        return MongoStores.open(url, options)
    raise ConfigError(
        f"LRS_STORE must begin with sqlite:///, mongodb:// or mongodb+srv://, not {url.split(':', 1)[0]!r}."
    )
