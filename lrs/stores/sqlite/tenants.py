"""The small number by which rows name their institution; given once, never changed."""

import apsw

from lrs.access.handles import InstitutionId
from lrs.errors import NotFound
from lrs.stores.sqlite import sql

GOING, GONE = 1, 2
"""Marks of an institution that is being taken away, and of one of which nothing is left."""


def refuse_dropped(database: apsw.Connection, institution_id: InstitutionId) -> None:
    """Let nobody write to an institution that is being taken away.

    Raises:
        NotFound: It is, or it is gone.
    """
    query = "SELECT dropped FROM tenants WHERE institution = ?"
    if sql.value(database, query, (institution_id,)):
        raise NotFound("There is no such institution.")


class Tenants:
    """Finds one institution's number."""

    def __init__(self, institution_id: InstitutionId) -> None:
        """Know nothing yet."""
        self._institution_id = institution_id
        self._committed: int | None = None

    @property
    def institution_id(self) -> InstitutionId:
        """Whose number this finds."""
        return self._institution_id

    def find(self, reader: apsw.Connection) -> int | None:
        """Return the number as committed, or None while nothing of the institution is kept."""
        if self._committed is None:
            self._committed = self._look_up(reader)
        return self._committed

    def find_or_add(self, writer: apsw.Connection) -> int:
        """Return the number inside a write transaction, giving one where there is none.

        It is not remembered from here: the transaction may yet be taken back.

        Raises:
            NotFound: The institution is being taken away, or is gone.
        """
        refuse_dropped(writer, self._institution_id)
        found = self._committed or self._look_up(writer)
        if found is None:
            writer.execute("INSERT INTO tenants (institution) VALUES (?)", (self._institution_id,))
            found = writer.last_insert_rowid()
        return found

    def find_in_write(self, writer: apsw.Connection) -> int | None:
        """Return the number inside a write transaction, or None."""
        return self._committed or self._look_up(writer)

    def count_statements(self, database: apsw.Connection) -> int:
        """Return how many statements the institution holds."""
        query = "SELECT statements FROM tenants WHERE institution = ?"
        return int(sql.value(database, f"SELECT coalesce(({query}), 0)", (self._institution_id,)))

    def _look_up(self, database: apsw.Connection) -> int | None:
        query = "SELECT number FROM tenants WHERE institution = ?"
        found = sql.row(database, query, (self._institution_id,))
        return None if found is None else int(found[0])
