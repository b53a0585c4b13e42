"""Errors over HTTP: one table of statuses (``kinds.py``), one body for every route, one id for each failure.

The body is that of RFC 9457 (``application/problem+json``) on all routes, ``/xapi``
included: xAPI rules the status, not the body. Browsers that ask a page for HTML get the
same in words. The rooms raise; nothing outside this file turns an error into an answer.
"""

import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, render_template, request
from werkzeug.exceptions import HTTPException

from lrs.errors import (
    InvalidRequest,
    LrsError,
    MethodNotAllowed,
    NotFound,
    NotPermitted,
    PreconditionFailed,
    Problem,
    RateLimited,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
)
from lrs.traces import trace_of
from lrs.web.kinds import FAILED, kind_of

_log = logging.getLogger(__name__)

MAX_PROBLEMS = 100
"""Problems written out in one answer; every bad statement's index is given beyond that."""

PROBLEM_TYPE = "application/problem+json"


_ON_XAPI = {415: 400, 502: 500}

_BY_STATUS: dict[int, tuple[type[LrsError], str]] = {
    400: (InvalidRequest, "The request cannot be understood as HTTP."),
    401: (Unauthenticated, "Send the key and its secret as Basic credentials, or a token."),
    403: (NotPermitted, "This is not allowed."),
    404: (NotFound, "There is nothing at this address."),
    405: (MethodNotAllowed, "This address does not take that method; the Allow header lists those it takes."),
    412: (PreconditionFailed, "A precondition of the request did not hold."),
    413: (TooLarge, "The body is larger than this instance takes."),
    414: (TooLarge, "The address is longer than this instance takes."),
    415: (UnsupportedMediaType, "The body's content type is not taken here."),
    429: (RateLimited, "Too many requests; try again later."),
    431: (TooLarge, "The headers are longer than this instance takes."),
}


def status_of(error: LrsError) -> int:
    """Return the HTTP status of an error for the route being answered.

    The standard's list has neither 415 nor 502, so ``/xapi`` answers 400 and 500 there.

    Spec: xAPI 1.0.3 Communication 3.2.
    """
    status = kind_of(error).status
    if has_request_context() and _is_xapi():
        return _ON_XAPI.get(status, status)
    return status


def error_id() -> str:
    """Return the id of this request's failure, made when first asked for.

    The answer, the log and a kept refusal carry the same one.
    """
    if "error_id" not in g:
        g.error_id = current_app.extensions["lrs_new_error_id"]()
    return str(g.error_id)


def problem_body(error: LrsError) -> dict[str, Any]:
    """Write an error as RFC 9457 problem details.

    Returns:
        ``type``, ``title``, ``status``, ``detail``, ``code``, ``errorId``, ``problems``
        (up to 100), and ``badIndexes`` (every one) where statements of a batch are bad.
    """
    kind = kind_of(error)
    body: dict[str, Any] = {
        "type": f"{request.script_root}/api/docs#error-{error.code}",
        "title": kind.title,
        "status": status_of(error),
        "detail": kind.public or error.detail,
        "code": error.code,
        "errorId": error_id(),
        "problems": [_problem(problem) for problem in error.problems[:MAX_PROBLEMS]],
    }
    indexes = getattr(error, "bad_indexes", None) or getattr(error, "indexes", None)
    if indexes:
        body["badIndexes"] = list(indexes)
    return body


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "path": problem.path,
        "rule": problem.rule,
        "message": problem.message,
        "spec": problem.spec,
    }


def install_error_handlers(app: Flask, new_error_id: Callable[[], str]) -> None:
    """Answer every failure of an app in the one shape.

    Args:
        app: Must be given ``lrs.web.pages.install_pages`` too for errors in HTML.
        new_error_id: Makes a short id that people can read out.

    An error's fact ``heading`` stands over its page in place of the kind's title.
    """
    app.extensions["lrs_new_error_id"] = new_error_id
    app.register_error_handler(LrsError, _answer_known)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unknown)


def _answer_known(error: LrsError) -> Response:
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s on %s\n%s", error_id(), error.code, _where(), trace_of(error))
    else:
        _log.info("%s %s %d on %s", error_id(), error.code, status, _where())
    return _respond(error, status)


def _answer_http(error: HTTPException) -> Response:
    """Put what Flask and Werkzeug raise into our words; redirects pass."""
    plain = error.get_response()
    if plain.status_code < HTTPStatus.BAD_REQUEST:
        return Response(plain.get_data(), plain.status_code, plain.headers)
    if plain.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _answer_unknown(error)
    known, detail = _BY_STATUS.get(plain.status_code, _BY_STATUS[400])
    answer = _answer_known(known(detail))
    if "Allow" in plain.headers:
        answer.headers["Allow"] = plain.headers["Allow"]
    return answer


def _answer_unknown(error: Exception) -> Response:
    """Outlive a failure that nobody foresaw: logged in full, answered without details."""
    _log.error("%s unforeseen on %s\n%s", error_id(), _where(), trace_of(error))
    return _respond(LrsError(FAILED), 500)


def _respond(error: LrsError, status: int) -> Response:
    if wants_page():
        kind = kind_of(error)
        heading, detail = error.facts.get("heading", kind.title), kind.public or error.detail
        page = render_template(
            "error.html", heading=heading, detail=detail, problems=error.problems[:20], error_id=error_id()
        )
        answer = Response(page, status, mimetype="text/html")
    else:
        answer = Response(json.dumps(problem_body(error)), status, content_type=PROBLEM_TYPE)
    answer.headers["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        for challenge in _challenges(error):
            answer.headers.add("WWW-Authenticate", challenge)
    if error.transient:
        answer.headers["Retry-After"] = str(getattr(error, "retry_after_seconds", 5))
    return answer


def _challenges(error: LrsError) -> list[str]:
    """Name the ways in: Basic and tokens for systems; for pages a scheme that opens no browser dialogue.

    Each has a header line of its own, for clients that read but one of them. Who sent a token is
    told first what is wrong with it. Whether an institution takes tokens is told to nobody.

    Spec: RFC 9110 11.6.1; RFC 7617 2; RFC 6750 3.
    """
    if not is_api_path():
        return ['SignInLink realm="lrs"']
    basic, bearer = 'Basic realm="lrs", charset="UTF-8"', 'Bearer realm="lrs"'
    if "token_refused" in error.facts:
        return [f'{bearer}, error="invalid_token", error_description="{error.detail}"', basic]
    return [basic, bearer]


def is_api_path() -> bool:
    """Tell whether the request is for a system's door rather than for a page."""
    return _is_xapi() or request.path.startswith("/api/v1/")


def wants_page() -> bool:
    """Tell whether the failure is to be shown to a person: a page was asked for, as HTML."""
    if is_api_path() or "web" not in current_app.blueprints:
        return False
    asked = request.accept_mimetypes
    return asked["text/html"] > asked["application/json"]


def _is_xapi() -> bool:
    return request.path == "/xapi" or request.path.startswith("/xapi/")


def _where() -> str:
    """Name the route by its rule: a path may hold a token or an id of a person."""
    return f"{request.method} {request.url_rule.rule if request.url_rule else 'no route'}"
