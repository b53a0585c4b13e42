"""Who is calling: the Authorization header, asked about once a request and only when needed.

This package knows no keys: the composition root hands in what authenticates.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g, request

from lrs.errors import LrsError

CALLER = "lrs.caller"
"""Under which the environment of a request has its caller, or why there is none, found out before Flask."""


def install_callers(app: Flask, authenticate: Callable[[str | None], object]) -> None:
    """Tell an app how to find out who is calling.

    Args:
        app: The app whose routes will ask.
        authenticate: Takes the Authorization header, or None where there is none; returns
            the caller; raises Unauthenticated.
    """
    app.extensions["lrs_authenticate"] = authenticate


def current_caller() -> Any:
    """Return the caller of this request, authenticated when first asked for.

    Raises:
        Unauthenticated: There are no credentials, or they are not good.
    """
    if "caller" not in g:
        found = request.environ.get(CALLER)
        if found is None:
            found = current_app.extensions["lrs_authenticate"](request.headers.get("Authorization"))
        if isinstance(found, LrsError):
            raise found
        g.caller = found
    return g.caller
