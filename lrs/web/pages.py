"""What all pages share: the base template, the style sheet, the headers that keep them private."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Blueprint, Flask, Response, request

from lrs.web import moments
from lrs.web.errors import PROBLEM_TYPE

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all, no font, nothing from another host."""

_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", _POLICY),
]

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


def install_pages(app: Flask) -> None:
    """Give an app the base page, its style sheet under ``/assets/``, and the security headers.

    The headers stand on every answer, so that an error or a file is as private as a page.
    """
    web = Blueprint(
        "web", __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
    )
    app.register_blueprint(web)
    app.jinja_env.filters.update(
        ago=moments.ago_text,
        day=moments.day_text,
        iso=moments.iso_text,
        moment=moments.moment_text,
        month=moments.month_text,
        number=moments.number_text,
        short_day=moments.short_day_text,
        size=moments.size_text,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.after_request(_add_caching)
    answers = _Answers(app.wsgi_app)
    app.wsgi_app = answers  # type: ignore[method-assign]  # Flask's own way to wrap itself


def _add_caching(answer: Response) -> Response:
    if answer.mimetype == "text/html":
        answer.headers.setdefault("Cache-Control", "no-store")
    elif request.endpoint == "web.static" and answer.mimetype != PROBLEM_TYPE:
        answer.headers["Cache-Control"] = "no-cache"
    return answer


class _Answers:
    """Wraps a WSGI application: security headers on its answers, and whole answers handed over whole.

    The application sets none of those headers. Outside Flask they are one list to be appended;
    through its answers, one by one, they took a quarter of the time of a short request. And a
    list of parts is sent in one go by the server, which asks any other iterable for part after part.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        whole = False

        def start(status: str, headers: list[tuple[str, str]], exc_info: _ExcInfo | None = None, /) -> Any:
            nonlocal whole
            whole = any(name == "Content-Length" for name, _ in headers)
            return start_response(status, headers + _HEADERS, exc_info)

        answer = self._app(environ, start)
        return _read_out(answer) if whole else answer


def _read_out(answer: Iterable[bytes]) -> list[bytes]:
    """Return the parts of an answer, all of which are there, and close it."""
    try:
        return list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
