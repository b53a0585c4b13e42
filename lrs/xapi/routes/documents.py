"""State, Activity Profile and Agent Profile: GET, PUT, POST and DELETE, alike for all three.

Spec: xAPI 1.0.3 Communication 2.2, 2.3, 2.6, 2.7, 3.1; xAPI 2.0 4.1.4.
"""

import orjson
from flask import Blueprint, Response, request
from werkzeug.datastructures import ETags
from werkzeug.http import http_date

from lrs.access.model import Caller
from lrs.clock import to_datetime
from lrs.web.params import read_params
from lrs.xapi.document_service import RESOURCES, SINCE, DocumentService, Resource, Sent
from lrs.xapi.documents import ANY, Preconditions
from lrs.xapi.ports.documents import DocumentContent
from lrs.xapi.routes.common import find_caller, get_version, no_content, read_body
from lrs.xapi.versions import Version

_JSON = "application/json"
_BYTES = "application/octet-stream"


def make_documents_blueprint(service: DocumentService) -> Blueprint:
    """Make the blueprint with the routes of all three resources."""
    blueprint = Blueprint("xapi_documents", __name__, url_prefix="/xapi")
    for resource in RESOURCES:
        _add_routes(blueprint, service, resource)
    return blueprint


def _add_routes(blueprint: Blueprint, service: DocumentService, resource: Resource) -> None:
    name = resource.kind.name.lower()

    def get() -> Response:
        """Answer one document, or the ids of all."""
        caller, version = _admit(service, resource, reading=True)
        params = read_params(request.args, resource.names | {SINCE})
        if resource.id_name not in params:
            listed = service.list(caller, resource, params, version)
            response = Response(orjson.dumps(list(listed.ids)), content_type=_JSON)
            return _changed(response, listed.updated_at_us)
        found = service.get(caller, resource, params, version)
        response = Response(found.content, content_type=found.content_type)
        response.set_etag(found.etag)
        return _changed(response, found.updated_at_us)

    def put() -> Response:
        """Make or replace a document."""
        caller, version = _admit(service, resource, reading=False)
        params = read_params(request.args, resource.names)
        service.put(caller, resource, params, version, _sent(service))
        return no_content()

    def post() -> Response:
        """Make a document, or merge into it."""
        caller, version = _admit(service, resource, reading=False)
        params = read_params(request.args, resource.names)
        service.post(caller, resource, params, version, _sent(service))
        return no_content()

    def delete() -> Response:
        """Remove a document, or (State) all of them."""
        caller, version = _admit(service, resource, reading=False)
        params = read_params(request.args, resource.names)
        service.delete(caller, resource, params, version, _preconditions())
        return no_content()

    for method, view in (("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete)):
        blueprint.add_url_rule(resource.path, f"{name}_{method.lower()}", view, methods=[method])


def _admit(service: DocumentService, resource: Resource, *, reading: bool) -> tuple[Caller, Version]:
    """Return who asks, and in which version; who may not is refused before anything else."""
    caller = find_caller()
    service.find_place(caller, resource, reading=reading)
    return caller, get_version()


def _changed(response: Response, updated_at_us: int | None) -> Response:
    """Say when what is answered was last changed, where there is anything.

    Spec: xAPI 1.0.3 Communication 2.2 (Last Modified).
    """
    if updated_at_us is not None:
        response.headers["Last-Modified"] = http_date(to_datetime(updated_at_us))
    return response


def _sent(service: DocumentService) -> Sent:
    content = read_body(service.limits.max_body_bytes)
    return Sent(DocumentContent(request.content_type or _BYTES, content), _preconditions())


def _preconditions() -> Preconditions:
    return Preconditions(
        _tags(request.if_match) if "If-Match" in request.headers else None,
        _tags(request.if_none_match) if "If-None-Match" in request.headers else None,
    )


def _tags(etags: ETags) -> list[str]:
    """List the tags of a header, weak ones included: ours are hashes of the very bytes."""
    return [ANY] if etags.star_tag else [*etags.as_set(include_weak=True)]
