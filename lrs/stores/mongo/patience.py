"""How long the engine goes on trying before it gives up."""

import time
from collections.abc import Callable
from typing import TypeVar

from pymongo.errors import PyMongoError

from lrs.errors import StoreUnavailable
from lrs.stores.mongo.errors import AWAY, is_transient

Result = TypeVar("Result")

_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25


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
