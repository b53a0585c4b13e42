"""The day, as something recorded: what expires reads it, and never the clock."""

from lrs.clock import Clock, to_text
from lrs.tables.recorded import Recorded, RecordedTables, Wish

DAY = "day"
"""Recorded, in the commons; the one subject is ``AS_OF``."""

AS_OF = "as-of"


class Ticker:
    """Records the day.

    Args:
        commons: Where.
        clock: Now.
    """

    def __init__(self, commons: RecordedTables, clock: Clock) -> None:
        """Keep what was handed in."""
        self._commons = commons
        self._clock = clock

    def tick(self) -> bool:
        """Record the day (UTC), where it is another than the recorded one; it never goes back.

        Returns:
            Whether a new day was recorded.

        Raises:
            StoreError: The store failed.
        """
        now = self._clock()
        day = to_text(now)[:10]
        if (self.day() or "") >= day:
            return False

        def decide(there: Recorded | None) -> Wish | None:
            return None if there is not None and there.value["day"] >= day else Wish({"day": day})

        self._commons.change(DAY, AS_OF, decide, now)
        return True

    def day(self) -> str | None:
        """Return the recorded day, ``YYYY-MM-DD``; None before the first."""
        found = self._commons.find(DAY, AS_OF)
        return None if found is None else str(found.value["day"])
