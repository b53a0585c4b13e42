"""A whole small instance with everything that is kept, and all answers that it gives about it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lrs.access.issuers import IssuerWish
from lrs.access.model import Scope
from lrs.tables.recorded import COMMONS, Note, Recorded, RecordedTables, Wish
from lrs.xapi.arrivals import IMPORT
from tests.factories import make_activity, make_agent, make_full_statement, make_statement, make_statement_id
from tests.http.conftest import Instance
from tests.multipart import MULTIPART, data_part, metadata, multipart

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}
PASSED = {"id": "http://adlnet.gov/expapi/verbs/passed"}
INK = bytes(range(256)) * 40
REGISTRATION = make_statement_id(2)

Keys = dict[str, dict[str, str]]


def ref(n: int) -> dict[str, Any]:
    return {"objectType": "StatementRef", "id": make_statement_id(n)}


def void(n: int, of: int) -> dict[str, Any]:
    return make_statement(id=make_statement_id(n), verb=VOIDED, object=ref(of))


def plain(n: int, **changes: Any) -> dict[str, Any]:
    changes = {"actor": make_agent(n % 3), "object": make_activity(n % 4), **changes}
    return make_statement(id=make_statement_id(n), **changes)


@dataclass(frozen=True)
class World:
    """What was put in: the keys that may ask, and how many statements there are."""

    keys: Keys
    sources: dict[str, list[str]]
    ids: range


def fill(instance: Instance) -> World:
    """Make two institutions whose posts interleave, with one of everything."""
    school, museum = instance.key("School"), instance.key("Museum")
    own = instance.access.create_key("School", "Quiz", [Scope.STATEMENTS_WRITE, Scope.STATEMENTS_READ_MINE])
    quiz = {**school, **_basic(own.key.id, own.secret)}
    _fill_access(instance)
    _fill_statements(instance, school, museum, quiz)
    _fill_documents(instance, school, museum)
    _fill_recorded(instance)
    for headers in (school, museum):
        instance.post({"no": "statement"}, headers)
        instance.post(b"[1,", headers)
    instance.clock.move(1)
    keys = {"school": school, "museum": museum, "quiz": quiz}
    return World(
        keys, {"School": [*map(_user, (school, quiz)), IMPORT], "Museum": [_user(museum)]}, range(1, 60)
    )


def _basic(user: str, password: str) -> dict[str, str]:
    from tests.http.conftest import basic

    return basic(user, password)


def _user(headers: dict[str, str]) -> str:
    import base64

    return base64.b64decode(headers["Authorization"].split()[1]).decode().partition(":")[0]


def _fill_access(instance: Instance) -> None:
    access = instance.access
    access.create_key(None, None, [Scope.ADMIN])
    gone = access.create_key("School", None, [Scope.ALL], expires_at_us=instance.clock() + 10**12)
    access.keys.revoke(gone.key.id)
    old = access.create_key("Museum", "Audio guide", [Scope.STATE], "2.0.0", rate_per_minute=7)
    access.keys.rotate(old.key.id, 3_600_000_000)
    access.set_statement_quota(access.get_institution_named("Museum").id, 1234)
    access.create_institution("Empty school")
    issuers = instance.services.issuers
    issuers.add("School", IssuerWish("https://login.example/realms/harbour", "lrs"))
    elsewhere = IssuerWish("https://login.example", "museum", "client_id", "scp", "https://keys.example/")
    issuers.add("Museum", elsewhere)


def _fill_statements(
    instance: Instance, school: dict[str, str], museum: dict[str, str], quiz: dict[str, str]
) -> None:
    def post(body: Any, headers: dict[str, str] = school, **kwargs: Any) -> None:
        done = instance.post(body, headers, **kwargs)
        assert done.status_code == 200, done.text
        instance.clock.move(0.01)

    post([plain(n) for n in range(1, 8)])
    post([plain(n, verb=PASSED) for n in range(1, 5)], museum)
    post(make_full_statement(id=make_statement_id(8), attachments=None))
    post(plain(9, timestamp=None, actor=make_agent(1)), quiz)
    # Voided before it is there, a voiding that cannot be voided, a voiding of nothing.
    post([void(10, of=11)])
    post(plain(11))
    post([void(12, of=2), void(13, of=10), void(14, of=99)], quiz)
    post([void(15, of=3)], museum)
    # A chain whose middle arrives last, and a cycle.
    post(plain(20, verb=PASSED, object=ref(21)))
    post(plain(22, actor=make_agent(7), context={"registration": REGISTRATION}))
    post(plain(21, actor=make_agent(5), object=ref(22)), quiz)
    post([plain(23, object=ref(24)), plain(24, object=ref(23), actor=make_agent(6))])
    # Numbers, names and texts that only raw text keeps.
    huge = {"result": {"extensions": {"http://e.example/a.$b": 123456789012345678901234567890}}}
    post([plain(n, **huge) for n in range(30, 34)], museum)
    single = {"contextActivities": {"parent": make_activity(9)}}
    inner = make_statement(objectType="SubStatement", object=make_activity(8), context=single)
    post(plain(34, object=inner, context=single))
    about = metadata(INK)
    for headers in (school, museum):
        body = multipart(plain(40, attachments=[about]), data_part(INK))
        done = instance.client.post("/xapi/statements", data=body, headers=headers, content_type=MULTIPART)
        assert done.status_code == 200, done.text
    definition = {"name": {"en-US": "Fractions, again", "ca": "Fraccions"}}
    post(plain(41, object={"id": make_activity(1)["id"], "definition": definition}))
    post(plain(1))


def _fill_recorded(instance: Instance) -> None:
    stores, clock = instance.services.stores, instance.clock
    handles = [instance.access.handle_for_institution_named(name) for name in ("School", "Museum")]
    for number, handle in enumerate([*handles, COMMONS]):
        tables = stores.recorded(handle)
        for n in range(4):
            big = {"n": 10**30 + n, "a.$b": [1.0, True, None], "text": "\u00e9\x00" * n}
            tables.change("roster.person", f"p{n}", _wish(big, f"t{n % 2}", "all", f"of {number}"), clock())
            clock.move(0.01)
        tables.change("roster.person", "p0", _wish({"n": 0}, "t1"), clock())
        tables.change("roster.person", "p1", _wish(None), clock())
        tables.change_all("link", [(f"l{n}", Wish({"n": n}, (f"t{n}",))) for n in range(3)], clock())
        tables.note("source.place", [Note("a", {"at": 7}, ("t0",)), Note("b", {"at": number})], clock())
    stores.recorded(handles[0]).forget("source.place", ["b"])


def _wish(value: dict[str, Any] | None, *terms: str) -> Callable[[Recorded | None], Wish]:
    return lambda _: Wish(value, terms)


def _fill_documents(instance: Instance, school: dict[str, str], museum: dict[str, str]) -> None:
    for number, headers in enumerate((school, museum, school)):
        for place in places(number):
            put = instance.client.put(
                place,
                data=json.dumps({"n": number, "at": place}).encode(),
                headers={**headers, "If-None-Match": "*"},
                content_type="application/json",
            )
            assert put.status_code == 204, (place, put.text)
            instance.clock.move(0.5)


def places(number: int) -> list[str]:
    agent = json.dumps(make_agent(number)).replace(" ", "")
    activity = make_activity(1)["id"]
    state = f"/xapi/activities/state?activityId={activity}&agent={agent}&stateId=bookmark {number}"
    return [
        state,
        f"{state}&registration={REGISTRATION}",
        f"/xapi/activities/profile?activityId={activity}&profileId=p{number}",
        f"/xapi/agents/profile?agent={agent}&profileId=é{number}",
    ]


def answers(instance: Instance, world: World) -> dict[str, Any]:
    """Ask for everything that can be asked for, by every key; what names the moment is left out."""
    found: dict[str, Any] = {}
    for who, headers in world.keys.items():
        for question in _questions(world):
            found[f"{who} {question}"] = _follow(instance, headers, question)
    stores = instance.services.stores
    institutions = stores.access.list_institutions()
    found["institutions"] = institutions
    for one in institutions:
        keys = stores.access.list_keys(one.id)
        found[f"clients {one.name}"] = stores.access.list_clients(one.id)
        found[f"keys {one.name}"] = [replace(key, last_used_at_us=None) for key in keys]
        found[f"credentials {one.name}"] = [
            replace(stores.access.find_credential(key.id).key, last_used_at_us=None) for key in keys
        ]
    found["issuers"] = stores.access.list_issuers(None)
    found["administrators"] = stores.access.list_keys(None)
    for name, sources in world.sources.items():
        handle = instance.access.handle_for_institution_named(name)
        for source in sources:
            overview = instance.services.arrivals.overview(handle, source)
            found[f"arrivals {name} {source}"] = (overview.receipts, overview.refusals)
        store = stores.records.statements(handle)
        found[f"log {name}"] = [
            (one.id, one.stored_at_us, one.body, one.voided) for one in store.read_log(0, 999).statements
        ]
        found[f"history {name}"] = _history(stores.recorded(handle))
        found[f"recorded {name}"] = _recorded(stores.recorded(handle))
    found["history commons"] = _history(stores.recorded(COMMONS))
    found["recorded commons"] = _recorded(stores.recorded(COMMONS))
    return found


def _history(tables: RecordedTables) -> list[Any]:
    """What statements left stands first: between that and the rest a restore keeps no order."""
    entries = [replace(one, position=0) for one in tables.read_entries(0, 999)]
    return sorted(entries, key=lambda one: one.kind != "statement.voided")


def _recorded(tables: RecordedTables) -> dict[str, Any]:
    kinds = ("roster.person", "link", "source.place")
    terms = ("t0", "t1", "t2", "all", "of 0", "of 1", "of 2")
    found: dict[str, Any] = {kind: tables.list(kind) for kind in kinds}
    return found | {
        f"{kind} {term}": [one.subject for one in tables.find_by(kind, term)]
        for kind in kinds
        for term in terms
    }


def _questions(world: World) -> list[str]:
    page = "/xapi/statements?"
    found = [page, page + "ascending=true&limit=3", page + "limit=2&attachments=true", page + "format=ids"]
    for n in world.ids:
        found += [
            f"{page}statementId={make_statement_id(n)}",
            f"{page}voidedStatementId={make_statement_id(n)}",
        ]
    for n in range(10):
        agent, activity = json.dumps(make_agent(n)), make_activity(n)["id"]
        found += [
            f"{page}agent={agent}&limit=2",
            f"{page}agent={agent}&related_agents=true&verb={PASSED['id']}",
            f"{page}activity={activity}&limit=3",
            f"{page}activity={activity}&related_activities=true&agent={agent}",
            f"/xapi/activities?activityId={activity}",
            f"/xapi/agents?agent={agent}",
        ]
    for verb in (PASSED, VOIDED):
        found += [f"{page}verb={verb['id']}&limit=2", f"{page}verb={verb['id']}&registration={REGISTRATION}"]
    found += [f"{page}registration={REGISTRATION}&ascending=true"]
    moments = [f"2023-11-14T22:13:20.{tenth}00000Z" for tenth in range(5)]
    found += [f"{page}since={moment}&limit=4" for moment in moments]
    found += [f"{page}until={moment}&ascending=true&limit=4" for moment in moments]
    for number in range(3):
        for place in places(number):
            found += [place, place.partition("&stateId")[0].partition("&profileId")[0]]
    return found


def _follow(instance: Instance, headers: dict[str, str], question: str) -> Any:
    """Ask, and go on where the answer has more; what is only in ``more`` itself is left out."""
    path, _, query = question.partition("?")
    asked = dict(part.split("=", 1) for part in query.split("&") if part)
    answer = instance.client.get(path, query_string=asked, headers=headers)
    found = [_shown(answer)]
    while answer.is_json and isinstance(answer.json, dict) and answer.json.get("more"):
        more = urlsplit(answer.json["more"])
        answer = instance.client.get(more.path, query_string=dict(parse_qsl(more.query)), headers=headers)
        found.append(_shown(answer))
    return found


def _shown(answer: Any) -> Any:
    body: Any = answer.data
    if answer.is_json and isinstance(answer.json, dict):
        body = {name: value for name, value in answer.json.items() if name not in {"more", "errorId"}}
    elif "boundary=" in answer.headers.get("Content-Type", ""):
        _, _, boundary = answer.headers["Content-Type"].partition("boundary=")
        head, _, rest = body.replace(boundary.encode(), b"").partition(b',"more":"')
        body = (head, rest.partition(b'"')[2])
    kept = {name: answer.headers.get(name) for name in ("ETag", "Last-Modified")}
    return answer.status_code, kept, body
