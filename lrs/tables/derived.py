"""What follows from what is recorded: rows that may be thrown away and made again.

They belong to no institution: the jobs that derive them read every log, and the rooms decide
who may see what. A row lies in a *table*, belongs to an *owner* (an identity, a learner; never
empty), and has a *key* by which the rows of an owner are in order. On SQLite they lie in a file
of their own, so that deriving never competes with the record for the writer.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class RowName(NamedTuple):
    """Names one row."""

    table: str
    owner: str
    key: str


class Row(NamedTuple):
    """A row; ``content`` is JSON text with sorted keys, the same whenever it is made again."""

    table: str
    owner: str
    key: str
    content: bytes

    @property
    def name(self) -> RowName:
        """What it is called."""
        return RowName(self.table, self.owner, self.key)


@dataclass(frozen=True, slots=True)
class Derivation:
    """What one step of deriving changes.

    Attributes:
        puts: Rows as they shall be, whatever is there; no row twice, none that is removed.
        removals: Rows that shall not be; what is not there is no error.
        cursors: How far what is recorded has been read with it, by name; others stay.
    """

    puts: Sequence[Row] = ()
    removals: Sequence[RowName] = ()
    cursors: Mapping[str, int] | None = None


class DerivedTables(Protocol):
    """Derived rows and the cursors of what they were derived from.

    All methods raise StoreUnavailable when the store is away or busy beyond patience.
    """

    def begin(self, epoch: int) -> bool:
        """Let nobody with a lower epoch write from now on; False when a higher one has begun.

        An epoch (1 or more) begins before it writes: what lost its rows, as a file that was
        removed, refuses an epoch that began before that.
        """
        ...

    def cursors(self) -> dict[str, int]:
        """Return every cursor by name; empty when nothing was ever derived."""
        ...

    def save(self, epoch: int, derivation: Derivation) -> bool:
        """Write a step: rows and cursors.

        A reader may see a part of it while it is written; the cursors never run ahead of the
        rows, whatever dies: a step that is made again gives the same rows.

        Returns:
            False, and nothing of a later epoch was overwritten, when a higher epoch has begun,
            or this one has not.
        """
        ...

    def clear(self, epoch: int) -> bool:
        """Forget every row and cursor, not the epoch; False where ``save`` would say it."""
        ...

    def find(self, table: str, owner: str, key: str = "") -> Row | None:
        """Return one row, or None."""
        ...

    def rows(self, table: str, owner: str, after: str = "", limit: int | None = None) -> Sequence[Row]:
        """Return an owner's rows in order of key (by code point), behind one key.

        By default all of them, one whose key is "" included; who asks for pages has no such key.
        """
        ...

    def rows_of(self, table: str, owners: Sequence[str]) -> Sequence[Row]:
        """Return the rows of several owners, in order of owner, then key."""
        ...

    def owners(self, table: str, after: str = "", limit: int = 1000) -> Sequence[str]:
        """Return who has rows in a table, in order (by code point), behind one."""
        ...

    def iter_rows(self, table: str) -> Iterator[Row]:
        """Yield all rows of a table in order of owner, then key, a few at a time."""
        ...

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        ...


class OpenScratch(Protocol):
    """Gives empty derived tables that nobody else sees and that vanish at the end."""

    def __call__(self) -> AbstractContextManager[DerivedTables]:
        """Open them."""
        ...
