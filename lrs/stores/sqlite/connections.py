"""Opening the database: one connection that writes, and one that reads for each thread."""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from lrs.errors import ConfigError, StoreUnavailable
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.locks import open_private

OLDEST_SQLITE = (3, 51, 3)
"""Before it, a write and a checkpoint at the same instant can corrupt the file."""

WRITER_CACHE_KIB = 16 * 1024
MAINTENANCE_CACHE_KIB = 2 * 1024
"""It reads a lot from beginning to end and not again: what it kept would only take room."""
_READER_CACHE_KIB = 8 * 1024
_BUSY_MS = 5000
_ANYBODY_WRITES = 0o222

_STATEMENTS_KEPT = 500
"""Compiled statements a connection keeps. Each *use* of one takes a place, the oldest first: of the usual 100
the rows that a group of single statements inserts leave none for what the next group needs."""


def check_sqlite(version: str) -> None:
    """Refuse a SQLite with the WAL-reset bug.

    Raises:
        ConfigError: The version is older than 3.51.3.
    """
    if tuple(int(part) for part in version.split(".")[:3]) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise ConfigError(f"SQLite {version} can corrupt its file; {oldest} or newer is needed. Update apsw.")


def make_file(path: str) -> None:
    """Make the folder and an empty file for their owner alone; SQLite's own files copy that mode.

    A folder that is there keeps its mode.
    """
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120
    with translated():
        os.makedirs(folder, 0o700, exist_ok=True)  # noqa: PTH103
        os.close(open_private(path))


def open_writer(path: str, *, durable: bool, cache_kib: int = WRITER_CACHE_KIB) -> apsw.Connection:
    """Open a connection that may write; it never checkpoints by itself.

    Args:
        path: The database file, which exists.
        durable: Whether a commit waits until the disk has it.
        cache_kib: How much of the database it keeps in memory at most.
    """
    with translated():
        connection = connect(path, apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(_BUSY_MS)
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        connection.execute("PRAGMA wal_autocheckpoint=0").fetchall()
        connection.execute(f"PRAGMA cache_size=-{cache_kib}")
        connection.execute("PRAGMA temp_store=MEMORY")
        return connection


def connect(path: str, flags: int) -> apsw.Connection:
    """Open a connection whose plans do not depend on the values that are bound.

    Otherwise SQLite plans a query over several tables anew each time that another value is bound,
    which takes longer than most of ours run.
    """
    connection = apsw.Connection(path, flags=flags, statementcachesize=_STATEMENTS_KEPT)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


class Files:
    """The database, its WAL and lock as they were opened: whether they still lie there, and may be written.

    A file that was removed, or replaced by another, can still be written by who has it
    open; but what is written there is gone with the last process that does. Whoever holds another lock
    than those who come later gives instants beside theirs. Where files became
    read-only, SQLite must not begin: it writes its index through a mapping, and the system
    ends the process that writes so into what may not be written.
    """

    def __init__(self, path: str) -> None:
        """Remember which files lie there; both do once a connection has begun to write."""
        self._paths = (path, f"{path}-wal", f"{path}-lock")
        with translated():
            self._opened = [_identity(one) for one in self._look()]
            self._probe: int | None = open_private(f"{path}-turn")

    def check(self) -> None:
        """Return when the files at the path are those that were opened.

        Raises:
            StoreUnavailable: One is not there, or is another one.
        """
        with translated():
            self._compare(self._look())

    def check_writable(self) -> None:
        """Return when they are, and may be written.

        Raises:
            StoreUnavailable: As ``check``; or one is read-only by its mode, or the file system lets
                nothing be written.
        """
        with translated():
            found = self._look()
            self._compare(found)
            if not all(one.st_mode & _ANYBODY_WRITES for one in found):
                raise StoreUnavailable("The database file is read-only just now. Try again.")
            if self._probe is not None:
                os.pwrite(self._probe, b"\0", 0)

    def close(self) -> None:
        """Let go of what is held open."""
        probe, self._probe = self._probe, None
        if probe is not None:
            os.close(probe)

    def _look(self) -> list[os.stat_result]:
        return [os.stat(path) for path in self._paths]  # noqa: PTH116

    def _compare(self, found: list[os.stat_result]) -> None:
        if [_identity(one) for one in found] != self._opened:
            raise StoreUnavailable("Another file of the database lies where the opened one was; start anew.")


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class Readers:
    """One read-only connection for each thread that asks; gone with the thread."""

    def __init__(self, path: str) -> None:
        """Open nothing yet."""
        self._path = path
        self._of_thread = threading.local()
        self._all: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def get(self) -> apsw.Connection:
        """Return this thread's connection; call it, and use it, inside ``translated()``."""
        found: apsw.Connection | None = getattr(self._of_thread, "connection", None)
        if found is None or self._closed:
            found = self._of_thread.connection = self._open()
        return found

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """Give a connection on which all reads inside the block see one and the same state."""
        with translated():
            connection = self.get()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def _open(self) -> apsw.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("The store is closed.")
            connection = connect(self._path, apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(_BUSY_MS)
            connection.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB}")
            self._all.add(connection)
            return connection

    def close(self) -> None:
        """Close every connection; one that is just reading is closed when its thread lets go."""
        with self._lock:
            self._closed = True
            for connection in list(self._all):
                try:
                    connection.close()
                except apsw.Error:
                    continue
