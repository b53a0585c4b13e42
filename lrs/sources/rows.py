"""What each row of a source is now: which statements, and which it was before.

A row's state is noted twice around every change: first what is about to be true (*pending*),
then, when statements and voidings are in the log, what is. Who finds a state with something
pending looks into the log for what came of it; so a run may die anywhere.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrs.sources.model import ROW, Json
from lrs.tables.recorded import MOST_TERMS, Note, RecordedTables


@dataclass(frozen=True, slots=True)
class Current:
    """A statement that a row has become.

    Attributes:
        digest: Of the mapped statement.
        round: How often that content of the row had been voided before.
        run: Which run stored it.
    """

    digest: str
    round: int
    run: str


Statements = dict[str, Current]
"""By id."""


@dataclass(frozen=True, slots=True)
class RowState:
    """What a row is.

    Attributes:
        now: The statements that stand for it.
        pending: Those that shall, where a change was begun; None where none is under way.
        gone: How many rounds each content has behind it.
        replaced: What the last run that changed the row voided.
        changed_by: That run; empty for none.
    """

    now: Statements = field(default_factory=dict)
    pending: Statements | None = None
    gone: Mapping[str, int] = field(default_factory=dict)
    replaced: Statements = field(default_factory=dict)
    changed_by: str = ""

    def value(self, source: str) -> Json:
        """Return what is noted."""
        return {
            "source": source,
            "now": _written(self.now),
            "pending": None if self.pending is None else _written(self.pending),
            "gone": dict(self.gone),
            "replaced": _written(self.replaced),
            "changedBy": self.changed_by,
        }

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "RowState":
        """Read what was noted."""
        pending = value["pending"]
        return cls(
            _read(value["now"]),
            None if pending is None else _read(pending),
            value["gone"],
            _read(value["replaced"]),
            value["changedBy"],
        )

    def runs(self) -> Sequence[str]:
        """Return the runs that undoing would find this row by, latest last."""
        known = [one.run for one in (*self.now.values(), *(self.pending or {}).values())]
        return sorted({*known, self.changed_by} - {""})

    def round_of(self, digest: str) -> int:
        """Return the round that this content would be stored in now."""
        return self.gone.get(digest, 0)


def begin(state: RowState, wanted: Statements, run: str) -> RowState:
    """Note that a row shall be something else."""
    return RowState(state.now, wanted, state.gone, state.replaced, run)


def finish(state: RowState, stands: Statements) -> RowState:
    """Note what a row is, once what was pending is in the log.

    Args:
        state: With something pending.
        stands: What stands for it now.
    """
    away = {id_: one for id_, one in {**state.now, **(state.pending or {})}.items() if id_ not in stands}
    gone = dict(state.gone)
    for one in away.values():
        gone[one.digest] = max(gone.get(one.digest, 0), one.round + 1)
    replaced = {id_: one for id_, one in away.items() if id_ in state.now}
    return RowState(stands, None, gone, replaced, state.changed_by)


def settle(state: RowState, is_standing: Callable[[str], bool]) -> RowState:
    """Find out what came of a change that was begun and not finished.

    Args:
        state: As it was noted.
        is_standing: Tells whether a statement is in the log and not voided.
    """
    if state.pending is None:
        return state
    known = {**state.now, **state.pending}
    stands = {id_: one for id_, one in known.items() if is_standing(id_)}
    lost = {id_ for id_ in state.pending if id_ not in stands and id_ not in state.now}
    # What was never stored has no round behind it.
    kept = RowState(
        state.now,
        {id_: one for id_, one in state.pending.items() if id_ not in lost},
        state.gone,
        state.replaced,
        state.changed_by,
    )
    return finish(kept, stands)


class RowBook:
    """The states of one source's rows.

    Args:
        tables: The institution's.
        source: The source's name.
    """

    def __init__(self, tables: RecordedTables, source: str) -> None:
        """Keep what was handed in."""
        self._tables = tables
        self._source = source
        self._prefix = hashlib.sha256(source.encode()).hexdigest()[:16]

    def subject(self, key: str) -> str:
        """Return by what a row is noted; a key may hold an address, so it is hashed."""
        return f"{self._prefix}/{hashlib.sha256(key.encode()).hexdigest()[:40]}"

    def load(self, subjects: Sequence[str]) -> dict[str, RowState]:
        """Return the states of rows, new ones for those that are not known."""
        found = self._tables.find_many(ROW, subjects)
        return {
            subject: RowState.read(found[subject].value) if subject in found else RowState()
            for subject in subjects
        }

    def save(self, states: Mapping[str, RowState], now_us: int) -> None:
        """Note states."""
        self._tables.note(
            ROW,
            [Note(one, state.value(self._source), self._terms(state)) for one, state in states.items()],
            now_us,
        )

    def all(self) -> Iterable[tuple[str, RowState]]:
        """Give every row of the source; rows may be saved meanwhile."""
        return self._found(f"source:{self._prefix}")

    def of_run(self, run: str) -> Iterable[tuple[str, RowState]]:
        """Give the rows that a run stored something of, or changed last."""
        return self._found(f"run:{run}")

    def _found(self, term: str) -> Iterable[tuple[str, RowState]]:
        after = ""
        while found := self._tables.find_by(ROW, term, after):
            after = found[-1].subject
            for one in found:
                yield one.subject, RowState.read(one.value)

    def _terms(self, state: RowState) -> Sequence[str]:
        runs = [f"run:{run}" for run in state.runs()]
        return [f"source:{self._prefix}", *runs[-(MOST_TERMS - 1) :]]


def _written(statements: Statements) -> Json:
    return {id_: [one.digest, one.round, one.run] for id_, one in statements.items()}


def _read(value: Mapping[str, Any]) -> Statements:
    return {id_: Current(*one) for id_, one in value.items()}
