"""/api/v1/institutions/{id}/learners: whom an institution has records or a roster of."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.access.routes.admitting import admit
from lrs.errors import NotFound
from lrs.learners.schemas import LearnersQuerySchema, LearnersSchema
from lrs.learners.service import LearnerService
from lrs.learners.views import view_learner_there
from lrs.web.callers import current_caller
from lrs.web.smorest import StrictBlueprint

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_GONE = HTTPStatus.NOT_FOUND


def make_learners_blueprint(learners: LearnerService) -> StrictBlueprint:
    """Make the route of an institution's learners."""
    blueprint = StrictBlueprint(
        "learners", __name__, url_prefix="/api/v1/institutions", description="Who is who"
    )
    blueprint.before_request(admit(Scope.STATEMENTS_READ))

    @blueprint.get("/<institution_id>/learners")
    @blueprint.arguments(LearnersQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, LearnersSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_learners(query: Mapping[str, Any], institution_id: str) -> dict[str, Any]:
        """List learners.

        Those of whom the institution has records, or a row of a roster, with what stands in its
        own. Needs its own key with statements/read.
        """
        place = own_institution(institution_id).institution_id
        if query["identifier"]:
            one = learners.find_there(place, query["identifier"])
            listed, after = [one] if one else [], None
        else:
            page = learners.list(place, query["after"], query["limit"])
            listed, after = list(page.learners), page.after
        return {"learners": [view_learner_there(one, place) for one in listed], "next": after}

    return blueprint


def own_institution(institution_id: str) -> InstitutionHandle:
    """Open the caller's own institution; another's looks like none.

    Raises:
        NotFound: It is another's, or none.
    """
    caller: Caller = current_caller()
    if caller.handle is None or caller.handle.institution_id != institution_id:
        raise NotFound("There is no such institution.")
    return caller.handle
