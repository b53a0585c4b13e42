"""The job that derives: reads what was recorded since, and makes again whatever it may concern.

What comes of it is a function of what is recorded, whatever the order of arrival, the size
of the steps, and whoever died in between; ``lrs rebuild --verify`` proves it.

Spec: docs/backbone.md, Deriving
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from lrs.access.handles import InstitutionHandle
from lrs.derivation.making import Maker, OpenHandle, Places
from lrs.derivation.names import COMMONS, OWNER, PENDING, SWEEP, history_cursor, log_cursor
from lrs.derivation.reading import (
    Identify,
    Pace,
    Reach,
    Step,
    gone_institutions,
    leave_gone,
    read_history,
    read_log,
    sweep_on,
)
from lrs.errors import JobTooLate
from lrs.learners.identifiers import identity_of
from lrs.tables.derived import Derivation, DerivedTables
from lrs.tables.recorded import RecordedTables
from lrs.xapi.log import LogReader

ReadPage = Callable[[Reach], Step | None]
"""Reads the next page of one log or history; None at its end."""

_REMEMBERED = 20_000
"""Ids of identifiers that a run remembers."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that is recorded, for the job alone: it shows nothing to anyone.

    Attributes:
        institutions: Lists those that are there.
        salt: Makes ids of identifiers; made when it is first asked for.
    """

    institutions: Callable[[], Sequence[InstitutionHandle]]
    reader: LogReader
    open_recorded: OpenHandle
    commons: RecordedTables
    salt: Callable[[], bytes]


@dataclass
class Counts:
    """What a run did: entries and statements that it read, rows that it wrote or removed.

    Attributes:
        problems: What nothing could be made of, and why, a sentence each.
    """

    read: int = 0
    statements: int = 0
    wrote: int = 0
    problems: list[str] = field(default_factory=list)


class Deriver:
    """Derives.

    Args:
        sources: What is recorded.
        derived: Where what follows from it goes.
        pace: How much one step takes.
    """

    def __init__(self, sources: Sources, derived: DerivedTables, pace: Pace | None = None) -> None:
        """Keep what was handed in."""
        self._sources = sources
        self._derived = derived
        self._pace = pace or Pace()

    def is_behind(self) -> bool:
        """Tell whether something was recorded since, or is marked.

        Raises:
            StoreError: The store failed.
        """
        cursors = self._derived.cursors()
        if self._derived.rows(PENDING, OWNER, "", 1) or self._derived.find(SWEEP, OWNER):
            return True
        if self._sources.commons.read_entries(cursors.get(history_cursor(COMMONS), 0), 1):
            return True
        handles = self._sources.institutions()
        if gone_institutions(cursors, [COMMONS, *(one.institution_id for one in handles)]):
            return True
        return any(self._waits(one, cursors) for one in handles)

    def _waits(self, handle: InstitutionHandle, cursors: Mapping[str, int]) -> bool:
        name = handle.institution_id
        if self._sources.reader.read(handle, cursors.get(log_cursor(name), 0), 1).entries:
            return True
        tables = self._sources.open_recorded(handle)
        return bool(tables.read_entries(cursors.get(history_cursor(name), 0), 1))

    def run(
        self,
        epoch: int,
        keep: Callable[[], None],
        until: Mapping[str, int] | None = None,
        show: Callable[[int], None] | None = None,
    ) -> Counts:
        """Derive until nothing is behind.

        Args:
            epoch: Of the lease; whoever holds a later one is not overwritten.
            keep: Called at every step; raises where the lease is gone or the process is to end.
            until: Cursors behind which nothing is read; None for everything that is there.
            show: Is told at every step how many statements have been read.

        Raises:
            JobError: What ``keep`` raised, or a later epoch has begun.
            StoreError: The store failed.
        """
        if not self._derived.begin(epoch):
            raise JobTooLate("Another process derives now; this run ends.")
        run = _Run(self._sources, self._derived, self._pace, epoch, _Course(keep, until, show))
        return run.run()


@dataclass(frozen=True, slots=True)
class _Course:
    """See Deriver.run."""

    keep: Callable[[], None]
    until: Mapping[str, int] | None
    show: Callable[[int], None] | None


class _Run:
    """One run; what it remembers ends with it."""

    def __init__(
        self, sources: Sources, derived: DerivedTables, pace: Pace, epoch: int, course: _Course
    ) -> None:
        self._sources = sources
        self._derived = derived
        self._pace = pace
        self._epoch = epoch
        self._course = course
        self._counts = Counts()
        self._cursors = derived.cursors()
        self._handles = sources.institutions()
        salt = sources.salt()
        self._identify: Identify = lru_cache(_REMEMBERED)(lambda name: identity_of(name, salt))
        places = Places(sources.commons, self._handles, sources.open_recorded, salt)
        self._maker = Maker(derived, places, pace.made)

    def run(self) -> Counts:
        self._leave_gone()
        while self._read() or self._make():
            pass
        return self._counts

    def _leave_gone(self) -> None:
        there = [COMMONS, *(one.institution_id for one in self._handles)]
        for name in gone_institutions(self._cursors, there):
            for step in leave_gone(self._derived, name, self._pace.marked):
                self._take(step)

    def _read(self) -> bool:
        """Read some pages of everything, then make those who are marked; False at the end of all."""
        read = 0
        while read < self._pace.pages and (pages := self._read_a_page_of_each()):
            read += pages
        if read:
            self._make()
        return read > 0

    def _read_a_page_of_each(self) -> int:
        steps = 0
        for name, read in self._places():
            step = read(self._reach(name))
            if step is not None:
                self._take(step)
                steps += 1
        return steps

    def _places(self) -> Sequence[tuple[str, ReadPage]]:
        """List every log and history with what reads its next page; histories first."""
        sources = self._sources
        found: list[tuple[str, ReadPage]] = []
        opened = [(COMMONS, sources.commons)]
        opened += [(one.institution_id, sources.open_recorded(one)) for one in self._handles]
        for name, tables in opened:
            found.append((history_cursor(name), self._history_reader(tables, name)))
        logs = [(log_cursor(one.institution_id), self._log_reader(one)) for one in self._handles]
        return found + logs

    def _history_reader(self, tables: RecordedTables, name: str) -> ReadPage:
        return lambda reach: read_history(tables, name, self._identify, reach)

    def _log_reader(self, handle: InstitutionHandle) -> ReadPage:
        reader = self._sources.reader
        return lambda reach: self._counted(read_log(reader, self._derived, handle, self._identify, reach))

    def _counted(self, step: Step | None) -> Step | None:
        self._counts.statements += step.count if step is not None else 0
        return step

    def _reach(self, cursor: str) -> Reach:
        until = None if self._course.until is None else self._course.until.get(cursor, 0)
        return Reach(self._cursors.get(cursor, 0), until, self._pace.entries)

    def _make(self) -> bool:
        """Make everybody who is marked; False where nobody was."""
        made = False
        while self._sweep_on() or self._make_some():
            made = True
        return made

    def _make_some(self) -> bool:
        saved = False
        for derivation in self._maker.steps():
            self._save(derivation)
            saved = True
        return saved

    def _sweep_on(self) -> bool:
        step = sweep_on(self._derived, self._pace.marked)
        if step is not None:
            self._take(step)
        return step is not None

    def _take(self, step: Step) -> None:
        self._save(step.derivation)
        self._cursors.update(step.derivation.cursors or {})
        self._counts.read += step.count
        self._counts.problems += step.problems
        if step.rules:
            self._maker.forget_rules()

    def _save(self, derivation: Derivation) -> None:
        self._course.keep()
        if self._course.show is not None:
            self._course.show(self._counts.statements)
        if not (derivation.puts or derivation.removals or derivation.cursors):
            return
        if not self._derived.save(self._epoch, derivation):
            raise JobTooLate("Another process derives now; this run ends.")
        self._counts.wrote += len(derivation.puts) + len(derivation.removals)
