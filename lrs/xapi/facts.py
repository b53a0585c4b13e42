"""What a statement can be found by: its verb, agents, activities, registration, client.

Spec: xAPI 1.0.3 Communication 2.1.3 (the filters of GET statements), 4.2 (read/mine).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lrs.xapi.ports import Fact, FactKind, StatementId

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
"""The one verb with a meaning to the store. Spec: xAPI 1.0.3 Data 2.3.2."""

_CONTEXT_ACTIVITIES = ("parent", "grouping", "category", "other")

Json = Mapping[str, Any]


def agent_key(agent: Json) -> str | None:
    """Return the text by which an Agent or Identified Group is known, None when anonymous.

    The kind of identifier stands first; two agents are the same when these are equal.
    An account is its home page, a space (which no IRI holds) and its name.

    Spec: xAPI 1.0.3 Data 2.4.2.3.
    """
    if "mbox" in agent:
        return f"mbox {agent['mbox']}"
    if "account" in agent:
        account = agent["account"]
        return f"account {account['homePage']} {account['name']}"
    if "mbox_sha1sum" in agent:
        return f"mbox_sha1sum {agent['mbox_sha1sum'].lower()}"
    if "openid" in agent:
        return f"openid {agent['openid']}"
    return None


def _agent_keys(agent: Json) -> Iterator[str]:
    """Yield an agent's key and its members' keys: a filter on a member meets the Group."""
    key = agent_key(agent)
    if key is not None:
        yield key
    for member in agent.get("member", ()):
        member_key = agent_key(member)
        if member_key is not None:
            yield member_key


def _is_agent(obj: Json) -> bool:
    return bool(obj.get("objectType") in {"Agent", "Group"})


def _is_activity(obj: Json) -> bool:
    return bool(obj.get("objectType", "Activity") == "Activity")


def _context_agents(context: Json) -> Iterator[Json]:
    if "instructor" in context:
        yield context["instructor"]
    if "team" in context:
        yield context["team"]
    for entry in context.get("contextAgents", ()):
        yield entry["agent"]
    for entry in context.get("contextGroups", ()):
        yield entry["group"]


def _context_activities(context: Json) -> Iterator[str]:
    by_kind = context.get("contextActivities")
    if not by_kind:
        return
    for kind in _CONTEXT_ACTIVITIES:
        activities = by_kind.get(kind, ())
        if isinstance(activities, dict):
            yield activities["id"]
        else:
            for activity in activities:
                yield activity["id"]


def _related(statement: Json) -> Iterator[tuple[FactKind, str]]:
    """Yield what the context of a statement, or of a SubStatement, relates it to."""
    context = statement.get("context")
    if context:
        for agent in _context_agents(context):
            for key in _agent_keys(agent):
                yield FactKind.AGENT, key
        for activity in _context_activities(context):
            yield FactKind.ACTIVITY, activity


def _actor_and_object(statement: Json) -> Iterator[tuple[FactKind, str]]:
    for key in _agent_keys(statement["actor"]):
        yield FactKind.AGENT, key
    obj = statement["object"]
    if _is_activity(obj):
        yield FactKind.ACTIVITY, obj["id"]
    elif _is_agent(obj):
        for key in _agent_keys(obj):
            yield FactKind.AGENT, key


def _primary(statement: Json) -> Iterator[tuple[FactKind, str]]:
    yield FactKind.VERB, statement["verb"]["id"]
    yield from _actor_and_object(statement)
    registration = statement.get("context", {}).get("registration")
    if registration:
        yield FactKind.REGISTRATION, registration.lower()


def _broad(statement: Json, authority: Json) -> Iterator[tuple[FactKind, str]]:
    yield from _related(statement)
    obj = statement["object"]
    if obj.get("objectType") == "SubStatement":
        yield from _actor_and_object(obj)
        yield from _related(obj)
    for key in _agent_keys(authority):
        yield FactKind.AGENT, key


def facts_of(statement: Json, authority: Json, client_id: str) -> tuple[Fact, ...]:
    """List everything that a valid statement can be found by, each once, primary first.

    Args:
        statement: The parsed statement, valid; as received or as served.
        authority: The Agent that the store sets as its authority.
        client_id: The client that wrote it.
    """
    seen: dict[tuple[FactKind, str], bool] = {}
    for term in _primary(statement):
        seen[term] = True
    for term in _broad(statement, authority):
        seen.setdefault(term, False)
    facts = [Fact(kind, value, primary) for (kind, value), primary in seen.items()]
    facts.append(Fact(FactKind.CLIENT, client_id))
    return tuple(facts)


def target_of(statement: Json) -> StatementId | None:
    """Return the id that a statement's object refers to, None when it is no StatementRef."""
    obj = statement["object"]
    return StatementId(obj["id"].lower()) if obj.get("objectType") == "StatementRef" else None


def is_voiding(statement: Json) -> bool:
    """Tell whether a statement voids another. Spec: xAPI 1.0.3 Data 2.3.2."""
    return bool(statement["verb"]["id"] == VOIDED)
