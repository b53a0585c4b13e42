"""The page at ``/``: where whoever was given the address alone goes on from."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lrs.access.model import Role
from lrs.access.routes.sessions import find_signed_in
from lrs.access.service import AccessService
from lrs.web.params import read_params


def make_start_blueprint(access: AccessService, homes: Mapping[Role, str], public_url: str) -> Blueprint:
    """Make the route.

    Args:
        access: Knows sessions.
        homes: The endpoint of each role's own page.
        public_url: Below which systems find xAPI.
    """
    blueprint = Blueprint("start", __name__, template_folder="../templates")

    @blueprint.get("/")
    def start() -> Response | str:
        """Lead who is signed in to their own page; say to all others how people and systems come in."""
        read_params(request.args, ())
        caller = find_signed_in(access)
        if caller is not None and caller.role is not None:
            return redirect(url_for(homes[caller.role]), 303)
        return render_template("access/start.html", endpoint=f"{public_url}/xapi")

    return blueprint
