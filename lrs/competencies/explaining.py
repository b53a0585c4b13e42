"""Why a level is what it is: the statements, the rule and its version, the vouchers, in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lrs.access.handles import InstitutionId
from lrs.clock import to_text
from lrs.competencies.alignments import Evidence
from lrs.competencies.model import K_OF_N, Framework, Level
from lrs.competencies.progress import Progress, counting, once_each, progress_of, strength_at
from lrs.learners.acts import Act

MOST_MISSING = 20
"""So many items that were not met with are named."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement that is evidence.

    Attributes:
        counted: It is among those that the level was made of.
        reached: It is at or above the threshold that the explanation speaks of.
        what: What was done, by name where the statement gives one.
        place: The name of the institution whose record it is in.
    """

    evidence: Evidence
    counted: bool
    reached: bool
    what: str
    place: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why.

    Attributes:
        item: An item's identifier, or the framework's own.
        label: What the item is called.
        progress: None where there is no evidence at all.
        pieces: All evidence of the item itself, oldest first.
        below: Progress with what is below a branch, in the order of the tree.
        missing: Names of items below that were not met with, the first of them.
        sentence: All of it in one sentence, which the pieces then carry out.
    """

    framework: Framework
    item: str
    label: str
    progress: Progress | None
    pieces: Sequence[Piece]
    below: Sequence[Progress]
    missing: Sequence[str]
    sentence: str

    def lines(self) -> list[str]:
        """Write it in words, a line for each thing."""
        found = [self.sentence]
        found += [f"  {'*' if one.reached else '-'} {describe(one)}" for one in self.pieces]
        found += [f"  {_below(one, self.framework)}" for one in self.below]
        found += [f"  not met with: {name}" for name in self.missing]
        return found


def explain(
    framework: Framework,
    item: str,
    evidence: Sequence[Evidence],
    acts: Sequence[Act],
    names: Mapping[InstitutionId, str],
) -> Explanation:
    """Explain progress with one item.

    Args:
        framework: Whose item it is.
        item: Its identifier, or the framework's own.
        evidence: All that may be seen, of one learner.
        acts: All that may be seen, of the same learner.
        names: Of institutions.
    """
    made = {one.item: one for one in progress_of(evidence, framework)}
    progress = made.get(item)
    pieces = _pieces(framework, item, evidence, acts, names)
    leaves = framework.leaves.get(item, frozenset())
    children = framework.children.get(item, ())
    missing = [name for name in framework.items if name in leaves and name not in made]
    label = framework.title if item == framework.identifier else framework.items[item].label
    return Explanation(
        framework,
        item,
        label,
        progress,
        pieces,
        [made[child] for child in children if child in made],
        [framework.items[name].label for name in missing[:MOST_MISSING]],
        _sentence(framework, label, progress, pieces),
    )


def describe(piece: Piece) -> str:
    """Say of one piece what it is, where it is, by which rule it counts and who stands for it."""
    one = piece.evidence
    score = f"score {one.score}" if one.score is not None else "no score"
    strength = f", strength {one.strength}" if one.strength != "1" else ""
    voucher = " ".join(one.voucher[name] for name in ("kind", "name") if name in one.voucher)
    older = "" if piece.counted else "; not among those that count for the level"
    rule = f"rule {one.rule} of {one.alignment}, version {one.version}"
    return (
        f"{to_text(one.at)[:10]} {piece.what}: {score}{strength}; statement {one.statement} in the record of"
        f" {piece.place}; {rule}; vouched for by {voucher}{older}"
    )


def _pieces(
    framework: Framework,
    item: str,
    evidence: Sequence[Evidence],
    acts: Sequence[Act],
    names: Mapping[InstitutionId, str],
) -> list[Piece]:
    own = once_each(one for one in evidence if one.framework == framework.identifier and one.item == item)
    model = framework.model
    window = counting(own, model) if model.name == K_OF_N else own
    level = _level_shown(framework, window)
    titles = {(act.id, act.institution): _title(act) for act in acts}
    return [
        Piece(
            one,
            one in window,
            one in window and (level is None or _reaches(one, level)),
            titles.get((one.statement, one.institution), "a statement"),
            names.get(InstitutionId(one.institution), one.institution),
        )
        for one in own
    ]


def _level_shown(framework: Framework, window: Sequence[Evidence]) -> Level | None:
    """Return the level that was reached, else the lowest, of which the sentence speaks."""
    model = framework.model
    if model.name != K_OF_N:
        return None
    reached = [one for one in model.levels if strength_at(window, one.threshold) >= model.k]
    return reached[-1] if reached else model.levels[0]


def _reaches(one: Evidence, level: Level) -> bool:
    return one.score is not None and Decimal(one.score) >= level.threshold


def _title(act: Act) -> str:
    """Name what was done: the activity in English or the first language there is, else its address."""
    for names in (act.object_name, act.verb_name):
        for language in (*sorted(one for one in names if one.startswith("en")), *names):
            return str(names[language])
    return act.object or act.verb


def _sentence(framework: Framework, label: str, progress: Progress | None, pieces: Sequence[Piece]) -> str:
    if progress is None:
        return f"{label}: nothing that was recorded is evidence of it."
    coverage = progress.coverage
    covered = f"{coverage.met} of {coverage.of} items below it were met with"
    if progress.level is None:
        met = f"met with in {progress.counted} statement{'s' * (progress.counted != 1)}"
        return f"{label}: {covered}." if progress.rolled else f"{label}: {met}; the framework has no levels."
    level = _level(progress)
    if progress.rolled:
        why = "the lowest level below it" if progress.level else "not everything below it has a level"
        return f"{level} in {label}: {why}; {covered}."
    return f"{level} in {label}, because {_count(framework, pieces)}:"


def _count(framework: Framework, pieces: Sequence[Piece]) -> str:
    model = framework.model
    window = [one.evidence for one in pieces if one.counted]
    level = _level_shown(framework, window)
    if level is None:
        return "the framework has no levels"
    reached = sum(one.reached for one in pieces)
    needs = f"{model.k} of the last {model.n} must be"
    is_or_are = "is" if reached == 1 else "are"
    last = f"the last {len(window)} that have a score" if window else "nothing that has a score"
    return f"{reached} of {last} {is_or_are} at or above {level.threshold}, and {needs}"


def _level(progress: Progress) -> str:
    name = f" ({progress.level_name})" if progress.level_name else ""
    return f"Level {progress.level}{name}" if progress.level else "No level yet"


def _below(one: Progress, framework: Framework) -> str:
    level = "" if one.level is None else f"{_level(one)}, "
    return f"{framework.items[one.item].label}: {level}{one.coverage.met} of {one.coverage.of} met with"
