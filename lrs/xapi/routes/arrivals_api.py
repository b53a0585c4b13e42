"""GET /api/v1/keys/{id}/arrivals: did the records arrive, as JSON.

Wiring: ``api.register_blueprint(make_arrivals_api_blueprint(arrivals, access))``.
"""

from collections.abc import Mapping
from http import HTTPStatus

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.access.service import AccessService
from lrs.errors import NotFound, NotPermitted
from lrs.web.callers import current_caller
from lrs.web.smorest import StrictBlueprint
from lrs.xapi.arrivals import IMPORT, ArrivalService
from lrs.xapi.schemas import ArrivalsQuerySchema, ArrivalsSchema
from lrs.xapi.verdicts import Overview


def make_arrivals_api_blueprint(arrivals: ArrivalService, access: AccessService) -> StrictBlueprint:
    """Make the route."""
    blueprint = StrictBlueprint(
        "arrivals", __name__, url_prefix="/api/v1/keys", description="Whether records arrived, and why not"
    )
    blueprint.before_request(_refuse_administrators)

    @blueprint.get("/<key_id>/arrivals")
    @blueprint.arguments(ArrivalsQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, ArrivalsSchema)
    @blueprint.refuses(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
    )
    def get_arrivals(query: Mapping[str, int], key_id: str) -> Overview:
        """Read what arrived and what was refused.

        A key may ask about itself; with scope all about every key of its institution, and
        about import (what was brought by command). Administrators' keys may not.
        """
        caller: Caller = current_caller()
        handle = _may_ask(caller, access, key_id)
        return arrivals.overview(handle, key_id, query["limit"])

    return blueprint


def _refuse_administrators() -> None:
    """Refuse strangers and administrators before anything of their request is looked at."""
    _handle(current_caller())


def _handle(caller: Caller) -> InstitutionHandle:
    if caller.handle is None:
        raise NotPermitted("Administrators' keys read no records, nor what was refused of them.")
    return caller.handle


def _may_ask(caller: Caller, access: AccessService, key_id: str) -> InstitutionHandle:
    """Return the handle to ask with; another institution's key looks like none."""
    handle = _handle(caller)
    if key_id == caller.source or (caller.may(Scope.ALL) and _is_ours(handle, access, key_id)):
        return handle
    raise NotFound("There is no such key.")


def _is_ours(handle: InstitutionHandle, access: AccessService, key_id: str) -> bool:
    # Both are asked always, so that another institution's key takes as long as an unknown one.
    key, client = access.keys.find(key_id), access.find_client(key_id)
    owners = {found.institution_id for found in (key, client) if found}
    return key_id == IMPORT or handle.institution_id in owners
