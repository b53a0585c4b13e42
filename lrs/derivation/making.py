"""The second half of deriving: everything of those who are marked, made whole from acts and rules.

A step writes in an order that whatever dies leaves something to begin from: first everybody
whom it reaches is marked; then go the rows that nothing leads to any more; then come the rows
as they shall be; last go the rows that led to others, and the marks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.competencies import deriving as competencies
from lrs.competencies.alignments import EVIDENCE
from lrs.competencies.deriving import Rulebook, read_rulebook
from lrs.competencies.progress import PROGRESS
from lrs.derivation.names import OWNER, PENDING
from lrs.derivation.reading import marks_of, pending_row
from lrs.learners.acts import ACTS, Act, act_from
from lrs.learners.deriving import Resolved, Resolver, open_rosters
from lrs.learners.handles import IdentityId
from lrs.learners.kinds import IDENTITIES, MEMBERS
from lrs.learners.persons import Person, rows_of
from lrs.pathways.deriving import completion_rows, read_pathways
from lrs.pathways.kinds import COMPLETIONS
from lrs.pathways.model import Pathway
from lrs.tables.derived import Derivation, DerivedTables, Row, RowName
from lrs.tables.recorded import RecordedTables

_LEADING = frozenset({IDENTITIES, MEMBERS})
"""Tables by which a step finds what was there before; they go last."""

OpenHandle = Callable[[InstitutionHandle], RecordedTables]


@dataclass(frozen=True, slots=True)
class Places:
    """What is recorded now: the institutions that are there, and how to open them."""

    commons: RecordedTables
    institutions: Sequence[InstitutionHandle]
    open_recorded: OpenHandle
    salt: bytes


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules as they stand."""

    book: Rulebook
    pathways: Sequence[Pathway]


class Maker:
    """Makes the rows of those who are marked.

    Args:
        derived: Where they go.
        places: What is recorded.
        at_once: Marked identities that a step makes.
    """

    def __init__(self, derived: DerivedTables, places: Places, at_once: int) -> None:
        """Read the rules as they stand."""
        self._derived = derived
        self._places = places
        self._at_once = at_once
        self._rosters = open_rosters(places.institutions, places.open_recorded)
        self._there = {one.institution_id for one in places.institutions}
        self._rules: _Rules | None = None

    def forget_rules(self) -> None:
        """Read the rules again before the next step: some have changed."""
        self._rules = None

    def steps(self) -> Iterator[Derivation]:
        """Yield what is to be saved, in this order, for the next who are marked; nothing where nobody is."""
        marked = self._derived.rows(PENDING, OWNER, "", self._at_once)
        if not marked:
            return
        rules = self._read_rules()
        resolver = Resolver(self._places.commons, self._rosters, self._derived, self._places.salt)
        resolved = resolver.resolve([orjson.loads(row.content)["identifier"] for row in marked])
        marks = {row.key: row for row in marked}
        reached = self._reached(resolved)
        yield Derivation([row for row in reached if row.key not in marks])
        identities = sorted({*marks, *(row.key for row in reached)})
        acts, dead = self._acts_of(identities)
        made = self._rows(resolved, acts, rules)
        kept = self._standing(resolved, identities)
        removals = (set(resolved.before) | set(kept) | set(dead)) - set(made)
        yield Derivation((), sorted(one for one in removals if one.table not in _LEADING))
        yield Derivation([row for name, row in made.items() if kept.get(name) != row.content])
        leading = sorted(one for one in removals if one.table in _LEADING)
        yield Derivation((), [*leading, *(RowName(PENDING, OWNER, one) for one in identities)])

    def _reached(self, resolved: Resolved) -> list[Row]:
        """Return the marks of all whom a step reaches: whoever is in a person, now or before."""
        found = {one: name for person in resolved.persons for one, name in person.identities.items()}
        before = {row.owner for row in resolved.before if row.table == IDENTITIES}
        rows = marks_of(self._derived, sorted(before - found.keys()))
        return sorted([*rows, *(pending_row(one, name) for one, name in found.items())])

    def _read_rules(self) -> _Rules:
        if self._rules is None:
            where = self._places.institutions, self._places.open_recorded
            self._rules = _Rules(read_rulebook(*where), read_pathways(*where))
        return self._rules

    def _acts_of(self, identities: Sequence[str]) -> tuple[Mapping[IdentityId, list[Act]], list[RowName]]:
        """Return the acts of identities, and the rows of those whose institution is gone."""
        acts: dict[IdentityId, list[Act]] = {}
        dead: list[RowName] = []
        for row in self._derived.rows_of(ACTS, identities):
            act = act_from(row)
            if act.institution in self._there:
                acts.setdefault(IdentityId(row.owner), []).append(act)
            else:
                dead.append(row.name)
        return acts, dead

    def _rows(
        self, resolved: Resolved, acts: Mapping[IdentityId, Sequence[Act]], rules: _Rules
    ) -> dict[RowName, Row]:
        made: dict[RowName, Row] = {}
        for person in resolved.persons:
            for row in _rows_of_person(person, acts, rules):
                made[row.name] = row
        return made

    def _standing(self, resolved: Resolved, identities: Sequence[str]) -> dict[RowName, bytes]:
        """Return what stands of evidence, progress and completions, by name."""
        learners = {*resolved.learners_before, *(person.learner_id for person in resolved.persons)}
        found = [
            *self._derived.rows_of(EVIDENCE, identities),
            *self._derived.rows_of(PROGRESS, sorted(learners)),
            *self._derived.rows_of(COMPLETIONS, sorted(learners)),
        ]
        return {row.name: row.content for row in found}


def _rows_of_person(person: Person, acts: Mapping[IdentityId, Sequence[Act]], rules: _Rules) -> Iterable[Row]:
    """Make every row of one person; none where nothing is known of them."""
    own = {one: acts[one] for one in person.identities if one in acts}
    rows = rows_of(person, own)
    if not rows:
        return ()
    learner, derived = person.learner_id, competencies.derive(own, rules.book)
    everything = [act for found in own.values() for act in found]
    completions = completion_rows(learner, rules.pathways, everything, derived.progress)
    return [*rows, *derived.rows(learner), *completions]
