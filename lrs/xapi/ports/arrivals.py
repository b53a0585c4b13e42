"""What the ArrivalStore counts, so that nobody lists what is only to be summed."""

from typing import NamedTuple


class ReceiptCount(NamedTuple):
    """What the receipts of one source and day come to.

    Attributes:
        day: Days since the epoch, UTC.
        stored: The statements that were new, in all of them.
        already: Those that were there before.
        corrected: Those that were mended.
        last_at_us: The moment of the latest.
        later: How many are later than the moment that was asked about.
    """

    source: str
    day: int
    posts: int
    stored: int
    already: int
    corrected: int
    last_at_us: int
    later: int


class RefusalCount(NamedTuple):
    """How many refusals of one source and day have one method and status; see ReceiptCount."""

    source: str
    day: int
    method: str
    status: int
    refusals: int
    last_at_us: int
