"""A record that is taken and one that is refused; the page of arrivals, and how one gets in."""

import base64
import re

from werkzeug.test import TestResponse

from tests.http.conftest import Instance

GOOD = {
    "actor": {"mbox": "mailto:ada@example.org"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
    "object": {"id": "https://example.org/robots"},
}
BAD = {**GOOD, "actor": {"mbox": "ada@example.org"}}
HTML = {"Accept": "text/html"}


def sign_in(instance: Instance, name: str) -> None:
    """Sign the test's browser in by a link, as a person does."""
    link = f"/sign-in/{instance.access.create_sign_in(name)}"
    form = re.search(r'name="form" value="([^"]+)"', instance.client.get(link).text)
    assert form
    answer = instance.client.post(link, data={"form": form[1]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/arrivals")


def key_id(headers: dict[str, str]) -> str:
    return base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[0]


def arrivals(
    instance: Instance, headers: dict[str, str], source: str | None = None, **params: object
) -> TestResponse:
    return instance.client.get(
        f"/api/v1/keys/{source or key_id(headers)}/arrivals", headers=headers, query_string=params
    )
