"""Results and scores: how it went.

Spec: xAPI 1.0.3 Data 2.4.5; xAPI 2.0 4.2.2.4
"""

from typing import Any

from lrs.xapi.checks import (
    Findings,
    Key,
    Shape,
    Trail,
    check_boolean,
    check_duration,
    check_extensions,
    check_number,
    check_shape,
    check_string,
    place,
    shape_check,
)

_SCORE = Shape(
    "a score",
    {"scaled": check_number, "raw": check_number, "min": check_number, "max": check_number},
)


def _check_score(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check a score and its bounds.

    Spec: xAPI 1.0.3 Data 2.4.5.1
    """
    if not check_shape(found, value, trail, key, _SCORE):
        return
    here = place(trail, key)
    scaled, raw = _number(value, "scaled"), _number(value, "raw")
    least, most = _number(value, "min"), _number(value, "max")
    if scaled is not None and not -1 <= scaled <= 1:
        found.add(here, "scaled", "score.scaled", f"{scaled} is not between -1 and 1.")
    if least is not None and most is not None and least >= most:
        found.add(here, "min", "score.min-max", f"min ({least}) must be less than max ({most}).")
    if raw is not None and least is not None and raw < least:
        found.add(here, "raw", "score.raw", f"raw ({raw}) is less than min ({least}).")
    if raw is not None and most is not None and raw > most:
        found.add(here, "raw", "score.raw", f"raw ({raw}) is greater than max ({most}).")


def _number(score: dict[str, Any], name: str) -> int | float | None:
    value = score.get(name)
    return value if type(value) is int or type(value) is float else None


check_result = shape_check(
    Shape(
        "a result",
        {
            "score": _check_score,
            "success": check_boolean,
            "completion": check_boolean,
            "response": check_string,
            "duration": check_duration,
            "extensions": check_extensions,
        },
    )
)
"""Checks a result.

Spec: xAPI 1.0.3 Data 2.4.5
"""
