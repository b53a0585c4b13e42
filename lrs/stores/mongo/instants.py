"""From an instant to a segment: the log rises in both, so a few reads find the place."""

from lrs.stores.mongo.log import SegmentLog

_FAN = 32


def first_segment_at_or_after(log: SegmentLog, last: int, instant_us: int) -> int:
    """Return the first segment whose last entry was stored at or after an instant.

    Args:
        log: The institution's log.
        last: The last segment that counts; ``last + 1`` is returned when none is late enough.
        instant_us: The instant.
    """
    low, high = 1, last + 1
    while low < high:
        step = max(1, (high - low) // _FAN)
        instants = log.instants(range(low, high, step))
        late = min((n for n, at in instants.items() if at >= instant_us), default=high)
        early = max((n for n, at in instants.items() if at < instant_us), default=low - 1)
        low, high = early + 1, late
    return low
