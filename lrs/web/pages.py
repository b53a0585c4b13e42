"""What all pages share: the base template, the style sheet, the headers that keep them private."""

from flask import Blueprint, Flask, Response, request

from lrs.web import moments
from lrs.web.errors import PROBLEM_TYPE

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all, no font, nothing from another host."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


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
        number=moments.number_text,
        short_day=moments.short_day_text,
        size=moments.size_text,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.after_request(_add_headers)


def _add_headers(answer: Response) -> Response:
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault("Content-Security-Policy", _POLICY)
    if answer.mimetype == "text/html":
        answer.headers.setdefault("Cache-Control", "no-store")
    elif request.endpoint == "web.static" and answer.mimetype != PROBLEM_TYPE:
        answer.headers["Cache-Control"] = "no-cache"
    return answer
