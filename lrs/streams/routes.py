"""/api/v1/log, and the destinations of an institution with what could not be sent there.

Wiring: ``api.register_blueprint(make_log_blueprint(log))`` and
``api.register_blueprint(make_destinations_blueprint(destinations, access))``, the same for
``make_letters_blueprint``.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.access.routes.admitting import admit
from lrs.access.service import AccessService
from lrs.errors import NotFound
from lrs.streams.log import LogService
from lrs.streams.model import Kind
from lrs.streams.schemas import (
    DestinationsSchema,
    IssuedSchema,
    LettersQuerySchema,
    LettersSchema,
    LogQuerySchema,
    NewDestinationSchema,
    NewSecretSchema,
    ReplayedSchema,
    ReplaySchema,
    TestedSchema,
)
from lrs.streams.sending import Result
from lrs.streams.service import DestinationService, Wish
from lrs.streams.views import view_destination, view_letter
from lrs.web.callers import current_caller
from lrs.web.smorest import NoParamsSchema, StrictBlueprint
from lrs.xapi.log import read_filter

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_GONE, _TAKEN = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_HOUR_US = 3_600_000_000
_DESTINATIONS = "/api/v1/institutions/<institution_id>/destinations"


def make_log_blueprint(log: LogService) -> StrictBlueprint:
    """Make the route of the log."""
    blueprint = StrictBlueprint(
        "log", __name__, url_prefix="/api/v1/log", description="Every statement, in the order it was stored"
    )
    blueprint.before_request(admit(Scope.STATEMENTS_READ))

    @blueprint.get("")
    @blueprint.arguments(LogQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, content_type="application/x-ndjson")
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU)
    def read_log(query: Mapping[str, Any]) -> Response:
        """Read the log.

        One line a statement, {"position", "voided", "statement"}, in the order of the log,
        voided and voiding ones included; the last line is {"next"}: give it as after. Where
        that line is missing the answer was cut off. Needs statements/read.
        """
        lines = log.read(current_caller(), query["after"], query["limit"], query["wait"])
        answer = Response(lines.to_bytes(), mimetype="application/x-ndjson")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return blueprint


def make_destinations_blueprint(destinations: DestinationService, access: AccessService) -> StrictBlueprint:
    """Make the routes of destinations."""
    blueprint = StrictBlueprint(
        "destinations",
        __name__,
        url_prefix=_DESTINATIONS,
        description="Where statements are sent on: other record stores, webhooks",
    )
    blueprint.before_request(admit(Scope.ADMIN, Scope.ALL))

    @blueprint.post("")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(NewDestinationSchema)
    @blueprint.response(HTTPStatus.CREATED, IssuedSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE, _TAKEN)
    def add_destination(_none: object, wanted: Mapping[str, Any], institution_id: str) -> dict[str, Any]:
        """Make a destination.

        A webhook's secret is in this answer and nowhere else. Needs an administrator's key, or
        the institution's own with scope all; so do all of these.
        """
        owner = _handle(access, institution_id)
        issued = destinations.add(owner, _wish(wanted))
        return {**view_destination(destinations.get(owner, issued.destination.id)), "secret": issued.secret}

    @blueprint.get("")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, DestinationsSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_destinations(_none: object, institution_id: str) -> dict[str, Any]:
        """List destinations.

        By name, with how each stands.
        """
        return {
            "destinations": [
                view_destination(one) for one in destinations.list(_handle(access, institution_id))
            ]
        }

    @blueprint.delete("/<destination_id>")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def remove_destination(_none: object, institution_id: str, destination_id: str) -> None:
        """Remove a destination.

        What was not sent yet is not sent, and its dead letters are forgotten.
        """
        destinations.remove(_handle(access, institution_id), destination_id)

    @blueprint.post("/<destination_id>/tests")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, TestedSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def send_test(_none: object, institution_id: str, destination_id: str) -> dict[str, Any]:
        """Send a test.

        Now, and once: an event without statements to a webhook, an empty array to a store.
        """
        verdict = destinations.test(_handle(access, institution_id), destination_id)
        return {"ok": verdict.result is Result.SENT, "status": verdict.status, "reason": verdict.reason}

    @blueprint.post("/<destination_id>/secrets")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(NewSecretSchema)
    @blueprint.response(HTTPStatus.CREATED, IssuedSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def rotate_secret(
        _none: object, wanted: Mapping[str, Any], institution_id: str, destination_id: str
    ) -> dict[str, Any]:
        """Change a secret.

        A webhook's requests carry two signatures during the overlap; a forward's new
        credentials are used at once.
        """
        owner = _handle(access, institution_id)
        overlap_us = wanted["overlapHours"] * _HOUR_US
        issued = destinations.rotate(owner, destination_id, overlap_us, wanted["credentials"])
        return {**view_destination(destinations.get(owner, destination_id)), "secret": issued.secret}

    return blueprint


def make_letters_blueprint(destinations: DestinationService, access: AccessService) -> StrictBlueprint:
    """Make the routes of dead letters."""
    blueprint = StrictBlueprint(
        "letters", __name__, url_prefix=_DESTINATIONS, description="What destinations refused for good"
    )
    blueprint.before_request(admit(Scope.ADMIN, Scope.ALL))

    @blueprint.get("/<destination_id>/letters")
    @blueprint.arguments(LettersQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, LettersSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_letters(query: Mapping[str, int], institution_id: str, destination_id: str) -> dict[str, Any]:
        """List dead letters.

        The statements that the destination refused for good, in the order of the log.
        """
        found = destinations.letters(_handle(access, institution_id), destination_id, query["limit"])
        return {"letters": [view_letter(letter) for letter in found]}

    @blueprint.post("/<destination_id>/replays")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.arguments(ReplaySchema)
    @blueprint.response(HTTPStatus.ACCEPTED, ReplayedSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def replay_letters(
        _none: object, wanted: Mapping[str, Any], institution_id: str, destination_id: str
    ) -> dict[str, int]:
        """Send dead letters again.

        One, or all of the destination; the worker sends them.
        """
        one = str(wanted["statement"]) if wanted["statement"] else None
        return {"letters": destinations.replay(_handle(access, institution_id), destination_id, one)}

    @blueprint.delete("/<destination_id>/letters/<statement_id>")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def drop_letter(_none: object, institution_id: str, destination_id: str, statement_id: str) -> None:
        """Drop a dead letter.

        It is not sent any more; the statement stays in the log.
        """
        destinations.drop(_handle(access, institution_id), destination_id, statement_id)

    return blueprint


def _handle(access: AccessService, institution_id: str) -> InstitutionHandle:
    """Open an institution that the caller may administer; another's looks like none."""
    caller: Caller = current_caller()
    if caller.handle is not None and caller.handle.institution_id != institution_id:
        raise NotFound("There is no such institution.")
    return InstitutionHandle(access.get_institution(institution_id).id)


def _wish(wanted: Mapping[str, Any]) -> Wish:
    agents = [json.dumps(agent) for agent in wanted["agents"]]
    return Wish(
        wanted["name"],
        Kind(wanted["kind"]),
        wanted["url"],
        read_filter(wanted["verbs"], wanted["activities"], agents, related=wanted["related"]),
        wanted["credentials"],
        wanted["fromStart"],
    )
