"""Use cases of consent: give, withdraw, and open what one may see of another's records.

Nothing crosses institutions by default. A consent hangs on the identity that it was made
under: it goes with that identity through merge and split. It opens only what lies under the
identities that were the learner's when it was given; a merge never widens it. Where a source
holds records under an identity that was joined since, the source stays closed until the
learner confirms, by granting again. So does all of it where an identity that it covers has
become somebody else's: two persons were taken for one when it was given.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.clock import Clock
from lrs.consent.awards import award_places, forget_award_places
from lrs.consent.bases import LegalBases
from lrs.consent.changes import disclosures_of, granting, withdrawing
from lrs.consent.handles import GrantedHandle, Ground, Kind
from lrs.consent.kinds import CONSENT, DISCLOSURE
from lrs.consent.model import (
    ENDED,
    GRANTED,
    Basis,
    Consent,
    Disclosure,
    Terms,
    begin_of,
    check_institutions,
    check_terms,
    consent_from,
    consent_value,
    day_of,
    disclosure_from,
    disclosure_value,
    grounds_for,
    merge_disclosures,
)
from lrs.errors import Conflict, InvalidParameter, NotFound
from lrs.learners.handles import IdentityId, LearnerHandle, LearnerId
from lrs.learners.reading import Learner
from lrs.learners.service import LearnerService
from lrs.tables.recorded import OpenRecorded, Recorded, RecordedTables, Wish

_PAGE = 1000

_BY = "learner"


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent as its learner sees it.

    Attributes:
        state: ``granted``, ``withdrawn`` or ``ended``.
        to_confirm: A source holds records under an identity that was joined since, or one that
            it covers is somebody else's now; it stays closed until the learner confirms.
    """

    consent: Consent
    state: str
    to_confirm: bool


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent as the institution sees it that it was given to; ``learner`` is whose it is now."""

    consent: Consent
    state: str
    learner: LearnerId | None


class ConsentService:
    """Decides who may see what of whom, and keeps why.

    Args:
        commons: Consents and disclosures.
        open_recorded: Opens the legal bases and awards of an institution.
        learners: Knows who is who.
        institution_ids: Gives the ids of all institutions.
        clock: Now.

    Attributes:
        bases: The legal bases of institutions.
    """

    def __init__(
        self,
        commons: RecordedTables,
        open_recorded: OpenRecorded,
        learners: LearnerService,
        institution_ids: Callable[[], Collection[InstitutionId]],
        clock: Clock,
    ) -> None:
        """Keep what was handed in."""
        self._commons = commons
        self.bases = LegalBases(open_recorded, institution_ids, clock)
        self._learners = learners
        self._institution_ids = institution_ids
        self._clock = clock

    def grant(
        self,
        handle: LearnerHandle,
        institution: InstitutionId,
        purpose: str,
        kinds: Collection[str],
        sources: Collection[InstitutionId] | None,
        until_us: int | None,
    ) -> ConsentView:
        """Let an institution see records of a learner, as the learner says; see ``grant_as``.

        Args:
            handle: The learner's own.
            institution: Who may see.
            purpose: What for, a short word.
            kinds: Of Kind.
            sources: Whose records; None for everybody's.
            until_us: From this instant on no more; None for no end.

        Raises:
            InvalidParameter: Something of it is wrong, or the end has passed.
            NotFound: An institution is unknown.
        """
        return self.grant_as(handle, institution, check_terms(purpose, kinds, sources, until_us), _BY)

    def grant_as(
        self, handle: LearnerHandle, institution: InstitutionId, terms: Terms, by: str
    ) -> ConsentView:
        """Let an institution see records of a learner; again confirms, changes or renews it.

        Args:
            handle: The learner's own.
            institution: Who may see.
            terms: What, for what, until when; as ``check_terms`` gives them.
            by: Who says so: ``learner``, or who acts for the learner.

        Raises:
            Conflict: Nobody has decided whose a mailbox of the learner is, so nobody can agree for it.
            InvalidParameter: The end has passed.
            NotFound: An institution is unknown.
        """
        now = self._clock()
        learner = self._learners.reader.learner(handle.learner_id)
        if learner is not None and learner.shared:
            raise Conflict(
                "Nobody has decided yet whose this shared mailbox is; until then nobody can agree for it."
            )
        if terms.until_us is not None and terms.until_us <= now:
            raise InvalidParameter("That consent would have ended already.")
        check_institutions([institution, *(terms.sources or ())], self._institution_ids())
        mine = self._matching(handle, institution, terms.purpose)
        identity = mine[0].identity if mine else IdentityId(handle.learner_id)
        made = Consent(identity, institution, terms, frozenset(handle.identities), GRANTED, ())
        recorded = self._write(made.subject, granting(made, now, by), now)
        for other in mine[1:]:
            self._write(other.subject, withdrawing(now, by), now)
        return self._view(recorded, handle)

    def withdraw(
        self, handle: LearnerHandle, institution: InstitutionId, purpose: str, by: str = _BY
    ) -> None:
        """Take back what a learner agreed to; what was seen already stays in the disclosure log.

        Raises:
            NotFound: The learner has given no such consent.
        """
        mine = self._matching(handle, institution, purpose)
        if not mine:
            raise NotFound("The learner has agreed to nothing of the kind.")
        now = self._clock()
        for one in mine:
            self._write(one.subject, withdrawing(now, by), now)

    def list_for(self, handle: LearnerHandle) -> Sequence[ConsentView]:
        """Return everything that a learner ever agreed to, by institution and purpose."""
        found = sorted(self._of(handle.identities), key=lambda one: (one.institution, one.terms.purpose))
        return [self._view(one, handle) for one in found]

    def disclosures(self, handle: LearnerHandle) -> Sequence[Disclosure]:
        """Return who saw what of a learner, the latest day first."""
        found = {
            one.subject: disclosure_from(one.value)
            for identity in handle.identities
            for one in _iter_by(self._commons, DISCLOSURE, f"identity:{identity}")
        }
        in_order = [found[subject] for subject in sorted(found)]
        return sorted(in_order, key=lambda one: one.day, reverse=True)

    def forget(self, handle: LearnerHandle) -> int:
        """Take away every consent and disclosure of a learner; return how many there were.

        For who is taken away whole, such as the people of the demo; a learner who stays withdraws.
        """
        now, count = self._clock(), 0
        for kind in (CONSENT, DISCLOSURE):
            subjects = {
                one.subject
                for identity in handle.identities
                for one in _iter_by(self._commons, kind, f"identity:{identity}")
            }
            wishes = [(subject, Wish(None)) for subject in sorted(subjects)]
            count += self._commons.change_all(kind, wishes, now)
        forget_award_places(self._commons, handle.identities)
        return count

    def list_given(self, handle: InstitutionHandle) -> Sequence[GivenConsent]:
        """Return the consents that were given to an institution."""
        term = f"institution:{handle.institution_id}"
        found = [consent_from(one.value) for one in _iter_by(self._commons, CONSENT, term)]
        return [
            GivenConsent(one, self._state(one), self._learners.reader.learner_of(one.identity))
            for one in found
        ]

    def open(
        self, viewer: InstitutionHandle, learner_id: str, purpose: str, about: str, day: str | None = None
    ) -> GrantedHandle:
        """Open what an institution may see of a learner; what is another's goes into the learner's log.

        The log has one entry for each (learner, viewer, purpose, about, day, ground), however
        often it is opened, and by however many at once.

        Args:
            viewer: Who sees.
            learner_id: Whom, by the id of a learner or an identity.
            purpose: What for; only consents and bases for this purpose count.
            about: What is made of it, such as the name of a crosswalk.
            day: The recorded day; consents end by it or by the clock, whichever is later.

        Raises:
            NotFound: Nobody is known by this id.
            StoreError: The log could not be written; then nothing is opened.
        """
        learner = self._learners.reader.learner(learner_id)
        if learner is None:
            raise NotFound(f"No learner has the id {learner_id}.")
        now = self._clock()
        today = day or day_of(now)
        asked = (purpose, max(now, begin_of(today)))
        sources = dict(self._sources(viewer, learner, asked))
        opened = {one: kinds for one, kinds in sources.items() if one != viewer.institution_id}
        for disclosure in disclosures_of(learner.id, viewer.institution_id, opened, (purpose, about, today)):
            self._disclose(disclosure, learner.identity_ids, now)
        return GrantedHandle(learner.id, learner.identity_ids, viewer, purpose, sources)

    def _sources(
        self, viewer: InstitutionHandle, learner: Learner, asked: tuple[str, int]
    ) -> Iterable[tuple[InstitutionId, Mapping[Kind, Ground]]]:
        """Yield what the viewer may see of each institution that holds something of the learner."""
        yield viewer.institution_id, dict.fromkeys(Kind, Ground.OWN)
        if learner.shared:
            return
        given = (one for one in self._of(learner.identity_ids) if one.institution == viewer.institution_id)
        consents = [one for one in given if not self._is_parted(one, learner.identity_ids)]
        bases = self._bases_for(viewer, learner)
        if not consents and not bases:
            return
        for source, held in self._holdings(learner).items():
            if source != viewer.institution_id:
                kinds = grounds_for(consents, bases, source, held, asked)
                if kinds:
                    yield source, kinds

    def _holdings(self, learner: Learner) -> Mapping[InstitutionId, Collection[IdentityId]]:
        """Return under which of the learner's identities each institution holds something."""
        held: dict[InstitutionId, set[IdentityId]] = {}
        for identity in learner.identities:
            for place in identity.names:
                held.setdefault(place, set()).add(identity.id)
        known = frozenset(self._institution_ids())
        for place, identities in award_places(self._commons, learner.identity_ids).items():
            if place in known:
                held.setdefault(place, set()).update(identities)
        return dict(sorted(held.items()))

    def _bases_for(self, viewer: InstitutionHandle, learner: Learner) -> Sequence[Basis]:
        """Return the viewer's bases that cover a learner: one of its own roster, in a group that is named."""
        bases = self.bases.list(viewer)
        if not bases:
            return ()
        rows = self._learners.roster_rows(viewer, learner)
        groups = {group for row in rows for group in row.groups}
        return [one for one in bases if rows and (one.groups is None or one.groups & groups)]

    def _disclose(self, disclosure: Disclosure, identities: Iterable[IdentityId], now: int) -> None:
        """Write an entry that everyone finds to whom one of the identities ever comes to belong."""
        terms = [*(f"identity:{one}" for one in identities), f"institution:{disclosure.to}"]

        def decide(there: Recorded | None) -> Wish:
            merged = merge_disclosures(disclosure_from(there.value) if there else None, disclosure)
            return Wish(disclosure_value(merged), terms)

        self._commons.change(DISCLOSURE, disclosure.subject, decide, now)

    def _write(self, subject: str, decide: Callable[[Consent | None], Consent | None], now: int) -> Consent:
        def wish(there: Recorded | None) -> Wish | None:
            made = decide(consent_from(there.value) if there else None)
            if made is None:
                return None
            return Wish(consent_value(made), [f"identity:{made.identity}", f"institution:{made.institution}"])

        found = self._commons.change(CONSENT, subject, wish, now)
        if found is None:
            raise NotFound("The learner has agreed to nothing of the kind.")
        return consent_from(found.value)

    def _of(self, identities: Iterable[IdentityId]) -> list[Consent]:
        """Return the consents that were made under identities, in order of subject."""
        found = (
            consent_from(one.value)
            for identity in identities
            for one in _iter_by(self._commons, CONSENT, f"identity:{identity}")
        )
        return sorted(found, key=lambda one: one.subject)

    def _matching(self, handle: LearnerHandle, institution: InstitutionId, purpose: str) -> Sequence[Consent]:
        wanted = (institution, purpose)
        return [one for one in self._of(handle.identities) if (one.institution, one.terms.purpose) == wanted]

    def _state(self, one: Consent) -> str:
        until = one.terms.until_us
        if one.state == GRANTED and until is not None and self._clock() >= until:
            return ENDED
        return one.state

    def _view(self, one: Consent, handle: LearnerHandle) -> ConsentView:
        state = self._state(one)
        since = frozenset(handle.identities) - one.covers
        is_open = not self._is_parted(one, handle.identities)
        stays = is_open and not (since and self._holds(handle, since, one))
        return ConsentView(one, state, state == GRANTED and not stays)

    def _is_parted(self, one: Consent, identities: Collection[IdentityId]) -> bool:
        """Tell whether an identity that a consent covers is somebody else's now.

        Who gave it was taken for one person and was two; nobody knows which of them it was.
        """
        return any(self._learners.reader.learner_of(other) for other in one.covers.difference(identities))

    def _holds(self, handle: LearnerHandle, since: frozenset[IdentityId], one: Consent) -> bool:
        """Tell whether a source that a consent names holds something under identities."""
        learner = self._learners.reader.learner(handle.learner_id)
        holdings = self._holdings(learner) if learner else {}
        wanted = one.terms.sources
        return any(
            since & set(held)
            for source, held in holdings.items()
            if source != one.institution and (wanted is None or source in wanted)
        )


def _iter_by(tables: RecordedTables, kind: str, term: str) -> Iterable[Recorded]:
    after = ""
    while page := tables.find_by(kind, term, after, _PAGE):
        yield from page
        after = page[-1].subject
