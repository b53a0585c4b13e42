"""Derived rows in a file of their own beside the store, so that deriving never waits for its writer.

What lies in it can be made again: a commit does not wait for the disk, a file that was
removed is made again, empty, by whoever misses it, and so is one that belongs to another
store (one that was restored has another key). One transaction holds a step's rows, its
cursors and the epoch that may write.
"""

import hashlib
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Protocol

import apsw

from lrs.errors import StoreUnavailable
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import connect, make_file
from lrs.stores.sqlite.errors import translated
from lrs.tables.derived import Derivation, Row

_VERSION = 1
_TABLES = """
CREATE TABLE derived (
    tbl TEXT, owner TEXT, key TEXT, content BLOB NOT NULL, PRIMARY KEY (tbl, owner, key)
) WITHOUT ROWID, STRICT;
CREATE TABLE cursors (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID, STRICT;
-- epoch: who may write. store: whose rows these are.
CREATE TABLE state (epoch INTEGER NOT NULL, store BLOB NOT NULL) STRICT;
"""
_DROP = "DROP TABLE IF EXISTS derived; DROP TABLE IF EXISTS cursors; DROP TABLE IF EXISTS state;"

_PUT = "INSERT OR REPLACE INTO derived (tbl, owner, key, content) VALUES (?, ?, ?, ?)"
_REMOVE = "DELETE FROM derived WHERE tbl = ? AND owner = ? AND key = ?"
_PUT_CURSOR = "INSERT OR REPLACE INTO cursors (name, position) VALUES (?, ?)"
_FIND = "SELECT content FROM derived WHERE tbl = ? AND owner = ? AND key = ?"
_ROWS = (
    "SELECT tbl, owner, key, content FROM derived WHERE tbl = ? AND owner = ? AND key >= ?"
    " AND (key > ? OR ? = '') ORDER BY key LIMIT ?"
)
_ROWS_OF = (
    "SELECT d.tbl, d.owner, d.key, d.content FROM carray(?) c CROSS JOIN derived d"
    " ON d.tbl = ? AND d.owner = c.value ORDER BY d.owner, d.key"
)
_ALL = (
    "SELECT tbl, owner, key, content FROM derived WHERE tbl = ? AND (owner, key) > (?, ?)"
    " ORDER BY owner, key LIMIT ?"
)
_FIRST = "SELECT tbl, owner, key, content FROM derived WHERE tbl = ? ORDER BY owner, key LIMIT ?"
# From owner to owner, each found by a look-up, however many rows one has.
_OWNERS = (
    "WITH RECURSIVE found (owner) AS ("
    " SELECT min(owner) FROM derived WHERE tbl = ?1 AND owner > ?2"
    " UNION ALL"
    " SELECT (SELECT min(d.owner) FROM derived d WHERE d.tbl = ?1 AND d.owner > found.owner)"
    " FROM found WHERE found.owner IS NOT NULL"
    ") SELECT owner FROM found WHERE owner IS NOT NULL LIMIT ?3"
)

_PAGE = 1000
_CACHE_KIB = 16 * 1024


class _Connections(Protocol):
    """Where the rows lie."""

    def use(self) -> AbstractContextManager[apsw.Connection]:
        """Give a connection for the block, which nobody else uses meanwhile."""
        ...

    def close(self) -> None:
        """Close them."""
        ...


class DerivedFile:
    """The file, opened once by each thread that asks, and anew when another lies at its path."""

    def __init__(self, path: str, instance_key: bytes, busy_seconds: float, *, durable: bool) -> None:
        """Open nothing yet.

        Args:
            path: The file; need not exist.
            instance_key: Of the store to which the rows belong.
            busy_seconds: Patience with other writers.
            durable: False only in tests.
        """
        self._path = path
        self._store = hashlib.blake2b(instance_key, digest_size=16, person=b"derived").digest()
        self._busy_ms = max(1, int(busy_seconds * 1000))
        self._synchronous = "NORMAL" if durable else "OFF"
        self._of_thread = threading.local()
        self._all: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def use(self) -> Iterator[apsw.Connection]:
        """Give this thread's connection to the file that lies at the path."""
        with translated():
            yield self._get()

    def _get(self) -> apsw.Connection:
        opened: tuple[tuple[int, int], apsw.Connection] | None = getattr(self._of_thread, "opened", None)
        if opened is None or self._closed or opened[0] != self._identity():
            opened = self._of_thread.opened = self._open()
        return opened[1]

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> tuple[tuple[int, int], apsw.Connection]:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("The store is closed.")
            make_file(self._path)
            connection = connect(self._path, apsw.SQLITE_OPEN_READWRITE)
            connection.set_busy_timeout(self._busy_ms)
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            _prepare(connection, self._store)
            self._all.add(connection)
            identity = self._identity()
            if identity is None:
                raise StoreUnavailable("The file of derived rows was removed as it was opened. Try again.")
            return identity, connection

    def close(self) -> None:
        """Close every connection; one that is in use is closed when its thread lets go."""
        with self._lock:
            self._closed = True
            for connection in list(self._all):
                with suppress(apsw.Error):
                    connection.close()


class Scratch:
    """Rows on a nameless file, which is gone with its one connection, whatever kills the process."""

    def __init__(self) -> None:
        """Make it."""
        self._lock = threading.RLock()
        with translated():
            self._connection = connect("", apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
            self._connection.execute("PRAGMA journal_mode=MEMORY").fetchall()
            self._connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            _prepare(self._connection, b"")

    @contextmanager
    def use(self) -> Iterator[apsw.Connection]:
        """Give the connection."""
        with self._lock, translated():
            yield self._connection

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._connection.close()


@contextmanager
def open_scratch() -> Iterator["SqliteDerivedTables"]:
    """See lrs.tables.derived.OpenScratch."""
    scratch = Scratch()
    try:
        yield SqliteDerivedTables(scratch)
    finally:
        scratch.close()


def _prepare(database: apsw.Connection, store: bytes) -> None:
    """Make the tables, where they are missing, of another version or of another store."""
    if _is_ready(database, store):
        return
    with _writing(database):
        if not _is_ready(database, store):
            database.execute(_DROP + _TABLES)
            database.execute("INSERT INTO state VALUES (0, ?)", (store,))
            database.execute(f"PRAGMA user_version={_VERSION}")


def _is_ready(database: apsw.Connection, store: bytes) -> bool:
    if database.pragma("user_version") != _VERSION:
        return False
    return bool(sql.value(database, "SELECT store FROM state") == store)


@contextmanager
def _writing(database: apsw.Connection) -> Iterator[None]:
    """Write all of the block or nothing, alone among all processes."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        with suppress(apsw.Error):
            database.execute("ROLLBACK")
        raise


class SqliteDerivedTables:
    """See lrs.tables.derived.DerivedTables."""

    def __init__(self, connections: _Connections) -> None:
        """Take where the rows lie."""
        self._connections = connections

    def begin(self, epoch: int) -> bool:
        """Let nobody with a lower epoch write from now on; False when a higher one has begun."""
        with self._connections.use() as database, _writing(database):
            database.execute("UPDATE state SET epoch = ?1 WHERE epoch <= ?1", (epoch,))
            return database.changes() > 0

    def cursors(self) -> dict[str, int]:
        """Return every cursor by name."""
        return dict(self._rows("SELECT name, position FROM cursors"))

    def save(self, epoch: int, derivation: Derivation) -> bool:
        """Write a step: rows and cursors."""
        with self._connections.use() as database, _writing(database):
            if not _may_write(database, epoch):
                return False
            database.executemany(_REMOVE, sorted(derivation.removals))
            database.executemany(_PUT, sorted(derivation.puts))
            database.executemany(_PUT_CURSOR, list((derivation.cursors or {}).items()))
        return True

    def clear(self, epoch: int) -> bool:
        """Forget every row and cursor, not the epoch."""
        with self._connections.use() as database, _writing(database):
            if not _may_write(database, epoch):
                return False
            database.execute("DELETE FROM derived; DELETE FROM cursors")
        return True

    def find(self, table: str, owner: str, key: str = "") -> Row | None:
        """Return one row, or None."""
        found = self._rows(_FIND, table, owner, key)
        return Row(table, owner, key, found[0][0]) if found else None

    def rows(self, table: str, owner: str, after: str = "", limit: int | None = None) -> Sequence[Row]:
        """Return an owner's rows in order of key, behind one key."""
        most = -1 if limit is None else limit
        return [Row(*one) for one in self._rows(_ROWS, table, owner, after, after, after, most)]

    def rows_of(self, table: str, owners: Sequence[str]) -> Sequence[Row]:
        """Return the rows of several owners, in order of owner, then key."""
        wanted = dict.fromkeys(owners)
        odd = [one for one in wanted if "\0" in one]  # carray takes none of these
        plain = tuple(one for one in wanted if "\0" not in one)
        rows = self._rows(_ROWS_OF, apsw.carray(plain), table) if plain else []
        found = [*(Row(*one) for one in rows), *(row for one in odd for row in self.rows(table, one))]
        return sorted(found) if odd else found

    def owners(self, table: str, after: str = "", limit: int = 1000) -> Sequence[str]:
        """Return who has rows in a table, in order, behind one."""
        return [owner for (owner,) in self._rows(_OWNERS, table, after, limit)]

    def iter_rows(self, table: str) -> Iterator[Row]:
        """Yield all rows of a table in order of owner, then key; no read lasts while others write."""
        page = [Row(*one) for one in self._rows(_FIRST, table, _PAGE)]
        while page:
            yield from page
            _, owner, key, _ = page[-1]
            page = [Row(*one) for one in self._rows(_ALL, table, owner, key, _PAGE)]

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self._rows("SELECT count(*) FROM derived WHERE tbl = ?", table)[0][0])

    def close(self) -> None:
        """Close what was opened."""
        self._connections.close()

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._connections.use() as database:
            return sql.rows(database, query, values)


def _may_write(database: apsw.Connection, epoch: int) -> bool:
    return bool(sql.value(database, "SELECT epoch FROM state") == epoch)
