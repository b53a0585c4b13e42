"""GET /xapi/activities and GET /xapi/agents.

Spec: xAPI 1.0.3 Communication 2.4, 2.5.
"""

import orjson
from flask import Blueprint, Response, request

from lrs.access.model import Caller
from lrs.web.params import read_params
from lrs.xapi.knowledge import KnowledgeService, find_reader
from lrs.xapi.routes.common import find_caller, get_version
from lrs.xapi.versions import Version

_JSON = "application/json"


def make_knowledge_blueprint(service: KnowledgeService) -> Blueprint:
    """Make the blueprint over the knowledge service."""
    blueprint = Blueprint("xapi_knowledge", __name__, url_prefix="/xapi")

    @blueprint.get("/activities")
    def get_activity() -> Response:
        """Answer an Activity with its merged definition."""
        caller, version = _admit()
        params = read_params(request.args, {"activityId"})
        return Response(service.get_activity(caller, params, version), content_type=_JSON)

    @blueprint.get("/agents")
    def get_person() -> Response:
        """Answer the Person of an Agent."""
        caller, version = _admit()
        params = read_params(request.args, {"agent"})
        person = service.get_person(caller, params, version)
        return Response(orjson.dumps(person), content_type=_JSON)

    return blueprint


def _admit() -> tuple[Caller, Version]:
    """Return who asks, and in which version; who may not is refused before anything else."""
    caller = find_caller()
    find_reader(caller)
    return caller, get_version()
