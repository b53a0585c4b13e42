"""Making the page of a portfolio: for the learner, for whoever has a link, for a file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import render_template, request

import lrs.web
from lrs.portfolios import reasons
from lrs.portfolios.model import Portfolio
from lrs.portfolios.page import MOST_DISCLOSURES, make_page, sentence_of, shown_shares
from lrs.portfolios.service import Reasons
from lrs.portfolios.timeline import KINDS, Filters
from lrs.portfolios.words import Languages

_MOST_LANGUAGES = 5
_ALL_LINES = 1_000_000


@dataclass(frozen=True, slots=True)
class View:
    """How a portfolio is shown.

    Attributes:
        own: To the learner, with forms.
        here: The page's own address, for filters; empty where it has none.
        why: Gives the address that explains an item; None where there is none.
        footing: Said at the foot to others than the learner.
        extra: What the learner's own sections need beside the portfolio.
    """

    own: bool
    here: str = ""
    why: Callable[[str], str] | None = None
    footing: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def render_portfolio(portfolio: Portfolio, view: View, filters: Filters, languages: Languages) -> str:
    """Make the page."""
    return render_template(
        "portfolios/page.html",
        page=make_page(portfolio, filters, languages),
        own=view.own,
        here=view.here,
        why=view.why,
        footing=view.footing,
        kinds=KINDS,
        turn=lambda number: _turn(view.here, filters, number),
        most_disclosures=MOST_DISCLOSURES,
        shares=shown_shares(portfolio),
        **view.extra,
    )


def render_why(found: Reasons, back: str, languages: Languages) -> str:
    """Make the page that says why a level is what it is."""
    why = found.why
    return render_template(
        "portfolios/why.html",
        why=why,
        names={(act.id, act.institution): sentence_of(act, languages) for act in found.acts},
        pieces=reasons.shown(why),
        standing=reasons.standing(why),
        rule=reasons.rule(why),
        levels=len(why.framework.model.levels),
        level_asked=reasons.level_asked(why),
        below=reasons.below(why),
        back=back,
    )


def render_file(portfolio: Portfolio) -> str:
    """Make the page as a file that stands alone: the style within, the whole timeline on one page."""
    style = (Path(lrs.web.__file__).parent / "static" / "pages.css").read_text(encoding="utf-8")
    view = View(own=False, footing="A copy of a portfolio.", extra={"style": style})
    return render_portfolio(portfolio, view, Filters(lines=_ALL_LINES), ("en",))


def reader_languages() -> list[str]:
    """Return the languages that the reader asks for, best first."""
    return [tag for tag, _ in request.accept_languages][:_MOST_LANGUAGES]


def _turn(here: str, filters: Filters, page: int) -> str:
    asked = {"kind": filters.kind, "place": filters.place, "page": str(page)}
    return f"{here}?" + "&".join(f"{name}={value}" for name, value in asked.items() if value)
