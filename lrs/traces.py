"""Errors as the log tells them: where they came from, and nothing that they quote."""

import traceback
from collections.abc import Iterator


def trace_of(error: BaseException) -> str:
    """Write where an error came from, with its causes, and without messages that may quote records."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _lines(cause)
        yield "which led to"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    yield f"{type(error).__module__}.{type(error).__qualname__}"
