"""Reading who is who, out of what was derived."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from lrs.access.handles import InstitutionId
from lrs.learners.acts import ACTS, Act, act_from, act_key
from lrs.learners.handles import IdentityId, LearnerId
from lrs.learners.kinds import IDENTITIES, LEARNERS, MEMBERS, PLACES
from lrs.tables.derived import DerivedTables, Row

MOST_LISTED = 1000
"""How many learners one page may have."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One identifier of a learner.

    Attributes:
        names: What each institution calls it, by institution; None where it gives no name.
    """

    id: IdentityId
    identifier: str
    names: Mapping[InstitutionId, str | None]


@dataclass(frozen=True, slots=True)
class Learner:
    """A person, as far as one may see.

    Attributes:
        name: The first roster's that gives one, else that of the latest act.
        names: All names that anyone gives.
        birth_dates: ``YYYY-MM-DD``; more than one where institutions disagree.
        institutions: Where there are acts or a row of a roster.
        shared: A mailbox of theirs was given to two persons, and nobody decided whose it is.
    """

    id: LearnerId
    name: str | None
    names: tuple[str, ...]
    birth_dates: tuple[str, ...]
    institutions: tuple[InstitutionId, ...]
    identities: tuple[Identity, ...]
    shared: bool

    @property
    def identity_ids(self) -> tuple[IdentityId, ...]:
        """The ids of all identities, in order."""
        return tuple(one.id for one in self.identities)


@dataclass(frozen=True, slots=True)
class LearnerPage:
    """Learners; ``after`` is what to ask for next, None at the end."""

    learners: Sequence[Learner]
    after: str | None


class LearnerReader:
    """Reads learners from derived rows; who may see them is asked before.

    Args:
        derived: What was derived.
    """

    def __init__(self, derived: DerivedTables) -> None:
        """Keep what was handed in."""
        self._derived = derived

    def learner_of(self, identity_or_learner: str) -> LearnerId | None:
        """Return to whom an identity belongs now, None where nothing is known of it.

        An id that once was a learner's leads to the learner: it is an identity's.
        """
        row = self._derived.find(MEMBERS, identity_or_learner)
        return LearnerId(orjson.loads(row.content)["learner"]) if row else None

    def learner(self, identity_or_learner: str) -> Learner | None:
        """Return the learner to whom an identity belongs, or None."""
        learner_id = self.learner_of(identity_or_learner)
        row = self._derived.find(LEARNERS, learner_id) if learner_id else None
        return self._learners([row])[0] if row else None

    def identifier_of(self, identity: str) -> str | None:
        """Return the identifier whose id this is, None where nothing is known of it."""
        row = self._derived.find(IDENTITIES, identity)
        return str(orjson.loads(row.content)["identifier"]) if row else None

    def acts(
        self, identities: Iterable[IdentityId], institutions: frozenset[InstitutionId] | None = None
    ) -> Sequence[Act]:
        """Return what identities did, in order of (time, statement id).

        Args:
            identities: Whose.
            institutions: Only what is in these institutions' records; None for all.
        """
        acts = [act_from(row) for row in self._derived.rows_of(ACTS, sorted(identities))]
        wanted = (act for act in acts if institutions is None or act.institution in institutions)
        return sorted(wanted, key=act_key)

    def list_learners(
        self, institution: InstitutionId | None = None, after: str = "", limit: int = 100
    ) -> LearnerPage:
        """Return learners, a page at a time.

        Args:
            institution: Only those with acts, or a row of a roster, there; they stand in order of
                their first identity there. None for all, in order of id.
            after: What the page before gave.
            limit: At most so many.
        """
        if institution is None:
            owners = self._derived.owners(LEARNERS, after, limit + 1)
            more = owners[limit - 1] if len(owners) > limit else None
            return LearnerPage(self._learners(self._derived.rows_of(LEARNERS, owners[:limit])), more)
        return self._list_there(institution, after, limit)

    def _list_there(self, institution: InstitutionId, after: str, limit: int) -> LearnerPage:
        listed: list[Learner] = []
        while True:
            places = [row.key for row in self._derived.rows(PLACES, institution, after, limit + 1)]
            for one in self._of_identities(places):
                first = next(id_.id for id_ in one.identities if institution in id_.names)
                if first in places:
                    listed.append(one)
            if len(places) <= limit:
                return _page(listed, limit, institution, None)
            after = places[-1]
            if len(listed) > limit:
                return _page(listed, limit, institution, after)

    def _of_identities(self, identities: Sequence[str]) -> Sequence[Learner]:
        """Return the learners of identities, each once, in order of the identities."""
        members = self._derived.rows_of(MEMBERS, identities)
        ids = dict.fromkeys(orjson.loads(row.content)["learner"] for row in members)
        rows = {row.owner: row for row in self._derived.rows_of(LEARNERS, sorted(ids))}
        return self._learners([rows[one] for one in ids if one in rows])

    def _learners(self, rows: Sequence[Row]) -> Sequence[Learner]:
        contents = [(row.owner, orjson.loads(row.content)) for row in rows]
        wanted = sorted({one for _, content in contents for one in content["identities"]})
        identities = _identities(self._derived.rows_of(IDENTITIES, wanted))
        return [
            Learner(
                id=LearnerId(owner),
                name=content["name"],
                names=tuple(content["names"]),
                birth_dates=tuple(content["birthDates"]),
                institutions=tuple(content["institutions"]),
                identities=tuple(identities[one] for one in content["identities"] if one in identities),
                shared=content["shared"],
            )
            for owner, content in contents
        ]


def _page(
    listed: Sequence[Learner], limit: int, institution: InstitutionId, after: str | None
) -> LearnerPage:
    """Cut a list to a page; what comes next is told by the last learner's first identity there."""
    if len(listed) <= limit:
        return LearnerPage(listed, after)
    last = listed[limit - 1]
    return LearnerPage(listed[:limit], next(one.id for one in last.identities if institution in one.names))


def _identities(rows: Iterable[Row]) -> Mapping[str, Identity]:
    found: dict[str, Identity] = {}
    names: dict[str, dict[InstitutionId, str | None]] = {}
    for row in rows:
        content = orjson.loads(row.content)
        if row.key:
            names.setdefault(row.owner, {})[InstitutionId(row.key)] = content["name"]
        else:
            there = names.setdefault(row.owner, {})
            found[row.owner] = Identity(IdentityId(row.owner), content["identifier"], there)
    return found
