"""Tables of the embedded store, as a new file gets them.

``PRAGMA user_version`` carries the schema's version from the first day. All tables here
are *recorded*, but for ``ids``, ``post``, ``lists``, ``lots`` and ``refs``, which can be
made again from ``stmt``. Instants are microseconds since the epoch, UTC.

Whoever changes a table here, or adds one, appends a migration in ``migrations.py`` that
does the same to an older file: a new column stands last. A test compares the two.
"""

import logging
from collections.abc import Callable

import apsw

from lrs.errors import CorruptRecord, StoreTooNew, StoreUnfinished
from lrs.stores.compression import shipped_dictionaries
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.filling import Fill, begin_fill
from lrs.stores.sqlite.migrations import MIGRATIONS
from lrs.stores.sqlite.schema_of_jobs import JOB_TABLES
from lrs.stores.sqlite.schema_of_lists import LIST_TABLES
from lrs.stores.sqlite.schema_of_tables import RECORDED_TABLES

log = logging.getLogger(__name__)

APPLICATION_ID = 0x4C525331

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) WITHOUT ROWID, STRICT;
CREATE TABLE dictionaries (number INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
-- statements: how many rows of stmt are this institution's. dropped: 1 while it is being taken
-- away, 2 when it is gone; the row stays, so that nobody else gets its number.
CREATE TABLE tenants (
    number INTEGER PRIMARY KEY, institution TEXT NOT NULL UNIQUE, statements INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0
) STRICT;

-- state: 0 plain, 1 voided, 2 voids another (and is never voided). ref: whom it refers to.
-- body: compressed by dictionary dict, with facts behind (facts.py).
CREATE TABLE stmt (
    seq INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, id BLOB NOT NULL, stored INTEGER NOT NULL,
    fp BLOB NOT NULL, state INTEGER NOT NULL, ref BLOB, dict INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX stmt_of_tenant ON stmt (tenant, seq, state);
-- h: keyed hash of institution and id; of the id referred to in refs.
CREATE TABLE ids (h INTEGER, seq INTEGER, PRIMARY KEY (h, seq)) WITHOUT ROWID, STRICT;
CREATE TABLE refs (h INTEGER, seq INTEGER, PRIMARY KEY (h, seq)) WITHOUT ROWID, STRICT;
-- h: lrs.stores.terms. A lot that lots does not list is unseen.
CREATE TABLE post (
    lot INTEGER, h INTEGER, prim INTEGER, seq INTEGER, PRIMARY KEY (lot, h, prim, seq)
) WITHOUT ROWID, STRICT;
-- form: 0 where all postings of the lot are in post; where they are in lists (blocks.py), and in post
-- only those that came late, 2, or 1 where version 6 merged the lot (lists.py).
CREATE TABLE lots (
    lo INTEGER PRIMARY KEY, lot INTEGER NOT NULL, form INTEGER NOT NULL DEFAULT 0
) STRICT;
-- The lots that are being made, of those in [lo, hi). A row that is taken away gives the merge up.
CREATE TABLE merging (lot INTEGER PRIMARY KEY, lo INTEGER NOT NULL, hi INTEGER NOT NULL) STRICT;

CREATE TABLE history (
    position INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    before TEXT, after TEXT, at INTEGER NOT NULL
) STRICT;
CREATE INDEX history_of_tenant ON history (tenant, position);
CREATE TABLE receipts (
    tenant INTEGER, source TEXT, n INTEGER, at INTEGER NOT NULL, stored INTEGER NOT NULL,
    already INTEGER NOT NULL, first TEXT NOT NULL, corrected INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, source, n)
) WITHOUT ROWID, STRICT;
CREATE TABLE refusals (
    tenant INTEGER, source TEXT, n INTEGER, at INTEGER NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (tenant, source, n)
) WITHOUT ROWID, STRICT;

-- content: IRI and merged definition, compressed. h: lrs.stores.terms.
CREATE TABLE activities (
    number INTEGER PRIMARY KEY, h INTEGER NOT NULL, tenant INTEGER NOT NULL, dict INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE INDEX activities_by_hash ON activities (h);
-- The latest changes of activities, for processes that remember some of them; n has no gaps.
CREATE TABLE activity_changes (n INTEGER PRIMARY KEY, h INTEGER NOT NULL) STRICT;
CREATE TABLE attachments (
    tenant INTEGER, sha2 TEXT, dict INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (tenant, sha2)
) STRICT;
-- about, name: lrs.stores.documents. What is long stands last, so that a list does not read it.
CREATE TABLE documents (
    about BLOB, name BLOB, tenant INTEGER NOT NULL, kind INTEGER NOT NULL, activity TEXT NOT NULL,
    agent TEXT NOT NULL, registration TEXT, id TEXT NOT NULL, updated INTEGER NOT NULL,
    etag TEXT NOT NULL, type TEXT NOT NULL, dict INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (about, name)
) STRICT;

CREATE TABLE institutions (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, quota INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE clients (
    id TEXT PRIMARY KEY, institution TEXT NOT NULL, name TEXT NOT NULL, authority TEXT NOT NULL,
    created_at INTEGER NOT NULL, UNIQUE (institution, name)
) WITHOUT ROWID, STRICT;
CREATE TABLE keys (
    id TEXT PRIMARY KEY, institution TEXT, client TEXT, secret BLOB NOT NULL, scopes TEXT NOT NULL,
    default_version TEXT, created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER,
    last_used_at INTEGER, rate INTEGER, replaced_by TEXT, tolerances TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID, STRICT;
CREATE INDEX keys_of_institution ON keys (institution, created_at);
CREATE TABLE issuers (
    id TEXT PRIMARY KEY, institution TEXT NOT NULL, url TEXT NOT NULL, audience TEXT NOT NULL,
    client_claim TEXT NOT NULL, scope_claim TEXT NOT NULL, jwks_url TEXT, created_at INTEGER NOT NULL,
    UNIQUE (url, audience)
) WITHOUT ROWID, STRICT;
CREATE TABLE sign_ins (
    token BLOB PRIMARY KEY, institution TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, subject TEXT
) WITHOUT ROWID, STRICT;
CREATE TABLE sessions (
    token BLOB PRIMARY KEY, institution TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, subject TEXT
) WITHOUT ROWID, STRICT;
"""


def newest() -> int:
    """Return the version that this program makes, and the latest that it reads."""
    return 1 + len(MIGRATIONS)


def upgrade(database: apsw.Connection, random_bytes: Callable[[int], bytes]) -> None:
    """Bring a file to this version's schema; inside a transaction, under the write lock.

    Raises:
        StoreTooNew: A newer version of this project wrote it; it is left as it is.
        CorruptRecord: It is some other program's database.
    """
    version = _version(database)
    if version == 0:
        database.execute(_TABLES + JOB_TABLES + RECORDED_TABLES + LIST_TABLES)
    elif version < newest():
        _migrate(database, version)
    if version < newest():
        database.execute(f"PRAGMA user_version={newest()}")
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")
    insert_meta = "INSERT OR IGNORE INTO meta VALUES ('instance_key', ?)"
    database.execute(insert_meta, (random_bytes(32),))
    database.executemany("INSERT OR IGNORE INTO dictionaries VALUES (?, ?)", shipped_dictionaries().items())


def _migrate(database: apsw.Connection, version: int) -> None:
    for number, migration in enumerate(MIGRATIONS[version - 1 :], version + 1):
        log.info("Bringing the store to version %d: %s", number, migration.what)
        migration.change(database)
        if migration.fill is not None:
            begin_fill(database, number)


def fills() -> dict[int, Fill]:
    """Return what fills, by version."""
    return {number: one.fill for number, one in enumerate(MIGRATIONS, 2) if one.fill is not None}


def _version(database: apsw.Connection) -> int:
    version = int(database.pragma("user_version"))
    ours = int(database.pragma("application_id")) == APPLICATION_ID
    tables = sql.value(database, "SELECT count(*) FROM sqlite_schema")
    if not ours and (version or tables):
        raise CorruptRecord("The database file belongs to another program; name another path in LRS_STORE.")
    if version > newest():
        raise StoreTooNew(
            f"The store has schema version {version}; this program knows up to {newest()}."
            " Update the program, or name another store."
        )
    return version


def is_unfinished(database: apsw.Connection) -> bool:
    """Tell whether a restore into this file was begun and not finished."""
    return sql.row(database, "SELECT 1 FROM meta WHERE name = 'restoring'") is not None


def refuse_unfinished(database: apsw.Connection) -> None:
    """Let nobody use a file that holds a part of a backup.

    Raises:
        StoreUnfinished: It does.
    """
    if is_unfinished(database):
        raise StoreUnfinished(
            "A restore into this store was broken off. Restore anew with lrs restore, or remove the store."
        )


def read_instance_key(database: apsw.Connection) -> bytes:
    """Return the 32 bytes that were made with the store."""
    return bytes(sql.value(database, "SELECT value FROM meta WHERE name = 'instance_key'"))


def read_dictionary(database: apsw.Connection, number: int) -> bytes:
    """Return one dictionary of this store."""
    return bytes(sql.value(database, "SELECT data FROM dictionaries WHERE number = ?", (number,)))


def read_dictionaries(database: apsw.Connection) -> dict[int, bytes]:
    """Return every dictionary that a body of this store may name."""
    return dict(sql.rows(database, "SELECT number, data FROM dictionaries"))
