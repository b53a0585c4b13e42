"""What every kind of source promises: check, read from a cursor, map, hand over.

A connector gives *rows* in pages, each page with the cursor to remember once its rows are
committed. A row is mapped by itself, without anything but its own content and the
configuration, so that a row that was rejected can be kept and mapped again later.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lrs.errors import Problem
from lrs.outbound.model import Answer

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """What a source holds under one key.

    Attributes:
        key: Names it within its source, the same whenever the source is read.
        place: Where it stands, for people: ``line 7``, ``lines 7, 9`` or an id.
        content: JSON; all that ``map`` needs, and what is kept where it is rejected.
        count: How many records of the source it is made of.
    """

    key: str
    place: str
    content: Json
    count: int = 1


@dataclass(frozen=True, slots=True)
class Page:
    """Rows that come together.

    Attributes:
        cursor: What to read on from once the rows are committed; None where every reading is
            a whole one.
    """

    rows: Sequence[Row]
    cursor: Json | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """A statement that a row becomes.

    Attributes:
        text: JSON text of one statement.
        own_id: The id that it brings along; None where the receiver gives it one.
    """

    text: bytes
    own_id: str | None = None


@dataclass(frozen=True, slots=True)
class RosterFact:
    """What a row says of who somebody is.

    Attributes:
        sourced_id: Names the person within the source.
        identifiers: Texts as ``lrs.xapi.facts.agent_key`` writes them.
    """

    sourced_id: str
    name: str
    identifiers: tuple[str, ...]
    birth_date: str | None = None
    groups: tuple[str, ...] = ()


class Sink(Protocol):
    """Takes what a row becomes: three inlets, each open any number of times for one row."""

    def statement(self, row: Row, mapped: Mapped) -> None:
        """Take a statement."""
        ...

    def roster(self, row: Row, fact: RosterFact) -> None:
        """Take what the row says of who somebody is."""
        ...

    def aside(self, row: Row, reason: str, problems: Sequence[Problem] = (), count: int = 1) -> None:
        """Keep aside what becomes neither.

        Args:
            row: The row.
            reason: One sentence.
            problems: What is wrong with it, each with a path into the row; none where
                nothing is wrong and it is only not wanted.
            count: How many records of the row this is about.
        """
        ...


class Connector(Protocol):
    """One place, read as its configuration says."""

    @property
    def gives_all(self) -> bool:
        """Whether one reading gives everything, so that what is missing was deleted there."""
        ...

    def check(self) -> str:
        """Look whether the place can be read; return a sentence that says what is there.

        Raises:
            LrsError: It cannot; the detail says why.
        """
        ...

    def read(self, cursor: Json | None) -> Iterator[Page]:
        """Give the rows behind a cursor, from the beginning without one.

        Raises:
            LrsError: The place cannot be read (further); pages that were given stand.
        """
        ...

    def map(self, row: Row, sink: Sink) -> None:
        """Hand over what a row becomes."""
        ...


class Client(Protocol):
    """The way to other hosts that a connector is handed: guarded, limited, with retries."""

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask for a URL; return the answer, whatever its status.

        Raises:
            OutboundError: There is none, or the URL is none to go to.
        """
        ...
