"""What people of the demo do in their own browsers: learners sign in and agree, a mentor confirms."""

import re
from datetime import datetime, timedelta

from flask.testing import FlaskClient

from lrs.access.model import Role
from lrs.demo.client import DemoError
from lrs.demo.moving import Moving
from profiles.demo_city import Person

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


def confirm(moving: Moving, person: Person, now: datetime) -> None:
    """Have the employer ask its mentor to confirm a day of a learner's, and the mentor answer.

    Raises:
        DemoError: The application refused it.
    """
    home, mentor = moving.city.providers["employer"].home, moving.city.staff["mentor-hull"]
    wish = {
        "learner": person.identifiers["employer"]["mbox"],
        "learnerName": person.name,
        "mentorName": mentor.name,
        "mentorEmail": mentor.identifiers["employer"]["mbox"].removeprefix("mailto:"),
        "activity": f"{home}/events/regatta",
        "activityName": "The harbour regatta",
        "hours": "5",
        "day": (now - timedelta(days=9)).date().isoformat(),
    }
    asked = moving.client.open("POST", "/api/v1/attestations", wish, key=moving.keys["employer"])
    link = asked.get_json()["link"].removeprefix(moving.services.settings.public_url)
    answer = {
        "hours": "6",
        "level": "4",
        "narrative": "Ran the start line alone when the wind turned. I would take this crew again.",
        "act": "confirm",
    }
    moving.client.open("POST", link, form=answer)


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
