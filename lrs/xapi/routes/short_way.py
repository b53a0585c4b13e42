"""The short way of the plainest requests to /xapi/statements, past Flask.

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

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import NamedTuple
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson
from werkzeug.http import http_date

from lrs.access.model import Caller
from lrs.clock import to_datetime, to_text
from lrs.web.callers import CALLER
from lrs.web.proxies import is_outside
from lrs.xapi.attachments import JSON, SentBody
from lrs.xapi.query import KNOWN
from lrs.xapi.routes.alternate import is_wrong
from lrs.xapi.routes.common import CONSISTENT_HEADER, VERSION_HEADER
from lrs.xapi.service import Showing, StatementService
from lrs.xapi.versions import Version, negotiate_version

_PATH = "/xapi/statements"
_MET = "lrs.statements_met"
_UNUSUAL = ("HTTP_ORIGIN", "HTTP_ACCEPT_LANGUAGE", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")
_MOST_DIGITS = 18

Authenticate = Callable[[str | None], Caller]


class _Answer(NamedTuple):
    """A success: its body, content type, version, and headers of its own."""

    body: bytes
    content_type: str
    version: Version
    more: tuple[tuple[str, str], ...] = ()


class ShortWay:
    """Wraps an app; answers what is plain, and leaves everything else to the app.

    Args:
        app: The long way.
        service: What both ways ask.
        authenticate: Finds the caller of an Authorization header.
    """

    def __init__(self, app: WSGIApplication, service: StatementService, authenticate: Authenticate) -> None:
        """Keep all three."""
        self._app = app
        self._service = service
        self._authenticate = authenticate

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or pass the request on, with the error that was met where one was."""
        answer = self._try(environ) if environ["PATH_INFO"] == _PATH and _is_usual(environ) else None
        if answer is None:
            return self._app(environ, start_response)
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            (VERSION_HEADER, str(answer.version)),
            *answer.more,
        ]
        start_response("200 OK", headers)
        return [answer.body]

    def _try(self, environ: WSGIEnvironment) -> _Answer | None:
        """Return the answer; None where the long way has to be taken."""
        method = environ["REQUEST_METHOD"]
        try:
            if method == "GET":
                params = _read_query(environ)
                return None if params is None else self._get(environ, params)
            if method == "POST":
                body = self._read_body(environ)
                return None if body is None else self._post(environ, body)
        except Exception as error:  # noqa: BLE001 - nothing is swallowed: the route raises it again
            environ[_MET] = error
        return None

    def _find_caller(self, environ: WSGIEnvironment) -> Caller:
        caller = environ[CALLER] = self._authenticate(environ.get("HTTP_AUTHORIZATION"))
        return caller

    def _get(self, environ: WSGIEnvironment, params: dict[str, str]) -> _Answer:
        caller = self._find_caller(environ)
        through = to_text(self._service.consistent_through(caller))
        version = negotiate_version(environ.get("HTTP_X_EXPERIENCE_API_VERSION"))
        showing = Showing([], f"{environ['SCRIPT_NAME']}{_PATH}?more=")
        answer = self._service.get(caller, params, version, showing)
        more: tuple[tuple[str, str], ...] = ((CONSISTENT_HEADER, through),)
        if answer.stored_at_us is not None:
            more = (("Last-Modified", http_date(to_datetime(answer.stored_at_us))), *more)
        return _Answer(answer.body, answer.content_type, version, more)

    def _post(self, environ: WSGIEnvironment, body: bytes) -> _Answer:
        caller = self._find_caller(environ)
        version = negotiate_version(environ.get("HTTP_X_EXPERIENCE_API_VERSION"))
        stored = self._service.post(caller, SentBody(body), version)
        return _Answer(orjson.dumps(stored.ids), JSON, version)

    def _read_body(self, environ: WSGIEnvironment) -> bytes | None:
        """Return the body of a plain post; None where it is none, with nothing read or all put back."""
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        length = environ.get("CONTENT_LENGTH", "")
        if kind != JSON or environ.get("QUERY_STRING") or not (length.isascii() and length.isdigit()):
            return None
        if len(length) > _MOST_DIGITS or int(length) > self._service.read_limits.max_body_bytes:
            return None
        body: bytes = environ["wsgi.input"].read(int(length))
        if len(body) < int(length):
            environ["wsgi.input"] = BytesIO(body)
            return None
        return body


def raise_met(environ: WSGIEnvironment) -> None:
    """Raise the error that a request has met on the short way, if it has met one."""
    error: Exception | None = environ.get(_MET)
    if error is not None:
        raise error


def _is_usual(environ: WSGIEnvironment) -> bool:
    """Tell whether nothing about a request asks for more than the short way knows."""
    script = environ.get("SCRIPT_NAME", "")
    return (
        not any(name in environ for name in _UNUSUAL)
        and not is_outside(environ)
        and not is_wrong(environ)
        and script.isascii()
        and (not script or script[0] == "/" != script[-1])
    )


def _read_query(environ: WSGIEnvironment) -> dict[str, str] | None:
    """Read the query of a plain GET; None where a name is unknown or repeated, or text is no UTF-8."""
    query = environ.get("QUERY_STRING", "")
    if not query.isascii():
        return None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        return None
    params = dict(pairs)
    return params if len(params) == len(pairs) and KNOWN.issuperset(params) else None
