"""/api/v1/me: a signed-in learner's own consents and disclosures; and an institution's given consents.

A browser brings the session's cookie by itself, so what changes something is taken only from
pages of this instance: the cookie is not sent along by forms of other sites (``SameSite``),
the body is JSON, and a request that names another origin is refused.
"""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from flask import request

from lrs.access.handles import InstitutionId
from lrs.access.model import Role, Scope
from lrs.access.routes.admitting import admit
from lrs.access.routes.sessions import signed_in
from lrs.access.service import AccessService
from lrs.consent.model import Disclosure
from lrs.consent.schemas import (
    ConsentSchema,
    ConsentsSchema,
    DisclosuresSchema,
    GivenConsentsSchema,
    NewConsentSchema,
)
from lrs.consent.service import ConsentService
from lrs.consent.views import Names, view_consent, view_disclosure, view_given
from lrs.errors import NotFound, NotPermitted
from lrs.learners.handles import IdentityId, LearnerHandle, LearnerId
from lrs.learners.routes.api import own_institution
from lrs.learners.service import LearnerService
from lrs.web.smorest import NoParamsSchema, StrictBlueprint

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_GONE, _TAKEN = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT


def make_own_consents_blueprint(
    consents: ConsentService, learners: LearnerService, access: AccessService
) -> StrictBlueprint:
    """Make the routes of a signed-in learner."""
    blueprint = StrictBlueprint(
        "me", __name__, url_prefix="/api/v1/me", description="A signed-in learner's own decisions"
    )

    def own() -> LearnerHandle:
        return _own(access, learners)

    blueprint.before_request(lambda: _check_signed_in(access))

    @blueprint.get("/consents")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, ConsentsSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_consents(_none: object) -> dict[str, Any]:
        """List own consents.

        All that the learner ever agreed to. For a browser in which a learner is signed in; so
        are all of these.
        """
        names = _names(access)
        return {"consents": [view_consent(one, names) for one in consents.list_for(own())]}

    @blueprint.put("/consents")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(NewConsentSchema)
    @blueprint.response(HTTPStatus.OK, ConsentSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE, _TAKEN)
    def grant_consent(_none: object, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Agree.

        Lets an institution see what others hold of the learner, for one purpose; again changes
        or confirms it.
        """
        names = _names(access)
        sources = None if wanted["sources"] is None else [_find(one, names) for one in wanted["sources"]]
        made = consents.grant(
            own(),
            _find(wanted["institution"], names),
            wanted["purpose"],
            wanted["kinds"],
            sources,
            wanted["until"],
        )
        return view_consent(made, names)

    @blueprint.delete("/consents/<institution_id>/<purpose>")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def withdraw_consent(_none: object, institution_id: str, purpose: str) -> None:
        """Take back.

        From now on the institution sees nothing more of others for that purpose.
        """
        consents.withdraw(own(), InstitutionId(institution_id), purpose)

    @blueprint.get("/disclosures")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, DisclosuresSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_disclosures(_none: object) -> dict[str, Any]:
        """List disclosures.

        Who saw what of the learner's records at other institutions, the latest day first.
        """
        names = _names(access)
        return {"disclosures": [_view(one, names) for one in consents.disclosures(own())]}

    return blueprint


def make_given_consents_blueprint(consents: ConsentService, access: AccessService) -> StrictBlueprint:
    """Make the route of the consents that were given to an institution."""
    blueprint = StrictBlueprint(
        "consents",
        __name__,
        url_prefix="/api/v1/institutions",
        description="What learners agreed to with an institution",
    )
    blueprint.before_request(admit(Scope.STATEMENTS_READ))

    @blueprint.get("/<institution_id>/consents")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, GivenConsentsSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_given(_none: object, institution_id: str) -> dict[str, Any]:
        """List given consents.

        What learners agreed to with the institution. Needs its own key with statements/read.
        """
        handle, names = own_institution(institution_id), _names(access)
        return {"consents": [view_given(one, names) for one in consents.list_given(handle)]}

    return blueprint


def _check_signed_in(access: AccessService) -> None:
    """Refuse who is no learner of this browser, and what another site sends.

    Raises:
        Unauthenticated: Nobody is signed in.
        NotPermitted: A key was sent, somebody else is signed in, or the request is another site's.
    """
    if "Authorization" in request.headers:
        raise NotPermitted("This is for a browser in which a learner is signed in, not for keys.")
    signed_in(access, Role.LEARNER)
    ours = {None, access.origin, request.host_url.rstrip("/")}
    if request.method not in {"GET", "HEAD"} and request.headers.get("Origin") not in ours:
        raise NotPermitted("Another site sent this for the learner; it is not taken.")


def _view(one: Disclosure, names: Names) -> dict[str, Any]:
    view = view_disclosure(one, names)
    return {**view, "sources": view["from"]}


def _own(access: AccessService, learners: LearnerService) -> LearnerHandle:
    """Return the handle of who is signed in; it opens nothing where nothing is known of them yet."""
    subject = signed_in(access, Role.LEARNER).subject or ""
    try:
        return learners.own(subject)
    except NotFound:
        return LearnerHandle(LearnerId(subject), (IdentityId(subject),))


def _names(access: AccessService) -> Names:
    return {one.id: one.name for one in access.list_institutions()}


def _find(id_or_name: str, names: Names) -> InstitutionId:
    if id_or_name in names:
        return InstitutionId(id_or_name)
    found: Collection[InstitutionId] = [id_ for id_, name in names.items() if name == id_or_name]
    if not found:
        raise NotFound(f'There is no institution "{id_or_name}".')
    return next(iter(found))
