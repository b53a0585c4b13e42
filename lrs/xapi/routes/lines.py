"""POST /api/v1/statements/lines: the good lines go in, the rest is reported.

Wiring: ``api.register_blueprint(make_lines_blueprint(lines, arrivals, max_bytes))``.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import request

from lrs.access.model import Caller, Scope
from lrs.access.rules import require
from lrs.errors import UnsupportedMediaType
from lrs.web.callers import current_caller
from lrs.web.errors import error_id
from lrs.web.smorest import StrictBlueprint
from lrs.xapi.arrivals import ArrivalService
from lrs.xapi.lines import LineService, LinesReport
from lrs.xapi.routes.common import note_refusal, noting_refusal, read_body_parts
from lrs.xapi.schemas import LinesQuerySchema, LinesSchema
from lrs.xapi.versions import Version

MEDIA_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_METHOD = "LINES"
"""As which a refusal is noted: the lines before it, and the good ones beside it, are stored."""

_BODY = {
    "required": True,
    "description": "One statement a line, in UTF-8; blank lines are skipped",
    "content": {MEDIA_TYPES[0]: {"schema": {"type": "string"}}},
}


def make_lines_blueprint(lines: LineService, arrivals: ArrivalService, max_bytes: int) -> StrictBlueprint:
    """Make the route; a body may have ``max_bytes``."""
    blueprint = StrictBlueprint(
        "statements", __name__, url_prefix="/api/v1/statements", description="Statements, one by one"
    )
    blueprint.before_request(lambda: _admit_writers(arrivals))

    @blueprint.post("/lines")
    @blueprint.arguments(LinesQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, LinesSchema)
    @blueprint.refuses(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    )
    @blueprint.doc(requestBody=_BODY)
    def post_lines(query: Mapping[str, str | None]) -> dict[str, Any]:
        """Store statements by the line.

        NDJSON: every line is one statement and is taken or rejected by itself, by the rules of a
        post to /xapi/statements. What is answered as stored is safe. A line without an id gets
        one made of the institution, the body and the line's number, so that the same body may be
        sent again. Needs the scope statements/write.
        """
        caller: Caller = current_caller()
        version = Version(query["version"]) if query["version"] else None
        report = noting_refusal(arrivals, caller, lambda: _take(lines, caller, version, max_bytes), _METHOD)
        if report.rejected_count:
            note_refusal(arrivals, caller, report.as_error(), HTTPStatus.OK, _METHOD)
        return _view(report)

    return blueprint


def _admit_writers(arrivals: ArrivalService) -> None:
    """Refuse who may not write before anything of the request is looked at; noted as any refusal is."""
    caller: Caller = current_caller()
    noting_refusal(arrivals, caller, lambda: require(caller, Scope.STATEMENTS_WRITE), _METHOD)


def _take(lines: LineService, caller: Caller, version: Version | None, max_bytes: int) -> LinesReport:
    if request.mimetype not in MEDIA_TYPES:
        raise UnsupportedMediaType(
            f"Send one statement a line as {MEDIA_TYPES[0]}, not as {request.mimetype[:100] or 'no type'}."
        )
    return lines.take(caller, read_body_parts(max_bytes), version)


def _view(report: LinesReport) -> dict[str, Any]:
    return {
        "read": report.read,
        "stored": report.stored,
        "already": report.already,
        "rejected_count": report.rejected_count,
        "rejected": report.rejected,
        "error_id": error_id() if report.rejected_count else None,
    }
