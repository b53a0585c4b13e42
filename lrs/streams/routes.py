"""/api/v1/log, and the destinations of an institution with what could not be sent there.

Wiring: ``api.register_blueprint(make_log_blueprint(log))``.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response

from lrs.streams.log import LogService
from lrs.streams.schemas import LogQuerySchema
from lrs.web.callers import current_caller
from lrs.web.smorest import StrictBlueprint

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN


def make_log_blueprint(log: LogService) -> StrictBlueprint:
    """Make the route of the log."""
    blueprint = StrictBlueprint(
        "log", __name__, url_prefix="/api/v1/log", description="Every statement, in the order it was stored"
    )
    blueprint.before_request(_authenticate)

    @blueprint.get("")
    @blueprint.arguments(LogQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, content_type="application/x-ndjson")
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU)
    def read_log(query: Mapping[str, Any]) -> Response:
        """Read the log.

        One line a statement, {"position", "voided", "statement"}, in the order of the log,
        voided and voiding ones included; the last line is {"next"}: give it as after. Where
        that line is missing the answer was cut off. Needs statements/read.
        """
        lines = log.read(current_caller(), query["after"], query["limit"], query["wait"])
        answer = Response(lines.to_bytes(), mimetype="application/x-ndjson")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return blueprint


def _authenticate() -> None:
    """Refuse strangers before anything of their request is looked at."""
    current_caller()
