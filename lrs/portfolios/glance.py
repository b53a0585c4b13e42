"""At a glance: a few sentences made from the data, for a sixteen-year-old and a parent. Pure.

They say what is there and what is next; they rank and warn nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lrs.portfolios.model import Award, Competency, PathwayProgress, Portfolio, Step
from lrs.portfolios.words import count, listed, span
from lrs.web.moments import day_text, month_text

MOST_NEXT = 3
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Glance:
    """The answers to the three questions, and what else is worth a sentence."""

    done: str
    good_at: str
    next: str
    more: Sequence[str]


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step that is near, and why it is named."""

    title: str
    why: str
    pathway: str


def make_glance(portfolio: Portfolio) -> Glance:
    """Put the sentences together."""
    return Glance(_done(portfolio), _good_at(portfolio), _next(portfolio), _more(portfolio))


def next_steps(portfolio: Portfolio) -> Sequence[NextStep]:
    """Name the nearest steps: of what is nearest to being finished first, a required step before others."""
    begun = [one for one in portfolio.pathways if not one.done and one.missing]
    begun.sort(key=lambda one: (_open_steps(one), one.title))
    steps = [NextStep(step.title, _why(one, step), one.title) for one in begun for step in one.missing]
    return steps[:MOST_NEXT]


def _open_steps(pathway: PathwayProgress) -> int:
    required = sum(1 for step in pathway.steps if step.required and not step.done)
    return required + pathway.missing_optional


def _why(pathway: PathwayProgress, step: Step) -> str:
    left, taken = _open_steps(pathway), sum(1 for one in pathway.steps if one.done)
    earns = f" and earns “{pathway.award}”" if pathway.award else ""
    if left == 1:
        return f"It is the last step of “{pathway.title}”{earns}."
    ground = f"{count(taken, 'step is', 'steps are')} done, {left} to go"
    if step.required:
        return f"“{pathway.title}” needs it: {ground}."
    return (
        f"“{pathway.title}” asks for {count(pathway.missing_optional, 'more step')} of your choice: {ground}."
    )


def _done(portfolio: Portfolio) -> str:
    if not portfolio.acts:
        return "Nothing is recorded here yet."
    places = portfolio.places
    seconds = sum(place.seconds for place in places)
    where = f"at {count(len(places), 'place')}" if len(places) > 1 else f"at {places[0].name}"
    time = f", {span(seconds)} in all" if seconds else ""
    return f"{count(len(portfolio.acts), 'record')} {where}{time}, since {month_text(portfolio.acts[0].at)}."


def _good_at(portfolio: Portfolio) -> str:
    best = strongest(portfolio)
    if best:
        level = best[0].level
        labels = [_cut(one.label) for one in best if one.level == level]
        return f"{best[0].level_name or f'Level {level}'} in {listed(labels, 2)}."
    met = [one for one in portfolio.frameworks if one.competencies]
    if met:
        return f"Met with {met[0].met} of {count(met[0].of, 'part')} of {met[0].title}."
    newest = _latest_award(portfolio)
    if newest:
        return f"“{newest.title}”, earned from {newest.institution}."
    if not portfolio.acts:
        return "This fills when the first records come."
    return "Not matched with competencies yet; everything is in the timeline below."


def _cut(label: str) -> str:
    """Shorten what would push the answers below the first screen; it stands in full further down."""
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1].rstrip() + "…"


def strongest(portfolio: Portfolio) -> Sequence[Competency]:
    """Return the competencies with a level, the highest first, then those with the newest evidence."""
    levelled = [one for group in portfolio.frameworks for one in group.competencies if one.level]
    return sorted(levelled, key=lambda one: (-(one.level or 0), -one.at_us, one.label))


def _next(portfolio: Portfolio) -> str:
    steps = next_steps(portfolio)
    if steps:
        return f"{_cut(steps[0].title)}. {steps[0].why}"
    done = [one for one in portfolio.pathways if one.done]
    if done:
        return f"Everything begun is finished, “{done[0].title}” among it. Time to choose something new."
    return "No path is begun yet. Ask at a place that you like which ones it has."


def _more(portfolio: Portfolio) -> list[str]:
    sentences = [_most_time(portfolio), _newest_award(portfolio), _newest_level(portfolio)]
    return [sentence for sentence in sentences if sentence][:2]


def _most_time(portfolio: Portfolio) -> str:
    places = sorted(portfolio.places, key=lambda place: -place.seconds)
    if len(places) < 2 or not places[0].seconds:  # noqa: PLR2004 - to be more than another takes two
        return ""
    return f"Most of the time written down was at {places[0].name}: {span(places[0].seconds)}."


def _newest_award(portfolio: Portfolio) -> str:
    newest = _latest_award(portfolio)
    return f"Earned “{newest.title}” from {newest.institution} on {day_text(newest.at_us)}." if newest else ""


def _latest_award(portfolio: Portfolio) -> Award | None:
    issued = [one for one in portfolio.awards if one.state != "revoked"]
    return max(issued, key=lambda one: one.at_us, default=None)


def _newest_level(portfolio: Portfolio) -> str:
    levelled = strongest(portfolio)
    if not levelled:
        return ""
    newest = max(levelled, key=lambda one: one.at_us)
    return f"Latest record for a competency: {newest.label}, on {day_text(newest.at_us)}."
