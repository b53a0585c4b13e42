"""What the rows of a source say of who people are, as the rows of a roster."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.base import RosterFact
from lrs.learners.roster_file import RosterRow
from lrs.learners.service import MAX_ROSTER_NAME
from lrs.sources.model import digest_of

_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Gathered:
    """The people that the rows of a source tell of.

    Attributes:
        contradicted: Ids to which the rows give two names or two birth dates; nothing is taken
            of them, since their identifiers may be two persons'.
    """

    rows: Sequence[RosterRow]
    contradicted: Sequence[str]


@dataclass(slots=True)
class _Person:
    """Everything that the rows of one id say."""

    names: dict[str, str] = field(default_factory=dict)
    birth_dates: set[str] = field(default_factory=set)
    groups: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)

    @property
    def is_contradicted(self) -> bool:
        return len(self.names) > 1 or len(self.birth_dates) > 1


def gather_people(facts: Sequence[RosterFact]) -> Gathered:
    """Join the facts of each person, in the order of their first ones; a name may be written in any case."""
    people: dict[str, _Person] = {}
    for fact in facts:
        person = people.setdefault(fact.sourced_id, _Person())
        if fact.name:
            person.names.setdefault(" ".join(fact.name.casefold().split()), fact.name)
        if fact.birth_date:
            person.birth_dates.add(fact.birth_date)
        person.groups += [one for one in fact.groups if one not in person.groups]
        person.identifiers += [one for one in fact.identifiers if one not in person.identifiers]
    good = {id_: person for id_, person in people.items() if not person.is_contradicted}
    rows = [_row(at, id_, person) for at, (id_, person) in enumerate(good.items(), 1)]
    return Gathered(rows, [id_ for id_ in people if id_ not in good])


def roster_name(source: str) -> str:
    """Return the name of a source's roster: its own, or, where that can be none, one like no other's."""
    plain = "".join(char if char.isprintable() and char != "/" else "-" for char in source)
    if plain == source and len(plain) <= MAX_ROSTER_NAME:
        return plain
    return f"{plain[: MAX_ROSTER_NAME - _DIGITS - 1]} {digest_of(source.encode())[:_DIGITS]}"


def _row(at: int, sourced_id: str, person: _Person) -> RosterRow:
    values = {
        "sourcedId": sourced_id,
        "name": "".join(person.names.values()),
        "birthDate": "".join(person.birth_dates),
        "groups": "|".join(person.groups),
    }
    return RosterRow(at, values, tuple(person.identifiers))
