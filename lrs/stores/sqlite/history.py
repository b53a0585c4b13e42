"""The history of an institution: entries in the order in which they were committed."""

from collections.abc import Sequence
from typing import Any

import apsw

from lrs.stores.recorded import KeptEntry
from lrs.stores.sqlite import sql

_INSERT = "INSERT INTO history (tenant, kind, subject, before, after, at) VALUES (?, ?, ?, ?, ?, ?)"
_READ = (
    "SELECT position, kind, subject, before, after, at FROM history"
    " WHERE tenant = ? AND position > ? ORDER BY position LIMIT ?"
)


def append_entries(database: apsw.Connection, tenant: int, entries: Sequence[KeptEntry]) -> None:
    """Append entries in order, inside a transaction: positions rise under the write lock."""
    rows = [(tenant, one.kind, one.subject, one.before, one.after, one.at_us) for one in entries]
    database.executemany(_INSERT, rows)


def read_rows(database: apsw.Connection, tenant: int | None, after: int, limit: int) -> list[Any]:
    """Return position, kind, subject, before, after and instant of what follows a position."""
    return sql.rows(database, _READ, (tenant, after, limit))
