"""Awards as values: what finishing a pathway earned. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrs.access.handles import InstitutionId
from lrs.learners.handles import IdentityId
from lrs.pathways.completing import Completion, Ref
from lrs.pathways.model import AwardTerms

ISSUED, REVOKED = "issued", "revoked"


@dataclass(frozen=True, slots=True)
class Award:
    """An award as it is recorded.

    Attributes:
        institution: Who gave it: whose pathway it is.
        version: Of the pathway, when the award was given.
        identity: Under which it was given: the learner's id then.
        at: Instant by which the pathway was finished, in microseconds.
        evidence: The statements that finished it then.
    """

    institution: InstitutionId
    pathway: str
    version: int
    identity: IdentityId
    title: str
    description: str
    criteria: str
    opens: tuple[str, ...]
    at: int
    state: str
    evidence: tuple[Ref, ...]

    @property
    def subject(self) -> str:
        """By what it is recorded."""
        return f"{self.pathway}/{self.identity}"


def make_award(
    completion: Completion, terms: AwardTerms, opens: Sequence[str], identity: IdentityId
) -> Award:
    """Make the award that a finished pathway earns."""
    return Award(
        InstitutionId(completion.institution),
        completion.pathway,
        completion.version,
        identity,
        terms.title,
        terms.description,
        terms.criteria,
        tuple(opens),
        completion.at or 0,
        ISSUED,
        completion.evidence,
    )


def award_value(one: Award) -> dict[str, Any]:
    """Write an award as it is recorded."""
    return {
        "pathway": one.pathway,
        "version": one.version,
        "identity": one.identity,
        "title": one.title,
        "description": one.description,
        "criteria": one.criteria,
        "opens": list(one.opens),
        "at": one.at,
        "state": one.state,
        "evidence": [{"statement": id_, "institution": place} for id_, place in one.evidence],
    }


def award_from(value: Mapping[str, Any], institution: InstitutionId) -> Award:
    """Read an award as it was recorded."""
    return Award(
        institution,
        value["pathway"],
        value["version"],
        value["identity"],
        value["title"],
        value["description"],
        value["criteria"],
        tuple(value["opens"]),
        value["at"],
        value["state"],
        tuple((one["statement"], one["institution"]) for one in value["evidence"]),
    )


def once_each(awards: Iterable[Award]) -> Sequence[Award]:
    """Return the awards of one learner, one a pathway, in order of time.

    Two persons who were found to be one may both have been given it: the earlier one that still
    holds is shown.
    """
    best: dict[tuple[str, str], Award] = {}
    for one in sorted(awards, key=lambda one: (one.state != ISSUED, one.at, one.identity)):
        best.setdefault((one.institution, one.pathway), one)
    return sorted(best.values(), key=lambda one: (one.at, one.institution, one.pathway))
