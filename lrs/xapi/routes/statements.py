"""POST, PUT and GET /xapi/statements.

Spec: xAPI 1.0.3 Communication 2.1; xAPI 2.0 4.1.6.1.
"""

import orjson
from flask import Blueprint, Response, g, request
from werkzeug.http import http_date

from lrs.access.model import Caller
from lrs.clock import to_datetime, to_text
from lrs.errors import UnsupportedMediaType
from lrs.web.params import read_params
from lrs.xapi.arrivals import ArrivalService
from lrs.xapi.attachments import SentBody
from lrs.xapi.languages import ANY, Languages
from lrs.xapi.query import KNOWN
from lrs.xapi.routes.common import find_caller, get_version, no_content, noting_refusal, read_body
from lrs.xapi.routes.short_way import raise_met
from lrs.xapi.service import Showing, StatementService, Stored

_MOST_LANGUAGES = 32
_LONGEST_TAG = 64


def make_statements_blueprint(service: StatementService, arrivals: ArrivalService) -> Blueprint:
    """Make the blueprint over the statement service; refusals go to the arrival service."""
    blueprint = Blueprint("xapi_statements", __name__, url_prefix="/xapi")

    @blueprint.post("/statements")
    def post_statements() -> Response:
        """Store a statement or a batch; answer its ids."""
        caller = find_caller()
        stored = noting_refusal(arrivals, caller, lambda: _post(service, caller))
        return Response(orjson.dumps(stored.ids), content_type="application/json")

    @blueprint.put("/statements")
    def put_statement() -> Response:
        """Store one statement under the id in the query; answer nothing."""
        caller = find_caller()
        noting_refusal(arrivals, caller, lambda: _put(service, caller))
        return no_content()

    @blueprint.get("/statements")
    def get_statements() -> Response:
        """Answer one statement by id, or a page."""
        caller = find_caller()
        g.consistent_through = to_text(service.consistent_through(caller))
        raise_met(request.environ)
        version = get_version()
        params = read_params(request.args, KNOWN)
        answer = service.get(caller, params, version, _showing())
        response = Response(answer.body, content_type=answer.content_type)
        if answer.stored_at_us is not None:
            response.headers["Last-Modified"] = http_date(to_datetime(answer.stored_at_us))
        return response

    return blueprint


def _post(service: StatementService, caller: Caller) -> Stored:
    raise_met(request.environ)
    service.find_writer(caller)
    version = get_version()
    read_params(request.args, ())
    return service.post(caller, _sent_body(service), version)


def _put(service: StatementService, caller: Caller) -> Stored:
    raise_met(request.environ)
    service.find_writer(caller)
    version = get_version()
    params = read_params(request.args, {"statementId"})
    return service.put(caller, _sent_body(service), version, params.get("statementId"))


def _languages() -> Languages:
    """Return the languages asked for, the most wanted first, up to a bound.

    Each language map of each statement is held against them all.
    """
    asked = [(tag, quality) for tag, quality in request.accept_languages if len(tag) <= _LONGEST_TAG]
    asked = sorted(asked, key=lambda one: -one[1])[:_MOST_LANGUAGES]
    wanted = [tag for tag, quality in asked if quality > 0]
    return Languages(wanted, [tag for tag, quality in asked if quality <= 0 and tag != ANY])


def _showing() -> Showing:
    return Showing(_languages(), f"{request.script_root}/xapi/statements?more=")


def _sent_body(service: StatementService) -> SentBody:
    """Return the body of a request that says it is JSON, or JSON with attachments.

    Raises:
        UnsupportedMediaType: It says something else.
        InvalidRequest: It is compressed.
        TooLarge: It passes the limit, declared or not.
    """
    if request.mimetype not in {"application/json", "multipart/mixed"}:
        raise UnsupportedMediaType(
            "Send statements as application/json, or with attachments as multipart/mixed, not as "
            f"{request.mimetype[:100] or 'no type'}."
        )
    content = read_body(service.read_limits.max_body_bytes)
    if request.mimetype == "multipart/mixed":
        return SentBody(content, request.mimetype_params.get("boundary", ""))
    return SentBody(content)
