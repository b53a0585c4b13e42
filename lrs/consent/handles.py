"""The handle by which one institution sees what others hold of a learner.

``ConsentService.open`` alone makes one, and making it wrote the disclosure log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.learners.handles import IdentityId, LearnerId


class Kind(StrEnum):
    """What may be seen."""

    RECORDS = "records"
    """What statements say."""
    COMPETENCIES = "competencies"
    """Evidence of competencies, and the progress that it makes."""
    AWARDS = "awards"
    """Finished pathways and what they earned."""


class Ground(StrEnum):
    """Why it may be seen."""

    OWN = "own"
    """They are the viewer's own records."""
    CONSENT = "consent"
    """The learner agreed."""
    BASIS = "basis"
    """A law or contract allows it, as an administrator declared."""


@dataclass(frozen=True, slots=True)
class GrantedHandle:
    """Opens what one institution may see of one learner, for one purpose.

    Attributes:
        identities: Of the learner, in order.
        viewer: Who sees.
        sources: Whose records may be seen, which kinds of each, and why; the viewer's own are
            always among them.
    """

    learner_id: LearnerId
    identities: tuple[IdentityId, ...]
    viewer: InstitutionHandle
    purpose: str
    sources: Mapping[InstitutionId, Mapping[Kind, Ground]]

    def institutions(self, kind: Kind) -> frozenset[InstitutionId]:
        """Return the institutions of whose records this kind may be seen."""
        return frozenset(one for one, kinds in self.sources.items() if kind in kinds)
