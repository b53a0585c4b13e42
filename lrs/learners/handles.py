"""Who a record is about, and the handle that opens everything of one learner, to the learner."""

from dataclasses import dataclass
from typing import NewType

IdentityId = NewType("IdentityId", str)
"""An identifier's id: twelve characters of Crockford's base 32, lower case, that tell nobody what it is."""

LearnerId = NewType("LearnerId", str)
"""A person's id: the smallest of the ids of the identities that are joined in the person."""


@dataclass(frozen=True, slots=True)
class LearnerHandle:
    """Opens everything of one learner, from every institution; only the learner is given it.

    Attributes:
        identities: The ids of all identities that are joined in the learner, in order.
    """

    learner_id: LearnerId
    identities: tuple[IdentityId, ...]
