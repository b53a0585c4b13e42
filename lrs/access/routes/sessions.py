"""Signing in and out: /sign-in/{token} and /sign-out.

Opening a link only shows a button, so that a program that previews links does not use it
up; the button posts. The form carries a token that a cookie of the same page holds too, so
that no other site can sign somebody in.

Pages call ``signed_in(access, role)``. Those whose forms change something put ``form_token()``
into them as ``form``, and call ``check_session_form(sent)`` when they take one.
"""

import hashlib
import hmac
from collections.abc import Mapping

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for

from lrs.access.model import Caller, Role
from lrs.access.service import AccessService
from lrs.access.sign_ins import SESSION_US
from lrs.errors import InvalidRequest, NotPermitted, Unauthenticated
from lrs.web.params import read_params

_FORM_COOKIE = "lrs_form"
_FORM_SECONDS = 3600
_SECOND_US = 1_000_000


_WHOSE = {
    Role.ARRIVALS: "an institution that sends records",
    Role.REGISTRAR: "a school's registrar",
    Role.LEARNER: "the learner whom it is about",
}
_ASK = {
    Role.ARRIVALS: "lrs sign-in --institution NAME",
    Role.REGISTRAR: "lrs sign-in --institution NAME --role registrar",
    Role.LEARNER: "lrs sign-in --institution NAME --role learner --learner LEARNER",
}


def make_sessions_blueprint(access: AccessService, secure: bool, homes: Mapping[Role, str]) -> Blueprint:
    """Make the routes.

    Args:
        access: Knows links and sessions.
        secure: Whether cookies may travel over https alone.
        homes: The endpoint of each role's own page, shown after signing in.
    """
    blueprint = Blueprint("sessions", __name__, template_folder="../templates")
    blueprint.record_once(lambda state: state.app.config.update(LRS_SECURE_COOKIES=secure))

    @blueprint.get("/sign-in/<token>")
    def show_sign_in(token: str) -> Response:
        """Show the button; nothing is used up."""
        read_params(request.args, ())
        form_token = access.new_token()
        answer = make_response(render_template("access/sign_in.html", token=token, form_token=form_token))
        answer.set_cookie(
            _FORM_COOKIE,
            form_token,
            max_age=_FORM_SECONDS,
            path=_form_path(),
            secure=secure,
            httponly=True,
            samesite="Strict",
        )
        return answer

    @blueprint.post("/sign-in/<token>")
    def sign_in(token: str) -> Response:
        """Use the link up, begin a session, and go to the pages."""
        _check_form()
        session = access.take_sign_in(token)
        answer = make_response(redirect(url_for(_home(session)), 303))
        answer.delete_cookie(_FORM_COOKIE, path=_form_path(), secure=secure, httponly=True, samesite="Strict")
        answer.set_cookie(
            _cookie_name(),
            session,
            max_age=SESSION_US // _SECOND_US,
            path=_cookie_path(),
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    def _home(session: str) -> str:
        caller = access.find_session(session)
        return homes[caller.role or Role.ARRIVALS] if caller else homes[Role.ARRIVALS]

    @blueprint.post("/sign-out")
    def sign_out() -> Response:
        """End the session, if there is one, and say so.

        A form on another site does not bring the cookie along, and so does not take it away either.
        """
        read_params(request.args, ())
        token = request.cookies.get(_cookie_name())
        answer = make_response(render_template("access/signed_out.html"))
        if token is not None:
            access.end_session(token)
            answer.delete_cookie(
                _cookie_name(), path=_cookie_path(), secure=secure, httponly=True, samesite="Lax"
            )
        return answer

    return blueprint


def find_signed_in(access: AccessService) -> Caller | None:
    """Return who this browser is signed in as, in whatever role."""
    token = request.cookies.get(_cookie_name())
    return access.find_session(token) if token else None


def signed_in(access: AccessService, role: Role) -> Caller:
    """Return who this browser is signed in as, where it is in the role that a page is made for.

    Raises:
        Unauthenticated: There is no session, or it has ended.
        NotPermitted: It is a session of another role.
    """
    caller = find_signed_in(access)
    if caller is None:
        raise Unauthenticated(
            "Open the sign-in link that you were given; it works once, within a day. Whoever runs this"
            f" instance makes a new one with: {_ASK[role]}",
            heading="You are not signed in",
        )
    if caller.role is not role:
        raise NotPermitted(
            f"This page is for {_WHOSE[role]}, and this browser is signed in as somebody else. Open the"
            " sign-in link that you were given for this page.",
            heading="This page is not for you",
        )
    return caller


def form_token() -> str:
    """Return what a signed-in page's forms carry, so that no other site can send one for somebody.

    It follows from the session's token, which no other site can read, and tells nothing of it.
    """
    session = request.cookies.get(_cookie_name(), "")
    return hashlib.sha256(f"form {session}".encode()).hexdigest()


def check_session_form(sent: Mapping[str, str]) -> None:
    """Refuse a form that no page of this browser's session has shown.

    Raises:
        InvalidRequest: Its member ``form`` is missing or another session's.
    """
    if not hmac.compare_digest(form_token().encode(), sent.get("form", "").encode()):
        raise InvalidRequest(
            "Open the page again and press the button there: this form is not of your session."
        )


def _form_path() -> str:
    return f"{request.script_root}/sign-in"


def _cookie_path() -> str:
    """Keep the session's cookie from applications that share the host, where we stand below a path."""
    return request.script_root or "/"


def _cookie_name() -> str:
    """Name the session's cookie; the prefix makes browsers hold it to https, and to this host and path /."""
    if not current_app.config["LRS_SECURE_COOKIES"]:
        return "lrs_session"
    return "__Secure-lrs_session" if request.script_root else "__Host-lrs_session"


def _check_form() -> None:
    """Refuse a form that this site did not show to this browser."""
    shown = request.cookies.get(_FORM_COOKIE, "")
    sent = read_params(request.form, {"form"}).get("form", "")
    if not shown or not hmac.compare_digest(shown.encode(), sent.encode()):
        raise InvalidRequest(
            "Open the sign-in link again and press the button there; cookies must be allowed."
        )
