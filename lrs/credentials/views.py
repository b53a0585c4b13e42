"""Awards as the command line shows them; instants stay microseconds."""

from collections.abc import Mapping
from typing import Any

from lrs.credentials.model import Award


def view_award(one: Award, names: Mapping[str, str]) -> dict[str, Any]:
    """Show an award.

    Args:
        one: Which.
        names: Of institutions, by id; one that is gone keeps its id.
    """
    return {
        "institution": names.get(one.institution, one.institution),
        "pathway": one.pathway,
        "version": one.version,
        "title": one.title,
        "description": one.description,
        "criteria": one.criteria,
        "opens": list(one.opens),
        "at": one.at,
        "state": one.state,
        "evidence": [
            {"statement": id_, "institution": names.get(place, place)} for id_, place in one.evidence
        ],
    }
