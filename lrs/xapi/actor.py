"""Agents and Groups: who did it, to whom, with whom, and who says so.

Spec: xAPI 1.0.3 Data 2.4.2, 2.4.9; xAPI 2.0 4.2.2.1, 4.2.4.2
"""

from contextlib import suppress
from typing import Any

from lrs.errors import Problem
from lrs.xapi.checks import (
    Check,
    EnoughFound,
    Findings,
    Key,
    Shape,
    Trail,
    array_check,
    check_iri,
    check_shape,
    check_string,
    choice_check,
    place,
    shape_check,
    text_check,
)
from lrs.xapi.scalars import is_mailto, is_sha1
from lrs.xapi.versions import Version

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
"""The inverse functional identifiers (xAPI 1.0.3 Data 2.4.2.3)."""

_AUTHORITY_MEMBERS = 2

_check_account = shape_check(
    Shape(
        "an account",
        {"homePage": check_iri, "name": check_string},
        ("homePage", "name"),
        "account.required",
    )
)

_agent_fields: dict[str, Check] = {
    "objectType": choice_check(("Agent", "Group"), "agent.object-type"),
    "name": check_string,
    "mbox": text_check(
        is_mailto,
        "agent.mbox",
        "This must be one e-mail address after mailto:, such as mailto:robin@example.org.",
    ),
    "mbox_sha1sum": text_check(
        is_sha1, "agent.mbox-sha1sum", "This must be the 40 hex digits of the SHA-1 of a mailto: IRI."
    ),
    "openid": check_iri,
    "account": _check_account,
}
_AGENT = Shape("an Agent", _agent_fields)


def check_agent(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check an Agent (never a Group).

    Spec: xAPI 1.0.3 Data 2.4.2.1
    """
    if type(value) is dict and value.get("objectType") == "Group":
        found.add(trail, key, "agent.object-type", "Only an Agent may stand here, not a Group.")
        return
    if check_shape(found, value, trail, key, _AGENT):
        _check_one_identifier(found, value, trail, key)


def _check_member(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    if type(value) is dict and value.get("objectType") == "Group":
        found.add(
            trail, key, "group.member-agents", "A member must be an Agent; list the Group's own members."
        )
        return
    check_agent(found, value, trail, key)


_GROUP = Shape("a Group", {**_agent_fields, "member": array_check(_check_member)})


def check_group(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check a Group, identified or anonymous.

    Spec: xAPI 1.0.3 Data 2.4.2.2
    """
    if type(value) is dict and value.get("objectType") != "Group":
        found.add(trail, key, "group.object-type", 'A Group must stand here, with "objectType": "Group".')
    if not check_shape(found, value, trail, key, _GROUP):
        return
    if _has_identifier(value):
        _check_one_identifier(found, value, trail, key)
    elif value.get("member", []) == []:
        found.add(
            trail, key, "group.member", 'A Group without an identifier must list its Agents in "member".'
        )


def check_actor(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check what may be an Agent or a Group; without an objectType it is an Agent.

    Spec: xAPI 1.0.3 Data 2.4.2
    """
    if type(value) is dict and value.get("objectType") == "Group":
        check_group(found, value, trail, key)
    elif check_shape(found, value, trail, key, _AGENT):
        _check_one_identifier(found, value, trail, key)


def check_authority(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check an authority: an Agent, or an anonymous Group of exactly two Agents.

    Spec: xAPI 1.0.3 Data 2.4.9
    """
    check_actor(found, value, trail, key)
    if type(value) is not dict or value.get("objectType") != "Group":
        return
    if _has_identifier(value):
        found.add(
            trail, key, "authority.anonymous", "A Group as authority must have no identifier of its own."
        )
    members = value.get("member")
    if type(members) is list and len(members) != _AUTHORITY_MEMBERS:
        found.add(
            place(trail, key),
            "member",
            "authority.members",
            f"A Group as authority has exactly two members, an application and a user, not {len(members)}.",
        )


def _check_one_identifier(found: Findings, value: dict[str, Any], trail: Trail, key: Key) -> None:
    present = [name for name in IDENTIFIERS if name in value]
    if len(present) == 1:
        return
    listed = ", ".join(IDENTIFIERS)
    if present:
        found.add(
            trail,
            key,
            "agent.one-ifi",
            f"Exactly one identifier is allowed; keep one of {', '.join(present)}.",
        )
    else:
        hint = ' If it is a Group, say "objectType": "Group".' if "member" in value else ""
        found.add(trail, key, "agent.one-ifi", f"An identifier is missing; give one of {listed}.{hint}")


def validate_agent(value: object, version: Version, path: str, *, identified: bool = False) -> list[Problem]:
    """Find everything that is wrong with an Agent or Group.

    Args:
        value: The parsed JSON; left as it is.
        version: Whose rules it is held to.
        path: Where it stands: a pointer prefix, or the name of a query parameter.
        identified: Refuse a Group without an identifier, as queries must.

    Returns:
        The first 100 problems; none where it is valid.

    Spec: xAPI 1.0.3 Data 2.4.2, Communication 2.1.3
    """
    found = Findings(version, path)
    with suppress(EnoughFound):
        check_actor(found, value, None, None)
    if identified and not found.problems and not _has_identifier(value):
        found.add(
            None, None, "group.identified", "A Group can only be asked for by an identifier; give it one."
        )
    return found.problems


def _has_identifier(value: Any) -> bool:
    return any(name in value for name in IDENTIFIERS)
