"""POST /api/v1/attestations: ask somebody who has no system to confirm what a learner did.

Wiring: ``api.register_blueprint(make_attestations_blueprint(attestations, access, public_url))``.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.access.routes.admitting import admit
from lrs.errors import NotPermitted
from lrs.sources.attestation import AttestationService, AttestationWish
from lrs.sources.schemas import AttestationsSchema, IssuedAttestationSchema, NewAttestationSchema
from lrs.web.callers import current_caller
from lrs.web.smorest import NoParamsSchema, StrictBlueprint

_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def make_attestations_blueprint(attestations: AttestationService, public_url: str) -> StrictBlueprint:
    """Make the routes; ``public_url`` begins the links."""
    blueprint = StrictBlueprint(
        "attestations",
        __name__,
        url_prefix="/api/v1/attestations",
        description="Confirmations by people who have no system",
    )
    blueprint.before_request(admit(Scope.STATEMENTS_WRITE))

    @blueprint.post("")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(NewAttestationSchema)
    @blueprint.response(HTTPStatus.CREATED, IssuedAttestationSchema)
    @blueprint.refuses(*_REFUSALS, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    def ask(_none: object, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for a confirmation.

        The link in the answer is shown this once; give it to the mentor. It works once. What is
        confirmed becomes a statement with the mentor as instructor. Needs the scope
        statements/write.
        """
        handle = _writer()
        token = attestations.ask(handle, _wish(wanted))
        asked = attestations.find(token)
        return {"id": asked.subject, "link": f"{public_url}/attest/{token}", "until": asked.until_us}

    @blueprint.get("")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, AttestationsSchema)
    @blueprint.refuses(*_REFUSALS)
    def list_attestations(_none: object) -> dict[str, Any]:
        """List what was asked.

        Each with how it stands; links are not shown again. Needs the scope statements/write.
        """
        found = attestations.list(_writer())
        return {
            "attestations": [
                {"id": one.subject, "until": one.until_us, "state": one.state, **_asked(one.asked)}
                for one in found
            ]
        }

    return blueprint


def _writer() -> InstitutionHandle:
    caller: Caller = current_caller()
    if caller.handle is None:
        raise NotPermitted("These credentials belong to no institution.")
    return caller.handle


def _wish(wanted: Mapping[str, Any]) -> AttestationWish:
    names = {
        "learner": "learner",
        "learner_name": "learnerName",
        "mentor_name": "mentorName",
        "mentor_email": "mentorEmail",
        "activity": "activity",
        "activity_name": "activityName",
        "hours": "hours",
        "day": "day",
        "asker": "asker",
        "voucher": "voucher",
        "verb": "verb",
        "days": "days",
    }
    return AttestationWish(
        **{ours: wanted[name] for ours, name in names.items()}, levels=tuple(wanted["levels"])
    )


def _asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asked[name] for name in ("learnerName", "mentorName", "activity", "activityName", "day")}
