"""One run of a source: rows become statements, voidings and kept rows, safe to kill anywhere.

Of each page: what shall be true is noted; new statements are stored; what they replace is
voided; what is true is noted. Run again, it finds what was done done.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypeVar

import orjson

from connectors.base import Connector, Mapped, RosterFact, Row
from lrs.access.handles import InstitutionHandle
from lrs.clock import Clock
from lrs.errors import LrsError, Problem
from lrs.sources.model import REJECTED, Counts, Json, KeptRow, digest_of, statement_id
from lrs.sources.rows import Current, RowBook, RowState, Statements, begin, finish, settle
from lrs.sources.writing import Writer, as_refusal
from lrs.tables.recorded import Note, RecordedTables

PAGE_ROWS = 500
MOST_KEPT = 10_000
"""So many rows that were left out are kept of one run; all are counted."""

_LARGEST_CONTENT = 1_000_000
_KEPT_PROBLEMS = 20
_SHOWN = 100
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Work:
    """What a run works with.

    Attributes:
        keep: Called before anything is written; raises where the run is to end.
        is_dry: Whether nothing is written at all.
    """

    handle: InstitutionHandle
    source: str
    run: str
    tables: RecordedTables
    book: RowBook
    writer: Writer
    clock: Clock
    keep: Callable[[], None]
    is_dry: bool = False


class RowSink:
    """See ``connectors.base.Sink``: gathers what one row becomes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.statements: list[Mapped] = []
        self.facts: list[RosterFact] = []
        self.kept: list[KeptRow] = []

    def statement(self, row: Row, mapped: Mapped) -> None:  # noqa: ARG002 - the inlet's form
        """Take a statement."""
        self.statements.append(mapped)

    def roster(self, row: Row, fact: RosterFact) -> None:  # noqa: ARG002 - the inlet's form
        """Take what is said of who somebody is."""
        self.facts.append(fact)

    def aside(self, row: Row, reason: str, problems: Sequence[Problem] = (), count: int = 1) -> None:
        """Keep aside what becomes neither."""
        self.kept.append(_keep(row, reason, problems, count))


@dataclass(slots=True)
class _Plan:
    """What one row shall become.

    Attributes:
        new: Statements to store, by id, with their texts.
        final: What shall stand for the row in the end.
    """

    subject: str
    state: RowState
    row: Row | None = None
    new: dict[str, tuple[Current, bytes]] = field(default_factory=dict)
    final: Statements = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        return bool(self.new) or self.final.keys() != self.state.now.keys()


class Runner:
    """Does a run's work, a page at a time; counts what became of it.

    Attributes:
        counts: So far.
        shown: The first statements that a dry run would store.
        kept: The first rows that were left out.
        facts: What the rows say of who people are.
        refused_keys: Keys of the rows of which something was wrong.
        reason: What had to be left undone, and why.
    """

    def __init__(self, work: Work) -> None:
        """Begin with nothing."""
        self._work = work
        self.counts = Counts()
        self.shown: list[Json] = []
        self.kept: list[KeptRow] = []
        self.facts: list[RosterFact] = []
        self.saw_broken = False
        self.reason = ""
        self.refused_keys: list[str] = []
        self._seen: set[str] = set()
        self._numbers = itertools.count(1)

    def take(self, rows: Sequence[Row], connector: Connector) -> None:
        """Take rows in.

        Raises:
            QuotaExceeded: The statements do not fit.
            JobError: What ``keep`` raised.
            StoreError: The store failed; run again.
        """
        for part in in_parts(rows, PAGE_ROWS):
            kept: list[KeptRow] = []
            plans = self._plan_all(part, connector, kept)
            if self._work.is_dry:
                self._pretend(plans, kept)
            else:
                self._apply(plans, kept)
            self._keep_rows(kept)

    def last_change(self, row: Row) -> str:
        """Return the run that changed what a row is last; empty for none."""
        subject = self._work.book.subject(row.key)
        return self._work.book.load([subject])[subject].changed_by

    def delete_missing(self) -> None:
        """Void what stands for rows that this run did not see: they were deleted at the source."""
        missing = (
            _Plan(subject, self._settled(subject, state))
            for subject, state in self._work.book.all()
            if subject not in self._seen and (state.now or state.pending)
        )
        for part in in_parts(missing, PAGE_ROWS):
            self._do(part)

    def undo(self, run: str) -> None:
        """Void what a run stored and still stands; store again what it had replaced."""
        for part in in_parts(self._work.book.of_run(run), PAGE_ROWS):
            self._do([self._undoing(subject, self._settled(subject, state), run) for subject, state in part])

    def _do(self, plans: Sequence[_Plan]) -> None:
        """Change rows whatever their source says."""
        if self._work.is_dry:
            self._pretend(plans, [])
        else:
            self._apply(plans, [])

    def _undoing(self, subject: str, state: RowState, run: str) -> _Plan:
        plan = _Plan(subject, state, final={i: one for i, one in state.now.items() if one.run != run})
        if state.changed_by != run:
            return plan
        for old, one in state.replaced.items():
            text = self._work.writer.read_again(old)
            if text is not None:
                self._add(plan, subject, one.digest, text, None)
        return plan

    def _plan_all(self, rows: Sequence[Row], connector: Connector, kept: list[KeptRow]) -> list[_Plan]:
        by_subject = {self._work.book.subject(row.key): row for row in rows}
        self._seen.update(by_subject)
        states = self._work.book.load(list(by_subject))
        self.counts.read += sum(row.count for row in rows)
        self.counts.already += len(rows) - len(by_subject)
        return [
            self._plan(_Plan(subject, self._settled(subject, states[subject]), row), row, connector, kept)
            for subject, row in by_subject.items()
        ]

    def _plan(self, plan: _Plan, row: Row, connector: Connector, kept: list[KeptRow]) -> _Plan:
        """Hold what a row becomes now against what it is.

        A row of which something is wrong stays what it is, where it is something already.
        """
        sink = RowSink()
        connector.map(row, sink)
        kept += sink.kept
        self.facts += sink.facts
        self.saw_broken = self.saw_broken or "broken" in row.content
        if plan.state.now and any(one.is_rejected for one in sink.kept):
            plan.final = plan.state.now
            return plan
        standing = {one.digest: (id_, one) for id_, one in plan.state.now.items()}
        for mapped in sink.statements:
            digest = digest_of(mapped.text)
            if digest in standing:
                id_, one = standing[digest]
                plan.final[id_] = one
            else:
                self._add(plan, row.key, digest, mapped.text, mapped.own_id)
        self.counts.already += len(plan.final) - len(plan.new)
        return plan

    def _add(self, plan: _Plan, key: str, digest: str, text: bytes, own_id: str | None) -> None:
        """Plan a new statement."""
        work, round_ = self._work, plan.state.round_of(digest)
        id_ = own_id or statement_id(work.handle, work.source, key, digest, round_)
        plan.new[id_] = Current(digest, round_, work.run), text
        plan.final[id_] = plan.new[id_][0]

    def _settled(self, subject: str, state: RowState) -> RowState:
        """Find out what came of a change that a run which died had begun."""
        if state.pending is None:
            return state
        known = settle(state, self._work.writer.is_standing)
        if not self._work.is_dry:
            self._work.keep()
            self._work.book.save({subject: known}, self._work.clock())
        return known

    def _pretend(self, plans: Sequence[_Plan], kept: list[KeptRow]) -> None:
        """Count what would be done."""
        for plan in plans:
            for _, text in plan.new.values():
                problems = self._work.writer.problems_of(text)
                if problems and plan.row is not None:
                    kept.append(_refused(plan.row, as_refusal(problems)))
                    continue
                self.counts.stored += 1
                if len(self.shown) < _SHOWN:
                    self.shown.append(orjson.loads(text))
            self.counts.voided += len(plan.state.now.keys() - plan.final.keys())

    def _apply(self, plans: Sequence[_Plan], kept: list[KeptRow]) -> None:
        """Do what is planned: note, store, void, note."""
        work = self._work
        changing = [plan for plan in plans if plan.changes]
        work.keep()
        begun = {plan.subject: begin(plan.state, plan.final, work.run) for plan in changing}
        work.book.save(begun, work.clock())
        refused = self._store(changing, kept)
        away: list[str] = []
        done: dict[str, RowState] = {}
        for plan in changing:
            final, state = _agree(plan, begun[plan.subject], refused)
            away += [id_ for id_ in {**state.now, **(state.pending or {})} if id_ not in final]
            done[plan.subject] = finish(state, final)
        self.counts.voided += work.writer.void(away) if away else 0
        work.book.save(done, work.clock())

    def _store(self, plans: Sequence[_Plan], kept: list[KeptRow]) -> set[str]:
        """Store what is new; return the ids of what was refused."""
        new = [(id_, text, plan) for plan in plans for id_, (_, text) in plan.new.items()]
        if not new:
            return set()
        written = self._work.writer.store([(id_, text) for id_, text, _ in new])
        self.counts.stored += written.stored
        self.counts.already += written.already
        for at, error in sorted(written.refused.items()):
            row = new[at][2].row
            if row is not None:
                kept.append(_refused(row, error))
        return {new[at][0] for at in written.refused}

    def _keep_rows(self, kept: Iterable[KeptRow]) -> None:
        """Count the rows that were left out, and keep the first ones."""
        work, notes = self._work, []
        for one in kept:
            if one.is_rejected:
                self.counts.rejected += one.count
                self.refused_keys.append(one.key)
            else:
                self.counts.kept_aside += one.count
            number = next(self._numbers)
            if number <= MOST_KEPT:
                subject = f"{work.run}/{number:07d}"
                notes.append(Note(subject, _value(one), [f"run:{work.run}"]))
            if len(self.kept) < _SHOWN:
                self.kept.append(one)
        if notes and not work.is_dry:
            work.tables.note(REJECTED, notes, work.clock())


def _agree(plan: _Plan, state: RowState, refused: set[str]) -> tuple[Statements, RowState]:
    """Return what stands for a row once some of what was planned was refused.

    Where something stood before, that stays, and what was stored in its place goes again.
    """
    mine = refused & plan.new.keys()
    if not mine:
        return plan.final, state
    pending = {id_: one for id_, one in (state.pending or {}).items() if id_ not in mine}
    agreed = replace(state, pending=pending)
    return (plan.state.now or pending), agreed


def in_parts(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Cut into lists of a size; none is empty."""
    iterator = iter(items)
    while part := list(itertools.islice(iterator, size)):
        yield part


def read_kept(subject: str, value: Mapping[str, object]) -> KeptRow:
    """Read a row that was left out from what was noted."""
    return KeptRow(subject, **value)  # type: ignore[arg-type]  # written by _value


def row_of(kept: KeptRow) -> Row | None:
    """Make the row again; None where it was too long to keep."""
    return None if kept.content is None else Row(kept.key, kept.place, kept.content, kept.count)


def _value(kept: KeptRow) -> Json:
    value = asdict(kept)
    del value["subject"]
    return value


def _keep(row: Row, reason: str, problems: Sequence[Problem], count: int) -> KeptRow:
    content: Json | None = row.content
    if len(orjson.dumps(row.content)) > _LARGEST_CONTENT:
        content = None
    told = [asdict(problem) for problem in problems[:_KEPT_PROBLEMS]]
    return KeptRow("", row.key, row.place, reason, told, content, count)


def _refused(row: Row, error: LrsError) -> KeptRow:
    problems = error.problems or [Problem("", error.code, error.detail)]
    return _keep(row, error.detail, problems, 1)
