"""Learners and rosters as the API and the command line show them."""

from collections.abc import Mapping
from typing import Any

from lrs.access.handles import InstitutionId
from lrs.learners.reading import Learner
from lrs.learners.service import RosterImport


def view_learner(learner: Learner, names: Mapping[InstitutionId, str]) -> dict[str, Any]:
    """Show everything of a learner, to the learner or to who administers the instance.

    Args:
        learner: Whom.
        names: Of institutions; one that is gone keeps its id.
    """
    return {
        "id": learner.id,
        "name": learner.name,
        "names": list(learner.names),
        "birthDates": list(learner.birth_dates),
        "institutions": [names.get(one, one) for one in learner.institutions],
        "identifiers": [one.identifier for one in learner.identities],
        "shared": learner.shared,
    }


def view_learner_there(learner: Learner, institution: InstitutionId) -> dict[str, Any]:
    """Show an institution its learner: what stands in its own records and rosters, and nothing else."""
    own = [one for one in learner.identities if institution in one.names]
    return {
        "id": learner.id,
        "name": next((name for one in own if (name := one.names[institution])), None),
        "identifiers": [one.identifier for one in own],
        "shared": learner.shared,
    }


def view_roster_import(done: RosterImport) -> dict[str, Any]:
    """Show what came of a roster."""
    return {
        "read": done.read,
        "stored": done.stored,
        "already": done.already,
        "removed": done.removed,
        "kept": done.kept,
        "rejected": [
            {"line": one.line, "sourcedId": one.sourced_id, "reason": one.reason} for one in done.rejected
        ],
        "shared": [
            {"identifier": identifier, "claimedBy": list(subjects)}
            for identifier, subjects in sorted(done.shared.items())
        ],
    }
