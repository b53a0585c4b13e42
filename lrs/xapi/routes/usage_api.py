"""GET /api/v1/institutions/{id}/usage: how much of its quota an institution has used.

Wiring: ``api.register_blueprint(make_usage_blueprint(quotas, access))``.
"""

from http import HTTPStatus

from lrs.access.model import Caller, Scope
from lrs.access.routes.admitting import admit
from lrs.access.service import AccessService
from lrs.errors import NotFound
from lrs.web.callers import current_caller
from lrs.web.smorest import NoParamsSchema, StrictBlueprint
from lrs.xapi.quotas import QuotaWatch, Usage
from lrs.xapi.schemas import UsageSchema


def make_usage_blueprint(quotas: QuotaWatch, access: AccessService) -> StrictBlueprint:
    """Make the route."""
    blueprint = StrictBlueprint(
        "usage", __name__, url_prefix="/api/v1/institutions", description="How much is kept of what may be"
    )
    blueprint.before_request(admit(Scope.ADMIN, Scope.ALL))

    @blueprint.get("/<institution_id>/usage")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, UsageSchema)
    @blueprint.refuses(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
    )
    def get_usage(_none: object, institution_id: str) -> Usage:
        """Read how much an institution holds, and may hold.

        A number, and no record: so administrators' keys may, and the institution's own with
        scope all.
        """
        caller: Caller = current_caller()
        if caller.handle is not None and caller.handle.institution_id != institution_id:
            raise NotFound("There is no such institution.")
        institution = access.get_institution(institution_id)
        return quotas.usage(
            access.handle_for_institution_named(institution.name), institution.statement_quota
        )

    return blueprint
