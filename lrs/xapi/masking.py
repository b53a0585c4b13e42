"""What is kept of a refusal, and logged, must not hold what may be about a person.

A sender reads in the answer which name is wrong, to the letter. What stays here is told
without names and values that look like more than a name: an address, words, a long text.
"""

import re
from collections.abc import Sequence

from lrs.errors import Problem
from lrs.xapi.checks import MAX_SHOWN, show
from lrs.xapi.json_text import escape_pointer

MASK = "…"
_LONGEST_NAME = 64
_PERSONAL = re.compile(r"@|\s|%40|%20")
_SHORTEST_NAME = 3
"""What is shorter stands in every sentence, and says nothing of anybody."""

_QUOTED = re.compile(rf"""(['"])(?:.{{{MAX_SHOWN - 1}}}…|(?:(?!\1)[^\\]|\\.)*+\1)""", re.DOTALL)
_ESCAPED = re.compile("~[01]")
_UNESCAPED = {"~0": "~", "~1": "/"}


def mask_pointer(path: str) -> str:
    """Write a pointer, or a parameter's name, without what may be about a person."""
    if not path.startswith("/"):
        return MASK if _may_be_personal(path) else path
    return "/".join(MASK if _may_be_personal(_unescape(token)) else token for token in path.split("/"))


def mask_problem(problem: Problem) -> Problem:
    """Return a problem without what may be about a person."""
    return Problem(
        mask_pointer(problem.path),
        problem.rule,
        _mask_names(_mask_quoted(problem.message), [problem]),
        problem.spec,
    )


def mask_detail(detail: str, problems: Sequence[Problem]) -> str:
    """Return the detail of an error, whose problems are given, without what may be about a person."""
    for problem in problems:
        detail = detail.replace(problem.message, mask_problem(problem).message)
    return _mask_names(_mask_quoted(detail), problems)


def _mask_quoted(text: str) -> str:
    """Mask the value that a message begins with; see ``lrs.xapi.checks.show``."""
    found = _QUOTED.match(text)
    if found is None or not (found[0].endswith(MASK) or _may_be_personal(found[0][1:-1])):
        return text
    return f"{MASK}{text[found.end() :]}"


def _mask_names(text: str, problems: Sequence[Problem]) -> str:
    """Mask the names that stand in the places of problems, as they are written in words."""
    for problem in problems:
        for token in problem.path.removeprefix("/").split("/"):
            name = _unescape(token)
            if _may_be_personal(name):
                text = text.replace(show(name), MASK)
                if len(name) >= _SHORTEST_NAME:
                    text = text.replace(escape_pointer(name), MASK).replace(name, MASK)
    return text


def _may_be_personal(name: str) -> bool:
    return len(name) > _LONGEST_NAME or _PERSONAL.search(name) is not None


def _unescape(token: str) -> str:
    """Read a reference token of a pointer. Spec: RFC 6901 4."""
    return _ESCAPED.sub(lambda found: _UNESCAPED[found[0]], token)
