"""What learners decide on their page: share links, and who may see their records.

Every form carries a token of the session (``lrs.access.routes.sessions``).
"""

from collections.abc import Collection, Mapping

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lrs.access.handles import InstitutionId
from lrs.access.routes.sessions import check_session_form
from lrs.clock import Clock
from lrs.consent.handles import Kind
from lrs.consent.service import ConsentService
from lrs.errors import InvalidRequest, NotFound
from lrs.portfolios.routes.own import OwnPages
from lrs.portfolios.shares import MOST_DAYS, ShareWish
from lrs.portfolios.timeline import Filters
from lrs.web.params import read_params

_DAY_US = 86_400_000_000
_SEE_OTHER = 303
_PLACE = "from-"


def make_share_forms(pages: OwnPages, public_url: str) -> Blueprint:
    """Make what takes the forms of share links.

    Args:
        pages: Knows who is signed in.
        public_url: Begins the links.
    """
    blueprint = Blueprint("portfolio_shares", __name__, template_folder="../templates")

    @blueprint.post("/portfolio/shares")
    def create() -> Response | tuple[str, int]:
        """Make a link and show it, this once."""
        handle = pages.open()
        sent = _read({"label", "days"})
        try:
            wish = ShareWish("portfolio", _days(sent), sent.get("label", ""))
            token = pages.portfolios.create_share(handle, wish)
        except InvalidRequest as error:
            return pages.show(handle, Filters(), "share", error.detail), 400
        link = f"{public_url}/portfolio/shared/{token}"
        return make_response(render_template("portfolios/linked.html", link=link))

    @blueprint.post("/portfolio/shares/closing")
    def close() -> BaseResponse:
        """Close a link."""
        handle = pages.open()
        pages.portfolios.revoke_share(handle, _read({"share"}).get("share", ""))
        return _back()

    return blueprint


def make_consent_forms(pages: OwnPages, consents: ConsentService, clock: Clock) -> Blueprint:
    """Make what takes the forms of consents.

    Args:
        pages: Knows who is signed in.
        consents: Keeps what was agreed to.
        clock: Now.
    """
    blueprint = Blueprint("portfolio_consents", __name__, template_folder="../templates")

    @blueprint.post("/portfolio/consents")
    def grant() -> BaseResponse | tuple[str, int]:
        """Let an institution see something."""
        handle = pages.open()
        places = {f"{_PLACE}{one.id}": one.id for one in pages.access.list_institutions()}
        sent = _read({"institution", "purpose", "days", *Kind, *places})
        kinds = [kind for kind in Kind if kind in sent]
        sources = [id_ for name, id_ in places.items() if name in sent]
        try:
            viewer = pages.access.get_institution_named(sent.get("institution", "")).id
            until = clock() + _checked_days(sent) * _DAY_US
            consents.grant(handle, viewer, sent.get("purpose", ""), kinds, sources, until)
        except (InvalidRequest, NotFound) as error:
            return pages.show(handle, Filters(), "consent", error.detail), 400
        return _back()

    @blueprint.post("/portfolio/consents/withdrawal")
    def withdraw() -> BaseResponse:
        """Take back what an institution may see."""
        handle = pages.open()
        sent = _read({"institution", "purpose"})
        consents.withdraw(handle, InstitutionId(sent.get("institution", "")), sent.get("purpose", ""))
        return _back()

    return blueprint


def _read(known: Collection[str]) -> dict[str, str]:
    """Read a form that a page of this session has shown."""
    sent = read_params(request.form, {*known, "form"})
    check_session_form(sent)
    return sent


def _days(sent: Mapping[str, str]) -> int:
    """Read a number of days; 0, which is none, where it is no number."""
    days = sent.get("days", "")
    return int(days) if days.isascii() and days.isdecimal() and len(days) <= len(str(MOST_DAYS)) else 0


def _checked_days(sent: Mapping[str, str]) -> int:
    days = _days(sent)
    if not 1 <= days <= MOST_DAYS:
        raise InvalidRequest(f"Say for how long: 1 to {MOST_DAYS} days.")
    return days


def _back() -> BaseResponse:
    return redirect(f"{url_for('portfolio_pages.show')}#may", _SEE_OTHER)
