"""Who may ask at all, decided before anything of a request is read."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from lrs.access.model import Scope
from lrs.access.rules import require
from lrs.web.callers import current_caller

_View = TypeVar("_View", bound=Callable[..., Any])


def admit(*any_of: Scope) -> Callable[[], None]:
    """Make what runs before each request of a blueprint: it refuses strangers, and who has no such scope."""
    return lambda: require(current_caller(), *any_of)


def admitting(*any_of: Scope) -> Callable[[_View], _View]:
    """Do the same for one route: stands between its path and its arguments."""

    def decorate(view: _View) -> _View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            require(current_caller(), *any_of)
            return view(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate
