"""The token bucket of a key."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.access.model import KeyId
from lrs.access.rates import RateLimiter
from lrs.errors import RateLimited
from tests.engines import HandClock

KEY, OTHER = KeyId("key-1"), KeyId("key-2")


def passed(limiter: RateLimiter, tries: int, rate: int | None = None, key: KeyId = KEY) -> int:
    """How many of so many requests pass."""
    count = 0
    for _ in range(tries):
        try:
            limiter.take(key, rate)
        except RateLimited:
            continue
        count += 1
    return count


def test_a_minutes_requests_pass_at_once_and_no_more() -> None:
    assert passed(RateLimiter(HandClock(), 6), 20) == 6


def test_everything_passes_when_there_is_no_limit() -> None:
    assert passed(RateLimiter(HandClock(), 0), 1000) == 1000
    assert passed(RateLimiter(HandClock(), 6), 1000, rate=0) == 1000


def test_a_keys_own_rate_counts_when_it_has_one() -> None:
    limiter = RateLimiter(HandClock(), 6)
    assert passed(limiter, 20, rate=9) == 9
    assert passed(limiter, 20, key=OTHER) == 6


def test_requests_flow_in_evenly_when_the_bucket_is_empty() -> None:
    clock = HandClock()
    limiter = RateLimiter(clock, 6)
    passed(limiter, 6)
    clock.move(9.999)
    assert passed(limiter, 5) == 0
    clock.move(0.002)
    assert passed(limiter, 5) == 1
    clock.move(30)
    assert passed(limiter, 20) == 3
    clock.move(3600)
    assert passed(limiter, 20) == 6


@pytest.mark.parametrize(("rate", "waited", "seconds"), [(6, 0, 10), (6, 4, 6), (1, 0, 60), (600, 0, 1)])
def test_the_refusal_says_when_the_next_request_passes(rate: int, waited: float, seconds: int) -> None:
    clock = HandClock()
    limiter = RateLimiter(clock, rate)
    passed(limiter, rate)
    clock.move(waited)
    with pytest.raises(RateLimited) as refused:
        limiter.take(KEY, None)
    assert refused.value.facts == {"retry_after_seconds": seconds}
    clock.move(seconds)
    limiter.take(KEY, None)


def test_filling_goes_on_when_the_clock_is_set_back() -> None:
    clock = HandClock()
    limiter = RateLimiter(clock, 6)
    passed(limiter, 6)
    clock.move(-3600)
    assert passed(limiter, 5) == 0
    clock.move(10)
    assert passed(limiter, 5) == 1


def test_no_more_pass_when_many_threads_ask_at_once() -> None:
    limiter = RateLimiter(HandClock(), 50)
    begin = threading.Barrier(8)

    def ask(_: int) -> int:
        begin.wait()
        return passed(limiter, 20)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 50


def test_idle_buckets_are_forgotten_when_there_are_very_many() -> None:
    clock = HandClock()
    limiter = RateLimiter(clock, 2)
    for number in range(10_000):
        limiter.take(KeyId(f"idle-{number}"), None)
    clock.move(61)
    passed(limiter, 2)
    assert len(limiter._buckets) == 1
    assert passed(limiter, 2) == 0
