"""How many requests a key may make in a minute: a token bucket for each, in this process.

Nothing is written anywhere, so that a refusal costs next to nothing; and so each process
of a server counts by itself.
"""

import math
import threading
from dataclasses import dataclass

from lrs.access.model import KeyId
from lrs.clock import Clock
from lrs.errors import RateLimited

_MINUTE_US = 60_000_000
_MOST_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    """``tokens``: requests that may be made at once; as of ``at_us``."""

    tokens: float
    at_us: int


class RateLimiter:
    """Counts requests by key.

    A bucket holds a minute's requests and fills evenly: a key may make them all at once,
    and then as many as flow in.

    Args:
        clock: Now; when it is set back, filling goes on from there.
        per_minute: For keys that have no rate of their own; 0 for no limit.
    """

    def __init__(self, clock: Clock, per_minute: int = 0) -> None:
        """Nobody has asked for anything yet."""
        self._clock = clock
        self._per_minute = per_minute
        self._buckets: dict[KeyId, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key_id: KeyId, per_minute: int | None) -> None:
        """Let one request of a key pass.

        Args:
            key_id: Whose request.
            per_minute: The key's own rate; 0 for no limit, None for the default.

        Raises:
            RateLimited: Too many; ``retry_after_seconds`` says when the next will pass.
        """
        rate = self._per_minute if per_minute is None else per_minute
        if rate == 0:
            return
        with self._lock:
            missing = self._take(key_id, rate)
        if missing > 0:
            raise RateLimited(
                f"This key may make {rate} requests a minute; send this one again later. Several statements"
                " fit into one request.",
                retry_after_seconds=max(1, math.ceil(missing * 60 / rate)),
            )

    def _take(self, key_id: KeyId, rate: int) -> float:
        """Take a token; return how much of one is missing, 0 when it was taken."""
        now = self._clock()
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = self._buckets[key_id] = _Bucket(rate, now)
            self._forget_idle(now)
        passed = max(0, now - bucket.at_us)
        bucket.tokens = min(rate, bucket.tokens + passed * rate / _MINUTE_US)
        bucket.at_us = now
        if bucket.tokens < 1:
            return 1 - bucket.tokens
        bucket.tokens -= 1
        return 0.0

    def _forget_idle(self, now: int) -> None:
        """Drop buckets that have filled up since, once there are very many."""
        if len(self._buckets) > _MOST_BUCKETS:
            fresh = {id_: one for id_, one in self._buckets.items() if now - one.at_us < _MINUTE_US}
            self._buckets = fresh
