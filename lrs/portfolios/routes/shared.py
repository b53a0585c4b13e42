"""What share links open: /portfolio/shared/<token>, without signing in."""

from flask import Blueprint, url_for

from lrs.portfolios.routes.reading import read_filters, read_item
from lrs.portfolios.routes.rendering import View, reader_languages, render_portfolio, render_why
from lrs.portfolios.service import PortfolioService
from lrs.web.moments import day_text

_WHAT = "portfolio"


def make_shared_blueprint(portfolios: PortfolioService) -> Blueprint:
    """Make the pages."""
    blueprint = Blueprint("portfolio_shared", __name__, template_folder="../templates")

    @blueprint.get("/portfolio/shared/<token>")
    def show(token: str) -> str:
        """Show what a link opens, to whoever has it."""
        filters = read_filters()
        share = portfolios.open_share(token, _WHAT)
        view = View(
            own=False,
            here=url_for("portfolio_shared.show", token=token),
            why=lambda item: url_for("portfolio_shared.why", token=token, item=item),
            footing=f"Shared by a link that ends on {day_text(share.until_us)}.",
        )
        return render_portfolio(portfolios.assemble(share.handle), view, filters, reader_languages())

    @blueprint.get("/portfolio/shared/<token>/why")
    def why(token: str) -> str:
        """Say why a level is what it is, to whoever has the link."""
        item = read_item()
        share = portfolios.open_share(token, _WHAT)
        back = f"{url_for('portfolio_shared.show', token=token)}#competencies"
        return render_why(portfolios.explain(share.handle, item), back, reader_languages())

    return blueprint
