"""Contexts: where, with whom and as part of what it was done.

Spec: xAPI 1.0.3 Data 2.4.6; xAPI 2.0 4.2.2.5
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lrs.xapi.activity import check_activity
from lrs.xapi.actor import check_actor, check_agent, check_group
from lrs.xapi.checks import (
    Check,
    Findings,
    Key,
    Shape,
    Trail,
    array_check,
    check_extensions,
    check_iri,
    check_language,
    check_shape,
    check_string,
    check_uuid,
    choice_check,
    place,
    shape_check,
)
from lrs.xapi.versions import Version

check_statement_ref = shape_check(
    Shape(
        "a StatementRef",
        {"objectType": choice_check(("StatementRef",), "statement-ref.object-type"), "id": check_uuid},
        ("objectType", "id"),
        "statement-ref.required",
    )
)
"""Checks a reference to another statement.

Spec: xAPI 1.0.3 Data 2.4.4.3
"""

_check_activity_array = array_check(check_activity)


def _check_activities(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check one Activity or an array of them, which may be empty.

    Spec: xAPI 1.0.3 Data 2.4.6.2
    """
    if type(value) is list:
        _check_activity_array(found, value, trail, key)
    elif type(value) is dict:
        check_activity(found, value, trail, key)
    else:
        found.add_wrong_type(value, trail, key, "an array of Activities, or one Activity")


_check_context_activities = shape_check(
    Shape(
        "contextActivities",
        dict.fromkeys(("parent", "grouping", "category", "other"), _check_activities),
    )
)


_check_iri_array = array_check(check_iri)


def _check_relevant_types(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check relevantTypes, which may be left out but not left empty.

    Spec: xAPI 2.0 4.2.2.5
    """
    _check_iri_array(found, value, trail, key)
    if value == []:
        found.add(
            trail,
            key,
            "context-agents.relevant-types",
            "relevantTypes must list at least one IRI; it is empty.",
        )


def _context_actor_check(object_type: str, name: str, check: Check) -> Check:
    return shape_check(
        Shape(
            f"a {object_type}",
            {
                "objectType": choice_check((object_type,), "context-agents.object-type"),
                name: check,
                "relevantTypes": _check_relevant_types,
            },
            ("objectType", name),
            "context-agents.required",
        )
    )


_NO_ACTIVITIES = ("Agent", "Group", "StatementRef", "SubStatement")

_fields: dict[str, Check] = {
    "registration": check_uuid,
    "instructor": check_actor,
    "team": check_group,
    "contextActivities": _check_context_activities,
    "revision": check_string,
    "platform": check_string,
    "language": check_language,
    "statement": check_statement_ref,
    "extensions": check_extensions,
}

_CONTEXTS: Mapping[Version, Shape] = MappingProxyType(
    {
        Version.V1_0_3: Shape("a context", _fields),
        Version.V2_0_0: Shape(
            "a context",
            {
                **_fields,
                "contextAgents": array_check(_context_actor_check("contextAgent", "agent", check_agent)),
                "contextGroups": array_check(_context_actor_check("contextGroup", "group", check_group)),
            },
        ),
    }
)


def check_context(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check a context by itself; what depends on the statement's object is not asked here.

    Spec: xAPI 1.0.3 Data 2.4.6; xAPI 2.0 4.2.2.5
    """
    check_shape(found, value, trail, key, _CONTEXTS[found.version])


def check_activity_only(found: Findings, context: Any, object_: Any, here: Trail) -> None:
    """Check that revision and platform are used only where the object is an Activity.

    Args:
        found: What to add to.
        context: The statement's context, of whatever type; None where it has none.
        object_: Its object, likewise.
        here: The place of the statement.

    Spec: xAPI 1.0.3 Data 2.4.6
    """
    if type(context) is not dict or type(object_) is not dict:
        return
    if object_.get("objectType") not in _NO_ACTIVITIES:
        return
    for name in ("revision", "platform"):
        if name in context:
            found.add(
                place(here, "context"),
                name,
                "context.activity-only",
                f'"{name}" may only be used when the object is an Activity; leave it out.',
            )
