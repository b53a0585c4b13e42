"""Rows of evidence and progress, for the job that derives: out of acts and rules, whole each time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle
from lrs.competencies.alignments import Evidence, Rules, alignment_from, evidence_row
from lrs.competencies.kinds import ALIGNMENT, FRAMEWORK
from lrs.competencies.model import Framework, framework_from
from lrs.competencies.progress import Progress, progress_of, progress_row
from lrs.learners.acts import Act
from lrs.learners.handles import IdentityId, LearnerId
from lrs.tables.derived import Row
from lrs.tables.recorded import Recorded, RecordedTables

_PAGE = 200

Opened = Sequence[tuple[InstitutionHandle, RecordedTables]]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every framework, by identifier, and every rule that stands."""

    frameworks: Mapping[str, Framework]
    rules: Rules


@dataclass(frozen=True, slots=True)
class Derived:
    """What is derived of one learner."""

    evidence: Sequence[tuple[IdentityId, Evidence]]
    progress: Sequence[Progress]

    def rows(self, learner: LearnerId) -> list[Row]:
        """Write all of it."""
        made = [evidence_row(identity, one) for identity, one in self.evidence]
        return made + [progress_row(learner, one) for one in self.progress]


def read_rulebook(
    institutions: Iterable[InstitutionHandle], open_recorded: Callable[[InstitutionHandle], RecordedTables]
) -> Rulebook:
    """Read what stands now in all institutions.

    Where two have a framework of one identifier, which an import refuses, the one whose id
    comes first has it. Rules for a framework that nobody has any more rest.

    Raises:
        StoreError: The store failed.
    """
    opened = [(one, open_recorded(one)) for one in sorted(institutions, key=lambda one: one.institution_id)]
    frameworks: dict[str, Framework] = {}
    for handle, tables in opened:
        for found in iter_values(tables, FRAMEWORK):
            if found.subject not in frameworks:
                frameworks[found.subject] = framework_from(found.value, handle.institution_id)
    alignments = [
        alignment_from(found.value, handle.institution_id)
        for handle, tables in opened
        for found in iter_values(tables, ALIGNMENT)
        if found.value["framework"] in frameworks
    ]
    return Rulebook(frameworks, Rules(alignments))


def iter_values(tables: RecordedTables, kind: str) -> Iterator[Recorded]:
    """Yield all values of a kind, a page at a time."""
    after = ""
    while page := tables.list(kind, after, _PAGE):
        yield from page
        after = page[-1].subject


def derive(acts: Mapping[IdentityId, Sequence[Act]], rulebook: Rulebook) -> Derived:
    """Work out the evidence of a learner's identities, and progress out of all of it.

    Args:
        acts: All acts of each identity of one learner.
        rulebook: As it stands.
    """
    evidence = [
        (identity, one)
        for identity, found in acts.items()
        for act in found
        for one in rulebook.rules.evidence_of(act)
    ]
    return Derived(evidence, progress_in((one for _, one in evidence), rulebook.frameworks))


def progress_in(evidence: Iterable[Evidence], frameworks: Mapping[str, Framework]) -> list[Progress]:
    """Work out progress with every framework that evidence is about, in order of identifier."""
    by_framework: dict[str, list[Evidence]] = {}
    for one in evidence:
        by_framework.setdefault(one.framework, []).append(one)
    return [
        progress
        for identifier in sorted(by_framework)
        if identifier in frameworks
        for progress in progress_of(by_framework[identifier], frameworks[identifier])
    ]
