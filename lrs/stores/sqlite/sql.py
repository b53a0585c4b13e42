"""Asking the database: rows as the caller knows them (every table is STRICT)."""

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

Values = Sequence[Any] | Mapping[str, Any]


def rows(database: apsw.Connection, sql: str, values: Values = ()) -> list[Any]:
    """Run a statement to its end and return its rows."""
    return database.execute(sql, values).fetchall()


def row(database: apsw.Connection, sql: str, values: Values = ()) -> Any:
    """Run a statement to its end and return its first row, or None."""
    found = database.execute(sql, values).fetchall()
    return found[0] if found else None


def value(database: apsw.Connection, sql: str, values: Values = ()) -> Any:
    """Run a statement to its end and return the first column of its first row, or None."""
    found = database.execute(sql, values).fetchall()
    return found[0][0] if found else None
