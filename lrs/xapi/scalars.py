"""The standard's kinds of text: IRIs, mailto addresses, UUIDs, language tags, times, durations.

Pure checks on single strings, memoised where the same text comes again and again. Long
texts are checked each time, so that no sender can fill the memory.

Spec: xAPI 1.0.3 Data 4.2 to 4.6; xAPI 2.0 4.2.7
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

_REMEMBERED_LENGTH = 256
_MAX_DURATION_LENGTH = 255
"""Ours: a duration of more characters says nothing that a shorter one does not."""


class _Memo(dict[str, bool]):
    """Remembers verdicts on texts; looking one up costs a fraction of what lru_cache asks.

    Begins afresh when it is full, which a working set that fits never notices.
    """

    def __init__(self, test: Callable[[str], bool], size: int) -> None:
        super().__init__()
        self._test = test
        self._size = size

    def __missing__(self, text: str) -> bool:
        verdict = self._test(text)
        if len(text) <= _REMEMBERED_LENGTH:
            if len(self) >= self._size:
                self.clear()
            self[text] = verdict
        return verdict


def _memoise(test: Callable[[str], bool], size: int) -> Callable[[str], bool]:
    return _Memo(test, size).__getitem__


# A scheme, a colon, and no character that RFC 3987 leaves out of IRIs. Brackets and
# stray percent signs pass: browsers put them into addresses, and best effort is asked for.
_IRI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:"
    r'[^\x00-\x20"<>\\^`{|}\x7f-\x9f\ud800-\udfff\ufff0-\uffff]+'
)

_LABEL = r"[0-9A-Za-z_\u00a1-\U0010ffff](?:[0-9A-Za-z_\-\u00a1-\U0010ffff])*"
_MAILTO = re.compile(
    r'mailto:[^\x00-\x20"(),:;<>@\[\\\]\x7f-\xa0]+'
    rf"@(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])"
)

_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")

_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")

_LANGUAGE_TAG = re.compile(
    r"(?:"
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"
    r"(?:-[a-z]{4})?"
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*)"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+)"
)
_SINGLETON = re.compile(r"-([0-9a-wy-z])(?=-)")
# Registered before the grammar was, and of no regular form (RFC 5646 2.1).
_IRREGULAR_TAG = re.compile(
    "en-gb-oed|sgn-(?:be-fr|be-nl|ch-de)"
    "|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)"
)


def _is_iri(text: str) -> bool:
    return _IRI.fullmatch(text) is not None


def _is_language_tag(text: str) -> bool:
    if not text.isascii():
        return False
    lowered = text.lower()
    match = _LANGUAGE_TAG.fullmatch(lowered)
    if match is None:
        return _IRREGULAR_TAG.fullmatch(lowered) is not None
    variants = (match["variants"] or "").split("-")[1:]
    singletons = _SINGLETON.findall(match["extensions"] or "")
    return len(set(variants)) == len(variants) and len(set(singletons)) == len(singletons)


is_iri = _memoise(_is_iri, 32768)
"""Tell whether a text is an IRI: a scheme, and no character that is illegal in one.

Best effort, as the standard allows: any scheme will do.

Spec: xAPI 1.0.3 Data 2.2, 4.3 (RFC 3987)
"""

is_language_tag = _memoise(_is_language_tag, 4096)
"""Tell whether a text has the form of a language tag, whatever its case.

Nothing is looked up in a registry; a singleton or variant that comes twice is refused.

Spec: xAPI 1.0.3 Data 2.2, 4.2 (RFC 5646 2.1)
"""


def is_mailto(text: str) -> bool:
    """Tell whether a text is ``mailto:`` and one e-mail address.

    Spec: xAPI 1.0.3 Data 2.4.2.3
    """
    return _MAILTO.fullmatch(text) is not None


def is_sha1(text: str) -> bool:
    """Tell whether a text is a SHA-1 sum in hex digits.

    Spec: xAPI 1.0.3 Data 2.4.2.3
    """
    return _SHA1.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID in its standard form, whatever its case and variant.

    Spec: xAPI 1.0.3 Data 2.4.1, 4.4 (RFC 4122)
    """
    return _UUID.fullmatch(text) is not None


_TIME_OF_DAY = (
    r"(?P<hour>[01][0-9]|2[0-4]){sep}(?P<minute>[0-5][0-9])"
    r"(?:{sep}(?P<second>[0-5][0-9]|60)(?:[.,](?P<fraction>[0-9]+))?)?"
)
# An offset below zero is written with a minus sign, and zero is not below zero.
_ZONE = (
    r"(?:[Zz]|(?P<sign>[+]|-(?!00(?::?00)?\Z))"
    r"(?P<zone_hour>[01][0-9]|2[0-3])(?:{sep}(?P<zone_minute>[0-5][0-9]))?)?"
)
_EXTENDED = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt]"
    + _TIME_OF_DAY.replace("{sep}", ":")
    + _ZONE.replace("{sep}", ":?")
)
_BASIC = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})[Tt]"
    + _TIME_OF_DAY.replace("{sep}", "")
    + _ZONE.replace("{sep}", "")
)
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECOND_US = 1_000_000
_DAY_SECONDS = 86_400
_FIRST_US = (date.min.toordinal() - _EPOCH_DAY) * _DAY_SECONDS * _SECOND_US
_BEYOND_US = (date.max.toordinal() + 1 - _EPOCH_DAY) * _DAY_SECONDS * _SECOND_US


def _read_timestamp(text: str) -> int | None:
    match = _EXTENDED.fullmatch(text) or _BASIC.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    offset = (int(zone_hour or 0) * 3600 + int(zone_minute or 0) * 60) * (-1 if sign == "-" else 1)
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if hour == "24" and (seconds > _DAY_SECONDS or (fraction or "").strip("0")):
        return None
    if second == "60" and (seconds - offset) % _DAY_SECONDS:
        return None
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    whole = (days * _DAY_SECONDS + seconds - offset) * _SECOND_US
    instant = whole + int((fraction or "")[:6].ljust(6, "0"))
    return instant if _FIRST_US <= instant < _BEYOND_US else None


_parse_cached = lru_cache(maxsize=4096)(_read_timestamp)


def parse_timestamp(text: str) -> int | None:
    """Read a timestamp as an instant.

    ISO 8601's calendar date with a time of day, extended or basic; without an offset it
    is taken as UTC. ``-00``, ``-0000`` and ``-00:00`` are refused. ``24:00:00`` is the end
    of its day; a leap second (``:60``, at 23:59 UTC only) is the second after it.

    Returns:
        Microseconds since the epoch, UTC, cut (never rounded) beyond the microsecond; None
        where the text is malformed, no such moment exists or its year is not 1 to 9999.

    Spec: xAPI 1.0.3 Data 4.5 (ISO 8601, RFC 3339)
    """
    return _parse_cached(text) if len(text) <= _REMEMBERED_LENGTH else _read_timestamp(text)


def is_rfc3339(text: str) -> bool:
    """Tell whether a timestamp that can be read is also in RFC 3339's narrower form.

    Seconds and an offset are required, written as ``2026-11-21T09:30:00+01:00``.

    Spec: xAPI 2.0 4.2.7
    """
    return _RFC3339.fullmatch(text) is not None


_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
# Only the last number may have a fraction; weeks stand alone.
_DURATION = re.compile(
    r"P(?=[0-9T])(?!.*[.,][0-9]+[A-Z].)"
    rf"(?:(?P<weeks>{_NUMBER})W"
    rf"|(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?=[0-9])(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?)"
)
_TIME_UNITS = (("hours", 360_000), ("minutes", 6_000), ("seconds", 100))
_DATE_UNITS = (("years", "Y"), ("months", "M"), ("weeks", "W"), ("days", "D"))


def _is_duration(text: str) -> bool:
    return len(text) <= _MAX_DURATION_LENGTH and _DURATION.fullmatch(text) is not None


is_duration = _memoise(_is_duration, 16384)
"""Tell whether a text is a duration by designators, such as ``P1Y2M10DT2H30M5.25S`` or ``P4W``.

Spec: xAPI 1.0.3 Data 4.6 (ISO 8601:2004 4.4.3.2)
"""


def truncate_duration(text: str) -> str:
    """Put a duration into the form by which two are compared: to 0.01 s, never rounded.

    Hours, minutes and seconds become seconds (``PT1H0.509S`` and ``PT3600.5S`` are one);
    years, months, weeks and days stay apart, since none is a fixed number of seconds.

    Args:
        text: A duration that ``is_duration`` accepts; anything else comes back unchanged.

    Spec: xAPI 1.0.3 Data 4.6
    """
    return _truncate_cached(text) if len(text) <= _REMEMBERED_LENGTH else _truncate(text)


def _truncate(text: str) -> str:
    match = _DURATION.fullmatch(text) if len(text) <= _MAX_DURATION_LENGTH else None
    if match is None:
        return text
    dates = "".join(
        f"{number}{unit}" for name, unit in _DATE_UNITS if (number := _plain_number(match[name])) != "0"
    )
    hundredths = sum(_scaled(match[name], factor) for name, factor in _TIME_UNITS)
    if not hundredths:
        return f"P{dates}" if dates else "PT0S"
    return f"P{dates}T{_plain_number(f'{hundredths // 100}.{hundredths % 100:02}')}S"


_truncate_cached = lru_cache(maxsize=4096)(_truncate)


def _plain_number(text: str | None) -> str:
    whole, _, fraction = (text or "0").replace(",", ".").partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")


def _scaled(text: str | None, factor: int) -> int:
    whole, _, fraction = (text or "0").replace(",", ".").partition(".")
    denominator: int = 10 ** len(fraction)
    return int(whole) * factor + int(fraction or 0) * factor // denominator
