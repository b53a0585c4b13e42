"""The museum's spreadsheet of its holiday workshops, as its desk would save it.

Semicolons, decimal commas, day before month, Windows' letters; children without an e-mail
address but with a visitor's card; a whole class in one line; a slip of the pen.
"""

import csv
import io
from datetime import datetime, timedelta

from profiles.demo_city.city import DemoCity, Person
from profiles.demo_city.diary import SATURDAY

_HEAD = ("Day", "Card", "E-mail", "Visitor", "Workshop", "Hours", "Stars", "Finished")
_STRANGER = ("V-0777", "", "Íñigo, no surname given")
_FISH, _KNOTS, _VISIT = "Robot fish", "Knots", "Class visit: lights"


def make_sheet(city: DemoCity, until: datetime) -> bytes:
    """Make the file of the last two Saturdays that were over at a moment, and a class visit between.

    Args:
        city: From ``load_city``.
        until: Aware; the same day gives the same file.

    Returns:
        A CSV file in cp1252.
    """
    midnight = until.astimezone(city.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=back) for back in range(1, 22)]
    second, first = [day for day in days if day.weekday() == SATURDAY][:2]
    older = [one for one in city.known_to("employer") if "mbox" in one.identifiers["employer"]]
    younger = [one for one in city.learners if one.group == "8A"]
    lines = [
        *(_line(first, _FISH, _with_mail(one), "2,5", 3 + at % 3, "yes") for at, one in enumerate(older)),
        *(_line(first, _FISH, _with_card(at, one), "2,5", "", "yes") for at, one in enumerate(younger[:5])),
        _line(first, _FISH, _STRANGER, "2,5", 5, "yes"),
        _line(first, _KNOTS, _with_card(5, younger[5]), "two", 4, "no"),
        _class(first + timedelta(days=3), younger),
        *(_line(second, _KNOTS, _with_mail(one), "1,5", 4, "yes") for one in older[:3]),
        _line(second, _KNOTS, _STRANGER, "1,5", 4, "no"),
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([_HEAD, *lines])
    return text.getvalue().encode("cp1252")


def card_of(city: DemoCity, person: Person) -> str:
    """Give the number on the visitor's card of a learner of class 8A."""
    younger = [one.id for one in city.learners if one.group == "8A"]
    return _with_card(younger.index(person.id), person)[0]


def _line(
    day: datetime, workshop: str, who: tuple[str, str, str], hours: str, stars: int | str, finished: str
) -> tuple[object, ...]:
    card, mail, name = who
    return (day.strftime("%d/%m/%Y"), card, mail, name, workshop, hours, stars, finished)


def _with_mail(person: Person) -> tuple[str, str, str]:
    return ("", person.identifiers["employer"]["mbox"].removeprefix("mailto:"), person.name)


def _with_card(at: int, person: Person) -> tuple[str, str, str]:
    return (f"V-10{at:02d}", "", person.name)


def _class(day: datetime, learners: list[Person]) -> tuple[object, ...]:
    cards = "|".join(_with_card(at, one)[0] for at, one in enumerate(learners))
    return _line(day, _VISIT, (cards, "", "Class 8A"), "1,75", "", "yes")
