"""How long the engine goes on trying before it gives up."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import pymongo
from pymongo.errors import PyMongoError

from lrs.errors import StoreUnavailable
from lrs.stores.mongo.errors import AWAY, is_transient

Result = TypeVar("Result")

_LONG_SECONDS = 6 * 3600.0

_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25


def unhurried() -> AbstractContextManager[None]:
    """Let what the database does in a block take its time: to make an index, to count or delete millions.

    Every other act ends within the patience that the client was opened with.
    """
    return pymongo.timeout(_LONG_SECONDS)


class Patience:
    """One act's time limit, by the monotonic clock, with growing pauses between tries.

    Giving up is StoreUnavailable: the act may still happen later, nothing was promised.
    """

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self._end = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE_SECONDS

    def check(self, reason: Exception | None = None) -> None:
        """Go on only while there is time.

        Raises:
            StoreUnavailable: The time is over.
        """
        if time.monotonic() >= self._end:
            raise StoreUnavailable(AWAY) from reason

    def rest(self, reason: Exception | None = None) -> None:
        """Wait a moment before the next try.

        Raises:
            StoreUnavailable: The time is over.
        """
        self.check(reason)
        time.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)

    def until_answered(self, act: Callable[[], Result]) -> Result:
        """Repeat an act that is safe to repeat until the database answers it."""
        while True:
            try:
                return act()
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                self.rest(error)
