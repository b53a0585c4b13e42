"""One run of a source at a time: a lock with an end, so that who died holds nobody up for long."""

from collections.abc import Callable

from lrs.clock import Clock
from lrs.errors import JobAlreadyRunning, JobTooLate
from lrs.sources.model import LOCK
from lrs.tables.recorded import Recorded, RecordedTables, Wish

LOCK_SECONDS = 10
_LOOK_SECONDS = 0.5
_SECOND_US = 1_000_000


class SourceLock:
    """The lock of one source, for one run.

    Args:
        tables: The institution's.
        source: The source's name.
        run: Names the holder.
        clock: Now, in microseconds.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        tables: RecordedTables,
        source: str,
        run: str,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        """Hold nothing yet."""
        self._tables = tables
        self._source = source
        self._run = run
        self._clock = clock
        self._sleep = sleep
        self._until_us = 0

    def take(self) -> None:
        """Take the lock; one whose holder died is waited for until it ends.

        Raises:
            JobAlreadyRunning: Another run is at work.
        """
        first = self._try(free_only=True)
        looks = int(LOCK_SECONDS / _LOOK_SECONDS) + 2
        found = first
        while found is not None and found == first and looks:
            self._sleep(_LOOK_SECONDS)
            looks -= 1
            found = self._try(free_only=True)
        if found is not None:
            raise JobAlreadyRunning(f"The source {self._source} is being read by another process; try later.")

    def keep(self) -> None:
        """Go on only while the lock is ours; called before anything is written.

        Raises:
            JobTooLate: Another run has begun.
        """
        if self._until_us - self._clock() > LOCK_SECONDS * _SECOND_US // 2:
            return
        if self._try(free_only=False) is not None:
            raise JobTooLate(f"Another process reads the source {self._source} now; this run ends.")

    def release(self) -> None:
        """Give the lock back, where it is still ours."""

        def decide(found: Recorded | None) -> Wish | None:
            return Wish(None) if found is not None and found.value["run"] == self._run else None

        self._tables.change(LOCK, self._source, decide, self._clock())

    def _try(self, *, free_only: bool) -> tuple[str, int] | None:
        """Take or extend the lock; return who holds it and until when, None where it is ours."""
        now = self._clock()
        until = now + LOCK_SECONDS * _SECOND_US

        def decide(found: Recorded | None) -> Wish | None:
            mine = found is not None and found.value["run"] == self._run
            is_free = free_only and (found is None or found.value["until"] <= now)
            return Wish({"run": self._run, "until": until}) if mine or is_free else None

        standing = self._tables.change(LOCK, self._source, decide, now)
        if standing is None:
            return "", 0
        if standing.value["run"] != self._run:
            return standing.value["run"], standing.value["until"]
        self._until_us = until
        return None
