"""Everything of one learner, put together; and the links that learners hand out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.competencies.explaining import Explanation
from lrs.competencies.progress import Progress
from lrs.competencies.service import FrameworkService
from lrs.consent.service import ConsentService
from lrs.credentials.service import AwardService
from lrs.learners.acts import Act
from lrs.learners.handles import IdentityId, LearnerHandle, LearnerId
from lrs.learners.reading import Identity, Learner
from lrs.learners.service import LearnerService
from lrs.pathways.completing import completion_of
from lrs.pathways.service import PathwayService
from lrs.portfolios.freshness import Freshness
from lrs.portfolios.gathering import (
    make_award,
    make_consent,
    make_disclosure,
    make_frameworks,
    make_pathway,
    make_places,
)
from lrs.portfolios.model import PathwayProgress, Portfolio, ShareLink
from lrs.portfolios.shares import Share, Shares, ShareWish

Seen = tuple[Sequence[Act], Sequence[Progress]]
"""What somebody may see of a learner who may not see all."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Whom a portfolio is put together from."""

    access: AccessService
    learners: LearnerService
    consents: ConsentService
    frameworks: FrameworkService
    pathways: PathwayService
    awards: AwardService
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a level is what it is, with all acts of the learner, which have the words for it."""

    why: Explanation
    acts: Sequence[Act]


class PortfolioService:
    """Assembles portfolios, and keeps share links.

    Args:
        rooms: Who knows what.
        shares: The links.
        clock: Now.
    """

    def __init__(self, rooms: Rooms, shares: Shares, clock: Clock) -> None:
        """Keep what was handed in."""
        self._rooms = rooms
        self._shares = shares
        self._clock = clock

    def open_own(self, subject: str) -> LearnerHandle:
        """Return the handle of whom an identity's or a learner's id means; the caller has seen it is theirs.

        It opens nothing where nothing is known of it yet.
        """
        learner = self._rooms.learners.reader.learner(subject)
        if learner is None:
            return LearnerHandle(LearnerId(subject), (IdentityId(subject),))
        return LearnerHandle(learner.id, learner.identity_ids)

    def assemble(self, handle: LearnerHandle) -> Portfolio:
        """Put together what a handle opens; of whom nothing is known, an empty portfolio.

        A handle that has not all of the learner's identities, as an old share link's, opens what
        lies under those that it has: nothing that was made of the others comes along.
        """
        learner = self._rooms.learners.reader.learner(handle.learner_id)
        identities = _identities(learner, handle)
        names: dict[str, str] = {one.id: one.name for one in self._rooms.access.list_institutions()}
        acts = self._rooms.learners.reader.acts(handle.identities)
        places = make_places(acts, names)
        given = sorted({name for one in identities for name in one.names.values() if name})
        whole = learner is not None and set(learner.identity_ids) == set(handle.identities)
        scope = None if whole else frozenset(InstitutionId(one) for one in names)
        progress = self._rooms.frameworks.progress(handle.identities, scope)
        return Portfolio(
            learner=handle.learner_id,
            name=(learner.name if learner and whole else None) or (given[0] if given else ""),
            names=given,
            identifiers=[one.identifier for one in identities],
            shared=learner is not None and (learner.shared or self._claims_shared(learner)),
            acts=acts,
            places=places,
            place_names=names,
            frameworks=make_frameworks(progress, self._rooms.frameworks.find_framework),
            pathways=list(self._pathways(handle, names, None if whole else (acts, progress))),
            awards=[make_award(one, names) for one in self._rooms.awards.awards_of(handle.identities)],
            consents=[make_consent(one, names) for one in self._rooms.consents.list_for(handle)],
            disclosures=[make_disclosure(one, names) for one in self._rooms.consents.disclosures(handle)],
            shares=self._shares.list_for(handle),
            as_of_us=self._clock(),
            is_behind=self._rooms.freshness.is_behind(
                handle,
                [one.identifier for one in identities],
                [InstitutionId(place.id) for place in places],
            ),
        )

    def _claims_shared(self, learner: Learner) -> bool:
        """Tell whether a roster gives the learner a mailbox, with records, that it gives to another too."""
        learners = self._rooms.learners
        own = {one.identifier for one in learner.identities}
        claimed = {
            identifier
            for place in learner.institutions
            for row in learners.roster_rows(InstitutionHandle(place), learner)
            for identifier in row.identifiers
        }
        found = (learners.reader.learner(learners.identity(one)) for one in sorted(claimed - own))
        return any(one is not None and one.shared for one in found)

    def _pathways(
        self, handle: LearnerHandle, names: Mapping[str, str], seen: Seen | None
    ) -> Iterator[PathwayProgress]:
        """Yield the pathways that a learner has begun; worked out of what is seen where that is not all."""
        pathways = self._rooms.pathways
        for one in pathways.completions(handle):
            pathway = pathways.find(one.institution, one.pathway) if one.institution in names else None
            if pathway is None:
                continue
            shown = completion_of(pathway, *seen) if seen else one
            if shown.begun:
                yield make_pathway(shown, pathway, names)

    def explain(self, handle: LearnerHandle, item: str) -> Reasons:
        """Say why a learner stands where they do with an item.

        Raises:
            NotFound: No framework has it.
        """
        why = self._rooms.frameworks.explain(handle.identities, item)
        return Reasons(why, self._rooms.learners.reader.acts(handle.identities))

    def create_share(self, handle: LearnerHandle, wish: ShareWish) -> str:
        """Make a link for a learner, as ``Shares.create`` does; return its token."""
        return self._shares.create(handle, wish)

    def list_shares(self, handle: LearnerHandle) -> Sequence[ShareLink]:
        """Return a learner's links, the latest first."""
        return self._shares.list_for(handle)

    def revoke_share(self, handle: LearnerHandle, share_id: str) -> None:
        """Close a learner's link, as ``Shares.revoke`` does."""
        self._shares.revoke(handle, share_id)

    def forget_shares(self, handle: LearnerHandle) -> int:
        """Take away every link of a learner, as ``Shares.forget`` does."""
        return self._shares.forget(handle)

    def open_share(self, token: str, what: str | None = None) -> Share:
        """Find out what a link opens, as ``Shares.open`` does."""
        return self._shares.open(token, what)


def _identities(learner: Learner | None, handle: LearnerHandle) -> Sequence[Identity]:
    """Return those of a learner's identities that a handle opens."""
    return [one for one in learner.identities if one.id in handle.identities] if learner else ()
