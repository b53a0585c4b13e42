"""Why a level is what it is, in the words of the page. Pure."""

from collections.abc import Mapping

from lrs.competencies.explaining import Explanation, Piece
from lrs.competencies.model import K_OF_N, Level
from lrs.learners.acts import Voucher
from lrs.portfolios.words import count, vouched

MOST_PIECES = 40
"""So many records stand on the page of one level."""


def standing(why: Explanation) -> str:
    """Say where the learner stands, in one sentence."""
    progress = why.progress
    if progress is None:
        return "Nothing that was recorded counts for this yet."
    covered = f"{progress.coverage.met} of {count(progress.coverage.of, 'part')} below it met with"
    if progress.level is None:
        return f"{covered}." if progress.rolled else f"Met with in {count(progress.counted, 'record')}."
    level = progress.level_name or f"level {progress.level}" if progress.level else "no level yet"
    if progress.rolled:
        return f"{_first(level)}: {covered}."
    counted = sum(piece.counted for piece in why.pieces)
    reached = sum(piece.reached for piece in why.pieces)
    return (
        f"{_first(level)}: {reached} of the last {count(counted, 'record')} with a score"
        f" reach{'es' * (reached == 1)} {level_asked(why)}."
    )


def rule(why: Explanation) -> str:
    """Say by what rule evidence becomes a level; empty where there are no levels."""
    model = why.framework.model
    if model.name != K_OF_N:
        return ""
    levels = "; ".join(f"{_first(_name(one))} from {one.threshold}" for one in model.levels)
    return (
        f"A level is reached when {model.k} of the last {model.n} records that count have a score high enough"
        f" for it: {levels}. This is version {why.framework.version} of the framework."
    )


def level_asked(why: Explanation) -> str:
    """Name the level of which the evidence speaks: the one reached, else the first."""
    model, progress = why.framework.model, why.progress
    if model.name != K_OF_N or not model.levels:
        return ""
    reached = progress.level if progress and progress.level else model.levels[0].level
    return next((_name(one) for one in model.levels if one.level == reached), _name(model.levels[0]))


def shown(why: Explanation) -> list[Piece]:
    """Return the pieces that the page has room for: those that count, and the latest others; oldest first."""
    counted = [one for one in why.pieces if one.counted][-MOST_PIECES:]
    latest = why.pieces[-MOST_PIECES:]
    return [one for one in why.pieces if one in counted or one in latest]


def below(why: Explanation) -> list[str]:
    """Say where the learner stands with what is below a branch."""
    found = []
    for one in why.below:
        level = one.level_name or (f"level {one.level}" if one.level else "")
        covered = f"{one.coverage.met} of {one.coverage.of} met with"
        label = why.framework.items[one.item].label
        found.append(f"{label}: {level + ', ' if level else ''}{covered}")
    return found


def voucher_words(voucher: Mapping[str, str]) -> str:
    """Say who stands for a piece of evidence."""
    return vouched(Voucher(voucher.get("kind", "machine"), voucher.get("name")))


def _name(level: Level) -> str:
    return level.name or f"level {level.level}"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
