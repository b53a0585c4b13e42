"""When to try again: which outcomes may pass by themselves, and how long to wait.

Who asks again is the caller: the runner of jobs, or a page's request not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from lrs.errors import OutboundError
from lrs.outbound.model import Answer

TRANSIENT_STATUSES = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Answers after which the same request may succeed. Every other one stays what it is."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How waiting grows.

    Attributes:
        first_seconds: The longest wait after the first failure; each later one is twice as long.
        most_seconds: No wait of ours is longer; one that the other side asks for may be.
        attempts: After so many failures nothing more is tried.
    """

    first_seconds: float = 1.0
    most_seconds: float = 300.0
    attempts: int = 8


MOST_ASKED_SECONDS = 86_400.0
"""The longest wait that the other side may ask for with Retry-After."""


def retry_after(
    outcome: Answer | OutboundError,
    attempt: int,
    draw: Callable[[], float],
    backoff: Backoff = Backoff(),
) -> float | None:
    """Say in how many seconds to try again.

    Half of each wait is fixed and half is drawn, so that many that failed at once do not
    come back at once.

    Args:
        outcome: What the last attempt ended in.
        attempt: How many there have been, from 1.
        draw: Gives a number from 0 to 1 (handed in).
        backoff: How waiting grows.

    Returns:
        Seconds; None when it is of no use: the outcome is final, or there were too many.
    """
    if not is_transient(outcome) or attempt >= backoff.attempts:
        return None
    longest = min(backoff.first_seconds * 2.0 ** min(attempt - 1, 60), backoff.most_seconds)
    ours = longest * (0.5 + draw() / 2)
    asked = _asked_for(outcome) if isinstance(outcome, Answer) else 0.0
    return max(ours, min(asked, MOST_ASKED_SECONDS))


def is_transient(outcome: Answer | OutboundError) -> bool:
    """Tell whether the same request may succeed later."""
    return outcome.status in TRANSIENT_STATUSES if isinstance(outcome, Answer) else outcome.transient


def _asked_for(answer: Answer) -> float:
    """Read Retry-After: seconds, or a date, which is held against the answer's own Date.

    Spec: RFC 9110 10.2.3.
    """
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - parsedate_to_datetime(answer.headers.get("Date", ""))).total_seconds())
    except (ValueError, TypeError):
        return 0.0
