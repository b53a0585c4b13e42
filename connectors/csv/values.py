"""What stands in a cell: dates, times, numbers, durations. What can be read two ways is refused.

Every function raises ValueError with a sentence for people.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
COMMA, POINT = ",", "."

_NUMERIC_DATE = re.compile(r"([0-9]{1,4})([./-])\s?([0-9]{1,2})\2\s?([0-9]{1,4})")
_PATTERN_PART = re.compile(r"yyyy|yy|mm?|dd?|[^ymd]+")
_PARTS = {
    "yyyy": r"(?P<y>[0-9]{4})",
    "yy": r"(?P<y>[0-9]{2})",
    "mm": r"(?P<m>[0-9]{2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "dd": r"(?P<d>[0-9]{2})",
    "d": r"(?P<d>[0-9]{1,2})",
}
_TIME = re.compile(
    r"([0-9]{1,2})[:.h]([0-9]{2})(?:[:.]([0-9]{2}))?\s*([ap])?\.?m?\.?(?:\s*(?:uhr|h))?", re.IGNORECASE
)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})"
)
_CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9])(?::([0-5][0-9]))?")
_NUMBER = re.compile(r"[+-]?[0-9][0-9., '\u00a0\u202f]*")
_GROUPS = re.compile(r"(?<=[0-9])[ '\u00a0\u202f](?=[0-9]{3}(?![0-9]))")
"""What may stand between thousands."""
_BLANK_GROUP = re.compile(r"[ '\u00a0\u202f]")
_NUMBER_LENGTH = 20
_HALF_DAY = 12
_CENTURY = 2000
_LONGEST_SECONDS = Decimal(366 * 86_400)
_SECONDS = {"hours": Decimal(3600), "minutes": Decimal(60), "seconds": Decimal(1)}
UNITS = tuple(_SECONDS)


@dataclass(frozen=True, slots=True)
class DateOrder:
    """How dates are written.

    Attributes:
        order: ``day-first``, ``month-first``, or empty where nobody has said so.
        patterns: Compiled, where the forms are given one by one.
    """

    order: str = ""
    patterns: tuple[re.Pattern[str], ...] = ()


def compile_pattern(text: str) -> re.Pattern[str]:
    """Turn a form such as ``dd.mm.yyyy`` into a pattern.

    Raises:
        ValueError: It does not name day, month and year once each.
    """
    parts = _PATTERN_PART.findall(text)
    try:
        found = re.compile("".join(_PARTS.get(part) or re.escape(part) for part in parts), re.ASCII)
    except re.error:
        found = re.compile("")
    if set(found.groupindex) != {"y", "m", "d"} or "".join(parts) != text:
        raise ValueError("Write day, month and year once each, such as dd.mm.yyyy, d/m/yy or yyyy-mm-dd.")
    return found


def read_date(text: str, order: DateOrder) -> date:
    """Read a date; one that could be two days is refused."""
    if order.patterns:
        found = {_matched(match) for one in order.patterns if (match := one.fullmatch(text))}
    else:
        found = _numeric(text, order.order)
    found.discard(None)
    days = sorted(day for day in found if day is not None)
    if not days:
        raise ValueError(f"{_quoted(text)} is no date that is written as the configuration says.")
    if len(days) > 1:
        raise ValueError(
            f"{_quoted(text)} may be {days[0]} or {days[1]}; say in the configuration how dates are written"
            ' ("dates": "day-first" or "month-first").'
        )
    return days[0]


def _numeric(text: str, order: str) -> set[date | None]:
    match = _NUMERIC_DATE.fullmatch(text)
    if match is None or not text.isascii():
        return set()
    first, second, third = match[1], match[3], match[4]
    if len(first) == 4:  # noqa: PLR2004 - a year
        return {_day(int(first), int(second), int(third))}
    if len(third) != 4:  # noqa: PLR2004 - a year of two digits is taken only where its form is given
        return set()
    day_first = _day(int(third), int(second), int(first))
    month_first = _day(int(third), int(first), int(second))
    if order == DAY_FIRST:
        return {day_first}
    return {month_first} if order == MONTH_FIRST else {day_first, month_first}


def _matched(match: re.Match[str]) -> date | None:
    year = int(match["y"])
    return _day(year + _CENTURY if len(match["y"]) == 2 else year, int(match["m"]), int(match["d"]))  # noqa: PLR2004


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_time(text: str) -> time:
    """Read a time of day: ``9:05``, ``09.05``, ``14h30``, ``9:05 pm``."""
    match = _TIME.fullmatch(text) if text.isascii() else None
    if match is None:
        raise ValueError(f"{_quoted(text)} is no time of day; write it as 14:30.")
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    half = (match[4] or "").lower()
    if half:
        if not 1 <= hour <= _HALF_DAY:
            raise ValueError(f"{_quoted(text)} is no time of day; write it as 14:30.")
        hour = hour % _HALF_DAY + (_HALF_DAY if half == "p" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise ValueError(f"{_quoted(text)} is no time of day; write it as 14:30.") from None


def read_moment(text: str, order: DateOrder, usual: time, zone: ZoneInfo) -> datetime:
    """Read a date with a time behind it, or without one; an offset that is written holds."""
    if _ISO.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{_quoted(text)} is no moment that there is.") from None
    day, _, rest = text.replace("T", " ", 1).partition(" ")
    return place_in_zone(read_date(day, order), read_time(rest.strip()) if rest.strip() else usual, zone)


def place_in_zone(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Join date and time of day as a place's clocks show them; an hour that they skip is refused."""
    local = datetime.combine(day, at, zone)
    try:
        there = local.astimezone(UTC).astimezone(zone)
    except OverflowError:
        raise ValueError(f"{day} is too far away.") from None
    if there.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"The clocks of {zone.key} skip {at} on {day}.")
    return local


def read_number(text: str, decimal: str) -> Decimal:
    """Read a number.

    Args:
        text: What stands in the cell.
        decimal: The mark before the fraction, ``,`` or ``.``; empty where nobody has said so.
    """
    if len(text) > _NUMBER_LENGTH or not _NUMBER.fullmatch(text):
        raise ValueError(f"{_quoted(text)} is no number.")
    bare = _GROUPS.sub("", text)
    if _BLANK_GROUP.search(bare):
        raise ValueError(f"{_quoted(text)} is no number.")
    mark = decimal or _guess_mark(bare, text)
    other = POINT if mark == COMMA else COMMA
    whole, _, fraction = bare.partition(mark)
    if other in whole and not re.fullmatch(rf"[+-]?[0-9]{{1,3}}({re.escape(other)}[0-9]{{3}})+", whole):
        raise ValueError(f"{_quoted(text)} is no number with {mark!r} before its fraction.")
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        raise ValueError(f"{_quoted(text)} is no number with {mark!r} before its fraction.")
    return Decimal(whole.replace(other, "") + (f".{fraction}" if fraction else ""))


def _guess_mark(bare: str, text: str) -> str:
    """Tell which mark stands before the fraction, where only one reading is possible."""
    marks = [mark for mark in (COMMA, POINT) if mark in bare]
    if len(marks) == 2:  # noqa: PLR2004 - the last one
        return max(marks, key=bare.rfind)
    if not marks:
        return POINT
    mark = marks[0]
    if bare.count(mark) > 1:
        return POINT if mark == COMMA else COMMA
    whole, _, fraction = bare.partition(mark)
    if len(fraction) == 3 and whole.lstrip("+-0"):  # noqa: PLR2004 - as in 1,500
        raise ValueError(
            f"{_quoted(text)} may be a fraction or thousands; say in the configuration which mark stands"
            ' before a fraction ("decimal": "," or ".").'
        )
    return mark


def read_duration(text: str, unit: str, decimal: str) -> Decimal:
    """Read how long something took, in seconds; ``1:30`` is hours and minutes in any unit but seconds."""
    clock = _CLOCK.fullmatch(text) if text.isascii() else None
    if clock is not None and unit != "seconds":
        seconds = Decimal(int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0))
    else:
        seconds = read_number(text, decimal) * _SECONDS[unit]
    if seconds < 0 or seconds > _LONGEST_SECONDS:
        raise ValueError(f"{_quoted(text)} is no duration between nothing and a year.")
    return seconds.quantize(Decimal("0.01"))


def duration_text(seconds: Decimal) -> str:
    """Write a duration: ``PT1H30M``. Spec: xAPI 1.0.3 Data 4.6; ISO 8601."""
    total = timedelta(seconds=int(seconds)).total_seconds()
    hours, rest = divmod(int(total), 3600)
    minutes, whole = divmod(rest, 60)
    hundredths = int((seconds - int(seconds)) * 100)
    second = f"{whole}.{hundredths:02d}".rstrip("0") if hundredths else str(whole)
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return f"PT{text}{second}S" if second != "0" or not text else f"PT{text}"


def plain(number: Decimal) -> int | float:
    """Give a number as JSON writes it."""
    return int(number) if number == number.to_integral_value() else float(number)


def fold(text: str) -> str:
    """Give a text as tables compare it: without case, and with single blanks."""
    return " ".join(text.split()).casefold()


def split_cell(text: str, separator: str) -> Sequence[str]:
    """Split a cell that names several; empty parts are none, and each counts once."""
    return list(dict.fromkeys(part for one in text.split(separator) if (part := one.strip())))


def _quoted(text: str) -> str:
    """Show a cell's content, cut where it is long."""
    return repr(text if len(text) <= 60 else text[:60] + "…")  # noqa: PLR2004
