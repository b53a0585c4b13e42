"""Use cases of learners: find, list, join, part, and what rosters say."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.clock import Clock
from lrs.errors import InvalidParameter, NotFound, Problem
from lrs.learners.clusters import make_pair
from lrs.learners.handles import IdentityId, LearnerHandle, LearnerId
from lrs.learners.identifiers import identity_of, is_id, parse_identifier, sha1_of
from lrs.learners.kinds import LINK, ROSTER_PERSON, SHARED, identifier_terms
from lrs.learners.reading import Learner, LearnerPage, LearnerReader
from lrs.learners.roster import RosterPerson, find_shared, person_from
from lrs.learners.roster_file import ReadRoster, RejectedRow, RosterRow, read_roster
from lrs.learners.salt import read_salt
from lrs.tables.derived import DerivedTables
from lrs.tables.recorded import Json, OpenRecorded, Recorded, RecordedTables, Wish

MAX_ROSTER_NAME = 100
"""How long the name of a roster may be."""

_PAGE = 1000

_LOOKED_UP = 20
"""Looking up one costs about as much as listing so many."""


@dataclass(frozen=True, slots=True)
class RosterOptions:
    """How a roster is taken.

    Attributes:
        home_page: With it, sourcedId and username are accounts there.
        full: Whoever is not in it any more is removed from it.
    """

    home_page: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class RosterImport:
    """What came of a roster.

    Attributes:
        read: Rows.
        stored: People who are new or changed.
        already: People who were there, the same.
        removed: People who are not in it any more.
        kept: People who are not in it any more and were left: rows without an id were rejected.
        rejected: Rows that were left out, in order.
        shared: Identifiers that are given to two persons, with who claims each.
    """

    read: int
    stored: int
    already: int
    removed: int
    kept: int
    rejected: Sequence[RejectedRow]
    shared: Mapping[str, Sequence[str]]


class LearnerService:
    """What can be done with learners.

    Args:
        open_recorded: Opens the rosters of an institution.
        commons: Links and shared mailboxes.
        derived: Who is who.
        clock: Now.
        random_bytes: Makes the salt of ids, once for the instance.
    """

    def __init__(
        self,
        open_recorded: OpenRecorded,
        commons: RecordedTables,
        derived: DerivedTables,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Keep what was handed in."""
        self._open_recorded = open_recorded
        self._commons = commons
        self._clock = clock
        self._random_bytes = random_bytes
        self._salt: bytes | None = None
        self.reader = LearnerReader(derived)

    def salt(self) -> bytes:
        """Return the salt that makes ids of identifiers; made by the first who asks."""
        if self._salt is None:
            self._salt = read_salt(self._commons, self._random_bytes, self._clock)
        return self._salt

    def identity(self, identifier: str) -> IdentityId:
        """Return the id of an identifier."""
        return identity_of(identifier, self.salt())

    def find(self, identifier_or_id: str) -> Learner:
        """Return the learner whom an identifier, or an id of the learner or of an identity, means.

        Raises:
            NotFound: Nobody is known by it, or not yet: what was stored has still to be derived.
        """
        text = identifier_or_id.strip()
        identifier = parse_identifier(text)
        found = None
        if is_id(text):
            found = self.reader.learner(text)
        if found is None and identifier is not None:
            found = self.reader.learner(self.identity(identifier))
        if found is None:
            raise NotFound(f'No learner is known by "{text}".')
        return found

    def find_there(self, institution: InstitutionId, identifier_or_id: str) -> Learner | None:
        """Return an institution's learner by what the institution itself knows them by, or None.

        What only others know leads it to nobody: so it learns of no link that others made.
        """
        text = identifier_or_id.strip()
        try:
            found = self.find(text)
        except NotFound:
            return None
        own = [one for one in found.identities if institution in one.names]
        known = {name for one in own for name in (one.id, one.identifier, sha1_of(one.identifier))}
        return found if own and ({text, parse_identifier(text)} & known or text == found.id) else None

    def list(
        self, institution: InstitutionId | None = None, after: str = "", limit: int = 100
    ) -> LearnerPage:
        """Return learners, of one institution or all, a page at a time."""
        return self.reader.list_learners(institution, after, limit)

    def own(self, identifier_or_id: str) -> LearnerHandle:
        """Return the handle that opens everything of a learner; the caller has seen that it is theirs.

        Raises:
            NotFound: Nobody is known by it.
        """
        learner = self.find(identifier_or_id)
        return LearnerHandle(LearnerId(learner.id), learner.identity_ids)

    def roster_rows(self, handle: InstitutionHandle, learner: Learner) -> Sequence[RosterPerson]:
        """Return what an institution's rosters say of a learner, in order of subject.

        A row counts only by an identifier that is not shared: a shared one is nobody's.
        """
        names = [one.identifier for one in learner.identities]
        shared = self._commons.find_many(SHARED, names)
        tables = self._open_recorded(handle)
        found = {
            row.subject: person_from(row.value)
            for name in names
            if name not in shared
            for row in tables.find_by(ROSTER_PERSON, f"id:{name}", limit=_PAGE)
            if name in row.value["identifiers"]
        }
        return [found[subject] for subject in sorted(found)]

    def link(self, one: str, other: str, by: str, why: str = "") -> tuple[str, str]:
        """Record that two identifiers are one person's.

        It counts for a shared mailbox too: that is how a person decides whose it is.

        Args:
            one: An identifier, or the id of an identity or a learner.
            other: Another one.
            by: Who says so.
            why: In words.

        Returns:
            Both identifiers, in order.

        Raises:
            InvalidParameter: One is no identifier, or both are the same.
            NotFound: An id is unknown.
        """
        pair = self._pair(one, other)
        self._record(pair, "linked", by, why)
        for identifier in pair:
            self._decide(identifier)
        return pair

    def unlink(self, one: str, other: str, by: str, why: str = "") -> tuple[str, str]:
        """Record that two identifiers are not one person's, whatever else joins them; as ``link``."""
        pair = self._pair(one, other)
        self._record(pair, "apart", by, why)
        return pair

    def forget(self, handle: LearnerHandle) -> int:
        """Take away what was decided of a learner's identifiers: links, shared ones; return how much it was.

        For who is taken away whole, such as the people of the demo; a learner who stays is unlinked.
        """
        learner = self.reader.learner(handle.learner_id)
        identifiers = [one.identifier for one in learner.identities] if learner else []
        now, count = self._clock(), 0
        for kind in (LINK, SHARED):
            subjects = {
                one.subject
                for identifier in identifiers
                for one in self._commons.find_by(kind, f"id:{identifier}", limit=_PAGE)
            }
            wishes = [(subject, Wish(None)) for subject in sorted(subjects)]
            count += self._commons.change_all(kind, wishes, now)
        return count

    def import_roster(
        self,
        handle: InstitutionHandle,
        name: str,
        rows: Iterable[RosterRow],
        options: RosterOptions | None = None,
    ) -> RosterImport:
        """Take what a roster says of an institution's people; twice over changes nothing.

        Raises:
            InvalidParameter: The name of the roster is no name.
            StoreError: The store failed; what was written until then stays, and the same again ends it.
        """
        if not name or len(name) > MAX_ROSTER_NAME or "/" in name or not name.isprintable():
            raise InvalidParameter(
                f'"{name}" is no name for a roster: up to {MAX_ROSTER_NAME} characters, without a slash.'
            )
        options = options or RosterOptions()
        listed = list(rows)
        found = read_roster(name, listed, options.home_page)
        tables = self._open_recorded(handle)
        shared = self._record_shared(handle, tables, found.people)
        now = self._clock()
        stored = tables.change_all(
            ROSTER_PERSON, [(person.subject, person.wish) for person in found.people], now
        )
        if stored:  # another roster may have been taken meanwhile: who writes last sees both
            shared = self._record_shared(handle, tables, found.people)
        removed, kept = self._remove_missing(tables, name, found) if options.full else (0, 0)
        return RosterImport(
            read=len(listed),
            stored=stored,
            already=len(found.people) - stored,
            removed=removed,
            kept=kept,
            rejected=found.rejected,
            shared=shared,
        )

    def _pair(self, one: str, other: str) -> tuple[str, str]:
        pair = make_pair(self._identifier("one", one), self._identifier("other", other))
        if pair[0] == pair[1]:
            raise InvalidParameter("Both are the same identifier.")
        return pair

    def _identifier(self, name: str, text: str) -> str:
        text = text.strip()
        identifier = parse_identifier(text)
        if identifier is None and is_id(text):
            known = self.reader.identifier_of(text)
            if known is None:
                raise NotFound(f"No identifier has the id {text}.")
            return known
        if identifier is None:
            message = "This is no identifier; write mailto:…, HOMEPAGE NAME of an account, or an id."
            raise InvalidParameter(
                f'"{text}" is no identifier.', [Problem(name, "learner.identifier", message)]
            )
        return identifier

    def _record(self, pair: tuple[str, str], state: str, by: str, why: str) -> None:
        value = {"identifiers": list(pair), "state": state, "by": by, "why": why}
        wish = Wish(value, identifier_terms(pair))
        self._commons.change(LINK, "\n".join(pair), lambda _: wish, self._clock())

    def _decide(self, identifier: str) -> None:
        """Say of a shared mailbox, and of its SHA-1, that a person has decided whose it is."""

        def decide(there: Recorded | None) -> Wish | None:
            return _shared({**there.value, "state": "decided"}) if there else None

        for shared in self._commons.find_by(SHARED, f"id:{sha1_of(identifier) or identifier}"):
            self._commons.change(SHARED, shared.subject, decide, self._clock())

    def _record_shared(
        self, handle: InstitutionHandle, tables: RecordedTables, people: Sequence[RosterPerson]
    ) -> Mapping[str, Sequence[str]]:
        """Record what is given to two persons, before the rows themselves, so that none joins them."""
        shared = find_shared([*people, *_others(tables, people)])
        for identifier, subjects in shared.items():
            claims = [f"{handle.institution_id}/{subject}" for subject in subjects]
            self._commons.change(SHARED, identifier, _claim(identifier, claims), self._clock())
        return shared

    def _remove_missing(self, tables: RecordedTables, name: str, found: ReadRoster) -> tuple[int, int]:
        """Remove whom a full roster does not have; a rejected row's person is not missing."""
        present = {person.subject for person in found.people}
        present |= {f"{name}/{one.sourced_id}" for one in found.rejected}
        missing = [subject for subject in _subjects(tables, name) if subject not in present]
        if any(not one.sourced_id for one in found.rejected):
            return 0, len(missing)
        now = self._clock()
        return tables.change_all(ROSTER_PERSON, [(subject, Wish(None)) for subject in missing], now), 0


def _claim(identifier: str, claims: Sequence[str]) -> Callable[[Recorded | None], Wish]:
    def decide(there: Recorded | None) -> Wish:
        known = there.value["claimedBy"] if there else []
        state = there.value["state"] if there else "shared"
        return _shared({"identifier": identifier, "state": state, "claimedBy": sorted({*known, *claims})})

    return decide


def _shared(value: Json) -> Wish:
    return Wish(value, identifier_terms([value["identifier"]]))


def _others(tables: RecordedTables, people: Sequence[RosterPerson]) -> Iterable[RosterPerson]:
    """Return recorded people who claim an identifier of these and are not among them.

    A few are looked up one by one; for many it is cheaper to look at everybody.
    """
    own = {person.subject for person in people}
    terms = {term for person in people for term in identifier_terms(person.identifiers)}
    found = _iter_all(tables)
    if len(terms) * _LOOKED_UP < tables.count(ROSTER_PERSON):
        found = (one for term in sorted(terms) for one in tables.find_by(ROSTER_PERSON, term, limit=_PAGE))
    others = {one.subject: one.value for one in found if one.subject not in own}
    claimants = (person_from(value) for value in others.values())
    return [person for person in claimants if terms.intersection(identifier_terms(person.identifiers))]


def _iter_all(tables: RecordedTables, after: str = "") -> Iterator[Recorded]:
    while page := tables.list(ROSTER_PERSON, after, _PAGE):
        yield from page
        after = page[-1].subject


def _subjects(tables: RecordedTables, name: str) -> Iterator[str]:
    """Yield the subjects of a roster's people, in order."""
    prefix = f"{name}/"
    for one in _iter_all(tables, prefix):
        if not one.subject.startswith(prefix):
            return
        yield one.subject
