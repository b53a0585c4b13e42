"""The page of an attestation: /attest/{token}, for somebody who has no system and no account.

Whoever has the link may answer, so nothing but the link is asked for; a form that another site
sends is refused nevertheless. Opening the page uses nothing up, pressing a button does.

Wiring: ``app.register_blueprint(make_attest_blueprint(attestations))``.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from connectors.csv.values import plain
from lrs.clock import from_datetime
from lrs.errors import InvalidParameter, InvalidRequest
from lrs.sources.attestation import Answer, Attestation, AttestationService
from lrs.web.params import read_params

_FIELDS = ("hours", "level", "narrative", "act")
_OURS = {"same-origin", "none"}
_HOUR = Decimal(3600)


def make_attest_blueprint(attestations: AttestationService) -> Blueprint:
    """Make the routes."""
    blueprint = Blueprint("attest", __name__, template_folder="../templates")

    @blueprint.get("/attest/done")
    def done() -> str:
        """Thank, and say nothing of anybody."""
        read_params(request.args, ())
        return render_template("sources/answered.html")

    @blueprint.get("/attest/<token>")
    def show(token: str) -> Response:
        """Show what is asked."""
        read_params(request.args, ())
        asked = attestations.find(token)
        return _page(asked, {"hours": _hours(asked), "level": None, "narrative": ""}, {})

    @blueprint.post("/attest/<token>")
    def answer(token: str) -> Response:
        """Take an answer; what is wrong with it is shown beside its field."""
        _refuse_other_sites()
        asked = attestations.find(token)
        sent = read_params(request.form, _FIELDS)
        given = _answer(sent)
        try:
            attestations.answer(token, given)
        except InvalidParameter as error:
            problems = {one.path: one.message for one in error.problems}
            shown = {"hours": given.hours, "level": given.level, "narrative": given.narrative}
            return _page(asked, shown, problems, HTTPStatus.BAD_REQUEST)
        return redirect(url_for("attest.done"), HTTPStatus.SEE_OTHER)

    return blueprint


def _page(
    attestation: Attestation,
    given: Mapping[str, Any],
    problems: Mapping[str, str],
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    day = date.fromisoformat(attestation.asked["day"])
    return make_response(
        render_template(
            "sources/attest.html",
            asked=attestation.asked,
            day_us=from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC)),
            until_us=attestation.until_us,
            given=given,
            problems=problems,
        ),
        status,
    )


def _answer(sent: Mapping[str, str]) -> Answer:
    """Read the form; the act is what was pressed.

    Raises:
        InvalidRequest: It was none of the two.
    """
    if sent.get("act") not in {"confirm", "decline"}:
        raise InvalidRequest("Press one of the two buttons on the page.")
    level = sent.get("level", "")
    chosen = int(level) if level.isascii() and level.isdecimal() and len(level) == 1 else None
    return Answer(sent.get("hours", ""), chosen, sent.get("narrative", ""), sent["act"] == "decline")


def _hours(attestation: Attestation) -> str:
    seconds = attestation.asked["seconds"]
    return "" if seconds is None else str(plain(round(Decimal(seconds) / _HOUR, 2)))


def _refuse_other_sites() -> None:
    """Refuse a form that a browser says another site has sent.

    Raises:
        InvalidRequest: It was.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in _OURS:
        raise InvalidRequest("Open the link that you were sent, and press a button on the page.")
