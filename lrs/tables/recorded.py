"""What is decided, and stays: values with a history. Both engines implement it; one contract suite.

A value has a *kind* (``roster.person``) and a *subject* (what it is about; never empty) within
one institution. Instants are microseconds since the epoch, UTC.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lrs.access.handles import InstitutionHandle, InstitutionId

Json = dict[str, Any]

COMMONS = InstitutionHandle(InstitutionId("commons"))
"""Opens what belongs to no institution: learners' own decisions, links between institutions.

Its id can be no institution's: theirs hold no ``o``. Only the composition root uses it.
"""

MOST_TERMS = 200
"""By how many terms a value can be found."""

LARGEST_VALUE_BYTES = 4_000_000
"""How long the JSON text of a value may be."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A value as it stands.

    Attributes:
        version: How often it has been changed; 1 when it is new, and again when it comes
            back after it was removed. 0 for bookkeeping.
        at_us: When it was last changed.
    """

    kind: str
    subject: str
    value: Json
    version: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What a value should be.

    Attributes:
        value: JSON; None removes the value.
        terms: What it is to be found by, each once, in no order; compared whole, never in
            part. The same value with other terms is a change like any other.
    """

    value: Json | None
    terms: Sequence[str] = ()


Decide = Callable[[Recorded | None], Wish | None]
"""Decides upon the value as it stands. None leaves it. May be called again when another was
faster, so it does nothing else. What it raises comes out of ``change``, and nothing is written."""


@dataclass(frozen=True, slots=True)
class Note:
    """Bookkeeping: a value without a history, such as how far a source has been read."""

    subject: str
    value: Json
    terms: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A change as the history tells it. ``position`` rises within the institution."""

    position: int
    kind: str
    subject: str
    before: Json | None
    after: Json | None
    at_us: int


class RecordedTables(Protocol):
    """The recorded values of one institution (the handle was given when they were opened).

    What has been written is seen by every later read, in every process. All methods raise
    StoreUnavailable when the store is away or busy beyond patience; those that write raise
    NotFound once the institution is being taken away.
    """

    def find(self, kind: str, subject: str) -> Recorded | None:
        """Return a value, or None."""
        ...

    def find_many(self, kind: str, subjects: Sequence[str]) -> dict[str, Recorded]:
        """Return those of the subjects that have a value, by subject."""
        ...

    def list(self, kind: str, after: str = "", limit: int = 1000) -> Sequence[Recorded]:
        """Return values in order of subject (by code point), behind one."""
        ...

    def find_by(self, kind: str, term: str, after: str = "", limit: int = 1000) -> Sequence[Recorded]:
        """Return the values that have a term, in order of subject, behind one."""
        ...

    def count(self, kind: str) -> int:
        """Return how many values there are of a kind."""
        ...

    def change(self, kind: str, subject: str, decide: Decide, at_us: int) -> Recorded | None:
        """Decide upon a value and write it with its entry in the history, in one atomic step.

        Nobody else's change comes between the value that was decided upon and what is written.
        A wish for what is there already writes nothing.

        Returns:
            The value as it stands now; None where there is none.

        Raises:
            TooLarge: The value's text is longer than LARGEST_VALUE_BYTES, or it has more than
                MOST_TERMS terms.
        """
        ...

    def change_all(self, kind: str, wishes: Sequence[tuple[str, Wish]], at_us: int) -> int:
        """Write many values, whatever stands there, each with its entry; return how many changed.

        Each value is one atomic step with its entry, and all of them are kept when it returns.
        What is there already, equal, is left. A subject stands at most once among them.

        Raises:
            TooLarge: One of them is, as ``change`` says; nothing was written.
        """
        ...

    def note(self, kind: str, notes: Sequence[Note], at_us: int) -> None:
        """Keep bookkeeping, whatever stood there; all or, where it is interrupted, a first part.

        A kind has a history or has none; nobody mixes ``note`` and ``change`` on one. It is
        found, listed and counted as other values are. ``at_us`` is kept also where the value
        is the same. A subject stands at most once among them.

        Raises:
            TooLarge: One of them is, as ``change`` says; nothing was written.
        """
        ...

    def forget(self, kind: str, subjects: Sequence[str]) -> None:
        """Drop bookkeeping; what is not there is no error."""
        ...

    def read_entries(self, after: int, limit: int) -> Sequence[Entry]:
        """Return the history's entries behind a position, in order: none missed, none twice.

        It is the institution's one history: entries of the record store (``statement.voided``)
        stand among them.
        """
        ...


class OpenRecorded(Protocol):
    """Opens the recorded values of an institution, or of the commons."""

    def __call__(self, handle: InstitutionHandle) -> RecordedTables:
        """Open them; no value of another institution can be seen or changed through them."""
        ...
