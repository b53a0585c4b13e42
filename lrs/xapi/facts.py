"""What a statement can be found by: its verb, agents, activities, registration, client.

Spec: xAPI 1.0.3 Communication 2.1.3 (the filters of GET statements), 4.2 (read/mine).
"""

from collections.abc import Mapping
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


Found = dict[tuple[FactKind, str], bool]
"""Kind and value to primary or not; what was found primary stays so."""

_VERB, _AGENT, _ACTIVITY = FactKind.VERB, FactKind.AGENT, FactKind.ACTIVITY
_REGISTRATION, _CLIENT = FactKind.REGISTRATION, FactKind.CLIENT


def facts_of(statement: Json, authority: Json, client_id: str) -> tuple[Fact, ...]:
    """List everything that a valid statement can be found by, each once.

    Args:
        statement: The parsed statement, valid; as received or as served.
        authority: The Agent that the store sets as its authority.
        client_id: The client that wrote it.
    """
    found: Found = {(_VERB, statement["verb"]["id"]): True, (_CLIENT, client_id): True}
    _add_parties(found, statement, primary=True)
    context = statement.get("context")
    if context:
        if "registration" in context:
            found[_REGISTRATION, context["registration"].lower()] = True
        _add_context(found, context)
    obj = statement["object"]
    if obj.get("objectType") == "SubStatement":
        _add_parties(found, obj, primary=False)
        if "context" in obj:
            _add_context(found, obj["context"])
    _add_agent(found, authority, primary=False)
    return tuple([Fact(kind, value, primary) for (kind, value), primary in found.items()])


def _add_agent(found: Found, agent: Json, *, primary: bool) -> None:
    """Add an agent's key and its members' keys: a filter on a member meets the Group."""
    key = agent_key(agent)
    if key is not None:
        found.setdefault((_AGENT, key), primary)
    for member in agent.get("member", ()):
        member_key = agent_key(member)
        if member_key is not None:
            found.setdefault((_AGENT, member_key), primary)


def _add_parties(found: Found, statement: Json, *, primary: bool) -> None:
    """Add actor and object of a statement, or of a SubStatement."""
    _add_agent(found, statement["actor"], primary=primary)
    obj = statement["object"]
    kind = obj.get("objectType", "Activity")
    if kind == "Activity":
        found.setdefault((_ACTIVITY, obj["id"]), primary)
    elif kind in {"Agent", "Group"}:
        _add_agent(found, obj, primary=primary)


def _add_context(found: Found, context: Json) -> None:
    """Add what a context relates to; nothing in it is primary."""
    for name in ("instructor", "team"):
        if name in context:
            _add_agent(found, context[name], primary=False)
    for entries, name in (("contextAgents", "agent"), ("contextGroups", "group")):
        for entry in context.get(entries, ()):
            _add_agent(found, entry[name], primary=False)
    by_kind = context.get("contextActivities")
    if by_kind:
        for kind in _CONTEXT_ACTIVITIES:
            activities = by_kind.get(kind, ())
            for activity in (activities,) if isinstance(activities, dict) else activities:
                found.setdefault((_ACTIVITY, activity["id"]), False)


def target_of(statement: Json) -> StatementId | None:
    """Return the id that a statement's object refers to, None when it is no StatementRef."""
    obj = statement["object"]
    return StatementId(obj["id"].lower()) if obj.get("objectType") == "StatementRef" else None


def is_voiding(statement: Json) -> bool:
    """Tell whether a statement voids another. Spec: xAPI 1.0.3 Data 2.3.2."""
    return bool(statement["verb"]["id"] == VOIDED)
