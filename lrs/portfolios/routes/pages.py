"""A learner's own pages, /portfolio, and what share links open, /portfolio/shared/<token>."""

from collections.abc import Mapping
from typing import NoReturn

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lrs.access.model import Role
from lrs.access.routes.sessions import check_session_form, form_token, signed_in
from lrs.access.service import AccessService
from lrs.errors import InvalidParameter, InvalidRequest, Problem
from lrs.learners.handles import LearnerHandle
from lrs.portfolios.export import to_bytes
from lrs.portfolios.routes.rendering import View, reader_languages, render_portfolio
from lrs.portfolios.service import PortfolioService
from lrs.portfolios.shares import ShareWish
from lrs.portfolios.timeline import KINDS, Filters
from lrs.portfolios.wording import FILTERS
from lrs.web.moments import day_text
from lrs.web.params import read_params

_MOST_PAGES = 10_000
_MOST_NAMES = 100
_MOST_DIGITS = 4
_SEE_OTHER = 303


def make_portfolio_blueprint(
    portfolios: PortfolioService, access: AccessService, public_url: str
) -> Blueprint:
    """Make the pages.

    Args:
        portfolios: Puts portfolios together, and keeps share links.
        access: Knows who is signed in.
        public_url: Begins the links that are handed out.
    """
    blueprint = Blueprint("portfolio_pages", __name__, template_folder="../templates")
    for name, function in FILTERS.items():
        blueprint.add_app_template_filter(function, name)

    def own() -> LearnerHandle:
        return portfolios.open_own(signed_in(access, Role.LEARNER).subject or "")

    def show_own(handle: LearnerHandle, filters: Filters, wrong: str = "", text: str = "") -> str:
        names = sorted(one.name for one in access.list_institutions())
        extra = {
            "form": form_token(),
            "institution_names": names[:_MOST_NAMES],
            "wrong": wrong,
            "wrong_text": text,
        }
        view = View(own=True, here=url_for("portfolio_pages.show"), extra=extra)
        return render_portfolio(portfolios.assemble(handle), view, filters, reader_languages())

    @blueprint.get("/portfolio")
    def show() -> str:
        """Show learners everything of their own."""
        filters = _read_filters()
        return show_own(own(), filters)

    @blueprint.get("/portfolio/file")
    def file() -> Response:
        """Give learners everything of their own as one file."""
        read_params(request.args, ())
        answer = make_response(to_bytes(portfolios.assemble(own())))
        answer.headers["Content-Type"] = "application/json"
        answer.headers["Content-Disposition"] = 'attachment; filename="portfolio.json"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @blueprint.post("/portfolio/shares")
    def create_share() -> Response | tuple[str, int]:
        """Make a link and show it, this once."""
        handle = own()
        sent = read_params(request.form, {"form", "label", "days"})
        check_session_form(sent)
        try:
            token = portfolios.create_share(
                handle, ShareWish("portfolio", _days(sent), sent.get("label", ""))
            )
        except InvalidRequest as error:
            return show_own(handle, Filters(), "share", error.detail), 400
        link = f"{public_url}/portfolio/shared/{token}"
        return make_response(render_template("portfolios/linked.html", link=link))

    @blueprint.post("/portfolio/shares/closing")
    def revoke_share() -> BaseResponse:
        """Close a link."""
        handle = own()
        sent = read_params(request.form, {"form", "share"})
        check_session_form(sent)
        portfolios.revoke_share(handle, sent.get("share", ""))
        return _back("may")

    @blueprint.get("/portfolio/shared/<token>")
    def shared(token: str) -> str:
        """Show what a link opens, to whoever has it."""
        filters = _read_filters()
        share = portfolios.open_share(token, "portfolio")
        here = url_for("portfolio_pages.shared", token=token)
        view = View(
            own=False, here=here, footing=f"Shared by a link that ends on {day_text(share.until_us)}."
        )
        portfolio = portfolios.assemble(portfolios.open_own(share.identity))
        return render_portfolio(portfolio, view, filters, reader_languages())

    return blueprint


def _read_filters() -> Filters:
    asked = read_params(request.args, {"kind", "place", "page"})
    kind, page = asked.get("kind", ""), asked.get("page") or "1"
    if kind and kind not in KINDS:
        _refuse("kind", f"kind must be one of {', '.join(KINDS)}.")
    if not page.isdecimal() or not 1 <= int(page) <= _MOST_PAGES:
        _refuse("page", f"page must be a number from 1 to {_MOST_PAGES}.")
    return Filters(kind, asked.get("place", ""), int(page))


def _refuse(name: str, message: str) -> NoReturn:
    raise InvalidParameter(message, [Problem(name, "parameter.value", message)])


def _days(sent: Mapping[str, str]) -> int:
    days = sent.get("days", "")
    return int(days) if days.isdecimal() and len(days) <= _MOST_DIGITS else 0


def _back(section: str) -> BaseResponse:
    return redirect(f"{url_for('portfolio_pages.show')}#{section}", _SEE_OTHER)
