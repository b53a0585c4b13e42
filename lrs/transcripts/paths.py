"""How far a learner is on pathways by what a school may see: made anew, not read from the learner's own.

An award counts where its institution's awards may be seen: it was given, and needs no record beside it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from lrs.credentials.model import ISSUED, Award
from lrs.pathways.completing import Completion, Ref, completion_of
from lrs.pathways.model import Pathway
from lrs.transcripts.records import Reading
from lrs.transcripts.seen import Record, Walked


def owners_of(pathways: Iterable[Pathway], names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of the institutions that have a pathway, by its name."""
    owners: dict[str, list[str]] = {}
    for one in pathways:
        owners.setdefault(one.name, []).append(names.get(one.institution, one.institution))
    return owners


def awarding(pathways: Iterable[Pathway], names: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the name of the institution and the pathway of those that end in an award."""
    return {(names.get(one.institution, one.institution), one.name) for one in pathways if one.award}


def walk(pathway: Pathway, reading: Reading, awards: Sequence[Award]) -> Walked:
    """Say how far a learner is.

    Args:
        pathway: Which.
        reading: What may be seen.
        awards: Those that may be seen.
    """
    completion = completion_of(pathway, reading.acts, reading.progress)
    award = next((one for one in awards if _is_for(one, pathway)), None)
    refs = award.evidence if award else _evidence(completion)
    missing = [step.title for step in completion.steps if step.id in completion.missing]
    return Walked(
        pathway.title,
        done=completion.done or award is not None,
        awarded=award is not None,
        missing=tuple(missing),
        records=tuple(_records(refs, reading)),
        at=award.at if award else completion.at,
    )


def _is_for(award: Award, pathway: Pathway) -> bool:
    return award.state == ISSUED and (award.institution, award.pathway) == (pathway.institution, pathway.name)


def _evidence(completion: Completion) -> Collection[Ref]:
    """Return what finished a pathway, else what there is towards it."""
    return completion.evidence or dict.fromkeys(ref for step in completion.steps for ref in step.evidence)


def _records(refs: Iterable[Ref], reading: Reading) -> list[Record]:
    found = (reading.find(statement, institution) for statement, institution in refs)
    return [one for one in found if one is not None]
