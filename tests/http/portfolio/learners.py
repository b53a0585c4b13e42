"""A learner with records at three places, and the pages of theirs."""

import json
import re
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

import profiles.demo_city
from lrs.access.model import Role
from lrs.jobs.model import Outcome
from tests.http.conftest import Instance

SPINE = Path(profiles.demo_city.__file__).with_name("spine.json").read_bytes()
FRAMEWORK = json.loads(SPINE)["CFDocument"]["identifier"]
ITEM = next(one["identifier"] for one in json.loads(SPINE)["CFItems"] if one["humanCodingScheme"] == "MS.2")
ALIGNMENT = {
    "name": "tides",
    "framework": FRAMEWORK,
    "model": {
        "name": "k-of-n",
        "k": 2,
        "n": 3,
        "levels": [{"level": 1, "name": "Steady", "threshold": "0.6"}],
    },
    "rules": [
        {"id": "r1", "item": "MS.2", "when": {"activity": ["https://example.org/tide/*"]}, "score": "scaled"}
    ],
}
HTML = {"Accept": "text/html"}
WREN = {"name": "Wren Lanternhill", "mbox": "mailto:wren@example.org"}
CARD = {"account": {"homePage": "https://cards.example.org", "name": "card-7"}}
CARD_TEXT = "https://cards.example.org card-7"
OTHER = {"name": "Ash Otherwise", "mbox": "mailto:ash@example.org"}
PAGES = ["/portfolio", f"/portfolio/why?item={ITEM}", "/portfolio/file"]
FORMS = [
    "/portfolio/shares",
    "/portfolio/shares/closing",
    "/portfolio/consents",
    "/portfolio/consents/withdrawal",
]


def said(actor: dict[str, Any], activity: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "actor": actor,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
        "object": {"id": f"https://example.org/{activity}", "definition": {"name": {"en": name}}},
        "timestamp": "2023-11-02T10:00:00Z",
        **changes,
    }


def fill(instance: Instance) -> None:
    """A school and a museum; Wren is known to each by another identifier, which nobody has linked yet."""
    school, museum = instance.key("School"), instance.key("Museum")
    scored = {"score": {"scaled": 0.7}, "duration": "PT2H"}
    instance.post([said(WREN, f"tide/{n}", f"Tide chart {n}", result=scored) for n in (1, 2)], school)
    instance.post([said(CARD, "fish", "Robot fish")], museum)
    instance.post([said(OTHER, "secret", "Private lesson of another")], school)
    derive(instance)


def merge(instance: Instance) -> None:
    """Link Wren's two identifiers."""
    instance.services.learners.link("mailto:wren@example.org", CARD_TEXT, "test")
    derive(instance)


def derive(instance: Instance) -> None:
    assert instance.services.jobs.run("derive").outcome is Outcome.DONE


def align(instance: Instance) -> None:
    handle = instance.access.handle_for_institution_named("School")
    instance.services.frameworks.import_framework(handle, SPINE)
    instance.services.frameworks.import_alignment(handle, json.dumps(ALIGNMENT).encode())
    derive(instance)


def learner(instance: Instance, identifier: str = "mailto:wren@example.org") -> str:
    return str(instance.services.learners.find(identifier).id)


def sign_in(instance: Instance, subject: str | None, role: str = Role.LEARNER) -> None:
    link = instance.access.create_sign_in("School", role, subject)
    instance.client.set_cookie("lrs_session", instance.access.take_sign_in(link))


def sign_in_wren(instance: Instance) -> None:
    sign_in(instance, learner(instance))


def get(instance: Instance, path: str = "/portfolio", status: int = 200) -> str:
    answer = instance.client.get(path, headers=HTML)
    assert answer.status_code == status, answer.text
    return answer.text


def send(instance: Instance, path: str, **fields: str) -> TestResponse:
    """Send a form as the page holds it."""
    token = re.search(r'name="form" value="(\w+)"', get(instance))
    assert token
    return instance.client.post(path, data={"form": token[1], **fields}, headers=HTML)


def make_link(instance: Instance, **fields: str) -> str:
    """Make a share link on the page; returns its path."""
    answer = send(instance, "/portfolio/shares", **{"label": "", "days": "30", **fields})
    assert answer.status_code == 200, answer.text
    found = re.search(r'value="http://lrs\.example\.org(/portfolio/shared/\w+)"', answer.text)
    assert found
    return found[1]
