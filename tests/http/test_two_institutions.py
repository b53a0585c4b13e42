"""Two institutions: what is another's is answered exactly like what does not exist."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from werkzeug.test import TestResponse

from lrs.access.model import Scope
from tests.http.conftest import Instance
from tests.http.owned import (
    ACTIVITY,
    AGENT,
    CASES,
    IDS,
    INSTITUTIONS,
    STATE,
    STATEMENTS,
    Ask,
    Named,
    fill_museum,
    new_school,
    nobodys_like,
    send,
)
from tests.http.posting import BAD, GOOD, key_id, sign_in

UNOWNED = {
    ("GET", "/"),
    ("GET", "/api/docs"),
    ("GET", "/api/openapi.json"),
    ("GET", INSTITUTIONS),
    ("POST", INSTITUTIONS),
    ("GET", "/arrivals"),
    ("GET", "/assets/<>"),
    ("GET", "/attest/<>"),
    ("POST", "/attest/<>"),
    ("GET", "/attest/done"),
    ("GET", "/api/v1/attestations"),
    ("POST", "/api/v1/attestations"),
    ("GET", "/api/v1/jobs"),
    ("GET", "/api/v1/jobs/<>/runs"),
    ("POST", "/api/v1/jobs/<>/runs"),
    ("GET", "/api/v1/me/consents"),
    ("PUT", "/api/v1/me/consents"),
    ("DELETE", "/api/v1/me/consents/<>/<>"),
    ("GET", "/api/v1/me/disclosures"),
    ("GET", "/api/v1/crosswalks"),
    ("GET", "/transcripts"),
    ("GET", "/transcripts/<>"),
    ("GET", "/transcripts/<>/transcript.<>"),
    ("GET", "/transcripts/<>/why"),
    ("GET", "/transcript/shared/<>"),
    ("GET", "/transcript/shared/<>.<>"),
    ("GET", "/transcript/shared/<>/why"),
    ("GET", "/healthz"),
    ("GET", "/ims/case/v1p1/CFDocuments"),
    ("GET", "/ims/case/v1p1/CFDocuments/<>"),
    ("GET", "/ims/case/v1p1/CFPackages/<>"),
    ("GET", "/readyz"),
    ("GET", "/sign-in/<>"),
    ("POST", "/sign-in/<>"),
    ("POST", "/sign-out"),
    ("GET", "/portfolio"),
    ("GET", "/portfolio/file"),
    ("GET", "/portfolio/shared/<>"),
    ("GET", "/portfolio/shared/<>/why"),
    ("GET", "/portfolio/why"),
    ("POST", "/portfolio/consents"),
    ("POST", "/portfolio/consents/withdrawal"),
    ("POST", "/portfolio/shares"),
    ("POST", "/portfolio/shares/closing"),
    ("GET", "/xapi/about"),
}
"""What names nothing that is owned; frameworks are public. A sign-in link's token is itself what lets
in; what is a learner's own goes by the session (tests/http/test_consents.py), and so does what a registrar
sees of a school's (tests/http/transcripts)."""


def headers_of(answer: TestResponse) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers if name != "Date")


@dataclass
class Museum:
    """A museum that has one of each, on an instance where schools come and go."""

    instance: Instance
    key: dict[str, str]
    theirs: Named
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_school(self, scope: Scope) -> dict[str, str]:
        """A school that has sent nothing yet; returns its key."""
        return new_school(self.instance, f"School {next(self.numbers)}", scope)


@pytest.fixture(scope="module")
def museum(shared_instance: Instance) -> Museum:
    """One for all the requests, none of which changes anything of it (a test of its own says so)."""
    key = shared_instance.key("Museum")
    return Museum(shared_instance, key, fill_museum(shared_instance, key))


@pytest.mark.parametrize(
    ("method", "rule", "ask"),
    CASES,
    ids=IDS,
)
@pytest.mark.parametrize("scope", [Scope.ALL, Scope.STATEMENTS_READ_MINE])
def test_anothers_is_answered_like_nobodys(
    museum: Museum, method: str, rule: str, ask: Ask, scope: Scope
) -> None:
    instance, theirs = museum.instance, museum.theirs
    nobodys = nobodys_like(theirs)
    school = museum.new_school(scope)
    there, nowhere = (send(instance, method, ask(named), school) for named in (theirs, nobodys))
    assert there.status_code == nowhere.status_code
    assert re.sub(r"error\d+", "", theirs.text(there.text)) == re.sub(
        r"error\d+", "", nobodys.text(nowhere.text)
    )
    assert headers_of(there) == headers_of(nowhere)
    assert "museum" not in there.text.lower()
    assert key_id(museum.key) not in there.text.replace(rule.replace("<>", theirs.key), "")


def test_every_route_and_method_is_walked(embedded: Instance) -> None:
    served = {
        (method, re.sub(r"<[^>]+>", "<>", rule.rule))
        for rule in embedded.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    walked = {(method, rule) for method, rule, _ in CASES}
    assert served - UNOWNED == walked


def view_of(instance: Instance, museum: dict[str, str], named: Named) -> list[tuple[int, str]]:
    """Everything that the museum sees of its own."""
    asked: list[tuple[str, dict[str, str]]] = [
        (STATEMENTS, {"ascending": "true"}),
        (STATEMENTS, {"statementId": named.statement}),
        (STATEMENTS, {"voidedStatementId": named.voided}),
        ("/xapi/activities", {"activityId": named.activity}),
        ("/xapi/agents", {"agent": named.agent}),
        (STATE, named.states),
        (STATE, named.state),
        (ACTIVITY, named.activity_profile),
        (AGENT, named.agent_profile),
        (f"{INSTITUTIONS}/{named.institution}", {}),
        (f"{INSTITUTIONS}/{named.institution}/keys", {}),
        (f"/api/v1/keys/{named.key}/arrivals", {}),
        (f"{INSTITUTIONS}/{named.institution}/destinations", {}),
        (f"{INSTITUTIONS}/{named.institution}/destinations/{named.destination}/letters", {}),
    ]
    answers = [instance.client.get(path, query_string=query, headers=museum) for path, query in asked]
    return [(answer.status_code, answer.text) for answer in answers]


def test_nothing_changes_for_the_museum_whatever_the_school_sends(instance: Instance) -> None:
    school, museum = new_school(instance, "School"), instance.key("Museum")
    theirs = fill_museum(instance, museum)
    before = view_of(instance, museum, theirs)
    assert [status for status, _ in before] == [200] * len(before)
    for method, _, ask in CASES:
        send(instance, method, ask(theirs), school)
    assert view_of(instance, museum, theirs) == before


def test_lists_and_pages_show_one_institution_alone(instance: Instance) -> None:
    school, museum = instance.key("School"), instance.key("Museum")
    instance.post([GOOD], museum)
    refused = instance.post([BAD], museum).get_json()["errorId"]
    sign_in(instance, "School")
    page = instance.client.get("/arrivals").text
    listed = instance.client.get(INSTITUTIONS, headers=school).text
    imported = instance.client.get("/api/v1/keys/import/arrivals", headers=school).text
    for text in (page, listed, imported):
        assert "Museum" not in text
        assert key_id(museum) not in text
        assert refused not in text
    assert "Nothing has arrived yet." in page
