"""Rows of completions, for the job that derives: out of acts, progress and pathways, whole each time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.competencies.deriving import iter_values
from lrs.competencies.progress import Progress
from lrs.learners.acts import Act, act_key
from lrs.learners.handles import LearnerId
from lrs.pathways.completing import Completion, StepState, completion_in_order
from lrs.pathways.kinds import COMPLETIONS, PATHWAY
from lrs.pathways.model import Pathway, pathway_from
from lrs.tables.derived import Row
from lrs.tables.recorded import RecordedTables


def read_pathways(
    institutions: Iterable[InstitutionHandle], open_recorded: Callable[[InstitutionHandle], RecordedTables]
) -> Sequence[Pathway]:
    """Read all pathways that stand now, in order of institution and name.

    Raises:
        StoreError: The store failed.
    """
    return [
        pathway_from(found.value, handle.institution_id)
        for handle in sorted(institutions, key=lambda one: one.institution_id)
        for found in iter_values(open_recorded(handle), PATHWAY)
    ]


def completion_rows(
    learner: LearnerId, pathways: Iterable[Pathway], acts: Sequence[Act], progress: Sequence[Progress]
) -> list[Row]:
    """Make the rows of one learner: one for each pathway that was begun.

    Args:
        learner: Whose.
        pathways: All.
        acts: Of all identities of the learner, in any order.
        progress: Of the learner, out of all of it.
    """
    ordered = sorted(acts, key=act_key)
    found = (completion_in_order(pathway, ordered, progress) for pathway in pathways)
    return [completion_row(learner, one) for one in found if one.begun]


def completion_row(learner: LearnerId, one: Completion) -> Row:
    """Write a completion as a derived row."""
    content = {
        "institution": one.institution,
        "pathway": one.pathway,
        "version": one.version,
        "steps": [_step_value(step) for step in one.steps],
        "done": one.done,
        "at": one.at,
        "missing": list(one.missing),
        "missingOptional": one.missing_optional,
        "evidence": _refs_value(one.evidence),
    }
    key = f"{one.institution} {one.pathway}"
    return Row(COMPLETIONS, learner, key, orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def completion_from(row: Row) -> Completion:
    """Read a completion from its row."""
    content = orjson.loads(row.content)
    return Completion(
        content["institution"],
        content["pathway"],
        content["version"],
        tuple(_step_from(one) for one in content["steps"]),
        content["done"],
        content["at"],
        content["missingOptional"],
        _refs_from(content["evidence"]),
    )


def _step_value(step: StepState) -> dict[str, Any]:
    return {
        "id": step.id,
        "title": step.title,
        "required": step.required,
        "done": step.done,
        "at": step.at,
        "have": step.have,
        "want": step.want,
        "evidence": _refs_value(step.evidence),
    }


def _step_from(value: Mapping[str, Any]) -> StepState:
    return StepState(
        value["id"],
        value["title"],
        value["required"],
        value["done"],
        value["at"],
        value["have"],
        value["want"],
        _refs_from(value["evidence"]),
    )


def _refs_value(refs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"statement": statement, "institution": institution} for statement, institution in refs]


def _refs_from(values: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((one["statement"], one["institution"]) for one in values)
