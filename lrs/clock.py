"""Instants as the record keeps them: whole microseconds, UTC; the clock is handed in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Clock = Callable[[], int]
"""Gives now, in microseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US = 1_000_000


def to_datetime(instant_us: int) -> datetime:
    """Turn microseconds since the epoch into an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=instant_us)


def from_datetime(instant: datetime) -> int:
    """Turn an aware datetime into microseconds since the epoch."""
    return (instant - _EPOCH) // _MICROSECOND


def to_text(instant_us: int) -> str:
    """Write an instant as xAPI does: ``2026-11-21T09:30:00.123456Z``.

    Spec: xAPI 1.0.3 Data 4.5 (RFC 3339, UTC).
    """
    second, microsecond = divmod(instant_us, _SECOND_US)
    return f"{_second_text(second)}.{microsecond:06d}Z"


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    """Write whole seconds; remembered, since the statements of a page were often stored together."""
    return to_datetime(second * _SECOND_US).replace(tzinfo=None).isoformat(timespec="seconds")
