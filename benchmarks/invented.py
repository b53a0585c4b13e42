"""Invented statements of a school, a museum, an employer, a club and a badge platform.

Nothing in here is about anybody: names are numbers. The vocabulary is public (ADL, TinCan
registry, Activity Streams, cmi5). Used to train the compression dictionary, to test it,
and to measure the engines.
"""

import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterator

Json = dict[str, object]

_ADL = "http://adlnet.gov/expapi/verbs/"
_ACTIVITIES = "http://adlnet.gov/expapi/activities/"
_SENTENCES = (
    "A learning activity offered to every young person, in and out of school.",
    "Learners plan, carry out and present a project of their own choice.",
    "The group visits the collection and draws one object from observation.",
    "An introduction to safe work with hand tools in the workshop.",
    "Read the chapter, answer the questions and compare with a partner.",
    "The learner keeps a journal and reflects on progress once a week.",
    "Apply the method to a new case and explain the result to the class.",
    "An evening of music, theatre and robotics, open to families.",
)
_LANGUAGES = ("en-US", "en", "es", "fr-FR", "de", "fi", "ca")
_INTERACTIONS = ("choice", "true-false", "fill-in", "numeric", "matching", "sequencing", "likert", "other")


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _instant(rng: random.Random) -> str:
    day = f"20{rng.randrange(24, 28)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    return f"{day}T{clock}{rng.choice(('Z', f'.{rng.randrange(1000):03}Z', '+02:00'))}"


def _texts(rng: random.Random, text: str) -> Json:
    return dict.fromkeys(rng.sample(_LANGUAGES, rng.choice((1, 1, 1, 2))), text)


def _agent(rng: random.Random, site: str) -> Json:
    number = int(rng.expovariate(1 / 4000))
    agent: Json = {"objectType": "Agent"} if rng.random() < 0.7 else {}
    if rng.random() < 0.6:
        agent["name"] = f"Learner {number}"
    kind = rng.randrange(4)
    if kind == 0:
        agent["mbox"] = f"mailto:learner{number}@example.org"
    elif kind == 1:
        agent["mbox_sha1sum"] = hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
    elif kind == 2:
        agent["openid"] = f"https://id.example.org/learner/{number}"
    else:
        agent["account"] = {"homePage": f"https://{site}.example.org", "name": f"s{number:07d}"}
    return agent


def _activity(rng: random.Random, site: str, kind: str, number: int) -> Json:
    definition: Json = {"type": kind, "name": _texts(rng, f"Activity {number}")}
    if rng.random() < 0.7:
        definition["description"] = _texts(rng, rng.choice(_SENTENCES))
    if rng.random() < 0.1:
        definition["moreInfo"] = f"https://{site}.example.org/about/{number}"
    return {
        "objectType": "Activity",
        "id": f"https://{site}.example.org/activities/{number}",
        "definition": definition,
    }


def _score(rng: random.Random) -> Json:
    scaled = round(rng.random(), 2)
    return {"scaled": scaled, "raw": round(scaled * 100), "min": 0, "max": 100}


def _answered(rng: random.Random, site: str) -> Json:
    activity = _activity(rng, site, _ACTIVITIES + "cmi.interaction", rng.randrange(3000))
    interaction = rng.choice(_INTERACTIONS)
    definition: Json = {"interactionType": interaction, "correctResponsesPattern": [rng.choice("abcd")]}
    if interaction == "choice":
        definition["choices"] = [{"id": c, "description": {"en-US": f"Choice {c}"}} for c in "abcd"]
    activity["definition"].update(definition)  # type: ignore[attr-defined]
    result: Json = {"response": rng.choice("abcd"), "success": rng.random() < 0.7}
    result["duration"] = f"PT{rng.randrange(5, 300)}S"
    return {"verb": _verb(_ADL + "answered"), "object": activity, "result": result}


def _verb(iri: str) -> Json:
    return {"id": iri, "display": {"en-US": iri.rsplit("/", 1)[1]}}


def _lesson(rng: random.Random, site: str) -> Json:
    verb = rng.choice(
        ("completed", "passed", "failed", "progressed", "attempted", "initialized", "terminated")
    )
    kind = rng.choice(("lesson", "course", "assessment", "module", "media", "performance"))
    doing: Json = {
        "verb": _verb(_ADL + verb),
        "object": _activity(rng, site, _ACTIVITIES + kind, rng.randrange(900)),
    }
    if verb in {"completed", "passed", "failed"}:
        doing["result"] = {
            "score": _score(rng),
            "success": verb != "failed",
            "completion": True,
            "duration": f"PT{rng.randrange(1, 90)}M",
        }
    return doing


def _visit(rng: random.Random, site: str) -> Json:
    verb = rng.choice((_ADL + "attended", _ADL + "experienced", "http://id.tincanapi.com/verb/viewed"))
    kind = rng.choice(("http://activitystrea.ms/schema/1.0/event", _ACTIVITIES + "meeting"))
    return {"verb": _verb(verb), "object": _activity(rng, site, kind, rng.randrange(400))}


def _internship(rng: random.Random, site: str) -> Json:
    verb = rng.choice(("http://id.tincanapi.com/verb/reviewed", _ADL + "mastered", _ADL + "progressed"))
    kind = rng.choice(("http://id.tincanapi.com/activitytype/project", _ACTIVITIES + "objective"))
    result: Json = {"response": rng.choice(_SENTENCES), "duration": f"PT{rng.randrange(1, 8)}H"}
    return {"verb": _verb(verb), "object": _activity(rng, site, kind, rng.randrange(200)), "result": result}


def _badge(rng: random.Random, site: str) -> Json:
    kind = "http://activitystrea.ms/schema/1.0/badge"
    verb = "http://id.tincanapi.com/verb/earned"
    return {"verb": _verb(verb), "object": _activity(rng, site, kind, rng.randrange(150))}


_KINDS: tuple[tuple[str, Callable[[random.Random, str], Json], int], ...] = (
    ("school", _answered, 35),
    ("school", _lesson, 30),
    ("museum", _visit, 15),
    ("employer", _internship, 12),
    ("club", _visit, 5),
    ("badges", _badge, 3),
)


def _context(rng: random.Random, kind: str, site: str) -> Json:
    base = f"https://{site}.example.org"
    context: Json = {"registration": _uuid(rng)}
    if rng.random() < 0.6:
        context |= {"platform": f"{kind} platform", "language": rng.choice(_LANGUAGES)}
    if rng.random() < 0.3:
        context["instructor"] = _agent(rng, site)
    if rng.random() < 0.1:
        context["team"] = {"objectType": "Group", "name": "A team", "member": [_agent(rng, site)]}
    activities: Json = {"parent": [{"id": f"{base}/courses/{rng.randrange(97)}", "objectType": "Activity"}]}
    if rng.random() < 0.7:
        activities["grouping"] = [{"id": f"https://city.example.org/pathways/{rng.randrange(23)}"}]
    profile = {"type": _ACTIVITIES + "profile"}
    activities["category"] = [{"id": "https://city.example.org/profiles/v1", "definition": profile}]
    if rng.random() < 0.2:
        activities["category"].append({"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"})  # type: ignore[attr-defined]
    context["contextActivities"] = activities
    if rng.random() < 0.6:
        context["extensions"] = {
            f"https://city.example.org/ext/{name}": _uuid(rng)[:8] for name in ("setting", "level")
        }
    return context


def invent_statement(rng: random.Random) -> Json:
    """Make one statement, as a record store serves it but for ``stored``: 0.6 to 2 KB of JSON."""
    kind, doing, _ = rng.choices(_KINDS, [weight for *_, weight in _KINDS])[0]
    site = f"{kind}{rng.randrange(120)}"
    statement: Json = {"id": _uuid(rng), "actor": _agent(rng, site), **doing(rng, site)}
    statement["context"] = _context(rng, kind, site)
    statement["timestamp"] = _instant(rng)
    account: Json = {"homePage": f"https://{site}.example.org", "name": site}
    statement["authority"] = {"objectType": "Agent", "name": f"Client of {site}", "account": account}
    statement["version"] = rng.choice(("1.0.0", "1.0.3", "2.0.0"))
    return statement


def to_text(rng: random.Random, statement: Json) -> bytes:
    """Write a statement as clients do: compact or spaced, plain or escaped."""
    separators = rng.choice(((",", ":"), (",", ":"), (", ", ": ")))
    return json.dumps(statement, separators=separators, ensure_ascii=rng.random() < 0.5).encode()


def iter_statements(count: int, seed: int) -> Iterator[Json]:
    """Make that many statements; the same seed gives the same ones."""
    rng = random.Random(seed)
    for _ in range(count):
        yield invent_statement(rng)
