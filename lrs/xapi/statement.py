"""Statements as a whole: every rule that can be decided from the statement, or the batch, itself.

Spec: xAPI 1.0.3 Data 2.2 to 2.4; xAPI 2.0 4.2
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from lrs.errors import Problem
from lrs.xapi.activity import check_activity
from lrs.xapi.actor import check_actor, check_authority
from lrs.xapi.attachment import check_attachments
from lrs.xapi.checks import (
    Check,
    EnoughFound,
    Findings,
    Key,
    Shape,
    Trail,
    check_iri,
    check_language_map,
    check_shape,
    check_timestamp,
    check_uuid,
    place,
    shape_check,
    show,
)
from lrs.xapi.context import check_activity_only, check_context, check_statement_ref
from lrs.xapi.result import check_result
from lrs.xapi.rules import MAX_PROBLEMS, make_problem
from lrs.xapi.versions import Version

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
"""The verb of a statement that voids another (xAPI 1.0.3 Data 2.3.2)."""

_STATEMENT_VERSIONS: Mapping[Version, re.Pattern[str]] = MappingProxyType(
    {
        Version.V1_0_3: re.compile(r"1\.0(?:\.[0-9]+(?:-[0-9A-Za-z.\-]+)?)?"),
        Version.V2_0_0: re.compile(r"[12]\.0(?:\.[0-9]+(?:-[0-9A-Za-z.\-]+)?)?"),
    }
)
_SET_BY_STORE = ("id", "stored", "version", "authority")

_check_verb = shape_check(
    Shape("a verb", {"id": check_iri, "display": check_language_map}, ("id",), "verb.required")
)


def _check_version(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    if type(value) is not str:
        found.add_wrong_type(value, trail, key, "a string")
    elif _STATEMENT_VERSIONS[found.version].fullmatch(value) is None:
        allowed = "1.0.x" if found.version is Version.V1_0_3 else "1.0.x or 2.0.x"
        found.add(trail, key, "statement.version", f"{show(value)}: this must be {allowed}; or leave it out.")


def _check_object(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check an object by its objectType; without one it is an Activity.

    Spec: xAPI 1.0.3 Data 2.4.4
    """
    if type(value) is not dict:
        found.add_wrong_type(value, trail, key, "an object")
        return
    object_type = value.get("objectType", "Activity")
    check = _OBJECT_CHECKS.get(object_type) if type(object_type) is str else None
    if check is not None:
        check(found, value, trail, key)
    elif type(object_type) is str:
        found.add(
            place(trail, key),
            "objectType",
            "object.object-type",
            f"{show(object_type)}: this must be exactly one of: {', '.join(_OBJECT_CHECKS)}. Case counts.",
        )
    else:
        found.add_wrong_type(object_type, place(trail, key), "objectType", "a string")


def _check_nested(found: Findings, _value: Any, trail: Trail, key: Key) -> None:
    found.add(
        trail, key, "substatement.nested", "A SubStatement cannot hold another one; use a StatementRef."
    )


def _check_forbidden(found: Findings, _value: Any, trail: Trail, key: Key) -> None:
    found.add(trail, key, "substatement.forbidden", f'A SubStatement has no "{key}"; leave it out.')


def _check_substatement_object(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    if type(value) is dict and value.get("objectType") == "SubStatement":
        _check_nested(found, value, trail, key)
    else:
        _check_object(found, value, trail, key)


def _check_substatement_type(_found: Findings, _value: Any, _trail: Trail, _key: Key) -> None:
    """Accept: only what says SubStatement is checked as one."""


_common_fields: dict[str, Check] = {
    "actor": check_actor,
    "verb": _check_verb,
    "result": check_result,
    "context": check_context,
    "timestamp": check_timestamp,
    "attachments": check_attachments,
}

_SUBSTATEMENT = Shape(
    "a SubStatement",
    {
        **_common_fields,
        **dict.fromkeys(_SET_BY_STORE, _check_forbidden),
        "objectType": _check_substatement_type,
        "object": _check_substatement_object,
    },
    ("actor", "verb", "object"),
    "substatement.required",
)

_STATEMENT = Shape(
    "a statement",
    {
        "id": check_uuid,
        **_common_fields,
        "object": _check_object,
        "stored": check_timestamp,
        "authority": check_authority,
        "version": _check_version,
    },
    ("actor", "verb", "object"),
    "statement.required",
)


def _check_substatement(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check a SubStatement: a statement's rules, less what only a store may set.

    Spec: xAPI 1.0.3 Data 2.4.4.3
    """
    if check_shape(found, value, trail, key, _SUBSTATEMENT):
        check_activity_only(found, value.get("context"), value.get("object"), place(trail, key))


_OBJECT_CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "Activity": check_activity,
        "Agent": check_actor,
        "Group": check_actor,
        "StatementRef": check_statement_ref,
        "SubStatement": _check_substatement,
    }
)


def _check_statement(found: Findings, value: Any) -> None:
    if not check_shape(found, value, None, None, _STATEMENT):
        return
    object_ = value.get("object")
    check_activity_only(found, value.get("context"), object_, None)
    verb = value.get("verb")
    if type(verb) is dict and verb.get("id") == VOIDED:
        _check_voiding(found, object_)


def _check_voiding(found: Findings, object_: Any) -> None:
    if type(object_) is dict and object_.get("objectType") != "StatementRef":
        found.add(
            None,
            "object",
            "statement.voiding",
            'A voiding statement must name the voided one: {"objectType": "StatementRef", "id": …}.',
        )


def validate_statement(
    value: object, version: Version, path: str = "", most: int = MAX_PROBLEMS
) -> list[Problem]:
    """Find everything that is wrong with one statement.

    Args:
        value: The parsed JSON, as sent; left as it is.
        version: Whose rules it is held to.
        path: Pointer of the statement in the body; empty where it is the body.
        most: How many problems are looked for.

    Returns:
        The first problems, in the order of the statement; none where it is valid.

    Spec: xAPI 1.0.3 Data 2.2 to 2.4; xAPI 2.0 4.2
    """
    found = Findings(version, path, most)
    with suppress(EnoughFound):
        _check_statement(found, value)
    return found.problems


def validate_batch(values: Sequence[object], version: Version) -> tuple[list[Problem], list[int]]:
    """Find what is wrong with the statements of a batch, the same id given twice included.

    Args:
        values: The parsed statements, in the order sent; left as they are.
        version: Whose rules they are held to.

    Returns:
        The first 100 problems, with pointers that begin with the index, and the index of
        *every* bad statement, in order; both empty where all is well. Of statements with
        one id, the first is not counted as bad.

    Spec: xAPI 1.0.3 Communication 2.1.2; xAPI 2.0 4.1.6.1
    """
    problems: list[Problem] = []
    bad: list[int] = []
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        found = validate_statement(value, version, f"/{index}", max(1, MAX_PROBLEMS - len(problems)))
        found += _find_repeated_id(value, index, seen, version)
        if found:
            bad.append(index)
            problems += found[: MAX_PROBLEMS - len(problems)]
    return problems, bad


def _find_repeated_id(value: object, index: int, seen: dict[str, int], version: Version) -> list[Problem]:
    id_ = value.get("id") if isinstance(value, dict) else None
    if type(id_) is not str:
        return []
    first = seen.setdefault(id_.lower(), index)
    if first == index:
        return []
    message = f"Statement {first} of this batch has the same id; an id may come once."
    return [make_problem(version, f"/{index}/id", "batch.unique-id", message)]
