"""Whether everything that was recorded of a learner is worked in."""

from collections.abc import Iterable

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.clock import Clock
from lrs.derivation.names import OWNER, PENDING, log_cursor
from lrs.learners.handles import LearnerHandle
from lrs.tables.derived import DerivedTables
from lrs.xapi.log import LogReader

PATIENCE_US = 5_000_000
"""What arrived within this time is not spoken of: it will be there before anybody has read the page."""


class Freshness:
    """Tells whether a portfolio is complete; reads a few rows, whatever the instance holds.

    Args:
        derived: What was derived, and how far.
        reader: The logs.
        clock: Now.
    """

    def __init__(self, derived: DerivedTables, reader: LogReader, clock: Clock) -> None:
        """Keep what was handed in."""
        self._derived = derived
        self._reader = reader
        self._clock = clock

    def is_behind(self, handle: LearnerHandle, places: Iterable[str]) -> bool:
        """Tell whether something of the learner waits to be worked in.

        Args:
            handle: Who.
            places: Ids of the institutions that have records of the learner.
        """
        if any(self._derived.find(PENDING, OWNER, identity) for identity in handle.identities):
            return True
        cursors = self._derived.cursors()
        return any(self._waits(place, cursors.get(log_cursor(place), 0)) for place in places)

    def _waits(self, place: str, cursor: int) -> bool:
        if cursor < 0:
            return False
        unread = self._reader.read(InstitutionHandle(InstitutionId(place)), cursor, 1).entries
        return bool(unread) and unread[0].stored_at_us <= self._clock() - PATIENCE_US
