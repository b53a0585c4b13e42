"""A roster: what an institution says of its people. Pure.

Each value stands as that institution gives it; two institutions may say different things.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from lrs.learners.identifiers import sha1_of
from lrs.learners.kinds import identifier_terms
from lrs.tables.recorded import Wish

MOST_IDENTIFIERS = 20
"""How many identifiers one person of a roster may have."""


@dataclass(frozen=True, slots=True)
class RosterPerson:
    """One person as one roster says.

    Attributes:
        name: Given and family name with a space between; either may be missing in the source.
        birth_date: ``YYYY-MM-DD``.
        groups: Classes and other groups, as the roster calls them.
        identifiers: In order, each once; at least one.
    """

    roster: str
    sourced_id: str
    name: str
    birth_date: str | None
    role: str
    groups: tuple[str, ...]
    grade: str
    identifiers: tuple[str, ...]

    @property
    def subject(self) -> str:
        """By what it is recorded."""
        return f"{self.roster}/{self.sourced_id}"

    @property
    def wish(self) -> Wish:
        """What is recorded, and what it is found by."""
        value = {
            "roster": self.roster,
            "sourcedId": self.sourced_id,
            "name": self.name,
            "role": self.role,
            "groups": list(self.groups),
            "grade": self.grade,
            "identifiers": list(self.identifiers),
        }
        if self.birth_date:
            value["birthDate"] = self.birth_date
        return Wish(value, identifier_terms(self.identifiers))


def person_from(value: Mapping[str, Any]) -> RosterPerson:
    """Read a person from what is recorded."""
    return RosterPerson(
        value["roster"],
        value["sourcedId"],
        value["name"],
        value.get("birthDate"),
        value["role"],
        tuple(value["groups"]),
        value["grade"],
        tuple(value["identifiers"]),
    )


def are_two(one: RosterPerson, other: RosterPerson) -> bool:
    """Tell whether two rows of one institution that give the same identifier are of two persons.

    Within one roster every sourcedId is a person. Two rosters are of one person only where
    the rows do not contradict each other and have the name or the birth date in common. Twins
    have the birth date in common: beside it, the words of one name must be among the other's.
    """
    if one.subject == other.subject:
        return False
    if one.roster == other.roster:
        return True
    words, others = (set(person.name.casefold().split()) for person in (one, other))
    if one.birth_date and other.birth_date:
        return one.birth_date != other.birth_date or not (words <= others or others <= words)
    return not words or words != others


def find_shared(people: Iterable[RosterPerson]) -> Mapping[str, Sequence[str]]:
    """Find identifiers that one institution's rosters give to two persons.

    A mailbox and its SHA-1 are one in this: where one is given to two, both are shared.

    Args:
        people: All whose claims are to be compared, of one institution.

    Returns:
        The subjects of who claims each identifier, in order.
    """
    claims: dict[str, dict[str, RosterPerson]] = {}
    for person in people:
        for identifier in person.identifiers:
            claims.setdefault(sha1_of(identifier) or identifier, {})[person.subject] = person
    shared: dict[str, Sequence[str]] = {}
    for claimed, by_subject in claims.items():
        claimants = [by_subject[subject] for subject in sorted(by_subject)]
        if any(are_two(one, other) for one, other in combinations(claimants, 2)):
            for identifier in _forms(claimed, claimants):
                shared[identifier] = sorted(by_subject)
    return shared


def _forms(claimed: str, claimants: Sequence[RosterPerson]) -> set[str]:
    given = {name for person in claimants for name in person.identifiers}
    return {claimed, *(name for name in given if sha1_of(name) == claimed)}
