"""Use cases of competencies: import frameworks and alignments, show progress, explain it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.competencies.alignment_file import read_alignment, read_model
from lrs.competencies.alignments import EVIDENCE, Evidence, evidence_from
from lrs.competencies.case import instant_of, keep_withdrawn, read_package, write_package
from lrs.competencies.deriving import iter_values, progress_in
from lrs.competencies.explaining import Explanation, explain
from lrs.competencies.kinds import ALIGNMENT, FRAMEWORK
from lrs.competencies.model import Framework, ProgressModel, framework_from, model_value
from lrs.competencies.progress import PROGRESS, Progress, progress_from
from lrs.competencies.shapes import Shape, read_file
from lrs.errors import AlreadyExists, Conflict, InvalidParameter, NotFound
from lrs.learners.handles import IdentityId
from lrs.learners.reading import LearnerReader
from lrs.tables.derived import DerivedTables
from lrs.tables.recorded import OpenRecorded, Recorded, RecordedTables, Wish

Json = Mapping[str, Any]
Institutions = frozenset[InstitutionId] | None


@dataclass(frozen=True, slots=True)
class FrameworkImport:
    """What came of importing a framework; ``changed`` is False where the same was there."""

    framework: Framework
    changed: bool
    withdrawn: int


@dataclass(frozen=True, slots=True)
class AlignmentImport:
    """What came of importing an alignment."""

    name: str
    version: int
    rules: int
    changed: bool


class FrameworkService:
    """What can be done with frameworks.

    Args:
        access: Knows the institutions.
        open_recorded: Opens the recorded values of one.
        derived: Evidence and progress.
        clock: Now.
    """

    def __init__(
        self, access: AccessService, open_recorded: OpenRecorded, derived: DerivedTables, clock: Clock
    ) -> None:
        """Keep what was handed in."""
        self._access = access
        self._open = open_recorded
        self._derived = derived
        self._clock = clock
        self._reader = LearnerReader(derived)

    def import_framework(
        self, handle: InstitutionHandle, package: bytes, model: bytes | None = None
    ) -> FrameworkImport:
        """Take a CFPackage as an institution's framework, whole or not at all.

        A later version takes the earlier one's place; items that it no longer has stay, marked
        withdrawn. The model stays as it was where none is given; a new framework has coverage.

        Raises:
            InvalidBody: The file is no JSON.
            InvalidImport: It is no CFPackage that can be used; every problem with its place.
            AlreadyExists: Another institution has this framework.
            Conflict: What is here is newer.
            TooLarge: There is more of it than a recorded value may have.
        """
        shape = Shape()
        value = read_package(read_file(package), shape)
        wanted = read_model(read_file(model), "", shape) if model is not None else None
        shape.refuse_if_wrong("The framework")
        self._refuse_if_others(handle, value["identifier"])
        before = self._open(handle).find(FRAMEWORK, value["identifier"])
        after = self._change(
            self._open(handle), FRAMEWORK, value["identifier"], lambda there: _framework(there, value, wanted)
        )
        framework = framework_from(after.value, handle.institution_id)
        withdrawn = sum(item.withdrawn for item in framework.items.values())
        return FrameworkImport(framework, before is None or before.value != after.value, withdrawn)

    def import_alignment(self, handle: InstitutionHandle, body: bytes) -> AlignmentImport:
        """Take an alignment as an institution's, whole or not at all.

        A model in the file becomes the framework's, where the framework is the institution's own.

        Raises:
            InvalidBody: The file is no JSON.
            InvalidImport: It breaks its format, or names what is not known; every problem with its place.
        """
        shape = Shape()
        given = read_file(body)
        institutions = {one.name: one.id for one in self._access.list_institutions()}
        value = read_alignment(given, shape, self.find_framework, institutions.get)
        model = self._model_in(handle, given, value, shape)
        shape.refuse_if_wrong("The alignment")
        tables = self._open(handle)
        if model is not None:
            self._set_model(tables, value["framework"], model)
        before = tables.find(ALIGNMENT, value["name"])
        after = self._change(tables, ALIGNMENT, value["name"], lambda there: _versioned(there, value))
        version = after.value["version"]
        changed = before is None or before.value["version"] != version
        return AlignmentImport(value["name"], version, len(value["rules"]), changed)

    def frameworks(self) -> list[Framework]:
        """Return every framework, in order of title; they are public."""
        found: dict[str, Framework] = {}
        for handle, tables in self._all():
            for one in iter_values(tables, FRAMEWORK):
                found.setdefault(one.subject, framework_from(one.value, handle.institution_id))
        return sorted(found.values(), key=lambda one: (one.title, one.identifier))

    def alignments(self, handle: InstitutionHandle) -> list[Json]:
        """Return an institution's alignments as they are recorded, by name."""
        return [one.value for one in iter_values(self._open(handle), ALIGNMENT)]

    def find_framework(self, identifier: str) -> Framework | None:
        """Return a framework by its identifier, whoever has it, or None."""
        found = self._find(identifier)
        return None if found is None else framework_from(found[1].value, found[0].institution_id)

    def package(self, identifier: str) -> dict[str, Any]:
        """Write a framework as a CASE 1.1 package.

        Raises:
            NotFound: No institution has one of that identifier.
        """
        found = self._find(identifier)
        if found is None:
            raise NotFound(f"There is no framework {identifier}.")
        publisher = self._access.get_institution(found[0].institution_id).name
        return write_package(found[1].value, publisher)

    def packages(self) -> list[dict[str, Any]]:
        """Write every framework as a CASE 1.1 package, in order of title."""
        return [self.package(one.identifier) for one in self.frameworks()]

    def progress(self, identities: Iterable[IdentityId], institutions: Institutions = None) -> list[Progress]:
        """Return a learner's progress, in order of framework and tree.

        Args:
            identities: All identities of one learner, as a handle has them.
            institutions: Only from what is in these institutions' records; None for everything,
                which only the learner's own handle opens.
        """
        own = sorted(identities)
        if not own:
            return []
        if institutions is None:
            rows = self._derived.rows(PROGRESS, self._reader.learner_of(own[0]) or own[0])
            return self._in_order([progress_from(row) for row in rows])
        evidence = self.evidence(own, institutions)
        frameworks = self.known(one.framework for one in evidence)
        return progress_in(evidence, frameworks)

    def evidence(self, identities: Iterable[IdentityId], institutions: Institutions = None) -> list[Evidence]:
        """Return the evidence of a learner's identities, out of some institutions' records or all."""
        rows = self._derived.rows_of(EVIDENCE, sorted(identities))
        found = (evidence_from(row) for row in rows)
        return [one for one in found if institutions is None or one.institution in institutions]

    def explain(
        self,
        identities: Iterable[IdentityId],
        item: str,
        institutions: Institutions = None,
        records: Institutions = None,
    ) -> Explanation:
        """Say why a learner's level in an item is what it is.

        Args:
            identities: All identities of one learner, as a handle has them.
            item: An item's identifier or code, or a framework's identifier.
            institutions: As for ``progress``.
            records: What was done is named only from these institutions' records; None for all.

        Raises:
            NotFound: No framework has such an item.
            InvalidParameter: Several have one of that code.
        """
        own = sorted(identities)
        evidence = self.evidence(own, institutions)
        framework, identifier = self._item(item, evidence)
        acts = self._reader.acts(own, records)
        names = {one.id: one.name for one in self._access.list_institutions()}
        return explain(framework, identifier, evidence, acts, names)

    def _item(self, name: str, evidence: Sequence[Evidence]) -> tuple[Framework, str]:
        """Find what an item's name means, first where the learner has evidence."""
        met = {one.framework for one in evidence}
        found = [
            (framework, identifier)
            for framework in self.frameworks()
            for identifier in (framework.find(name) or ((name,) if name == framework.identifier else ()))
        ]
        with_evidence = [one for one in found if one[0].identifier in met]
        if not found:
            raise NotFound(f"No framework has an item {name}.")
        chosen = with_evidence or found
        if len(chosen) > 1:
            which = ", ".join(identifier for _, identifier in chosen[:5])
            raise InvalidParameter(f"{len(chosen)} items have the code {name}; name one of {which}.")
        return chosen[0]

    def _in_order(self, found: Sequence[Progress]) -> list[Progress]:
        order: dict[tuple[str, str], int] = {}
        for framework in self.known(one.framework for one in found).values():
            for item in (framework.identifier, *framework.items):
                order[framework.identifier, item] = len(order)
        return sorted(found, key=lambda one: order.get((one.framework, one.item), len(order)))

    def known(self, identifiers: Iterable[str]) -> dict[str, Framework]:
        """Return those of some frameworks that somebody has, by identifier."""
        found = ((one, self.find_framework(one)) for one in sorted(set(identifiers)))
        return {identifier: framework for identifier, framework in found if framework is not None}

    def _find(self, identifier: str) -> tuple[InstitutionHandle, Recorded] | None:
        for handle, tables in self._all():
            found = tables.find(FRAMEWORK, identifier)
            if found is not None:
                return handle, found
        return None

    def _all(self) -> Iterable[tuple[InstitutionHandle, RecordedTables]]:
        """Open every institution, in order of id: the order in which one framework stands for another."""
        for one in sorted(self._access.list_institutions(), key=lambda one: one.id):
            handle = InstitutionHandle(one.id)
            yield handle, self._open(handle)

    def _refuse_if_others(self, handle: InstitutionHandle, identifier: str) -> None:
        found = self._find(identifier)
        if found is not None and found[0] != handle:
            name = self._access.get_institution(found[0].institution_id).name
            raise AlreadyExists(f"{name} has this framework already; everybody may align to it.")

    def _model_in(
        self, handle: InstitutionHandle, given: object, value: Json, shape: Shape
    ) -> ProgressModel | None:
        if not isinstance(given, dict) or "model" not in given:
            return None
        found = self._find(value["framework"])
        if found is not None and found[0] != handle:
            message = "The framework is another institution's; only that one may change its model."
            shape.wrong("/model", "model.not-own", message)
        return read_model(given["model"], "/model", shape)

    def _set_model(self, tables: RecordedTables, identifier: str, model: ProgressModel) -> None:
        def decide(there: Recorded | None) -> Wish | None:
            if there is None:
                return None
            value = {name: one for name, one in there.value.items() if name != "version"}
            return _versioned(there, {**value, "model": model_value(model)})

        tables.change(FRAMEWORK, identifier, decide, self._clock())

    def _change(
        self,
        tables: RecordedTables,
        kind: str,
        subject: str,
        decide: Callable[[Recorded | None], Wish | None],
    ) -> Recorded:
        after = tables.change(kind, subject, decide, self._clock())
        if after is None:
            raise AssertionError("A value that was wished for is there.")
        return after


def _framework(there: Recorded | None, value: Json, model: ProgressModel | None) -> Wish | None:
    if there is None:
        return _versioned(None, {**value, "model": model_value(model or ProgressModel())})
    old, new = instant_of(there.value["lastChangeDateTime"]), instant_of(value["lastChangeDateTime"])
    if old and new and new < old:
        raise Conflict(
            f"The framework that is here was changed at {there.value['lastChangeDateTime']}, later than this"
            f" file ({value['lastChangeDateTime']}); nothing was changed."
        )
    kept = keep_withdrawn(there.value, {**value})
    return _versioned(there, {**kept, "model": model_value(model) if model else there.value["model"]})


def _versioned(there: Recorded | None, value: Json) -> Wish | None:
    """Wish for a value as the next version; None where it is there already."""
    if there is None:
        return Wish({**value, "version": 1})
    if {**value, "version": there.value["version"]} == there.value:
        return None
    return Wish({**value, "version": there.value["version"] + 1})
