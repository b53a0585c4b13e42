"""Taking turns to compute, for the threads of one process.

Only one of them computes at a time anyway. Where many want to, each is held up by all others
every few milliseconds; and so is the engine's writer, for whom other processes wait as well.
"""

import threading
from contextlib import AbstractContextManager, nullcontext

LONG_BODY_BYTES = 16_384


class Turns:
    """Has long bodies read and prepared one at a time; short ones wait for nobody."""

    def __init__(self) -> None:
        """It is nobody's turn."""
        self._turn = threading.Lock()

    def take(self, body: bytes) -> AbstractContextManager[object]:
        """Wait for one's turn with a body, for as long as a ``with`` block lasts."""
        return self._turn if len(body) >= LONG_BODY_BYTES else nullcontext()
