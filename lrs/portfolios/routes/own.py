"""A learner's own pages: /portfolio, why a level is what it is, and everything as one file."""

from flask import Blueprint, Response, make_response, request, url_for

from lrs.access.model import Role
from lrs.access.routes.sessions import form_token, signed_in
from lrs.access.service import AccessService
from lrs.learners.handles import LearnerHandle
from lrs.portfolios.export import to_bytes
from lrs.portfolios.routes.reading import read_filters, read_item
from lrs.portfolios.routes.rendering import View, reader_languages, render_portfolio, render_why
from lrs.portfolios.service import PortfolioService
from lrs.portfolios.timeline import Filters
from lrs.portfolios.wording import FILTERS
from lrs.web.params import read_params

_MOST_NAMES = 100


class OwnPages:
    """What all pages of a signed-in learner share.

    Args:
        portfolios: Puts portfolios together.
        access: Knows who is signed in.
    """

    def __init__(self, portfolios: PortfolioService, access: AccessService) -> None:
        """Keep what was handed in."""
        self.portfolios = portfolios
        self.access = access

    def open(self) -> LearnerHandle:
        """Open what is the signed-in learner's own.

        Raises:
            Unauthenticated: Nobody is signed in.
            NotPermitted: It is nobody who is a learner.
        """
        return self.portfolios.open_own(signed_in(self.access, Role.LEARNER).subject or "")

    def show(self, handle: LearnerHandle, filters: Filters, wrong: str = "", why_wrong: str = "") -> str:
        """Make the page.

        Args:
            handle: Whose.
            filters: Of the timeline.
            wrong: The form that was wrong, ``share`` or ``consent``; empty for none.
            why_wrong: In words.
        """
        names = sorted(one.name for one in self.access.list_institutions())
        extra = {
            "form": form_token(),
            "institution_names": names[:_MOST_NAMES],
            "wrong": wrong,
            "why_wrong": why_wrong,
        }
        view = View(own=True, here=url_for("portfolio_pages.show"), why=_why_address, extra=extra)
        return render_portfolio(self.portfolios.assemble(handle), view, filters, reader_languages())


def make_own_blueprint(pages: OwnPages) -> Blueprint:
    """Make the pages."""
    blueprint = Blueprint("portfolio_pages", __name__, template_folder="../templates")
    for name, function in FILTERS.items():
        blueprint.add_app_template_filter(function, name)

    @blueprint.get("/portfolio")
    def show() -> str:
        """Show learners everything of their own."""
        handle = pages.open()
        return pages.show(handle, read_filters())

    @blueprint.get("/portfolio/why")
    def why() -> str:
        """Say why a level is what it is."""
        handle = pages.open()
        back = f"{url_for('portfolio_pages.show')}#competencies"
        return render_why(pages.portfolios.explain(handle, read_item()), back, reader_languages())

    @blueprint.get("/portfolio/file")
    def file() -> Response:
        """Give learners everything of their own as one file."""
        handle = pages.open()
        read_params(request.args, ())
        answer = make_response(to_bytes(pages.portfolios.assemble(handle)))
        answer.headers["Content-Type"] = "application/json"
        answer.headers["Content-Disposition"] = 'attachment; filename="portfolio.json"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return blueprint


def _why_address(item: str) -> str:
    return url_for("portfolio_pages.why", item=item)
