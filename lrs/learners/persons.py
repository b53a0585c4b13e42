"""A person and the derived rows that say so. Pure: out of links, rosters and acts, the same rows whenever."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from lrs.access.handles import InstitutionId
from lrs.learners.acts import Act, act_key
from lrs.learners.handles import IdentityId, LearnerId
from lrs.learners.kinds import IDENTITIES, LEARNERS, MAILBOXES, MEMBERS, PLACES
from lrs.learners.roster import RosterPerson
from lrs.tables.derived import Row


@dataclass(frozen=True, slots=True)
class Person:
    """Identifiers that are one person's, with what rosters say.

    Attributes:
        identities: The id of each identifier, in order of id.
        hashes: The identity of the SHA-1 of each of its mailboxes, by the mailbox's identity.
        roster: Rows that name one of the identifiers, with the institution whose they are.
        shared: An identifier of it is given to two persons, and nobody has decided whose it is.
        linked: Somebody has joined or parted an identifier of it.
    """

    identities: Mapping[IdentityId, str]
    hashes: Mapping[IdentityId, IdentityId]
    roster: Sequence[tuple[InstitutionId, RosterPerson]]
    shared: bool
    linked: bool

    @property
    def learner_id(self) -> LearnerId:
        """The smallest of its identities' ids."""
        return LearnerId(min(self.identities))


Names = Mapping[str, str | None]
"""What an identity is called, by institution; None where no name is given there."""


def rows_of(person: Person, acts: Mapping[IdentityId, Sequence[Act]]) -> Sequence[Row]:
    """Make every row that says who a person is.

    Args:
        person: Whom.
        acts: All acts of each of its identities, in any order.

    Returns:
        None where nothing is known of the person: no act, no row of a roster, no link.
    """
    if not (person.roster or person.linked or any(acts.get(one) for one in person.identities)):
        return ()
    names = {one: _names(person, one, acts.get(one, ())) for one in person.identities}
    rows = [_learner_row(person, names, acts)]
    for one, identifier in person.identities.items():
        rows.append(_row(IDENTITIES, one, "", {"identifier": identifier}))
        rows.append(_row(MEMBERS, one, "", {"learner": person.learner_id}))
        rows += [_row(IDENTITIES, one, place, {"name": name}) for place, name in names[one].items()]
        rows += [_row(PLACES, place, one, {}) for place in names[one]]
    rows += [
        _row(MAILBOXES, hashed, one, {"identifier": person.identities[one]})
        for one, hashed in person.hashes.items()
    ]
    return rows


def _names(person: Person, identity: IdentityId, acts: Iterable[Act]) -> Names:
    """Return the name that each institution gives: its roster's, else that of the latest act."""
    names: dict[str, str | None] = {}
    for act in sorted(acts, key=act_key):
        names[act.institution] = act.name or names.get(act.institution)
    identifier = person.identities[identity]
    for place, row in sorted(person.roster, key=_roster_order, reverse=True):
        if identifier in row.identifiers:
            names[place] = row.name or names.get(place)
    return dict(sorted(names.items()))


def _roster_order(one: tuple[InstitutionId, RosterPerson]) -> tuple[str, str]:
    return one[0], one[1].subject


def _learner_row(
    person: Person, names: Mapping[IdentityId, Names], acts: Mapping[IdentityId, Sequence[Act]]
) -> Row:
    given = [row.name for _, row in sorted(person.roster, key=_roster_order) if row.name]
    latest = max(
        (act for one in person.identities for act in acts.get(one, ()) if act.name),
        key=act_key,
        default=None,
    )
    if not given and latest and latest.name:
        given = [latest.name]
    everywhere = {name for by_place in names.values() for name in by_place.values() if name}
    content = {
        "identities": list(person.identities),
        "name": given[0] if given else None,
        "names": sorted(everywhere),
        "birthDates": sorted({row.birth_date for _, row in person.roster if row.birth_date}),
        "institutions": sorted({place for by_place in names.values() for place in by_place}),
        "shared": person.shared,
    }
    return _row(LEARNERS, person.learner_id, "", content)


def _row(table: str, owner: str, key: str, content: Mapping[str, object]) -> Row:
    return Row(table, owner, key, orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
