"""The first half of deriving: from the logs and the histories to acts, and to who must be made again.

Each step is one page behind one cursor, and leaves the cursor, the acts and the marks together:
what dies between two steps goes on where it was.

``voided`` of an entry of the log is only a hint, being as of the reading: where it is false
nothing that has been read voids the statement; where it is true ``voidings`` decides.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.derivation.names import (
    GONE,
    OWNER,
    PENDING,
    RULES,
    SWEEP,
    VOIDINGS,
    history_cursor,
    log_cursor,
)
from lrs.learners.acts import Act, act_row, acts_of, read_statement
from lrs.learners.deriving import touched_by
from lrs.learners.handles import IdentityId
from lrs.learners.kinds import IDENTITIES, LEARNERS, PLACES
from lrs.tables.derived import Derivation, DerivedTables, Row, RowName
from lrs.tables.recorded import Json, RecordedTables
from lrs.traces import trace_of
from lrs.xapi.facts import is_voiding, target_of
from lrs.xapi.log import LogEntry, LogReader

_EMPTY = b"{}"

Identify = Callable[[str], IdentityId]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much one step takes; what comes of it does not depend on it.

    Attributes:
        entries: Of one log or history that a step reads.
        pages: That are read before those whom they touch are made: many often touch the same.
        marked: Learners that a step of a sweep marks.
        made: Marked identities that a step makes.
    """

    entries: int = 2_000
    pages: int = 500
    marked: int = 1_000
    made: int = 100


@dataclass(frozen=True, slots=True)
class Reach:
    """From where to where a page is read; ``until`` is None for the end of everything."""

    after: int
    until: int | None
    entries: int

    def takes(self, position: int) -> bool:
        """Tell whether a position is before the end."""
        return self.until is None or position <= self.until


@dataclass(frozen=True, slots=True)
class Step:
    """What one page brings.

    Attributes:
        count: Entries that were read.
        rules: Whether a rule changed.
        problems: Statements of which nothing could be made, and why, a sentence each.
    """

    derivation: Derivation
    count: int
    rules: bool = False
    problems: Sequence[str] = ()


def pending_row(identity: IdentityId, identifier: str) -> Row:
    """Mark an identity: its rows must be made again."""
    return Row(PENDING, OWNER, identity, orjson.dumps({"identifier": identifier}))


def read_log(
    reader: LogReader,
    derived: DerivedTables,
    handle: InstitutionHandle,
    identify: Identify,
    reach: Reach,
) -> Step | None:
    """Read the next page of an institution's log; None at its end.

    Args:
        reader: Reads the log.
        derived: What the steps before left.
        handle: Whose log.
        identify: Gives the id of an identifier.
        reach: From where to where.

    Raises:
        StoreError: The store failed.
    """
    page = reader.read(handle, reach.after, reach.entries)
    entries = [one for one in page.entries if reach.takes(one.position)]
    if not entries:
        return None
    last = page.last if len(entries) == len(page.entries) else entries[-1].position
    made = _Page(reader, derived, handle, identify, reach.after)
    for entry in entries:
        made.take(entry)
    return Step(made.to_derivation(last), len(entries), problems=made.problems)


@dataclass
class _Page:
    """What a page of a log brings, until it is saved."""

    reader: LogReader
    derived: DerivedTables
    handle: InstitutionHandle
    identify: Identify
    after: int
    acts: dict[str, Sequence[tuple[Act, Row]]] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)
    removed: list[tuple[Act, Row]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, entry: LogEntry) -> None:
        """Take what a statement says of persons, or what it voids."""
        statement = read_statement(entry.text)
        if is_voiding(statement):
            self.void(str(target_of(statement)))
        elif not (entry.voided and self.is_voided(entry.id)):
            self.acts[entry.id] = self._read(entry.id, statement, self.problems)

    def _read(self, statement_id: str, statement: Json, problems: list[str]) -> Sequence[tuple[Act, Row]]:
        """Make the acts of a statement; where nothing can be made of it, note that and go on.

        The same statement fails whenever it is read, so the rows stay a function of the log; and it
        does not stop what is derived of everybody else.
        """
        try:
            acts = acts_of(statement, self.handle.institution_id)
            return [(act, act_row(self.identify(act.identifier), act)) for act in acts]
        except Exception as error:  # noqa: BLE001 - see above
            _log.error("Nothing is derived of statement %s\n%s", statement_id, trace_of(error))
            what = f"Nothing could be made of statement {statement_id} ({type(error).__name__})."
            problems.append(f"{what} The log of the worker says where.")
            return ()

    def is_voided(self, statement_id: str) -> bool:
        if statement_id in self.voided:
            return True
        return self.derived.find(VOIDINGS, self.handle.institution_id, statement_id) is not None

    def void(self, target_id: str) -> None:
        """Take away the acts of what is voided: those of this page, or those that a step before left."""
        if target_id in self.voided:
            return
        self.voided.add(target_id)
        if self.acts.pop(target_id, None) is not None:
            return
        target = self.reader.find(self.handle, target_id)
        if target is not None and target.position <= self.after:
            self.removed += self._read(target_id, read_statement(target.text), [])

    def to_derivation(self, last: int) -> Derivation:
        place = self.handle.institution_id
        puts = {one.name: one for one in (Row(VOIDINGS, place, name, _EMPTY) for name in self.voided)}
        removals = []
        for act, row in self.removed:
            removals.append(row.name)
            self._mark(puts, IdentityId(row.owner), act)
        for acts in self.acts.values():
            for act, row in acts:
                puts[row.name] = row
                self._mark(puts, IdentityId(row.owner), act)
        return Derivation(list(puts.values()), removals, {log_cursor(place): last})

    def _mark(self, puts: dict[RowName, Row], identity: IdentityId, act: Act) -> None:
        row = pending_row(identity, act.identifier)
        puts[row.name] = row


def read_history(tables: RecordedTables, name: str, identify: Identify, reach: Reach) -> Step | None:
    """Read the next page of a history; None at its end.

    Args:
        tables: Of an institution, or of the commons.
        name: The institution's id, or ``commons``.
        identify: Gives the id of an identifier.
        reach: From where to where.

    Raises:
        StoreError: The store failed.
    """
    page = tables.read_entries(reach.after, reach.entries)
    entries = [one for one in page if reach.takes(one.position)]
    if not entries:
        return None
    touched = {identifier for entry in entries for identifier in touched_by(entry)}
    rules = any(entry.kind in RULES for entry in entries)
    puts = [pending_row(identify(one), one) for one in sorted(touched)]
    if rules:
        puts.append(sweep_row(""))
    cursors = {history_cursor(name): entries[-1].position}
    return Step(Derivation(puts, (), cursors), len(entries), rules)


def sweep_row(after: str) -> Row:
    """Say that all learners behind one are still to be marked."""
    return Row(SWEEP, OWNER, "", orjson.dumps({"after": after}))


def sweep_on(derived: DerivedTables, marked: int) -> Step | None:
    """Mark the next learners of a sweep; None where there is none."""
    sweep = derived.find(SWEEP, OWNER)
    if sweep is None:
        return None
    found = derived.owners(LEARNERS, orjson.loads(sweep.content)["after"], marked)
    if not found:
        return Step(Derivation((), [sweep.name]), 0)
    return Step(Derivation([*marks_of(derived, found), sweep_row(found[-1])]), 0)


def leave_gone(derived: DerivedTables, institution_id: str, marked: int) -> Iterable[Step]:
    """Yield the steps that mark everything that an institution left which is there no more."""
    after = ""
    while places := derived.rows(PLACES, institution_id, after, marked):
        after = places[-1].key
        yield Step(Derivation(marks_of(derived, [one.key for one in places])), 0)
    while voidings := derived.rows(VOIDINGS, institution_id, "", marked):
        yield Step(Derivation((), [one.name for one in voidings]), 0)
    cursors = {log_cursor(institution_id): GONE, history_cursor(institution_id): GONE}
    yield Step(Derivation([sweep_row("")], (), cursors), 0, rules=True)


def gone_institutions(cursors: Mapping[str, int], there: Iterable[str]) -> list[str]:
    """Return whose log or history was read, and who are there no more, and not yet left."""
    known = {name.partition(" ")[2] for name, at in cursors.items() if at != GONE}
    return sorted(known - set(there))


def marks_of(derived: DerivedTables, identities: Sequence[str]) -> list[Row]:
    """Return the marks of identities that are known, in order."""
    rows = derived.rows_of(IDENTITIES, identities)
    named = {row.owner: orjson.loads(row.content)["identifier"] for row in rows if not row.key}
    return [pending_row(IdentityId(one), name) for one, name in sorted(named.items())]
