"""Dates, spans and sizes as people read them. Pages show relative time only beside the date."""

from lrs.clock import to_datetime

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_MILLION = 1_000_000
_KIB = 1024


def day_text(instant_us: int) -> str:
    """Write a day: ``21 November 2026``."""
    moment = to_datetime(instant_us)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def month_text(instant_us: int) -> str:
    """Write a month: ``November 2026``."""
    moment = to_datetime(instant_us)
    return f"{_MONTHS[moment.month - 1]} {moment.year}"


def short_day_text(instant_us: int) -> str:
    """Write a day where room is short: ``21 Nov``."""
    moment = to_datetime(instant_us)
    return f"{moment.day} {_MONTHS[moment.month - 1][:3]}"


def moment_text(instant_us: int) -> str:
    """Write a moment to the minute, with its zone: ``21 November 2026, 09:30 UTC``."""
    return f"{day_text(instant_us)}, {to_datetime(instant_us):%H:%M} UTC"


def iso_text(instant_us: int) -> str:
    """Write a moment for a ``datetime`` attribute, to the second."""
    return f"{to_datetime(instant_us):%Y-%m-%dT%H:%M:%SZ}"


def ago_text(instant_us: int, now_us: int) -> str:
    """Say how long ago, to the largest unit: ``3 hours ago``; ``just now`` below a minute."""
    seconds = (now_us - instant_us) // _MILLION
    for step, unit in _STEPS:
        if seconds >= step:
            return f"{number_text(seconds // step, unit)} ago"
    return "just now"


def number_text(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: ``1 record``, ``12,345 records``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size_text(size_bytes: int) -> str:
    """Write a size: ``812 bytes``, ``3.1 KB``, ``7.9 MB``."""
    if size_bytes < _KIB:
        return number_text(size_bytes, "byte")
    kilo = size_bytes / _KIB
    return f"{kilo:,.1f} KB" if kilo < _KIB else f"{kilo / _KIB:,.1f} MB"
