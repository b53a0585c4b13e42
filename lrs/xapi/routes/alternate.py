"""Alternate Request Syntax: any request as a POST of a form, for clients that can send no other.

The form is unfolded into the request that it stands for before the app sees it, so that
no route knows of it. Under 2.0 it is gone: such a request is left as it is, and refused
for its unknown parameter.

A form is read before anybody can tell who sends it, for the credentials are in it. So only a
few are read at a time, and senders who take their time over them hold up none but each other.

Spec: xAPI 1.0.3 Communication 1.3.
"""

import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import request

from lrs.errors import InvalidRequest, LrsError, RateLimited, TooLarge
from lrs.web.proxies import is_outside

_FORM = "application/x-www-form-urlencoded"
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})
_HEADERS = {
    "authorization": "HTTP_AUTHORIZATION",
    "x-experience-api-version": "HTTP_X_EXPERIENCE_API_VERSION",
    "content-type": "CONTENT_TYPE",
    "if-match": "HTTP_IF_MATCH",
    "if-none-match": "HTTP_IF_NONE_MATCH",
    "accept": "HTTP_ACCEPT",
    "accept-language": "HTTP_ACCEPT_LANGUAGE",
    "accept-encoding": "HTTP_ACCEPT_ENCODING",
}
_DROPPED = frozenset({"content-length", "method"})
_VERSION = "HTTP_X_EXPERIENCE_API_VERSION"
_WRONG = "lrs.alternate_wrong"
_MAX_FIELDS = 100
_MOST_DIGITS = 18
_MAX_PARAMETERS = 65_535
"""Characters of all fields but the content together: they stand for what is in an address and headers."""


class AlternateSyntax:
    """Wraps a WSGI application; unfolds what is sent in the alternate syntax under ``/xapi/``."""

    def __init__(self, app: WSGIApplication, max_form_bytes: int, max_forms: int) -> None:
        """Take the application, how long a form may be, and how many are read at a time."""
        self._app = app
        self._max_form_bytes = max_form_bytes
        self._places = threading.BoundedSemaphore(max_forms)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Unfold where there is something to unfold, and pass the request on."""
        if (
            environ["REQUEST_METHOD"] == "POST"
            and "method=" in environ.get("QUERY_STRING", "")
            and environ.get("PATH_INFO", "").startswith("/xapi/")
            and not is_outside(environ)
        ):
            try:
                self._unfold(environ)
            except LrsError as error:
                environ[_WRONG] = error
        return self._app(environ, start_response)

    def _unfold(self, environ: WSGIEnvironment) -> None:
        query = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
        methods = [value for name, value in query if name == "method"]
        if not methods or environ.get(_VERSION, "").startswith("2"):
            return
        if len(query) != 1:
            raise InvalidRequest(
                "In the alternate syntax, method is the only query parameter; others go in the form."
            )
        if methods[0] not in _METHODS:
            raise InvalidRequest(f"method must be one of {', '.join(sorted(_METHODS))}.")
        _rewrite(environ, methods[0], self._form(environ))

    def _form(self, environ: WSGIEnvironment) -> dict[str, str]:
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != _FORM:
            raise InvalidRequest(f"In the alternate syntax the body is a form: {_FORM}.")
        with self._place():
            body = _read(environ, self._max_form_bytes)
        try:
            fields = parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
            )
        except ValueError as error:
            raise InvalidRequest(
                "The form of the alternate syntax cannot be read as UTF-8 fields."
            ) from error
        form = dict(fields)
        if len(form) != len(fields):
            raise InvalidRequest("A field of the form is given twice.")
        if sum(len(name) + len(value) for name, value in fields if name != "content") > _MAX_PARAMETERS:
            raise InvalidRequest(
                f"The fields of the form but content may have {_MAX_PARAMETERS} characters together."
            )
        return form

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places for forms that are being read; nobody waits for one."""
        if not self._places.acquire(blocking=False):
            raise RateLimited(
                "Too many forms of the alternate syntax are being read at this moment; send this one again"
                " shortly, or send the request itself."
            )
        try:
            yield
        finally:
            self._places.release()


def _read(environ: WSGIEnvironment, most: int) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise InvalidRequest("The form must say its length in bytes.")
    if len(length) > _MOST_DIGITS or int(length) > most:
        raise TooLarge(f"A form may have {most} bytes; send the request itself, whose body is not escaped.")
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _rewrite(environ: WSGIEnvironment, method: str, form: dict[str, str]) -> None:
    """Make the request that a form stands for, unless it is one of 2.0."""
    fields: dict[str, Any] = {name.lower(): value for name, value in form.items()}
    if fields.get("x-experience-api-version", "").startswith("2"):
        raise InvalidRequest("xAPI 2.0 has no alternate request syntax; send the request itself.")
    if method in {"PUT", "POST"} and "content" not in form:
        raise InvalidRequest("The form of a PUT or POST needs the field content.")
    content = form.get("content", "").encode()
    params = {
        name: value
        for name, value in form.items()
        if name != "content" and name.lower() not in _HEADERS and name.lower() not in _DROPPED
    }
    environ.pop("CONTENT_TYPE", None)
    environ.update({_HEADERS[name]: value for name, value in fields.items() if name in _HEADERS})
    environ.update(
        {
            "REQUEST_METHOD": method,
            "QUERY_STRING": urlencode(params),
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.input": io.BytesIO(content),
        }
    )
    if method in {"PUT", "POST"}:
        environ.setdefault("CONTENT_TYPE", "application/json")


def is_wrong(environ: WSGIEnvironment) -> bool:
    """Tell whether a request's alternate syntax could not be unfolded."""
    return _WRONG in environ


def check_alternate() -> None:
    """Refuse a request whose alternate syntax could not be unfolded.

    Asked before any route: it still is a POST, which not every resource takes.

    Raises:
        InvalidRequest: Saying why.
        TooLarge: The form is longer than is read.
        RateLimited: Too many forms are being read.
    """
    wrong: LrsError | None = request.environ.get(_WRONG)
    if wrong is not None:
        raise wrong
