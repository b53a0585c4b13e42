import pytest

from lrs.errors import OutboundRefused, OutboundTooLarge, OutboundUnavailable, OutboundUntrusted
from lrs.outbound.model import Answer
from lrs.outbound.retry import Backoff, retry_after


def answer(status: int, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"", "")


def never() -> float:
    return 1.0


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_answer_is_asked_for_again_when_it_may_pass(status: int) -> None:
    assert retry_after(answer(status), 1, never) == 1.0


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 403, 404, 409, 410, 412, 413, 501, 505])
def test_answer_is_final_when_asking_again_would_not_change_it(status: int) -> None:
    assert retry_after(answer(status, Retry_After="1"), 1, never) is None


def test_error_is_tried_again_only_when_it_is_transient() -> None:
    assert retry_after(OutboundUnavailable("away"), 1, never) == 1.0
    for final in (OutboundRefused("no"), OutboundUntrusted("no"), OutboundTooLarge("no")):
        assert retry_after(final, 1, never) is None


def test_waits_double_up_to_the_longest_and_end_when_there_were_enough() -> None:
    backoff = Backoff(first_seconds=2, most_seconds=10, attempts=5)
    waits = [retry_after(answer(500), attempt, never, backoff) for attempt in range(1, 7)]
    assert waits == [2, 4, 8, 10, None, None]


def test_half_of_each_wait_is_drawn() -> None:
    assert retry_after(answer(500), 3, lambda: 0.0) == 2.0
    assert retry_after(answer(500), 3, lambda: 0.5) == 3.0


def test_wait_is_as_long_as_asked_when_the_answer_asks_for_more() -> None:
    assert retry_after(answer(429, Retry_After="17"), 1, never) == 17
    assert retry_after(answer(503, Retry_After="0"), 2, never) == 2
    dated = answer(503, Retry_After="Sat, 21 Nov 2026 10:01:30 GMT", Date="Sat, 21 Nov 2026 10:00:00 GMT")
    assert retry_after(dated, 1, never) == 90


@pytest.mark.parametrize("text", ["soon", "-5", "1e9", "Sat, 21 Nov 2026 10:01:30 GMT", "٣", ""])
def test_wait_is_ours_when_what_is_asked_for_cannot_be_read(text: str) -> None:
    assert retry_after(answer(503, Retry_After=text), 1, never) == 1


def test_wait_is_a_day_at_most_when_the_answer_asks_for_a_year() -> None:
    assert retry_after(answer(503, Retry_After="9" * 40), 1, never) == 86_400
