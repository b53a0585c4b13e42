"""/api/v1/learners/{id}/progress and …/explain: what an institution may see of how far somebody is.

Its own records open by themselves; another's by the learner's consent or a legal basis, and
the learner's log says so.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from lrs.access.model import Scope
from lrs.access.routes.admitting import admit
from lrs.competencies.schemas import (
    ExplainQuerySchema,
    ExplanationSchema,
    ProgressListSchema,
    ProgressQuerySchema,
)
from lrs.competencies.service import FrameworkService
from lrs.competencies.views import view_all_progress, view_explanation
from lrs.consent.handles import GrantedHandle, Kind
from lrs.consent.service import ConsentService
from lrs.errors import NotFound
from lrs.learners.reading import LearnerReader
from lrs.web.callers import current_caller
from lrs.web.smorest import StrictBlueprint

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_GONE = HTTPStatus.NOT_FOUND
_ABOUT = "progress"


def make_progress_blueprint(
    frameworks: FrameworkService, consents: ConsentService, reader: LearnerReader
) -> StrictBlueprint:
    """Make the routes of a learner's progress."""
    blueprint = StrictBlueprint(
        "progress", __name__, url_prefix="/api/v1/learners", description="How far somebody is, and why"
    )
    blueprint.before_request(admit(Scope.STATEMENTS_READ))

    @blueprint.get("/<learner_id>/progress")
    @blueprint.arguments(ProgressQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, ProgressListSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def show_progress(query: Mapping[str, Any], learner_id: str) -> dict[str, Any]:
        """Show progress.

        Made of the evidence that the caller's institution may see. Needs statements/read.
        """
        granted = _open(consents, reader, learner_id, query["purpose"])
        found = frameworks.progress(granted.identities, granted.institutions(Kind.COMPETENCIES))
        known = frameworks.known(one.framework for one in found)
        return {"progress": view_all_progress(found, known)}

    @blueprint.get("/<learner_id>/explain")
    @blueprint.arguments(ExplainQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, ExplanationSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def explain(query: Mapping[str, Any], learner_id: str) -> dict[str, Any]:
        """Explain a level.

        The statements, the rule and its version, and who vouched, as far as the caller's
        institution may see them. Needs statements/read.
        """
        granted = _open(consents, reader, learner_id, query["purpose"])
        institutions = granted.institutions(Kind.COMPETENCIES)
        records = granted.institutions(Kind.RECORDS)
        return view_explanation(frameworks.explain(granted.identities, query["item"], institutions, records))

    return blueprint


def _open(consents: ConsentService, reader: LearnerReader, learner_id: str, purpose: str) -> GrantedHandle:
    """Open what the caller may see of a learner; one of whom it may see nothing looks like none.

    Raises:
        NotFound: Nobody is known by this id, or nothing of them may be seen.
    """
    caller = current_caller()
    learner = reader.learner(learner_id)
    if caller.handle is not None and learner is not None:
        granted = consents.open(caller.handle, learner_id, purpose, _ABOUT)
        if len(granted.sources) > 1 or caller.handle.institution_id in learner.institutions:
            return granted
    raise NotFound("There is no such learner.")
