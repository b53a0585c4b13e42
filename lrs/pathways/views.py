"""Pathways as the command line shows them."""

from collections.abc import Mapping
from typing import Any

from lrs.pathways.model import Pathway


def view_pathway(one: Pathway, names: Mapping[str, str]) -> dict[str, Any]:
    """Show a pathway in short.

    Args:
        one: Which.
        names: Of institutions, by id.
    """
    return {
        "institution": names.get(one.institution, one.institution),
        "name": one.name,
        "version": one.version,
        "title": one.title,
        "steps": [{"id": step.id, "title": step.title, "required": step.required} for step in one.steps],
        "minOptional": one.min_optional,
        "award": one.award.title if one.award else None,
        "opens": list(one.opens),
    }
