"""What every xAPI resource does before and after its own work: caller, version, headers.

Spec: xAPI 1.0.3 Communication 3.3 (Versioning); xAPI 2.0 4.1.
"""

import contextlib

from flask import Flask, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from lrs.access.model import Caller
from lrs.errors import InvalidRequest, TooLarge, UnsupportedVersion
from lrs.web.callers import current_caller
from lrs.xapi.routes.alternate import check_alternate
from lrs.xapi.versions import Version, negotiate_version

VERSION_HEADER = "X-Experience-API-Version"
CONSISTENT_HEADER = "X-Experience-API-Consistent-Through"
_PREFIX = "/xapi/"


def install_xapi_headers(app: Flask, default_version: Version) -> None:
    """Put the standard's headers on every answer under ``/xapi``, errors and unknown paths included.

    Args:
        app: The app that serves the resources.
        default_version: Whose form answers a request without a usable version header, where its key
            names none.
    """

    def add_headers(response: Response) -> Response:
        if request.path.startswith(_PREFIX):
            response.headers[VERSION_HEADER] = str(g.get("xapi_version", default_version))
            if "consistent_through" in g:
                response.headers[CONSISTENT_HEADER] = g.consistent_through
        return response

    app.after_request(add_headers)


def find_caller() -> Caller:
    """Return who calls, having noted in which version's form the answer will be.

    Raises:
        Unauthenticated: The credentials are missing or not good.
        InvalidRequest: The request is in the alternate syntax, and wrong in it.
    """
    check_alternate()
    with contextlib.suppress(UnsupportedVersion):
        g.xapi_version = negotiate_version(request.headers.get(VERSION_HEADER))
    caller: Caller = current_caller()
    if "xapi_version" not in g and caller.default_version:
        g.xapi_version = caller.default_version
    return caller


def read_body(max_bytes: int) -> bytes:
    """Return the request's body.

    Raises:
        InvalidRequest: It is compressed.
        TooLarge: It passes the limit, declared or not.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise InvalidRequest("Send the body without Content-Encoding; compressed bodies are not taken.")
    # Werkzeug cuts a body of undeclared length at its limit without a word; one byte more tells.
    request.max_content_length = max_bytes + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        body = None
    if body is None or len(body) > max_bytes:
        raise TooLarge(f"The body is larger than {max_bytes} bytes; send it in smaller parts.")
    return body


def get_version() -> Version:
    """Return the version that the request speaks.

    Raises:
        UnsupportedVersion: The header is missing or names another one.
    """
    return negotiate_version(request.headers.get(VERSION_HEADER))
