"""The school's year: on which day, in which school year and session something was.

Spec: PESC CoreMain SessionDesignatorType (year and month in which a session begins)
"""

from dataclasses import dataclass
from datetime import date, timedelta

from lrs.clock import to_datetime
from lrs.transcripts.model import Calendar

_NEW_YEAR = (1, 1)


@dataclass(frozen=True, slots=True)
class Term:
    """When something counts.

    Attributes:
        year: ``2025/26``, or ``2026`` where the school year is the calendar's.
        session: The session's title; empty where the calendar names none.
        designator: Year and month in which it begins: ``2025-08``.
    """

    year: str
    session: str
    designator: str


def day_of(at: int, calendar: Calendar) -> date:
    """Give the school's day of an instant."""
    moment = to_datetime(at)
    try:
        return (moment + timedelta(minutes=calendar.offset_minutes)).date()
    except OverflowError:  # The first or the last day that there is.
        return moment.date()


def term_of(at: int, calendar: Calendar) -> Term:
    """Give the school year and the session in which an instant lies."""
    day = day_of(at, calendar)
    here = (day.month, day.day)
    first = day.year if here >= calendar.begins else day.year - 1
    session, begins = "", (first, calendar.begins[0])
    for one in calendar.sessions:
        began = first if one.begins >= calendar.begins else first + 1
        if (began, *one.begins) <= (day.year, *here):
            session, begins = one.title, (began, one.begins[0])
    year = f"{first}" if calendar.begins == _NEW_YEAR else f"{first}/{(first + 1) % 100:02d}"
    return Term(year, session, f"{begins[0]:04d}-{begins[1]:02d}")
