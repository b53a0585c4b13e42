"""What learners of the demo decide, in their own browsers: they sign in with a link, and agree."""

import re

from flask.testing import FlaskClient

from lrs.access.model import Role
from lrs.demo.client import DemoError
from lrs.demo.moving import Moving

_FORM_TOKEN = re.compile(r'name="form" value="([0-9a-f]+)"')
_KINDS = ("records", "competencies", "awards")


def agree(moving: Moving, learner: str) -> None:
    """Have a learner let the school see what other places hold, for transcripts.

    Raises:
        DemoError: The application refused it.
    """
    browser = _sign_in(moving, learner)
    wanted = {"institution": moving.school, "purpose": "transcript", "kinds": _KINDS}
    moving.client.open("PUT", "/api/v1/me/consents", wanted, browser=browser)
    moving.client.open("POST", "/sign-out", browser=browser, form={})


def _sign_in(moving: Moving, learner: str) -> FlaskClient:
    """Give a browser in which a learner is signed in."""
    token = moving.services.access.create_sign_in(moving.school, Role.LEARNER, learner)
    browser = moving.client.browser()
    page = moving.client.open("GET", f"/sign-in/{token}", browser=browser)
    found = _FORM_TOKEN.search(page.text)
    if found is None:
        raise DemoError("The page to sign in has no form.")
    moving.client.open("POST", f"/sign-in/{token}", browser=browser, form={"form": found[1]})
    return browser
