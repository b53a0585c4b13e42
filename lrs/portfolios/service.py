"""Everything of one learner, put together; and the links that learners hand out."""

from collections.abc import Mapping, Sequence

from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.learners.acts import Act
from lrs.learners.handles import IdentityId, LearnerHandle, LearnerId
from lrs.learners.service import LearnerService
from lrs.portfolios.model import Place, Portfolio, ShareLink
from lrs.portfolios.shares import Share, Shares, ShareWish


class PortfolioService:
    """Assembles portfolios, and keeps share links.

    Args:
        learners: Who is who, and what they did.
        shares: The links.
        access: Knows the names of institutions.
        clock: Now.
    """

    def __init__(
        self,
        learners: LearnerService,
        shares: Shares,
        access: AccessService,
        clock: Clock,
    ) -> None:
        """Keep what was handed in."""
        self._learners = learners
        self._shares = shares
        self._access = access
        self._clock = clock

    def open_own(self, subject: str) -> LearnerHandle:
        """Return the handle of whom an identity's or a learner's id means; the caller has seen it is theirs.

        It opens nothing where nothing is known of it yet.
        """
        learner = self._learners.reader.learner(subject)
        if learner is None:
            return LearnerHandle(LearnerId(subject), (IdentityId(subject),))
        return LearnerHandle(learner.id, learner.identity_ids)

    def assemble(self, handle: LearnerHandle) -> Portfolio:
        """Put together everything of a learner; of whom nothing is known, an empty portfolio."""
        learner = self._learners.reader.learner(handle.learner_id)
        names: dict[str, str] = {one.id: one.name for one in self._access.list_institutions()}
        acts = self._learners.reader.acts(handle.identities)
        return Portfolio(
            learner=handle.learner_id,
            name=(learner.name if learner else None) or "",
            names=learner.names if learner else (),
            identifiers=[one.identifier for one in learner.identities] if learner else (),
            shared=learner is not None and learner.shared,
            acts=acts,
            places=make_places(acts, names),
            place_names=names,
            frameworks=(),
            pathways=(),
            awards=(),
            consents=(),
            disclosures=(),
            shares=self._shares.list(handle),
            as_of_us=self._clock(),
            is_behind=False,
        )

    def create_share(self, handle: LearnerHandle, wish: ShareWish) -> str:
        """Make a link for a learner, as ``Shares.create`` does; return its token."""
        return self._shares.create(handle, wish)

    def list_shares(self, handle: LearnerHandle) -> Sequence[ShareLink]:
        """Return a learner's links, the latest first."""
        return self._shares.list(handle)

    def revoke_share(self, handle: LearnerHandle, share_id: str) -> None:
        """Close a learner's link, as ``Shares.revoke`` does."""
        self._shares.revoke(handle, share_id)

    def open_share(self, token: str, what: str) -> Share:
        """Find out what a link to a portfolio or a transcript opens, as ``Shares.open`` does."""
        return self._shares.open(token, what)


def make_places(acts: Sequence[Act], names: Mapping[str, str]) -> Sequence[Place]:
    """Sum up records by institution, the one with the latest record first.

    Args:
        acts: Oldest first.
        names: Of institutions, by id.
    """
    found: dict[str, list[Act]] = {}
    for act in acts:
        found.setdefault(act.institution, []).append(act)
    places = [
        Place(
            id_,
            names.get(id_, id_),
            len(there),
            sum(act.seconds or 0 for act in there),
            there[0].at,
            there[-1].at,
        )
        for id_, there in found.items()
    ]
    return sorted(places, key=lambda place: (-place.latest_us, place.name))
