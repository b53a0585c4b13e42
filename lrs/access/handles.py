"""Handles: who may open which store. There is no store without one.

Only the access room hands them out: to a caller whose key was good, or to an
administrative command that named an institution.
"""

from dataclasses import dataclass
from typing import NewType

InstitutionId = NewType("InstitutionId", str)
"""Ten characters of Crockford's base 32, lower case: short, unambiguous, never reused."""


@dataclass(frozen=True, slots=True)
class InstitutionHandle:
    """Opens the records of one institution, and of no other."""

    institution_id: InstitutionId
