"""Up to which instant everything is visible.

That is the instant of the last segment that ``applied`` covers: whatever becomes visible
later stands in a later segment, and segments rise in their instants whatever the clocks
say. While nothing is written that instant would stand still; so a reader who finds it old
inserts an empty segment, a *tick*, at the end of the log, in the same race as every
writer. That is what makes the answer honest: a writer who was about to insert there, with
an instant before the tick's, loses and takes a later one. (A mark beside the log could not
do this: a writer who read it before it was raised would still commit with an older
instant.) A tick is a document of some hundred bytes, at most one in ``stale_us``, and
only while somebody reads.
"""

import threading
import time
from collections.abc import Callable

from pymongo.errors import PyMongoError

from lrs.clock import Clock
from lrs.errors import StoreUnavailable
from lrs.stores.mongo.errors import is_transient
from lrs.stores.mongo.log import Applied, SegmentLog
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.projector import Projector
from lrs.stores.mongo.segment import Segment, next_instant

STALE_US = 200_000
_ABANDONED_SECONDS = 2.0
_TRIES = 3


class Horizon:
    """Tells the instant, and ticks.

    Args:
        log: The institution's log.
        projector: Makes visible what a writer left behind.
        clock: Now.
        new_token: Makes a random token.
        busy_seconds: How long a tick may take.
        stale_us: How old the answer may become before somebody ticks.
    """

    def __init__(
        self,
        log: SegmentLog,
        projector: Projector,
        clock: Clock,
        new_token: Callable[[], str],
        *,
        busy_seconds: float,
        stale_us: int = STALE_US,
    ) -> None:
        """Nobody has ticked yet."""
        self._log = log
        self._projector = projector
        self._clock = clock
        self._new_token = new_token
        self._busy_seconds = busy_seconds
        self._stale_us = stale_us
        self._ticking = threading.Lock()
        self._blocked_by = 0
        self._blocked_since = 0.0
        self._pause_until = 0.0

    def consistent_through(self) -> int:
        """Return the instant; ticks first when it is old and no thread of ours already does.

        Where ticking fails the older instant, true as ever, is the answer, and the next
        try waits: pages go on while the database takes no writes.
        """
        applied = self._log.applied()
        if (
            applied.dropped
            or not self._is_stale(applied.at_us)
            or (applied.n and time.monotonic() < self._pause_until)
        ):
            return applied.at_us
        # Before the first segment there is nothing to answer with, so that is waited for.
        if self._ticking.acquire(blocking=applied.n == 0):
            try:
                applied = self._tick(self._log.applied())
            except (StoreUnavailable, PyMongoError) as error:
                if applied.n == 0 or not (isinstance(error, StoreUnavailable) or is_transient(error)):
                    raise
                self._pause_until = time.monotonic() + self._busy_seconds
            finally:
                self._ticking.release()
        return applied.at_us

    def _is_stale(self, at_us: int) -> bool:
        return self._clock() - at_us > self._stale_us

    def _tick(self, applied: Applied) -> Applied:
        patience = Patience(self._busy_seconds)
        for _ in range(_TRIES):
            if not self._is_stale(applied.at_us):
                break
            at_us = next_instant(self._clock(), applied.at_us, 0)
            tick = Segment(applied.n + 1, self._new_token(), at_us, total=applied.total)
            if not self._log.insert(tick, patience):
                return self._projector.apply([tick], applied, patience)
            if not self._is_abandoned(applied.n + 1):
                # Whoever wrote there is making it visible; to do it as well would be waste.
                return self._log.applied()
            applied = self._projector.catch_up(patience)
        return applied

    def _is_abandoned(self, n: int) -> bool:
        """Tell whether a segment has stood unprojected for long: by its instant, or by our own watch.

        The watch is for segments whose instant lies ahead of our clock.
        """
        if self._blocked_by != n:
            self._blocked_by, self._blocked_since = n, time.monotonic()
        watched = time.monotonic() - self._blocked_since
        age_us = self._clock() - self._log.instants([n]).get(n, 0)
        return watched > _ABANDONED_SECONDS or age_us > _ABANDONED_SECONDS * 1_000_000
