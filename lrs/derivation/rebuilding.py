"""Making everything that is derived anew, and proving that it equals what stands.

Whoever calls these holds the lease of the job that derives, so that nobody else writes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from lrs.competencies.alignments import EVIDENCE
from lrs.competencies.progress import PROGRESS
from lrs.derivation.deriver import Deriver, Sources
from lrs.derivation.names import COMMONS, GONE, PENDING, SWEEP, VOIDINGS, history_cursor
from lrs.errors import JobTooLate
from lrs.learners.acts import ACTS
from lrs.learners.kinds import IDENTITIES, LEARNERS, MAILBOXES, MEMBERS, PLACES
from lrs.pathways.kinds import COMPLETIONS
from lrs.tables.derived import DerivedTables, OpenScratch, Row, RowName

TABLES = (
    ACTS,
    VOIDINGS,
    PLACES,
    IDENTITIES,
    MAILBOXES,
    MEMBERS,
    LEARNERS,
    EVIDENCE,
    PROGRESS,
    COMPLETIONS,
    PENDING,
    SWEEP,
)
"""Every derived table; two derivations are the same when all rows of all of them are."""

NAMED_DIFFERENCES = 10
_ROUNDS = 50
_SCRATCH_EPOCH = 1

Show = Callable[[int], None]
"""Is told now and then how many statements have been read."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it.

    Attributes:
        statements: That were read.
        differences: Rows that are not the same, or are in one of the two alone; always 0 where
            nothing was compared.
        named: The first of them, in words.
    """

    statements: int
    evidence: int
    progress: int
    completions: int
    differences: int = 0
    named: tuple[str, ...] = ()


class Rebuilder:
    """Rebuilds and verifies.

    Args:
        sources: What is recorded.
        derived: What stands.
        open_scratch: Gives tables to rebuild into.
    """

    def __init__(self, sources: Sources, derived: DerivedTables, open_scratch: OpenScratch) -> None:
        """Keep what was handed in."""
        self._sources = sources
        self._derived = derived
        self._open_scratch = open_scratch

    def rebuild(self, epoch: int, keep: Callable[[], None], show: Show) -> Rebuilt:
        """Forget everything that was derived and derive it anew.

        Raises:
            JobError: What ``keep`` raised, or a later epoch has begun.
            StoreError: The store failed.
        """
        if not (self._derived.begin(epoch) and self._derived.clear(epoch)):
            raise JobTooLate("Another process derives now; nothing was changed.")
        counts = Deriver(self._sources, self._derived).run(epoch, keep, show=show)
        return self._counted(counts.statements)

    def verify(self, epoch: int, keep: Callable[[], None], show: Show) -> Rebuilt:
        """Derive everything from the beginning into tables of its own, and compare it with what stands.

        What stands is first brought up to date. Both are compared at the same cursors: where a
        history moved meanwhile (what is recorded is read as it is now) both are brought further.

        Raises:
            JobError: What ``keep`` raised, or a later epoch has begun, or what is recorded does
                not come to rest.
            StoreError: The store failed.
        """
        main = Deriver(self._sources, self._derived)
        with self._open_scratch() as scratch:
            other = Deriver(self._sources, scratch)
            statements = 0
            for _ in range(_ROUNDS):
                main.run(epoch, keep)
                cursors = self._derived.cursors()
                statements += other.run(_SCRATCH_EPOCH, keep, cursors, show).statements
                if self._rests(cursors):
                    return self._compared(scratch, statements, keep)
        raise JobTooLate("What is recorded changed all the while; nothing could be compared. Try again.")

    def _rests(self, cursors: Mapping[str, int]) -> bool:
        """Tell whether no history has moved and no institution has come or gone since it was read.

        The logs may move on: both have read them up to the same cursors.
        """
        handles = self._sources.institutions()
        if self._sources.commons.read_entries(cursors.get(history_cursor(COMMONS), 0), 1):
            return False
        there = {one.institution_id for one in handles}
        known = {name.partition(" ")[2] for name, at in cursors.items() if at != GONE} - {COMMONS}
        if known - there:
            return False
        return not any(
            self._sources.open_recorded(one).read_entries(
                cursors.get(history_cursor(one.institution_id), 0), 1
            )
            for one in handles
        )

    def _compared(self, scratch: DerivedTables, statements: int, keep: Callable[[], None]) -> Rebuilt:
        differences, named = 0, []
        for text in chain.from_iterable(differing(self._derived, scratch, table) for table in TABLES):
            keep()
            differences += 1
            if differences <= NAMED_DIFFERENCES:
                named.append(text)
        made = self._counted(statements)
        return Rebuilt(statements, made.evidence, made.progress, made.completions, differences, tuple(named))

    def _counted(self, statements: int) -> Rebuilt:
        count = self._derived.count
        return Rebuilt(statements, count(EVIDENCE), count(PROGRESS), count(COMPLETIONS))


def differing(stands: DerivedTables, made: DerivedTables, table: str) -> Iterator[str]:
    """Yield in words each row of a table that is not the same in both, in order."""
    one, other = iter(stands.iter_rows(table)), iter(made.iter_rows(table))
    here, there = next(one, None), next(other, None)
    while here is not None or there is not None:
        if there is None or (here is not None and here.name < there.name):
            yield f"{_named(here)} stands and is not made again"
            here = next(one, None)
        elif here is None or there.name < here.name:
            yield f"{_named(there)} is made and does not stand"
            there = next(other, None)
        else:
            if here.content != there.content:
                yield f"{_named(here)} has another content"
            here, there = next(one, None), next(other, None)


def _named(row: Row | None) -> str:
    name: RowName | None = row.name if row is not None else None
    return " ".join(name) if name is not None else ""
