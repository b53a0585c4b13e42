"""What a decision makes of a consent, and what an opening has to tell. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from lrs.access.handles import InstitutionId
from lrs.consent.handles import Ground, Kind
from lrs.consent.model import WITHDRAWN, Consent, Disclosure, Event
from lrs.learners.handles import IdentityId, LearnerId

Decide = Callable[[Consent | None], Consent | None]
"""What becomes of a consent as it stands; None leaves it."""


def granting(made: Consent, now: int, by: str) -> Decide:
    """Give, renew or change a consent; None where the same stands already."""

    def decide(there: Consent | None) -> Consent | None:
        if there is None:
            return replace(made, events=(Event("granted", now, by),))
        same = (there.terms, there.covers, there.state) == (made.terms, made.covers, made.state)
        event = "granted" if there.state == WITHDRAWN else "renewed"
        return None if same else replace(made, events=(*there.events, Event(event, now, by)))

    return decide


def withdrawing(now: int, by: str) -> Decide:
    """Take a consent back; None where there is none, or it was taken back before."""

    def decide(there: Consent | None) -> Consent | None:
        if there is None or there.state == WITHDRAWN:
            return None
        return replace(there, state=WITHDRAWN, events=(*there.events, Event("withdrawn", now, by)))

    return decide


def disclosures_of(
    learner_id: LearnerId,
    to: InstitutionId,
    opened: Mapping[InstitutionId, Mapping[Kind, Ground]],
    asked: tuple[str, str, str],
) -> Iterable[Disclosure]:
    """Yield one disclosure for each ground on which something of another is seen."""
    purpose, about, day = asked
    for ground in (Ground.BASIS, Ground.CONSENT):
        seen = {
            source: [kind for kind, why in kinds.items() if why == ground] for source, kinds in opened.items()
        }
        sources = tuple(sorted(source for source, kinds in seen.items() if kinds))
        kinds = tuple(sorted({kind for found in seen.values() for kind in found}))
        if sources:
            yield Disclosure(IdentityId(learner_id), to, sources, kinds, purpose, about, ground, day)
