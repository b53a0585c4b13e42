"""What mongomock 4.3 lacks to stand in for a server: the driver's new arguments, and whole documents."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from mongomock.collection import BulkOperationBuilder, Collection, Cursor

_lock = threading.RLock()
_ALONE = (
    (Collection, "_insert"),
    (Collection, "_update"),
    (Collection, "_delete"),
    (Collection, "_find_and_modify"),
    (Collection, "count_documents"),
    (Cursor, "_compute_results"),
)


def teach_mongomock() -> None:
    """Let it be used by many threads, and write in bulk; done again it changes nothing."""
    for owner, name in _ALONE:
        _wrap(owner, name, _alone)
    for name in ("add_replace", "add_update"):
        _wrap(BulkOperationBuilder, name, _without_order)


def _wrap(owner: type, name: str, wrapper: Callable[[Any], Any]) -> None:
    before = getattr(owner, name)
    if not hasattr(before, "__wrapped__"):
        setattr(owner, name, wrapper(before))


def _alone(act: Callable[..., Any]) -> Callable[..., Any]:
    """A server changes a document between two looks at it, never during one."""

    @wraps(act)
    def alone(*args: Any, **rest: Any) -> Any:
        with _lock:
            return act(*args, **rest)

    return alone


def _without_order(add: Callable[..., None]) -> Callable[..., None]:
    """Since 4.11 the driver also says in which order to look for what is to be changed: in none."""

    @wraps(add)
    def without_order(*args: Any, sort: None = None, **rest: Any) -> None:
        assert sort is None
        add(*args, **rest)

    return without_order
