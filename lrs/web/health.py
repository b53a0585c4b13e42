"""/healthz: is this process up? /readyz: can it serve, store included?"""

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response

from lrs.errors import StoreError


def make_health_blueprint(ping: Callable[[], None]) -> Blueprint:
    """Make the two routes.

    Args:
        ping: Returns when the store answers; raises StoreError when it does not.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        """Answer 200 while the process serves; the store is not asked."""
        return _say("ok")

    @blueprint.get("/readyz")
    def readyz() -> Response:
        """Answer 200 when the store answers, 503 when it does not."""
        try:
            ping()
        except StoreError:
            return _say("the store is away", HTTPStatus.SERVICE_UNAVAILABLE)
        return _say("ok")

    return blueprint


def _say(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    answer = Response(text + "\n", status, mimetype="text/plain")
    answer.headers["Cache-Control"] = "no-store"
    return answer
