"""Use cases of pathways: import, list, and how far learners are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrs.access.handles import InstitutionHandle
from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.competencies.service import FrameworkService
from lrs.competencies.shapes import Shape, read_file
from lrs.learners.handles import LearnerHandle
from lrs.learners.reading import LearnerReader
from lrs.pathways.completing import Completion
from lrs.pathways.deriving import completion_from, read_pathways
from lrs.pathways.file import read_pathway
from lrs.pathways.kinds import COMPLETIONS, PATHWAY
from lrs.pathways.model import ItemNeed, Need, Pathway, SomeNeed, pathway_from
from lrs.tables.derived import DerivedTables
from lrs.tables.recorded import OpenRecorded, Recorded, Wish

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PathwayImport:
    """What came of importing a pathway.

    Attributes:
        changed: False where the same was there.
        unaligned: Labels of items that a step names and no alignment leads to yet.
    """

    pathway: Pathway
    changed: bool
    unaligned: Sequence[str]


class PathwayService:
    """What can be done with pathways.

    Args:
        access: Knows the institutions.
        frameworks: Knows frameworks and alignments.
        open_recorded: Opens the recorded values of an institution.
        derived: Completions.
        clock: Now.
    """

    def __init__(
        self,
        access: AccessService,
        frameworks: FrameworkService,
        open_recorded: OpenRecorded,
        derived: DerivedTables,
        clock: Clock,
    ) -> None:
        """Keep what was handed in."""
        self._access = access
        self._frameworks = frameworks
        self._open = open_recorded
        self._derived = derived
        self._reader = LearnerReader(derived)
        self._clock = clock

    def import_pathway(self, handle: InstitutionHandle, body: bytes) -> PathwayImport:
        """Take a pathway as an institution's, whole or not at all; its next version where one is there.

        Raises:
            InvalidBody: The file is no JSON.
            InvalidImport: It breaks its format, names what is not known, or could never be finished;
                every problem with its place.
            TooLarge: There is more of it than a recorded value may have.
        """
        shape = Shape()
        institutions = {one.name: one.id for one in self._access.list_institutions()}
        value = read_pathway(read_file(body), shape, self._frameworks.find_framework, institutions.get)
        shape.refuse_if_wrong("The pathway")
        tables = self._open(handle)
        before = tables.find(PATHWAY, value["name"])
        after = tables.change(PATHWAY, value["name"], lambda there: _versioned(there, value), self._clock())
        if after is None:
            raise AssertionError("A value that was wished for is there.")
        pathway = pathway_from(after.value, handle.institution_id)
        changed = before is None or before.value["version"] != pathway.version
        return PathwayImport(pathway, changed, self._unaligned(pathway))

    def list(self, handle: InstitutionHandle | None = None) -> Sequence[Pathway]:
        """Return an institution's pathways, or everybody's, in order of institution and name."""
        return read_pathways([handle] if handle else self.institutions(), self._open)

    def institutions(self) -> Sequence[InstitutionHandle]:
        """Return all institutions, for rooms behind this one."""
        return [InstitutionHandle(one.id) for one in self._access.list_institutions()]

    def find(self, institution: str, name: str) -> Pathway | None:
        """Return a pathway, or None."""
        handle = InstitutionHandle(self._access.get_institution(institution).id)
        found = self._open(handle).find(PATHWAY, name)
        return pathway_from(found.value, institution) if found else None

    def completions(self, handle: LearnerHandle) -> Sequence[Completion]:
        """Return how far a learner is on every pathway that was begun, as of the last deriving."""
        learner = self._reader.learner_of(handle.learner_id) or handle.learner_id
        return [completion_from(row) for row in self._derived.rows(COMPLETIONS, learner)]

    def _unaligned(self, pathway: Pathway) -> Sequence[str]:
        """Return items that steps name and no rule of any institution leads to."""
        framework = self._frameworks.find_framework(pathway.framework) if pathway.framework else None
        if framework is None:
            return []
        aligned = {
            rule["item"]
            for one in self._access.list_institutions()
            for alignment in self._frameworks.alignments(InstitutionHandle(one.id))
            if alignment["framework"] == pathway.framework
            for rule in alignment["rules"]
        }
        above = {branch for item in aligned for branch in framework.ancestors(item)}
        items = dict.fromkeys(item for step in pathway.steps for item in _items(step.needs))
        return [
            framework.items[item].label
            for item in items
            if item in framework.items and item not in aligned | above
        ]


def _items(need: Need) -> Iterable[str]:
    if isinstance(need, ItemNeed):
        yield need.item
    elif isinstance(need, SomeNeed):
        for one in need.of:
            yield from _items(one)


def _versioned(there: Recorded | None, value: Json) -> Wish | None:
    """Return the next version, None where the same is there."""
    if there is None:
        return Wish({**value, "version": 1})
    if {name: one for name, one in there.value.items() if name != "version"} == value:
        return None
    return Wish({**value, "version": there.value["version"] + 1})
