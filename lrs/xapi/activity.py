"""Activities: what it was done with, and how questions are put.

Spec: xAPI 1.0.3 Data 2.4.4.1; xAPI 2.0 4.2.2.3
"""

from typing import Any

from lrs.xapi.checks import (
    Check,
    Findings,
    Key,
    Shape,
    Trail,
    array_check,
    check_extensions,
    check_iri,
    check_language_map,
    check_shape,
    check_string,
    choice_check,
    place,
    shape_check,
)

INTERACTION_TYPES = (
    "true-false",
    "choice",
    "fill-in",
    "long-fill-in",
    "matching",
    "performance",
    "sequencing",
    "likert",
    "numeric",
    "other",
)
"""The kinds of question (xAPI 1.0.3 Data 2.4.4.1, Interaction Types)."""

_check_component = shape_check(
    Shape(
        "an interaction component",
        {"id": check_string, "description": check_language_map},
        ("id",),
        "component.required",
    )
)
_check_component_array = array_check(_check_component)


def _check_components(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    _check_component_array(found, value, trail, key)
    if type(value) is not list:
        return
    seen: set[str] = set()
    for index, component in enumerate(value):
        id_ = component.get("id") if type(component) is dict else None
        if type(id_) is not str:
            continue
        if id_ in seen:
            where = place(place(trail, key), index)
            found.add(
                where, "id", "component.distinct-ids", "Another component of this list has the same id."
            )
        seen.add(id_)


_interaction_fields: dict[str, Check] = {
    "correctResponsesPattern": array_check(check_string),
    "choices": _check_components,
    "scale": _check_components,
    "source": _check_components,
    "target": _check_components,
    "steps": _check_components,
}

_DEFINITION = Shape(
    "an activity definition",
    {
        "name": check_language_map,
        "description": check_language_map,
        "type": check_iri,
        "moreInfo": check_iri,
        "interactionType": choice_check(INTERACTION_TYPES, "interaction.type"),
        "extensions": check_extensions,
        **_interaction_fields,
    },
)


def _check_definition(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    if not check_shape(found, value, trail, key, _DEFINITION) or "interactionType" in value:
        return
    present = [name for name in _interaction_fields if name in value]
    if present:
        found.add(
            trail,
            key,
            "interaction.type-required",
            f'"interactionType" is missing; {", ".join(present)} only make sense with it.',
        )


check_activity = shape_check(
    Shape(
        "an Activity",
        {
            "objectType": choice_check(("Activity",), "activity.object-type"),
            "id": check_iri,
            "definition": _check_definition,
        },
        ("id",),
        "activity.required",
    )
)
"""Checks an Activity, with or without its objectType.

Spec: xAPI 1.0.3 Data 2.4.4.1
"""
