"""From evidence to progress: levels by a framework's model, and coverage beside them. Pure.

Evidence is taken in the order of (instant, statement), so that the order in which it arrived
does not matter; a statement counts once for an item, however many rules or records have it.
Scores are decimal numbers throughout.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from lrs.competencies.alignments import Evidence
from lrs.competencies.model import K_OF_N, Framework, ProgressModel
from lrs.learners.handles import LearnerId
from lrs.tables.derived import Row

PROGRESS = "progress"
"""The derived table of progress; an owner is a learner."""

NAMED_EVIDENCE = 10
"""So many statements stand with an item that was met with, where no level says which counted."""

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many items below something (or it itself) were met with, and how many there are."""

    met: int
    of: int


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """Names a statement that counted."""

    statement: str
    institution: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a learner is with one item, one branch, or a whole framework.

    Attributes:
        item: An item's identifier, or the framework's own for the whole.
        level: None where the framework has no levels; 0 where none is reached yet.
        coverage: Always given: a branch's level alone hides what is missing below it.
        counted: How many statements are evidence of the item itself.
        rolled: The level is made of those below: the lowest of them, 0 where one was not met.
        evidence: The statements that the level was made of, oldest first.
        at: Instant of the latest evidence, in microseconds.
    """

    framework: str
    item: str
    level: int | None
    level_name: str | None
    coverage: Coverage
    counted: int
    rolled: bool
    model: str
    model_version: int
    evidence: tuple[EvidenceRef, ...]
    at: int


def progress_of(evidence: Iterable[Evidence], framework: Framework) -> list[Progress]:
    """Work out progress with one framework.

    Args:
        evidence: In any order; what belongs to other frameworks is skipped.
        framework: As imported.

    Returns:
        Each item with evidence, each branch above one, and the framework itself, in the order of
        the tree, the framework first; empty where there is no evidence at all.
    """
    by_item: dict[str, list[Evidence]] = {}
    for one in evidence:
        if one.framework == framework.identifier and one.item in framework.items:
            by_item.setdefault(one.item, []).append(one)
    made = {item: _of_item(item, found, framework) for item, found in by_item.items()}
    above = _Above(framework, made)
    above.fill()
    return [made[name] for name in (framework.identifier, *framework.items) if name in made]


def once_each(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return evidence of one item in order, each statement once: where it has the higher score."""
    best: dict[str, Evidence] = {}
    for one in evidence:
        other = best.get(one.statement)
        if other is None or _rank(one) < _rank(other):
            best[one.statement] = one
    return sorted(best.values(), key=lambda one: (one.at, one.statement))


def counting(evidence: Sequence[Evidence], model: ProgressModel) -> list[Evidence]:
    """Return the last pieces that a level is made of: as many as have the strength of n together."""
    window: list[Evidence] = []
    strength = _ZERO
    for one in reversed(evidence):
        if one.score is not None and strength < model.n:
            window.append(one)
            strength += Decimal(one.strength)
    return window[::-1]


def strength_at(window: Iterable[Evidence], threshold: Decimal) -> Decimal:
    """Return how strong the pieces at or above a threshold are together."""
    return sum(
        (Decimal(one.strength) for one in window if one.score and Decimal(one.score) >= threshold), _ZERO
    )


def level_of(window: Sequence[Evidence], model: ProgressModel) -> int:
    """Return the highest level of which k of what counts are at or above the threshold; 0 for none."""
    reached = [one.level for one in model.levels if strength_at(window, one.threshold) >= model.k]
    return max(reached, default=0)


def _rank(one: Evidence) -> tuple[Decimal, Decimal, str]:
    score = Decimal(one.score) if one.score is not None else Decimal(-1_000_000_000)
    return (-score, -Decimal(one.strength), one.key)


def _of_item(item: str, found: Sequence[Evidence], framework: Framework) -> Progress:
    model = framework.model
    pieces = once_each(found)
    window = counting(pieces, model) if model.name == K_OF_N else pieces[-NAMED_EVIDENCE:]
    level = level_of(window, model) if model.name == K_OF_N else None
    return Progress(
        framework.identifier,
        item,
        level,
        None if level is None else model.level_named(level),
        Coverage(1, 1),
        len(pieces),
        False,
        model.name,
        framework.version,
        tuple(EvidenceRef(one.statement, one.institution) for one in window),
        pieces[-1].at,
    )


@dataclass
class _Above:
    """Puts coverage upon what was met with, and branches above it."""

    framework: Framework
    made: dict[str, Progress]

    def fill(self) -> None:
        """Add every branch above an item with evidence, and the framework itself."""
        below: dict[str, list[Progress]] = {}
        for item, progress in list(self.made.items()):
            for branch in self.framework.ancestors(item):
                below.setdefault(branch, []).append(progress)
            if item in self.framework.leaves:
                below.setdefault(item, [])
        for branch, found in below.items():
            leaves = self.framework.leaves[branch]
            met = [one for one in found if one.item in leaves]
            coverage = Coverage(len(met), len(leaves))
            own = self.made.get(branch)
            at = max([one.at for one in found] + ([own.at] if own else []))
            self.made[branch] = self._rolled(branch, met, coverage, own, at)

    def _rolled(
        self, branch: str, met: Sequence[Progress], coverage: Coverage, own: Progress | None, at: int
    ) -> Progress:
        model = self.framework.model
        level: int | None = None
        if own is not None:
            level = own.level
        elif model.name == K_OF_N:
            complete = coverage.of > 0 and coverage.met == coverage.of
            level = min((one.level or 0 for one in met), default=0) if complete else 0
        return Progress(
            self.framework.identifier,
            branch,
            level,
            None if level is None else model.level_named(level),
            coverage,
            own.counted if own else 0,
            own is None,
            model.name,
            self.framework.version,
            own.evidence if own else (),
            at,
        )


def progress_row(learner: LearnerId, progress: Progress) -> Row:
    """Write progress as a derived row."""
    content = {
        "framework": progress.framework,
        "item": progress.item,
        "level": progress.level,
        "levelName": progress.level_name,
        "coverage": {"met": progress.coverage.met, "of": progress.coverage.of},
        "counted": progress.counted,
        "rolled": progress.rolled,
        "model": progress.model,
        "modelVersion": progress.model_version,
        "evidence": [
            {"statement": one.statement, "institution": one.institution} for one in progress.evidence
        ],
        "at": progress.at,
    }
    key = f"{progress.framework} {progress.item}"
    return Row(PROGRESS, learner, key, orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def progress_from(row: Row) -> Progress:
    """Read progress from its row."""
    value: Mapping[str, Any] = orjson.loads(row.content)
    return Progress(
        value["framework"],
        value["item"],
        value["level"],
        value["levelName"],
        Coverage(**value["coverage"]),
        value["counted"],
        value["rolled"],
        value["model"],
        value["modelVersion"],
        tuple(EvidenceRef(**one) for one in value["evidence"]),
        value["at"],
    )
