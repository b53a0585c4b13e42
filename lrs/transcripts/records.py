"""From acts, evidence and progress to what a translation reads. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from lrs.competencies.alignments import Evidence
from lrs.competencies.model import Framework
from lrs.competencies.progress import Progress, once_each
from lrs.learners.acts import Act
from lrs.transcripts.seen import Attained, Record

_LONGEST_SECONDS = 366 * 86_400
"""A single record of a longer time says nothing about time spent."""

_ZERO, _ONE = Decimal(0), Decimal(1)


def record_of(act: Act, names: Mapping[str, str]) -> Record:
    """Make the record of an act.

    Args:
        act: What a statement says.
        names: Of institutions, by id.
    """
    usable = act.seconds is not None and 0 < act.seconds <= _LONGEST_SECONDS
    return Record(
        id=act.id,
        institution=act.institution,
        place=names.get(act.institution, act.institution),
        at=act.at,
        verb=act.verb,
        activity=act.object or "",
        title=name_in(act.object_name),
        type=act.type or "",
        parents=act.parents,
        categories=act.categories,
        groupings=act.groupings,
        voucher=act.voucher.kind,
        voucher_name=act.voucher.name or "",
        score=score_of(act),
        seconds=Decimal(act.seconds) if usable and act.seconds is not None else None,
        success=act.success,
        completion=act.completion,
    )


def name_in(names: Mapping[str, str]) -> str:
    """Choose a name from a language map: English where there is one, else the first in order."""
    for language in (*sorted(one for one in names if one.lower().startswith("en")), *sorted(names)):
        return str(names[language])
    return ""


def score_of(act: Act) -> Decimal | None:
    """Return the scaled score, else the raw one between its bounds; from 0 to 1.

    Spec: xAPI 1.0.3 Data 2.4.5.1
    """
    try:
        return _bounded_score(act)
    except ArithmeticError:  # Numbers beyond all measure, such as 1e999999, score nothing.
        return None


def _bounded_score(act: Act) -> Decimal | None:
    if act.scaled is not None:
        return min(max(Decimal(act.scaled), _ZERO), _ONE)
    if act.raw is None or act.max is None:
        return None
    low, high = Decimal(act.min or 0), Decimal(act.max)
    if high <= low:
        return None
    return min(max((Decimal(act.raw) - low) / (high - low), _ZERO), _ONE)


class Reading:
    """What was opened, read once.

    Args:
        acts: Whose records may be seen.
        evidence: Whose competencies may be seen.
        progress: Worked out from that evidence.
        names: Of institutions, by id.
    """

    def __init__(
        self,
        acts: Sequence[Act],
        evidence: Sequence[Evidence],
        progress: Sequence[Progress],
        names: Mapping[str, str],
    ) -> None:
        """Make the records of acts."""
        self.acts = acts
        self.evidence = evidence
        self.progress = progress
        self.names = names
        self.records = [record_of(act, names) for act in acts]
        self._by_key = {(one.id, one.institution): one for one in self.records}
        self._cited = {(one.statement, one.institution): one for one in evidence}

    def find(self, statement: str, institution: str) -> Record | None:
        """Return the record of a statement, or None where nothing of it may be seen."""
        evidence = self._cited.get((statement, institution))
        whole = self._by_key.get((statement, institution))
        return whole or (self.cite(evidence) if evidence else None)

    def cite(self, evidence: Evidence) -> Record:
        """Make the record of a piece of evidence, with the score that counted.

        What the activity was is only in it where the records themselves may be seen.
        """
        score = None if evidence.score is None else Decimal(evidence.score)
        whole = self._by_key.get((evidence.statement, evidence.institution))
        if whole is not None:
            return replace(whole, score=score)
        return Record(
            id=evidence.statement,
            institution=evidence.institution,
            place=self.names.get(evidence.institution, evidence.institution),
            at=evidence.at,
            voucher=evidence.voucher["kind"],
            voucher_name=evidence.voucher.get("name", ""),
            score=score,
        )


def attained_by(names: Iterable[str], framework: Framework, reading: Reading) -> dict[str, Attained]:
    """Say how the learner stands in items, by the names that rules call them by.

    Args:
        names: Identifiers or codes.
        framework: Whose items they are.
        reading: What the school may see.
    """
    ours = [one for one in reading.evidence if one.framework == framework.identifier]
    cited = {(one.item, one.statement): reading.cite(one) for one in once_for_items(ours)}
    by_item = {one.item: one for one in reading.progress if one.framework == framework.identifier}
    return {name: _attained(name, framework, by_item, cited) for name in dict.fromkeys(names)}


def once_for_items(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the evidence that counts where a statement is evidence of an item by several rules."""
    by_item: dict[str, list[Evidence]] = {}
    for one in evidence:
        by_item.setdefault(one.item, []).append(one)
    return [one for found in by_item.values() for one in once_each(found)]


def _attained(
    name: str,
    framework: Framework,
    by_item: Mapping[str, Progress],
    cited: Mapping[tuple[str, str], Record],
) -> Attained:
    bearers = framework.find(name)
    if len(bearers) != 1:
        return Attained(name, f"{name} (no longer in the framework)")
    item = framework.items[bearers[0]]
    title = item.short or item.statement
    found = by_item.get(item.identifier)
    if found is None:
        return Attained(item.identifier, title, item.code)
    made_of = [found] if found.evidence else _below(item.identifier, framework, by_item)
    keys = [(one.item, ref.statement) for one in made_of for ref in one.evidence]
    records = tuple(cited[key] for key in keys if key in cited)
    return Attained(item.identifier, title, item.code, found.level, found.level_name or "", records)


def _below(item: str, framework: Framework, by_item: Mapping[str, Progress]) -> list[Progress]:
    """Return the progress that a branch is made of, in the order of identifiers."""
    return [by_item[one] for one in sorted(framework.leaves.get(item, ())) if one in by_item]
