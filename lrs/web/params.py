"""Parameters read strictly: unknown, wrong-case and repeated ones are named and refused."""

import difflib
from collections.abc import Collection, Iterator, Sequence

from werkzeug.datastructures import MultiDict

from lrs.errors import InvalidParameter, Problem

_SPEC = "xAPI 1.0.3 Communication 3.2"
_SHOWN = 80


def read_params(args: MultiDict[str, str], known: Collection[str]) -> dict[str, str]:
    """Read query or form parameters, each at most once and in the exact case.

    Args:
        args: What was sent.
        known: The names that this route takes.

    Raises:
        InvalidParameter: Some are unknown, of another case, or repeated; each is named.

    Spec: xAPI 1.0.3 Communication 3.2.
    """
    problems = list(_param_problems(args, known))
    if problems:
        raise InvalidParameter(summary("parameter", problems), problems)
    return args.to_dict(flat=True)


def _param_problems(args: MultiDict[str, str], known: Collection[str]) -> Iterator[Problem]:
    for name, values in args.lists():
        if name not in known:
            yield _unknown(name, known)
        elif len(values) > 1:
            yield Problem(
                name, "parameter.repeated", f"{name} is given {len(values)} times; give it once.", _SPEC
            )


def _unknown(name: str, known: Collection[str]) -> Problem:
    shown = _cut(name)  # Looking for what is close takes memory in proportion to the name, many times over.
    for right in known:
        if right.lower() == shown.lower():
            return Problem(shown, "parameter.case", f"{shown} is written {right}; case counts.", _SPEC)
    close = difflib.get_close_matches(shown, known, n=1)
    takes = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(sorted(known)) or 'none'}."
    return Problem(shown, "parameter.unknown", f"{shown} is not a parameter of this resource. {takes}", _SPEC)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def summary(what: str, problems: Sequence[Problem]) -> str:
    """Say in one sentence what is wrong: the problem itself, or the names of several."""
    if len(problems) == 1:
        return problems[0].message
    names = ", ".join(problem.path or "the body" for problem in problems[:10])
    return f"{len(problems)} {what}s are wrong: {names}."
