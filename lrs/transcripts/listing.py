"""Whose transcripts a school can make: the learners of its own rosters, by name.

Only what the school knows itself is read; nothing of others is opened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle
from lrs.consent.model import GRANTED
from lrs.consent.service import ConsentService
from lrs.learners.handles import LearnerId
from lrs.learners.kinds import ROSTER_PERSON
from lrs.learners.roster import RosterPerson, person_from
from lrs.learners.service import LearnerService
from lrs.tables.recorded import OpenRecorded

STUDENT = "student"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A learner of the school's roster.

    Attributes:
        learner: None while no record or roster has been worked in under an identifier that is theirs alone.
        shares: Whether a consent for transcripts stands.
    """

    learner: LearnerId | None
    name: str
    birth_date: str
    groups: tuple[str, ...]
    shares: bool


@dataclass(frozen=True, slots=True)
class Candidates:
    """A page of them, in order of name.

    Attributes:
        count: How many there are on all pages.
        pages: How many pages there are; at least one.
    """

    learners: tuple[Candidate, ...]
    count: int
    pages: int


class Listing:
    """Lists the learners of a school's rosters.

    Args:
        learners: Knows who is who.
        consents: Knows who shares something with the school.
        open_recorded: Opens the rosters.
        purpose: What consents must be for.
    """

    def __init__(
        self, learners: LearnerService, consents: ConsentService, open_recorded: OpenRecorded, purpose: str
    ) -> None:
        """Keep what was handed in."""
        self._learners = learners
        self._consents = consents
        self._open = open_recorded
        self._purpose = purpose

    def page(self, handle: InstitutionHandle, wanted: str, number: int, limit: int) -> Candidates:
        """Return a page.

        Args:
            handle: The school's.
            wanted: Only learners with this in their name or the name of a group; empty for all.
            number: Of the page, from 1.
            limit: How many a page has.
        """
        rows = [row for row in self._rows(handle) if _is_wanted(row, wanted)]
        rows.sort(key=lambda row: (row.name.casefold(), row.subject))
        shown = rows[(number - 1) * limit : number * limit]
        pages = max(1, -(-len(rows) // limit))
        return Candidates(tuple(self._candidates(handle, shown)), len(rows), pages)

    def _rows(self, handle: InstitutionHandle) -> Iterable[RosterPerson]:
        tables, after = self._open(handle), ""
        while page := tables.list(ROSTER_PERSON, after, _PAGE):
            yield from (person_from(one.value) for one in page if one.value["role"] == STUDENT)
            after = page[-1].subject

    def _candidates(self, handle: InstitutionHandle, rows: Sequence[RosterPerson]) -> Iterable[Candidate]:
        shared = {
            one.learner
            for one in self._consents.list_given(handle)
            if one.consent.terms.purpose == self._purpose and one.state == GRANTED
        }
        for row in rows:
            learner = self._learner_of(handle, row)
            yield Candidate(learner, row.name, row.birth_date or "", row.groups, learner in shared)

    def _learner_of(self, handle: InstitutionHandle, row: RosterPerson) -> LearnerId | None:
        """Return whom a row is of: the learner of an identifier that is nobody else's."""
        for identifier in row.identifiers:
            learner = self._learners.reader.learner(self._learners.identity(identifier))
            if learner and row.subject in {
                one.subject for one in self._learners.roster_rows(handle, learner)
            }:
                return learner.id
        return None


def _is_wanted(row: RosterPerson, wanted: str) -> bool:
    text = wanted.strip().casefold()
    return not text or any(text in one.casefold() for one in (row.name, *row.groups))
