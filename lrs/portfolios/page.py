"""What the page of a portfolio shows, made ready for its template. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lrs.learners.acts import Act
from lrs.portfolios.glance import Glance, NextStep, make_glance, next_steps
from lrs.portfolios.model import Competency, Portfolio, ShareLink
from lrs.portfolios.pictures import YearPicture, draw_year
from lrs.portfolios.timeline import Filters, Timeline, make_timeline
from lrs.portfolios.words import Languages, is_answer, verb_of, vouched, what_of

MOST_WORDS = 4
MOST_DISCLOSURES = 20
MOST_CLOSED = 3
_WRITERS = {"mentor", "employer", "accreditor", "peer"}
"""Who vouches with words of their own; what a teacher's system sends is what the learner answered."""


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody's words about what the learner did."""

    at_us: int
    text: str
    about: str
    place: str
    by: str


@dataclass(frozen=True, slots=True)
class Named:
    """A record in a few words."""

    at_us: int
    text: str
    place: str
    vouched: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template needs, but for forms.

    Attributes:
        own_words: The learner's own; others_words: what others wrote; the latest first, a few of each.
        newest: By framework and item.
        records: What pathways and awards stand on, by statement.
    """

    portfolio: Portfolio
    glance: Glance
    next: Sequence[NextStep]
    timeline: Timeline
    year: YearPicture | None
    own_words: Sequence[Said]
    others_words: Sequence[Said]
    newest: Mapping[tuple[str, str], Named]
    records: Mapping[str, Named]


def make_page(portfolio: Portfolio, filters: Filters, languages: Languages = ("en",)) -> Page:
    """Make everything ready."""
    names = portfolio.place_names
    said = [
        _said(act, names, languages)
        for act in reversed(portfolio.acts)
        if act.narrative is not None and not is_answer(act)
    ]
    return Page(
        portfolio,
        make_glance(portfolio),
        next_steps(portfolio),
        make_timeline(portfolio.acts, names, filters, languages),
        draw_year(portfolio.acts, portfolio.places),
        [one for own, one in said if own][:MOST_WORDS],
        [one for own, one in said if not own][:MOST_WORDS],
        _newest(portfolio, languages),
        _records(portfolio, languages),
    )


def shown_shares(portfolio: Portfolio) -> Sequence[ShareLink]:
    """Return the links that are open, and the latest that are closed."""
    closed = [one for one in portfolio.shares if not one.is_open][:MOST_CLOSED]
    return [one for one in portfolio.shares if one.is_open or one in closed]


def sentence_of(act: Act, languages: Languages = ("en",)) -> str:
    """Name what was done in a few words: ``Completed Ratios and scales``."""
    return f"{verb_of(act, languages)} {what_of(act, languages)}".strip()


def _said(act: Act, names: Mapping[str, str], languages: Languages) -> tuple[bool, Said]:
    own = act.voucher.kind not in _WRITERS
    about, place = sentence_of(act, languages), names.get(act.institution, "")
    by = "" if act.voucher.kind in {"learner", "machine"} else vouched(act.voucher)
    return own, Said(act.at, act.narrative or "", about, place, by)


def _newest(portfolio: Portfolio, languages: Languages) -> dict[tuple[str, str], Named]:
    acts = {(act.id, act.institution): act for act in portfolio.acts}
    found = {}
    for group in portfolio.frameworks:
        for one in group.competencies:
            act = _latest(one, acts)
            if act is not None:
                found[group.identifier, one.identifier] = _named(act, portfolio, languages)
    return found


def _records(portfolio: Portfolio, languages: Languages) -> dict[str, Named]:
    wanted = {one for award in portfolio.awards for one in award.evidence}
    wanted |= {one for path in portfolio.pathways for step in path.steps for one in step.evidence}
    return {act.id: _named(act, portfolio, languages) for act in portfolio.acts if act.id in wanted}


def _named(act: Act, portfolio: Portfolio, languages: Languages) -> Named:
    place = portfolio.place_names.get(act.institution, "")
    return Named(act.at, sentence_of(act, languages), place, vouched(act.voucher))


def _latest(one: Competency, acts: Mapping[tuple[str, str], Act]) -> Act | None:
    known = [acts[found] for ref in one.evidence if (found := (ref.statement, ref.institution)) in acts]
    return max(known, key=lambda act: (act.at, act.id), default=None)
