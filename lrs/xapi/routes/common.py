"""What every xAPI resource does before and after its own work: caller, version, headers.

Spec: xAPI 1.0.3 Communication 3.3 (Versioning); xAPI 2.0 4.1.
"""

import contextlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import TypeVar

from flask import Flask, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from lrs.access.model import Caller
from lrs.errors import InvalidRequest, LrsError, TooLarge, UnsupportedVersion
from lrs.web.callers import current_caller
from lrs.web.errors import error_id, status_of
from lrs.xapi.arrivals import ArrivalService
from lrs.xapi.versions import Version, negotiate_version

VERSION_HEADER = "X-Experience-API-Version"
CONSISTENT_HEADER = "X-Experience-API-Consistent-Through"
NOT_UNASKED = ("Cache-Control", "no-cache")
"""What is read may be another the next moment: no cache gives it again without asking.

Without a word of it browsers guess from Last-Modified how long an answer stays good.

Spec: RFC 9111 4.2.2, 5.2.2.4.
"""
_PREFIX = "/xapi/"
_CHUNK = 1 << 18
_Work = TypeVar("_Work")


def install_xapi_headers(app: Flask, default_version: Version) -> None:
    """Put the standard's headers on every answer under ``/xapi``, errors and unknown paths included.

    Args:
        app: The app that serves the resources.
        default_version: Whose form answers a request without a usable version header, where its key
            names none.
    """

    def add_headers(response: Response) -> Response:
        if request.path.startswith(_PREFIX):
            _note_version()
            response.headers[VERSION_HEADER] = str(g.get("xapi_version", default_version))
            if request.method in {"GET", "HEAD"}:
                response.headers.setdefault(*NOT_UNASKED)
            if "consistent_through" in g:
                response.headers[CONSISTENT_HEADER] = g.consistent_through
        return response

    app.after_request(add_headers)


def find_caller() -> Caller:
    """Return who calls, having noted in which version's form the answer will be.

    Raises:
        Unauthenticated: The credentials are missing or not good.
    """
    _note_version()
    caller: Caller = current_caller()
    if "xapi_version" not in g and caller.default_version:
        g.xapi_version = caller.default_version
    return caller


def _note_version() -> None:
    """Note the version that the request's header names, if it names one that is spoken."""
    if "xapi_version" not in g:
        with contextlib.suppress(UnsupportedVersion):
            g.xapi_version = negotiate_version(request.headers.get(VERSION_HEADER))


def read_body(max_bytes: int) -> bytes:
    """Return the request's body.

    Raises:
        InvalidRequest: It is compressed.
        TooLarge: It passes the limit, declared or not.
    """
    return b"".join(read_body_parts(max_bytes))


def read_body_parts(max_bytes: int) -> Iterator[bytes]:
    """Give the request's body piece by piece.

    Raises:
        InvalidRequest: It is compressed.
        TooLarge: It passes the limit, declared or not; pieces may have been given before.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise InvalidRequest("Send the body without Content-Encoding; compressed bodies are not taken.")
    # Werkzeug cuts a body of undeclared length at its limit without a word; one byte more tells.
    request.max_content_length = max_bytes + 1
    total = 0
    try:
        while part := request.stream.read(_CHUNK):
            total += len(part)
            if total > max_bytes:
                break
            yield part
    except RequestEntityTooLarge:
        total = max_bytes + 1
    if total > max_bytes:
        raise TooLarge(f"The body is larger than {max_bytes} bytes; send it in smaller parts.")


def noting_refusal(
    arrivals: ArrivalService, caller: Caller, work: Callable[[], _Work], method: str | None = None
) -> _Work:
    """Do the work; when it is refused, note that for the provider's page, then let the error go on.

    The method stands for the request's own where it is given.
    """
    try:
        return work()
    except LrsError as error:
        status = status_of(error)
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            note_refusal(arrivals, caller, error, status, method)
        raise


def note_refusal(
    arrivals: ArrivalService, caller: Caller, error: LrsError, status: int, method: str | None = None
) -> None:
    """Note for the provider's page what was not taken of this request."""
    if caller.handle and caller.source:
        arrivals.note_refusal(
            caller.handle,
            source=caller.source,
            error=error,
            error_id=error_id(),
            status=status,
            method=method or request.method,
            body_bytes=request.content_length or 0,
        )


def no_content() -> Response:
    """Answer that it is done, and nothing else."""
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers.remove("Content-Type")
    return response


def get_version() -> Version:
    """Return the version that the request speaks.

    Raises:
        UnsupportedVersion: The header is missing or names another one.
    """
    return negotiate_version(request.headers.get(VERSION_HEADER))
