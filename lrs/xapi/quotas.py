"""How much of its quota an institution has used, and the alarm before it is used up.

The limit itself is held by the store, inside the write; here is what people are told.
"""

import logging
import threading
from dataclasses import dataclass, field

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.clock import Clock
from lrs.xapi.ports import RecordStores

ALARM_PERCENT = 80
_LOOK_US = 60_000_000
_WARN_US = 3_600_000_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an institution holds, and may hold.

    Attributes:
        statements: How many it holds, voided and voiding ones included.
        quota: How many it may hold; 0 for any number.
    """

    statements: int
    quota: int

    @property
    def percent(self) -> int:
        """How much of the quota is used, in whole percent, never rounded up; 0 without a quota."""
        return self.statements * 100 // self.quota if self.quota else 0

    @property
    def alarm(self) -> bool:
        """Tell whether 80 % of a quota or more is used."""
        return self.percent >= ALARM_PERCENT

    @property
    def full(self) -> bool:
        """Tell whether nothing more goes in."""
        return self.quota > 0 and self.statements >= self.quota


@dataclass(slots=True)
class _Watched:
    """When an institution was last looked at, and last warned of; None for never."""

    looked_us: int | None = None
    warned_us: int | None = None


@dataclass(slots=True)
class QuotaWatch:
    """Counts for whoever asks, and warns in the log: at most once an hour an institution.

    After a post it looks at most once a minute, so that the way in stays as short as it was.

    Args:
        records: Opens the record of an institution.
        clock: Now, in microseconds.
    """

    records: RecordStores
    clock: Clock
    _watched: dict[InstitutionId, _Watched] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def usage(self, handle: InstitutionHandle, quota: int) -> Usage:
        """Return what an institution holds of what it may hold."""
        return Usage(self.records.statements(handle).count_statements(), quota)

    def after_post(self, handle: InstitutionHandle, quota: int) -> None:
        """Look whether the alarm is due, where there is a quota and it is time to look."""
        if quota and self._is_due(handle.institution_id, "looked_us", _LOOK_US):
            usage = self.usage(handle, quota)
            if usage.alarm and self._is_due(handle.institution_id, "warned_us", _WARN_US):
                _log.warning(
                    "institution %s holds %d statements, %d %% of its quota of %d",
                    handle.institution_id,
                    usage.statements,
                    usage.percent,
                    quota,
                )

    def _is_due(self, institution_id: InstitutionId, what: str, every_us: int) -> bool:
        """Tell whether it is time again, and note that it was done."""
        now = self.clock()
        with self._lock:
            watched = self._watched.setdefault(institution_id, _Watched())
            last = getattr(watched, what)
            if last is not None and last <= now < last + every_us:
                return False
            setattr(watched, what, now)
            return True
