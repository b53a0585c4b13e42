"""Working out who is who, for the job that derives: from touched identifiers to whole persons.

What links reach is followed by key, from what was touched; nothing here costs more the more
learners there are. The same persons come out whatever was touched of them, and in whatever
order the facts became known.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.learners.acts import ACTS
from lrs.learners.clusters import Edge, Ground, Pair, find_clusters, make_edge, make_pair
from lrs.learners.handles import IdentityId
from lrs.learners.identifiers import HASHED, identity_of, sha1_of
from lrs.learners.kinds import (
    IDENTITIES,
    LEARNERS,
    LINK,
    MAILBOXES,
    MEMBERS,
    PLACES,
    ROSTER_PERSON,
    SHARED,
)
from lrs.learners.persons import Person
from lrs.learners.roster import RosterPerson, person_from
from lrs.tables.derived import DerivedTables, Row, RowName
from lrs.tables.recorded import Entry, Json, RecordedTables

_MANY = 1000


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who the touched identifiers belong to.

    Attributes:
        persons: Whole, in order of learner id; everyone to whom a touched identity belongs, or
            belonged.
        before: The names of every row that told of their identities until now (``identities``,
            ``mailboxes``, ``members``, ``places``, ``learners``); what ``rows_of`` does not make
            again is to be removed.
        learners_before: Ids of the learners that the identities belonged to.
    """

    persons: Sequence[Person]
    before: frozenset[RowName]
    learners_before: frozenset[str]


def touched_by(entry: Entry) -> Sequence[str]:
    """Return the identifiers whose person may be another after a change in a history.

    None for kinds that are no concern of this room.
    """
    values = [value for value in (entry.before, entry.after) if value is not None]
    if entry.kind in {ROSTER_PERSON, LINK}:
        return sorted({identifier for value in values for identifier in value["identifiers"]})
    if entry.kind == SHARED:
        return sorted({value["identifier"] for value in values})
    return ()


class Resolver:
    """Works out persons; made anew for each step, since it remembers what it has read.

    Args:
        commons: Links and shared mailboxes.
        rosters: The recorded values of each institution.
        derived: What the last step left.
        salt: Makes ids of identifiers.
    """

    def __init__(
        self,
        commons: RecordedTables,
        rosters: Mapping[InstitutionId, RecordedTables],
        derived: DerivedTables,
        salt: bytes,
    ) -> None:
        """Keep what was handed in."""
        self._commons = commons
        self._places = frozenset(rosters)
        self._rosters = {place: one for place, one in rosters.items() if one.list(ROSTER_PERSON, limit=1)}
        self._has_links = bool(commons.list(LINK, limit=1))
        self._has_shared = bool(commons.list(SHARED, limit=1))
        self._shared: dict[str, Json | None] = {}
        self._derived = derived
        self._salt = salt

    def identity(self, identifier: str) -> IdentityId:
        """Return the id of an identifier."""
        return identity_of(identifier, self._salt)

    def identifiers_of(self, identities: Iterable[str]) -> Sequence[str]:
        """Return the identifiers of identities that are known."""
        rows = self._derived.rows_of(IDENTITIES, list(identities))
        return [orjson.loads(row.content)["identifier"] for row in rows if not row.key]

    def resolve(self, touched: Iterable[str]) -> Resolved:
        """Work out the whole persons to whom identifiers belong, or belonged until now.

        Raises:
            StoreError: The store failed.
        """
        reached = _Reached(self._facts_of)
        reached.follow(touched)
        learners: set[str] = set()
        asked: set[str] = set()
        while fresh := {self.identity(name) for name in reached.facts} - asked:
            asked |= fresh
            found = self._learners_of(fresh) - learners
            learners |= found
            rows = self._derived.rows_of(LEARNERS, sorted(found))
            members = {one for row in rows for one in orjson.loads(row.content)["identities"]}
            reached.follow(self.identifiers_of(sorted(members - asked)))
        before = self._rows_before(sorted(asked)) | {RowName(LEARNERS, one, "") for one in learners}
        return Resolved(self._persons(reached), frozenset(before), frozenset(learners))

    def _learners_of(self, identities: Iterable[str]) -> set[str]:
        rows = self._derived.rows_of(MEMBERS, sorted(identities))
        return {orjson.loads(row.content)["learner"] for row in rows}

    def _rows_before(self, identities: Sequence[str]) -> set[RowName]:
        names: set[RowName] = set()
        for row in self._derived.rows_of(IDENTITIES, identities):
            names.add(row.name)
            if row.key:
                names.add(RowName(PLACES, row.key, row.owner))
                continue
            names.add(RowName(MEMBERS, row.owner, ""))
            hashed = sha1_of(orjson.loads(row.content)["identifier"])
            if hashed:
                names.add(RowName(MAILBOXES, self.identity(hashed), row.owner))
        return names

    def _persons(self, reached: "_Reached") -> Sequence[Person]:
        facts = {name: found for name, found in reached.facts.items() if self._is_known(name, found)}
        edges = {edge for found in facts.values() for edge in found.edges if set(edge[1:]) <= facts.keys()}
        apart = [pair for found in facts.values() for pair in found.apart]
        clusters = find_clusters(facts, edges, apart)
        persons = [self._person(cluster, facts) for cluster in clusters]
        return sorted(persons, key=lambda person: person.learner_id)

    def _is_known(self, identifier: str, facts: "_Facts") -> bool:
        """Tell whether something speaks of an identifier; of a mailbox its own SHA-1 does not.

        One of which everything was voided must not live on by the records of its SHA-1.
        """
        if facts.roster or facts.linked or sha1_of(identifier) is None:
            return True
        identity = self.identity(identifier)
        first = self._derived.rows(ACTS, identity, "", 1)
        if not first or self._is_there(first[0]):
            return bool(first)
        return any(map(self._is_there, self._derived.rows(ACTS, identity)))

    def _is_there(self, act: Row) -> bool:
        """Tell whether the institution is there that an act's row names; it stands last in its key."""
        return act.key.rpartition(" ")[2] in self._places

    def _person(self, cluster: Iterable[str], facts: Mapping[str, "_Facts"]) -> Person:
        identities = {self.identity(name): name for name in cluster}
        ordered = {one: identities[one] for one in sorted(identities)}
        hashes = {one: sha1_of(name) for one, name in ordered.items()}
        own = [facts[name] for name in ordered.values()]
        roster = {
            (place, row.subject): (place, row)
            for found in own
            if not found.is_shared
            for place, row in found.roster
        }
        return Person(
            identities=ordered,
            hashes={one: self.identity(name) for one, name in hashes.items() if name},
            roster=[roster[key] for key in sorted(roster)],
            shared=any(found.is_undecided for found in own),
            linked=any(found.linked for found in own),
        )

    def _facts_of(self, identifier: str) -> "_Facts":
        """Read everything that is recorded of one identifier."""
        facts = _Facts()
        shared = self._find_shared([identifier])
        facts.is_shared = identifier in shared
        facts.is_undecided = facts.is_shared and shared[identifier]["state"] == "shared"
        self._add_hashes(facts, identifier)
        self._add_roster(facts, identifier)
        self._add_links(facts, identifier)
        return facts

    def _find_shared(self, identifiers: Sequence[str]) -> Mapping[str, Json]:
        """Return those of the identifiers that are shared; each is asked for once."""
        fresh = [name for name in identifiers if name not in self._shared] if self._has_shared else []
        if fresh:
            found = self._commons.find_many(SHARED, fresh)
            self._shared.update({name: found[name].value if name in found else None for name in fresh})
        return {name: value for name in identifiers if (value := self._shared.get(name)) is not None}

    def _add_hashes(self, facts: "_Facts", identifier: str) -> None:
        hashed = sha1_of(identifier)
        if hashed:
            facts.edges.add(make_edge(Ground.HASH, identifier, hashed))
        elif identifier.startswith(HASHED):
            self._add_mailboxes(facts, identifier)

    def _add_mailboxes(self, facts: "_Facts", identifier: str) -> None:
        for row in self._derived.rows(MAILBOXES, self.identity(identifier)):
            facts.add_mailbox(orjson.loads(row.content)["identifier"], identifier)

    def _add_roster(self, facts: "_Facts", identifier: str) -> None:
        """Add the rows that name it; where it is shared they join it to nothing."""
        for place, tables in self._rosters.items():
            for found in tables.find_by(ROSTER_PERSON, f"id:{identifier}", limit=_MANY):
                row = person_from(found.value)
                facts.add_mailboxes(row.identifiers, identifier)
                if identifier in row.identifiers:
                    facts.roster.append((place, row))
                    self._add_roster_edges(facts, row, identifier)

    def _add_roster_edges(self, facts: "_Facts", row: RosterPerson, identifier: str) -> None:
        if facts.is_shared:
            return
        others = [name for name in row.identifiers if name != identifier]
        shared = self._find_shared(others)
        facts.edges |= {
            make_edge(Ground.ROSTER, identifier, other) for other in others if other not in shared
        }

    def _add_links(self, facts: "_Facts", identifier: str) -> None:
        links = self._commons.find_by(LINK, f"id:{identifier}", limit=_MANY) if self._has_links else ()
        for found in links:
            one, other = found.value["identifiers"]
            facts.add_mailboxes((one, other), identifier)
            if identifier not in {one, other}:
                continue
            facts.linked = True
            if found.value["state"] == "linked":
                facts.edges.add(make_edge(Ground.PERSON, one, other))
            else:
                facts.apart.add(make_pair(one, other))


@dataclass(slots=True)
class _Facts:
    """What is recorded of one identifier."""

    edges: set[Edge] = field(default_factory=set)
    apart: set[Pair] = field(default_factory=set)
    roster: list[tuple[InstitutionId, RosterPerson]] = field(default_factory=list)
    is_shared: bool = False
    is_undecided: bool = False
    linked: bool = False

    def add_mailbox(self, mailbox: str, identifier: str) -> None:
        """Add the edge from an identifier to a mailbox of which it is the SHA-1."""
        if sha1_of(mailbox) == identifier:
            self.edges.add(make_edge(Ground.HASH, mailbox, identifier))

    def add_mailboxes(self, mailboxes: Iterable[str], identifier: str) -> None:
        """Add edges to those of some identifiers that are mailboxes with this SHA-1."""
        for mailbox in mailboxes:
            self.add_mailbox(mailbox, identifier)

    def neighbours(self) -> Iterable[str]:
        """Return every identifier that an edge or a pair names."""
        for edge in self.edges:
            yield edge.one
            yield edge.other
        for pair in self.apart:
            yield from pair


class _Reached:
    """All identifiers that edges and pairs reach from some, with what is recorded of each."""

    def __init__(self, facts_of: Callable[[str], _Facts]) -> None:
        self._facts_of = facts_of
        self.facts: dict[str, _Facts] = {}

    def follow(self, identifiers: Iterable[str]) -> None:
        """Follow edges and pairs from identifiers, to the end."""
        waiting = list(identifiers)
        while waiting:
            name = waiting.pop()
            if name not in self.facts:
                self.facts[name] = self._facts_of(name)
                waiting += self.facts[name].neighbours()


def open_rosters(
    institutions: Iterable[InstitutionHandle], open_recorded: Callable[[InstitutionHandle], RecordedTables]
) -> Mapping[InstitutionId, RecordedTables]:
    """Open the rosters of institutions, for the Resolver."""
    return {one.institution_id: open_recorded(one) for one in institutions}
