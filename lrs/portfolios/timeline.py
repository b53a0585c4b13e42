"""The timeline: what was recorded, by school year and month, grouped by place. Pure.

What was done several times in one month at one place is one line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lrs.clock import to_datetime
from lrs.learners.acts import Act
from lrs.portfolios.words import Languages, score_of, verb_of, vouched, what_of

FIRST_MONTH = 8
"""School years begin with August."""

KINDS = {"finished": "Finished", "marked": "Tests and marks", "took-part": "Took part", "words": "Written"}
"""What the timeline can be filtered by."""

LINES_A_PAGE = 50
MOST_OCCASIONS = 10
"""Of so many occasions of a line is the day shown; the file has all."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One record behind a line."""

    at_us: int
    statement: str
    detail: str
    vouched: str


@dataclass(frozen=True, slots=True)
class Line:
    """What was done, once or several times, in one month at one place; the latest occasion first."""

    verb: str
    what: str
    times: int
    seconds: int
    group: str
    occasions: Sequence[Occasion]

    @property
    def latest_us(self) -> int:
        """When it was done last."""
        return self.occasions[0].at_us


@dataclass(frozen=True, slots=True)
class Month:
    """What a page shows of a month: places by name with their lines, the latest first."""

    key: str
    at_us: int
    places: Sequence[tuple[str, Sequence[Line]]]

    @property
    def school_year(self) -> str:
        """Name the school year: ``2026/27``."""
        return school_year(self.key)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the timeline shows.

    Attributes:
        kind: One of KINDS, empty for all.
        place: An institution's id, empty for all.
        page: 1 has the latest.
        lines: How many there are on a page.
    """

    kind: str = ""
    place: str = ""
    page: int = 1
    lines: int = LINES_A_PAGE


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of months, the latest first.

    Attributes:
        records: How many records the filters let through, on all pages.
    """

    months: Sequence[Month]
    filters: Filters
    pages: int
    records: int


def month_key(at_us: int) -> str:
    """Name the month of an instant: ``2026-11``."""
    return f"{to_datetime(at_us):%Y-%m}"


def school_year(month: str) -> str:
    """Name the school year of a month: ``2026/27``."""
    year, number = int(month[:4]), int(month[5:7])
    first = year if number >= FIRST_MONTH else year - 1
    return f"{first}/{(first + 1) % 100:02d}"


def kind_of(act: Act) -> str:
    """Tell what a record is, in the words of the filter."""
    if act.scaled is not None or act.raw is not None or act.success is not None:
        return "marked"
    if act.completion or act.verb.endswith(("/completed", "/passed", "/mastered")):
        return "finished"
    return "words" if act.narrative is not None else "took-part"


def make_timeline(
    acts: Sequence[Act], names: Mapping[str, str], filters: Filters, languages: Languages = ("en",)
) -> Timeline:
    """Put records into months, the latest first.

    Args:
        acts: Oldest first.
        names: Of institutions, by id.
        filters: Which.
        languages: The reader's, best first.
    """
    shown = [act for act in acts if _passes(act, filters)]
    lines = list(_lines(shown, names, languages))
    begin = (filters.page - 1) * filters.lines
    months = []
    for key, of_month in groupby(lines[begin : begin + filters.lines], key=lambda one: one[0]):
        places = [
            (name, [line for _, _, line in of_place])
            for name, of_place in groupby(of_month, key=lambda one: one[1])
        ]
        months.append(Month(key, max(line.latest_us for _, found in places for line in found), places))
    return Timeline(months, filters, max(1, -(-len(lines) // filters.lines)), len(shown))


def _lines(
    acts: Sequence[Act], names: Mapping[str, str], languages: Languages
) -> Iterator[tuple[str, str, Line]]:
    """Yield month, name of the place and line, the latest first."""
    for key, of_month in groupby(reversed(acts), key=lambda act: month_key(act.at)):
        places: dict[str, dict[tuple[str, str], list[Act]]] = {}
        for act in of_month:
            place = places.setdefault(names.get(act.institution, act.institution), {})
            place.setdefault((verb_of(act, languages), what_of(act, languages)), []).append(act)
        for name, place in places.items():
            for what, same in place.items():
                yield key, name, _line(what, same)


def _passes(act: Act, filters: Filters) -> bool:
    return filters.kind in {"", kind_of(act)} and filters.place in {"", act.institution}


def _line(what: tuple[str, str], acts: Sequence[Act]) -> Line:
    verb, title = what
    occasions = [
        Occasion(act.at, act.id, score_of(act), vouched(act.voucher)) for act in acts[:MOST_OCCASIONS]
    ]
    seconds = sum(act.seconds or 0 for act in acts)
    return Line(verb, title, len(acts), seconds, acts[0].group or "", occasions)
