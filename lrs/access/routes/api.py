"""/api/v1: institutions and keys.

Only an administrator's key makes and revokes; an institution's key with the scope ``all``
sees its own institution. Whatever belongs to another institution is answered exactly like
something that does not exist.

Wiring: ``api.register_blueprint(make_institutions_blueprint(access))`` and the same for
``make_keys_blueprint``, on the app that ``install_callers`` was called for.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import request

from lrs.access.model import Caller, ClientId, Institution, Key, KeyChange, NewKey, Scope
from lrs.access.routes.admitting import admit, admitting
from lrs.access.rules import KeyWish, state_of
from lrs.access.schemas import (
    InstitutionSchema,
    InstitutionsSchema,
    KeyChangeSchema,
    KeySchema,
    KeysSchema,
    NewInstitutionSchema,
    NewKeyAnswerSchema,
    NewKeySchema,
    QuotaSchema,
    RotationSchema,
)
from lrs.access.service import AccessService
from lrs.errors import NotFound
from lrs.web.callers import current_caller
from lrs.web.smorest import NoParamsSchema, StrictBlueprint

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_GONE, _TAKEN = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_HOUR_US = 3_600_000_000


def make_institutions_blueprint(access: AccessService) -> StrictBlueprint:
    """Make the routes of institutions."""
    blueprint = StrictBlueprint(
        "institutions", __name__, url_prefix="/api/v1/institutions", description="Tenants of this instance"
    )

    blueprint.before_request(admit(Scope.ADMIN, Scope.ALL))

    @blueprint.post("")
    @admitting(Scope.ADMIN)
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(NewInstitutionSchema)
    @blueprint.response(HTTPStatus.CREATED, InstitutionSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _TAKEN)
    def create_institution(
        _none: object, wanted: Mapping[str, Any]
    ) -> tuple[Institution, int, dict[str, str]]:
        """Make an institution.

        Needs an administrator's key.
        """
        made = access.create_institution(wanted["name"])
        return made, HTTPStatus.CREATED, {"Location": f"{request.script_root}/api/v1/institutions/{made.id}"}

    @blueprint.get("")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, InstitutionsSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU)
    def list_institutions(_none: object) -> dict[str, Any]:
        """List institutions.

        All of them for an administrator; its own for an institution's key with scope all.
        """
        caller = _caller()
        if caller.handle is None:
            return {"institutions": access.list_institutions()}
        return {"institutions": [access.get_institution(caller.handle.institution_id)]}

    @blueprint.get("/<institution_id>")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, InstitutionSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def get_institution(_none: object, institution_id: str) -> Institution:
        """Read one institution.

        Needs an administrator's key, or the institution's own with scope all.
        """
        return _visible(access, institution_id)

    @blueprint.put("/<institution_id>/quota")
    @admitting(Scope.ADMIN)
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(QuotaSchema)
    @blueprint.response(HTTPStatus.OK, InstitutionSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def set_quota(_none: object, wanted: Mapping[str, Any], institution_id: str) -> Institution:
        """Set an institution's quota.

        From then on a post that would pass it is refused with 403 and code quota-exceeded;
        what is kept already stays. Needs an administrator's key.
        """
        return access.set_statement_quota(institution_id, wanted["statements"])

    return blueprint


def make_keys_blueprint(access: AccessService) -> StrictBlueprint:
    """Make the routes of keys."""
    blueprint = StrictBlueprint(
        "keys", __name__, url_prefix="/api/v1", description="Credentials of the systems that send and read"
    )

    blueprint.before_request(admit(Scope.ADMIN, Scope.ALL))

    @blueprint.post("/institutions/<institution_id>/keys")
    @admitting(Scope.ADMIN)
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(NewKeySchema)
    @blueprint.response(HTTPStatus.CREATED, NewKeyAnswerSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def create_key(_none: object, wanted: Mapping[str, Any], institution_id: str) -> dict[str, Any]:
        """Make a key.

        Needs an administrator's key. The secret is in this answer and nowhere else.
        """
        wish = KeyWish(
            wanted["scopes"],
            wanted["defaultVersion"],
            wanted["expiresAt"],
            wanted["ratePerMinute"],
            wanted["tolerances"],
        )
        return _new_view(access, access.create_key_for(institution_id, wanted["client"], wish))

    @blueprint.get("/institutions/<institution_id>/keys")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, KeysSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_keys(_none: object, institution_id: str) -> dict[str, Any]:
        """List an institution's keys.

        Revoked and expired ones too, oldest first, without secrets. Needs an
        administrator's key, or the institution's own with scope all.
        """
        institution = _visible(access, institution_id)
        clients = access.client_names(institution.id)
        return {"keys": [_view(access, key, clients) for key in access.keys.list(institution.id)]}

    @blueprint.post("/keys/<key_id>/rotations")
    @admitting(Scope.ADMIN)
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(RotationSchema)
    @blueprint.response(HTTPStatus.CREATED, NewKeyAnswerSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE, _TAKEN)
    def rotate_key(_none: object, wanted: Mapping[str, Any], key_id: str) -> dict[str, Any]:
        """Rotate a key.

        Makes its successor, with the same client, scopes, default version, rate and tolerances; both are
        good during the overlap, then the old one expires. The secret is in this answer and
        nowhere else. Needs an administrator's key.
        """
        return _new_view(access, access.keys.rotate(key_id, wanted["overlapHours"] * _HOUR_US))

    @blueprint.patch("/keys/<key_id>")
    @admitting(Scope.ADMIN)
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(KeyChangeSchema)
    @blueprint.response(HTTPStatus.OK, KeySchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE, _TAKEN)
    def change_key(_none: object, wanted: Mapping[str, Any], key_id: str) -> dict[str, Any]:
        """Change a key.

        What is given of its rate, end, default version and tolerances; in force from the next request on.
        A key that is revoked, expired or rotated stays as it is. Needs an administrator's key.
        """
        return _view_alone(access, access.keys.change(key_id, _to_change(wanted)))

    @blueprint.delete("/keys/<key_id>")
    @admitting(Scope.ADMIN)
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def revoke_key(_none: object, key_id: str) -> None:
        """Revoke a key.

        It stops at once; doing it twice changes nothing. Needs an administrator's key.
        """
        access.keys.revoke(key_id)

    return blueprint


def _caller() -> Caller:
    caller: Caller = current_caller()
    return caller


def _visible(access: AccessService, institution_id: str) -> Institution:
    """Return an institution that the caller may see; another's looks like none."""
    caller = _caller()
    if caller.handle is not None and caller.handle.institution_id != institution_id:
        raise NotFound("There is no such institution.")
    return access.get_institution(institution_id)


def _to_change(wanted: Mapping[str, Any]) -> KeyChange:
    given = dict(wanted)
    if "tolerances" in given:
        given["tolerances"] = frozenset(given["tolerances"])
    return KeyChange(**given)


def _new_view(access: AccessService, made: NewKey) -> dict[str, Any]:
    return {**_view_alone(access, made.key), "secret": made.secret}


def _view_alone(access: AccessService, key: Key) -> dict[str, Any]:
    clients = access.client_names(key.institution_id) if key.institution_id else {}
    return _view(access, key, clients)


def _view(access: AccessService, key: Key, clients: Mapping[ClientId, str]) -> dict[str, Any]:
    return {
        "id": key.id,
        "institution": key.institution_id,
        "client": clients[key.client_id] if key.client_id else "",
        "scopes": sorted(key.scopes),
        "defaultVersion": key.default_version,
        "ratePerMinute": key.rate_per_minute,
        "tolerances": sorted(key.tolerances),
        "state": state_of(key, access.now()),
        "createdAt": key.created_at_us,
        "expiresAt": key.expires_at_us,
        "revokedAt": key.revoked_at_us,
        "lastUsedAt": key.last_used_at_us,
        "replacedBy": key.replaced_by,
    }
