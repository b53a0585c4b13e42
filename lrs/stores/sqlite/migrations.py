"""How an older file becomes this version's: one migration for each step between two versions.

To change the schema: change the tables in ``schema.py``, which make a new file, and append
to ``MIGRATIONS`` what brings an older file to the same. A test compares the two. What has
been released is never changed. See docs/migrations.md.
"""

from collections.abc import Callable
from typing import NamedTuple

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.filling import Fill, fill_definitions
from lrs.stores.sqlite.schema_of_jobs import JOB_TABLES
from lrs.stores.sqlite.schema_of_lists import LIST_TABLES
from lrs.stores.sqlite.schema_of_tables import RECORDED_TABLES

Change = Callable[[apsw.Connection], None]


class Migration(NamedTuple):
    """One step.

    Attributes:
        what: What it adds, for the log.
        change: Made when the store is opened, in one transaction with all other steps, under
            the write lock: columns, empty tables, nothing that grows with the store.
        fill: What does grow with the store; done in pieces while the store is in use. It
            begins at the last position there was, and goes down.
    """

    what: str
    change: Change
    fill: Fill | None = None


def runs(script: str) -> Change:
    """Return a change that runs statements."""

    def change(database: apsw.Connection) -> None:
        database.execute(script)

    return change


def add_column(database: apsw.Connection, table: str, column: str) -> None:
    """Add a column, given as its definition, unless the table has it."""
    there = {name for (name,) in sql.rows(database, "SELECT name FROM pragma_table_info(?)", (table,))}
    if column.split(maxsplit=1)[0] not in there:
        database.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _complete_first_version(database: apsw.Connection) -> None:
    """Add what files numbered 1 may lack: the first ones were made before these were there."""
    add_column(database, "institutions", "quota INTEGER NOT NULL DEFAULT 0")
    add_column(database, "keys", "rate INTEGER")
    add_column(database, "keys", "replaced_by TEXT")
    add_column(database, "keys", "tolerances TEXT NOT NULL DEFAULT ''")
    add_column(database, "receipts", "corrected INTEGER NOT NULL DEFAULT 0")
    add_column(database, "tenants", "statements INTEGER NOT NULL DEFAULT 0")
    counted = "SELECT count(*) FROM stmt WHERE stmt.tenant = tenants.number"
    database.execute(f"UPDATE tenants SET statements = ({counted})")  # noqa: S608
    database.execute(_ATTACHMENTS_AND_ACTIVITIES)


def _add_recorded_values(database: apsw.Connection) -> None:
    database.execute(RECORDED_TABLES)
    add_column(database, "tenants", "dropped INTEGER NOT NULL DEFAULT 0")


def _add_subjects(database: apsw.Connection) -> None:
    add_column(database, "sign_ins", "subject TEXT")
    add_column(database, "sessions", "subject TEXT")


def _add_lists(database: apsw.Connection) -> None:
    """Add them empty: of lots that were merged before, the merging thread makes lists (merging.py)."""
    database.execute(LIST_TABLES)
    add_column(database, "lots", "form INTEGER NOT NULL DEFAULT 0")


def _change_nothing(database: apsw.Connection) -> None:
    """Only let older programs refuse the file."""


_ATTACHMENTS_AND_ACTIVITIES = """
CREATE TABLE IF NOT EXISTS attachments (
    tenant INTEGER, sha2 TEXT, dict INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (tenant, sha2)
) STRICT;
CREATE TABLE IF NOT EXISTS activities (
    number INTEGER PRIMARY KEY, h INTEGER NOT NULL, tenant INTEGER NOT NULL, dict INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS activities_by_hash ON activities (h);
CREATE TABLE IF NOT EXISTS activity_changes (n INTEGER PRIMARY KEY, h INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS issuers (
    id TEXT PRIMARY KEY, institution TEXT NOT NULL, url TEXT NOT NULL, audience TEXT NOT NULL,
    client_claim TEXT NOT NULL, scope_claim TEXT NOT NULL, jwks_url TEXT, created_at INTEGER NOT NULL,
    UNIQUE (url, audience)
) WITHOUT ROWID, STRICT;
"""

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "quotas; rates, successors and tolerances of keys; attachments; activity definitions",
        _complete_first_version,
        fill_definitions,
    ),
    Migration("jobs; streams out", runs(JOB_TABLES)),
    Migration("recorded values; the mark of an institution that is taken away", _add_recorded_values),
    Migration("whom a sign-in link and a session are about", _add_subjects),
    Migration("merged postings as lists", _add_lists),
    Migration("small lots of postings, merged in levels", _change_nothing),
)
"""The first brings a file of version 1 to version 2, and so on."""
