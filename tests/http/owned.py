"""What an institution owns, and every request that can name it: asked for another's, and for nobody's."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from lrs.access.model import Scope
from tests.http.conftest import Instance
from tests.http.posting import BAD, GOOD, key_id, sign_in

VOID = "http://adlnet.gov/expapi/verbs/voided"
CONTENT = b'{"secret":"of the museum"}'


@dataclass
class Named:
    """What a request may name: the museum's own things, or things as long that are nobody's."""

    institution: str
    key: str
    statement: str
    voided: str
    more: str
    activity: str
    agent: str
    registration: str
    document: str
    verb: str
    etag: str
    fresh: str
    position: str
    destination: str
    learner: str

    @property
    def state(self) -> dict[str, str]:
        return {**self.states, "stateId": self.document}

    @property
    def states(self) -> dict[str, str]:
        return {"activityId": self.activity, "agent": self.agent}

    @property
    def activity_profile(self) -> dict[str, str]:
        return {"activityId": self.activity, "profileId": self.document}

    @property
    def agent_profile(self) -> dict[str, str]:
        return {"agent": self.agent, "profileId": self.document}

    def text(self, answer: str) -> str:
        """An answer without the names that were asked with."""
        for value in (*vars(self).values(), json.loads(self.agent)["mbox"]):
            answer = answer.replace(json.dumps(value)[1:-1], "?").replace(value, "?")
        return answer


NOBODYS = Named(
    institution="0" * 10,
    key="0" * 12,
    statement="00000000-0000-4000-8000-00000000dead",
    voided="00000000-0000-4000-8000-0000000dead1",
    more="",
    activity="https://example.org/robotz",
    agent='{"mbox":"mailto:eve@example.org"}',
    registration="00000000-0000-4000-8000-0000000dead2",
    document="notez",
    verb="http://adlnet.gov/expapi/verbs/attendez",
    etag='"' + "0" * 40 + '"',
    fresh="00000000-0000-4000-8000-0000000beef1",
    position="",
    destination="0" * 10,
    learner="0" * 12,
)

Ask = Callable[[Named], dict[str, Any]]


def at(path: str, **query: str) -> Ask:
    """A request with names in its path."""
    return lambda named: {"path": path.format(**vars(named)), "query_string": query}


def asking(path: str, query: Callable[[Named], dict[str, str]], **request: Any) -> Ask:
    """A request with names in its query."""
    return lambda named: {"path": path, "query_string": query(named), **request}


def posting(path: str, body: Callable[[Named], Any]) -> Ask:
    """A request with names in its body."""
    return lambda named: {"path": path, "json": body(named)}


def with_body(ask: Ask, body: Any) -> Ask:
    return lambda named: {**ask(named), "json": body}


def matching(ask: Ask) -> Ask:
    """The same on the condition that the document is the museum's."""
    return lambda named: {**ask(named), "extra": {"If-Match": named.etag}}


def voiding(target: str) -> dict[str, Any]:
    return {**GOOD, "verb": {"id": VOID}, "object": {"objectType": "StatementRef", "id": target}}


def _lines(*statements: Any) -> dict[str, Any]:
    body = b"".join(json.dumps(statement).encode() + b"\n" for statement in statements)
    return {"path": LINES, "data": body, "content_type": "application/x-ndjson"}


STATEMENTS, INSTITUTIONS = "/xapi/statements", "/api/v1/institutions"
LINES = "/api/v1/statements/lines"
STATE, ACTIVITY, AGENT = "/xapi/activities/state", "/xapi/activities/profile", "/xapi/agents/profile"

DESTINATIONS = f"{INSTITUTIONS}/{{institution}}/destinations"

CASES: list[tuple[str, str, Ask]] = [
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"statementId": n.statement})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"statementId": n.statement, "format": "ids"})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"statementId": n.statement, "attachments": "true"})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"statementId": n.voided})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"voidedStatementId": n.voided})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"voidedStatementId": n.statement})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"more": n.more})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"agent": n.agent})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"agent": n.agent, "related_agents": "true"})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"verb": n.verb, "ascending": "true"})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"activity": n.activity, "related_activities": "true"})),
    ("GET", STATEMENTS, asking(STATEMENTS, lambda n: {"registration": n.registration, "limit": "1"})),
    ("PUT", STATEMENTS, asking(STATEMENTS, lambda n: {"statementId": n.statement}, json=BAD)),
    ("PUT", STATEMENTS, asking(STATEMENTS, lambda n: {"statementId": n.statement}, json=GOOD)),
    (
        "POST",
        STATEMENTS,
        posting(STATEMENTS, lambda n: [{**GOOD, "id": n.statement}, {**GOOD, "id": n.voided}]),
    ),
    ("POST", STATEMENTS, posting(STATEMENTS, lambda n: {**voiding(n.statement), "id": n.fresh})),
    ("GET", "/xapi/activities", asking("/xapi/activities", lambda n: {"activityId": n.activity})),
    ("GET", "/xapi/agents", asking("/xapi/agents", lambda n: {"agent": n.agent})),
    ("GET", STATE, asking(STATE, lambda n: n.state)),
    ("GET", STATE, asking(STATE, lambda n: {**n.state, "registration": n.registration})),
    ("GET", STATE, asking(STATE, lambda n: n.states)),
    ("PUT", STATE, asking(STATE, lambda n: n.state, json={"own": 1})),
    ("PUT", STATE, matching(asking(STATE, lambda n: n.state, json={"own": 1}))),
    ("POST", STATE, asking(STATE, lambda n: n.state, json={"own": 1})),
    ("DELETE", STATE, asking(STATE, lambda n: n.state)),
    ("DELETE", STATE, asking(STATE, lambda n: n.states)),
    ("GET", ACTIVITY, asking(ACTIVITY, lambda n: n.activity_profile)),
    ("GET", ACTIVITY, asking(ACTIVITY, lambda n: {"activityId": n.activity})),
    ("PUT", ACTIVITY, matching(asking(ACTIVITY, lambda n: n.activity_profile, json={"own": 1}))),
    ("PUT", ACTIVITY, asking(ACTIVITY, lambda n: n.activity_profile, json={"own": 1})),
    ("POST", ACTIVITY, asking(ACTIVITY, lambda n: n.activity_profile, json={"own": 1})),
    ("DELETE", ACTIVITY, matching(asking(ACTIVITY, lambda n: n.activity_profile))),
    ("GET", AGENT, asking(AGENT, lambda n: n.agent_profile)),
    ("GET", AGENT, asking(AGENT, lambda n: {"agent": n.agent})),
    ("PUT", AGENT, matching(asking(AGENT, lambda n: n.agent_profile, json={"own": 1}))),
    ("PUT", AGENT, asking(AGENT, lambda n: n.agent_profile, json={"own": 1})),
    ("POST", AGENT, asking(AGENT, lambda n: n.agent_profile, json={"own": 1})),
    ("DELETE", AGENT, matching(asking(AGENT, lambda n: n.agent_profile))),
    ("POST", LINES, lambda named: _lines({**GOOD, "id": named.statement}, {**BAD, "id": named.fresh})),
    ("POST", LINES, lambda named: _lines({**voiding(named.statement), "id": named.fresh})),
    ("GET", f"{INSTITUTIONS}/<>", at(f"{INSTITUTIONS}/{{institution}}")),
    ("GET", f"{INSTITUTIONS}/<>/keys", at(f"{INSTITUTIONS}/{{institution}}/keys")),
    (
        "POST",
        f"{INSTITUTIONS}/<>/keys",
        with_body(at(f"{INSTITUTIONS}/{{institution}}/keys"), {"scopes": ["all"]}),
    ),
    (
        "PUT",
        f"{INSTITUTIONS}/<>/quota",
        with_body(at(f"{INSTITUTIONS}/{{institution}}/quota"), {"statements": 1}),
    ),
    ("GET", f"{INSTITUTIONS}/<>/usage", at(f"{INSTITUTIONS}/{{institution}}/usage")),
    ("POST", "/api/v1/keys/<>/rotations", with_body(at("/api/v1/keys/{key}/rotations"), {})),
    ("PATCH", "/api/v1/keys/<>", with_body(at("/api/v1/keys/{key}"), {"ratePerMinute": 7})),
    ("DELETE", "/api/v1/keys/<>", at("/api/v1/keys/{key}")),
    ("GET", "/api/v1/keys/<>/arrivals", at("/api/v1/keys/{key}/arrivals")),
    ("GET", "/arrivals/<>", at("/arrivals/{key}")),
    *(
        (method, re.sub(r"{\w+}", "<>", path), at(path) if body is None else with_body(at(path), body))
        for method, path, body in (
            ("GET", DESTINATIONS, None),
            ("POST", DESTINATIONS, {"name": "New", "kind": "webhook", "url": "https://hook.example.org"}),
            ("DELETE", f"{DESTINATIONS}/{{destination}}", None),
            ("POST", f"{DESTINATIONS}/{{destination}}/tests", None),
            ("POST", f"{DESTINATIONS}/{{destination}}/secrets", {}),
            ("GET", f"{DESTINATIONS}/{{destination}}/letters", None),
            ("POST", f"{DESTINATIONS}/{{destination}}/replays", {}),
            ("DELETE", f"{DESTINATIONS}/{{destination}}/letters/{{statement}}", None),
        )
    ),
    ("GET", f"{INSTITUTIONS}/<>/learners", at(f"{INSTITUTIONS}/{{institution}}/learners")),
    ("GET", f"{INSTITUTIONS}/<>/learners", at(f"{INSTITUTIONS}/{{institution}}/learners", identifier="x")),
    ("GET", "/api/v1/learners/<>/progress", at("/api/v1/learners/{learner}/progress")),
    ("GET", "/api/v1/learners/<>/explain", at("/api/v1/learners/{learner}/explain", item="x")),
    ("GET", f"{INSTITUTIONS}/<>/consents", at(f"{INSTITUTIONS}/{{institution}}/consents")),
    ("GET", "/api/v1/transcripts/<>", at("/api/v1/transcripts/{learner}", crosswalk="diploma")),
    ("GET", "/api/v1/log", asking("/api/v1/log", lambda n: {"after": n.position})),
]
"""Method, rule (names in it left out) and request, for whatever takes the name of something that is owned."""

IDS = [f"{n}-{method}-{rule}" for n, (method, rule, _) in enumerate(CASES)]


def send(instance: Instance, method: str, request: dict[str, Any], key: dict[str, str]) -> TestResponse:
    request = dict(request)
    headers = {**key, "Accept": "text/html" if request["path"].startswith("/arrivals") else "*/*"}
    return instance.client.open(method=method, headers={**headers, **request.pop("extra", {})}, **request)


def add_destination(instance: Instance, museum: dict[str, str]) -> str:
    institution = instance.access.get_institution_named("Museum").id
    wanted = {"name": "Of the museum", "kind": "webhook", "url": "https://hook.example.org/museum"}
    made = instance.client.post(f"{INSTITUTIONS}/{institution}/destinations", json=wanted, headers=museum)
    return str(made.get_json()["id"])


def new_school(instance: Instance, name: str, scope: Scope = Scope.ALL) -> dict[str, str]:
    """Open a school that has nothing but a crosswalk to ask with, and sign in; returns its key."""
    key = instance.key(name, scope)
    course = {"activity": ["https://example.org/course"], "credits": "1", "grade": {"by": "none"}}
    crosswalk = {"name": "diploma", "title": "Diploma", "courses": [course]}
    school = instance.access.handle_for_institution_named(name)
    instance.services.transcripts.import_crosswalk(school, json.dumps(crosswalk).encode())
    sign_in(instance, name)
    return key


def learner_of_the_museum(instance: Instance) -> str:
    """Derive who is who; returns the museum's learner."""
    instance.services.jobs.run("derive")
    return str(instance.services.learners.find("mailto:ada@example.org").id)


def fill_museum(instance: Instance, museum: dict[str, str]) -> Named:
    """Give the museum one of each; returns their names."""
    agent = {"mbox": "mailto:ada@example.org", "name": "Ada of the museum"}
    statement = {
        **GOOD,
        "actor": agent,
        "object": {"id": GOOD["object"]["id"], "definition": {"name": {"en": "Robots of the museum"}}},
        "context": {"registration": "22222222-2222-4222-8222-222222222222"},
    }
    first, _, third = instance.post([statement] * 3, museum).get_json()
    instance.post(voiding(third), museum)
    instance.post([BAD], museum)
    named = Named(
        institution=instance.access.get_institution_named("Museum").id,
        key=key_id(museum),
        statement=first,
        voided=third,
        more=instance.get(museum, limit="1").get_json()["more"].partition("more=")[2],
        activity=GOOD["object"]["id"],
        agent='{"mbox":"mailto:ada@example.org"}',
        registration="22222222-2222-4222-8222-222222222222",
        document="notes",
        verb=GOOD["verb"]["id"],
        etag="",
        fresh="00000000-0000-4000-8000-0000000beef2",
        destination=add_destination(instance, museum),
        learner=learner_of_the_museum(instance),
        position=json.loads(instance.client.get("/api/v1/log", headers=museum).text.splitlines()[-1])["next"],
    )
    for path, query in (
        (STATE, named.state),
        (STATE, {**named.state, "registration": named.registration}),
        (ACTIVITY, named.activity_profile),
        (AGENT, named.agent_profile),
    ):
        new = {**museum, "If-None-Match": "*"}
        kept = instance.client.put(path, query_string=query, data=CONTENT, headers=new)
        assert kept.status_code == 204, kept.text
    named.etag = instance.client.get(STATE, query_string=named.state, headers=museum).headers["ETag"]
    return named


def nobodys_like(theirs: Named) -> Named:
    """Names of nothing, each as long as the museum's, and a cursor that was made up."""
    made_up = theirs.more[:-2] + ("A" if theirs.more[-2] != "A" else "B") + theirs.more[-1]
    changed = "B" if theirs.position[0] == "A" else "A"
    names = {
        "more": made_up,
        "verb": NOBODYS.verb[: len(theirs.verb)],
        "position": changed + theirs.position[1:],
    }
    nobodys = Named(**{**vars(NOBODYS), **names})
    for name, value in vars(theirs).items():
        assert len(value) == len(getattr(nobodys, name)), name
        assert value != getattr(nobodys, name), name
    return nobodys
