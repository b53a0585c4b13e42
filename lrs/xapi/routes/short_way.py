"""The short way of plain requests to /xapi/statements, past Flask.

Most of what a record store is asked are posts of statements and pages of them, in one plain
form. Flask's part of such a request (contexts, routing, request and response objects) takes as long
as the record store's own. So what is plain is taken here from the WSGI environment and given to
the same service; whatever is in any way out of the ordinary goes the long way through the app.

Only successes are answered here. An error that was met goes along in the environment, and the
route raises it where it would have met it itself: so no work is done twice, and errors, refusals and
their headers are written in one place. What is answered is the same on both ways, to the byte; a
test asks everything on both.

Spec: xAPI 1.0.3 Communication 2.1; xAPI 2.0 4.1.6.1.
"""

from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from io import BytesIO
from typing import NamedTuple
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson
from werkzeug.http import http_date

from lrs.access.model import Caller
from lrs.clock import to_datetime, to_text
from lrs.errors import LrsError
from lrs.web.callers import CALLER
from lrs.web.proxies import is_outside
from lrs.xapi.attachments import JSON, SentBody
from lrs.xapi.languages import Languages
from lrs.xapi.query import KNOWN
from lrs.xapi.routes.alternate import is_wrong
from lrs.xapi.routes.common import CONSISTENT_HEADER, NOT_UNASKED, VERSION_HEADER
from lrs.xapi.routes.cors import cors_headers
from lrs.xapi.service import Showing, StatementService
from lrs.xapi.versions import negotiate_version

_PATH = "/xapi/statements"
_TAKES: dict[str, Collection[str]] = {"GET": KNOWN, "POST": (), "PUT": ("statementId",)}
"""The parameters of each method that has a short way."""

_LANGUAGES_COUNT = ("format", "more")
_MET = "lrs.statements_met"
_MOST_DIGITS = 18

Authenticate = Callable[[str | None], Caller]
Headers = list[tuple[str, str]]


class _Answer(NamedTuple):
    """A success, and the headers that are its own."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""


class ShortWay:
    """Wraps an app; answers what is plain, and leaves everything else to the app.

    Args:
        app: The long way.
        service: What both ways ask.
        authenticate: Finds the caller of an Authorization header.
        origins: The origins that are let in (``cors``).
    """

    def __init__(
        self,
        app: WSGIApplication,
        service: StatementService,
        authenticate: Authenticate,
        origins: frozenset[str],
    ) -> None:
        """Keep what was handed in."""
        self._app = app
        self._service = service
        self._authenticate = authenticate
        self._origins = origins

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or pass the request on, with the error that was met where one was."""
        params = _read_params(environ) if environ["PATH_INFO"] == _PATH else None
        answer = None
        if params is not None and _is_plain(environ, params):
            try:
                answer = self._answer(environ, params)
            except Exception as error:  # noqa: BLE001 - nothing is swallowed: the route raises it again
                environ[_MET] = error
        if answer is None:
            return self._app(environ, start_response)
        start_response(f"{answer.status.value} {answer.status.phrase}", answer.headers)
        return [answer.body]

    def _answer(self, environ: WSGIEnvironment, params: dict[str, str]) -> _Answer | None:
        """Return a success; None where the body is too long, or ends too soon."""
        method = environ["REQUEST_METHOD"]
        caller = self._find_caller(environ)
        if method == "GET":
            answer = self._get(environ, caller, params)
        else:
            self._service.find_writer(caller)
            body = _read_body(environ, self._service.read_limits.max_body_bytes)
            if body is None:
                return None
            answer = self._write(environ, caller, params, body)
        answer.headers.extend(cors_headers(self._origins, environ.get("HTTP_ORIGIN"), method))
        return answer

    def _find_caller(self, environ: WSGIEnvironment) -> Caller:
        """Return who calls; the long way has the same answer, and does not ask again."""
        try:
            caller = environ[CALLER] = self._authenticate(environ.get("HTTP_AUTHORIZATION"))
        except LrsError as error:
            environ[CALLER] = error
            raise
        return caller

    def _get(self, environ: WSGIEnvironment, caller: Caller, params: dict[str, str]) -> _Answer:
        through = to_text(self._service.consistent_through(caller))
        version = negotiate_version(environ.get("HTTP_X_EXPERIENCE_API_VERSION"))
        showing = Showing(Languages(), f"{environ.get('SCRIPT_NAME', '')}{_PATH}?more=")
        found = self._service.get(caller, params, version, showing)
        headers = [
            ("Content-Type", found.content_type),
            ("Content-Length", str(len(found.body))),
            (VERSION_HEADER, str(version)),
            (CONSISTENT_HEADER, through),
            NOT_UNASKED,
        ]
        if found.stored_at_us is not None:
            headers.append(("Last-Modified", http_date(to_datetime(found.stored_at_us))))
        return _Answer(HTTPStatus.OK, headers, found.body)

    def _write(
        self, environ: WSGIEnvironment, caller: Caller, params: dict[str, str], body: bytes
    ) -> _Answer:
        version = negotiate_version(environ.get("HTTP_X_EXPERIENCE_API_VERSION"))
        if environ["REQUEST_METHOD"] == "PUT":
            self._service.put(caller, SentBody(body), version, params.get("statementId"))
            return _Answer(HTTPStatus.NO_CONTENT, [(VERSION_HEADER, str(version))])
        ids = orjson.dumps(self._service.post(caller, SentBody(body), version).ids)
        headers = [
            ("Content-Type", JSON),
            ("Content-Length", str(len(ids))),
            (VERSION_HEADER, str(version)),
        ]
        return _Answer(HTTPStatus.OK, headers, ids)


def _read_body(environ: WSGIEnvironment, most: int) -> bytes | None:
    """Return the body; None where it is too long, or its sender went away: the long way says so."""
    length = int(environ["CONTENT_LENGTH"])
    if length > most:
        return None
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except (OSError, ValueError):
        body = b""
    if len(body) == length:
        return body
    environ["wsgi.input"] = BytesIO(body)
    return None


def raise_met(environ: WSGIEnvironment) -> None:
    """Raise the error that a request has met on the short way, if it has met one."""
    error: Exception | None = environ.get(_MET)
    if error is not None:
        raise error


def _read_params(environ: WSGIEnvironment) -> dict[str, str] | None:
    """Read the query; None where a name is unknown or repeated, or what is written is no UTF-8."""
    known = _TAKES.get(environ["REQUEST_METHOD"])
    query = environ.get("QUERY_STRING", "")
    if known is None or not query.isascii():
        return None
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        return None
    params = dict(pairs)
    return params if len(params) == len(pairs) and all(name in known for name in params) else None


def _is_plain(environ: WSGIEnvironment, params: dict[str, str]) -> bool:
    """Tell whether nothing about a request asks for more than the short way knows."""
    if is_outside(environ) or is_wrong(environ) or not _is_plain_prefix(environ.get("SCRIPT_NAME", "")):
        return False
    if environ["REQUEST_METHOD"] == "GET":
        return "HTTP_ACCEPT_LANGUAGE" not in environ or not any(name in params for name in _LANGUAGES_COUNT)
    return _has_plain_body(environ)


def _is_plain_prefix(script: str) -> bool:
    return not script or (script.isascii() and script[0] == "/" != script[-1])


def _has_plain_body(environ: WSGIEnvironment) -> bool:
    """Tell whether a body says that it is JSON, neither coded nor cut, and how long it is."""
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    length = environ.get("CONTENT_LENGTH", "")
    coded = "HTTP_CONTENT_ENCODING" in environ or "HTTP_TRANSFER_ENCODING" in environ
    return (
        kind == JSON and not coded and length.isascii() and length.isdigit() and len(length) <= _MOST_DIGITS
    )
