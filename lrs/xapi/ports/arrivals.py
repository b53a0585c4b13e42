"""What is kept of what arrived and what was refused, and its counts: nobody lists what is only summed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lrs.errors import Problem
from lrs.xapi.ports.ids import StatementId


class ReceiptCount(NamedTuple):
    """What the receipts of one source and day come to.

    Attributes:
        day: Days since the epoch, UTC.
        stored: The statements that were new, in all of them.
        already: Those that were there before.
        corrected: Those that were mended.
        last_at_us: The moment of the latest.
        later: How many are later than the moment that was asked about.
    """

    source: str
    day: int
    posts: int
    stored: int
    already: int
    corrected: int
    last_at_us: int
    later: int


class RefusalCount(NamedTuple):
    """How many refusals of one source and day have one method and status; see ReceiptCount."""

    source: str
    day: int
    method: str
    status: int
    refusals: int
    last_at_us: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """One accepted post.

    Attributes:
        source: A key's id, or ``import``.
        stored: How many statements were new.
        already: How many were there before, equal.
        first_id: The id of its first statement.
        corrected: How many statements were mended before they were kept (``lrs.xapi.tolerance``).
    """

    source: str
    at_us: int
    stored: int
    already: int
    first_id: StatementId
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One post that was refused; its body is not kept.

    Attributes:
        error_id: The id that the answer and the log carried.
        at_us: When, by the clock of the server that refused.
        status: The HTTP status that it was answered with.
        code: The error's stable code.
        detail: The error's sentence.
        problems: The first problems, at most 20; messages may quote what was sent, cut to
            200 characters.
        problem_count: How many there were.
        body_bytes: Size of the body.
    """

    source: str
    error_id: str
    at_us: int
    method: str
    status: int
    code: str
    detail: str
    problems: tuple[Problem, ...]
    problem_count: int
    body_bytes: int


class ArrivalStore(Protocol):
    """Receipts (written by add_statements) and refusals of one institution.

    Both are bounded by number (a source) and by age; the bounds are handed to the engine
    when it is opened, and what is past them is not shown even where it still lies in a file.
    """

    def add_refusal(self, refusal: Refusal) -> None:
        """Keep a refusal, durable when it returns."""
        ...

    def list_receipts(self, source: str, limit: int) -> Sequence[Receipt]:
        """Return the latest receipts of a source, newest first."""
        ...

    def list_refusals(self, source: str | None, limit: int) -> Sequence[Refusal]:
        """Return the latest refusals of a source, newest first; None asks for those of all sources."""
        ...

    def count_receipts(self, after_us: int) -> Sequence[ReceiptCount]:
        """Count what is listed as receipts of all sources, by source and day; in no order.

        Args:
            after_us: Those later than this moment are counted apart as well.
        """
        ...

    def count_refusals(self) -> Sequence[RefusalCount]:
        """Count what is listed as refusals of all sources, by what they have in common; in no order."""
        ...
