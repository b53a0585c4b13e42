"""What the rows of a source say of who people are, as the rows of a roster."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.base import RosterFact
from lrs.learners.roster_file import RosterRow


@dataclass(slots=True)
class _Person:
    """Everything that the rows of one person say; the first name and birth date stand."""

    name: str = ""
    birth_date: str = ""
    groups: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)


def roster_rows(facts: Sequence[RosterFact]) -> Sequence[RosterRow]:
    """Join the facts of each person, in the order of their first ones."""
    people: dict[str, _Person] = {}
    for fact in facts:
        person = people.setdefault(fact.sourced_id, _Person())
        person.name = person.name or fact.name
        person.birth_date = person.birth_date or fact.birth_date or ""
        person.groups += [one for one in fact.groups if one not in person.groups]
        person.identifiers += [one for one in fact.identifiers if one not in person.identifiers]
    return [RosterRow(at, _values(id_, person)) for at, (id_, person) in enumerate(people.items(), 1)]


def _values(sourced_id: str, person: _Person) -> dict[str, str]:
    return {
        "sourcedId": sourced_id,
        "name": person.name,
        "birthDate": person.birth_date,
        "groups": "|".join(person.groups),
        "identifiers": "|".join(person.identifiers),
    }
