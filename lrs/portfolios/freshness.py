"""Whether everything that was recorded of a learner is worked in."""

from collections.abc import Collection, Iterable

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.clock import Clock
from lrs.derivation.names import OWNER, PENDING, log_cursor
from lrs.learners.acts import acts_of, read_statement
from lrs.learners.handles import LearnerHandle
from lrs.tables.derived import DerivedTables
from lrs.xapi.facts import is_voiding
from lrs.xapi.log import LogReader

MOST_UNREAD = 100
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

    def is_behind(
        self, handle: LearnerHandle, identifiers: Collection[str], places: Iterable[InstitutionId]
    ) -> bool:
        """Tell whether something of the learner waits to be worked in.

        Args:
            handle: Who.
            identifiers: By which records name the learner.
            places: The institutions that have records of the learner.
        """
        if any(self._derived.find(PENDING, OWNER, identity) for identity in handle.identities):
            return True
        cursors = self._derived.cursors()
        return any(self._waits(place, cursors.get(log_cursor(place), 0), identifiers) for place in places)

    def _waits(self, place: InstitutionId, cursor: int, identifiers: Collection[str]) -> bool:
        """Look at what waits there; where that is much, it is taken to concern everybody."""
        unread = (
            self._reader.read(InstitutionHandle(place), cursor, MOST_UNREAD).entries if cursor >= 0 else ()
        )
        late = [one for one in unread if one.stored_at_us <= self._clock() - PATIENCE_US]
        return len(late) == MOST_UNREAD or any(_concerns(one.text, place, identifiers) for one in late)


def _concerns(text: bytes, place: InstitutionId, identifiers: Collection[str]) -> bool:
    statement = read_statement(text)
    return is_voiding(statement) or any(act.identifier in identifiers for act in acts_of(statement, place))
