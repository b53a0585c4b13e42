"""/api/v1/crosswalks and /api/v1/transcripts, for a school's own key."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.access.routes.admitting import admit
from lrs.errors import NotPermitted
from lrs.transcripts.routes.files import answer_with
from lrs.transcripts.schemas import CrosswalksSchema, TranscriptQuerySchema
from lrs.transcripts.service import TranscriptService
from lrs.web.callers import current_caller
from lrs.web.smorest import NoParamsSchema, StrictBlueprint

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_GONE, _LARGE = HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def make_transcripts_blueprint(transcripts: TranscriptService) -> StrictBlueprint:
    """Make the routes."""
    blueprint = StrictBlueprint(
        "transcripts",
        __name__,
        url_prefix="/api/v1",
        description="Learning translated into courses, credits and grades",
    )
    blueprint.before_request(admit(Scope.STATEMENTS_READ))

    @blueprint.get("/crosswalks")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, CrosswalksSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU)
    def list_crosswalks(_none: object) -> dict[str, Any]:
        """List crosswalks.

        The school's own, by name. Needs its own key with statements/read.
        """
        return {
            "crosswalks": [
                {
                    "name": one.name,
                    "version": one.version,
                    "title": one.title,
                    "framework": one.framework,
                    "rules": len(one.rules),
                    "courses": len(one.courses),
                }
                for one in transcripts.crosswalks(_own())
            ]
        }

    @blueprint.get("/transcripts/<learner_id>")
    @blueprint.arguments(TranscriptQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, content_type="application/json")
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE, _LARGE)
    def make_transcript(query: Mapping[str, Any], learner_id: str) -> Response:
        """Make a transcript.

        Of a learner of whom the school has records or a roster, or who shared something with it.
        What it shows of other institutions goes into the learner's disclosure log. Needs the
        school's own key with statements/read.
        """
        return answer_with(transcripts.make(_own(), learner_id, query["crosswalk"]), query["format"])

    return blueprint


def _own() -> InstitutionHandle:
    """Open the caller's own institution.

    Raises:
        NotPermitted: The caller is of no institution.
    """
    caller: Caller = current_caller()
    if caller.handle is None:
        raise NotPermitted("A transcript is a school's; ask with a key of that school.")
    return caller.handle
