"""The measures of the picture of a year, which a template draws. Pure.

It tells by position, size and words, never by colour alone; the page has the same as a table.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lrs.learners.acts import Act
from lrs.portfolios.model import Place
from lrs.portfolios.timeline import month_key

WIDTH = 360
MONTHS = 12
_LETTERS = "JFMAMJJASOND"
_TOP = 6
_ROW = 62
_LABEL = 18
_LEAST, _MOST = 3.0, 13.0
_SIDE = 14
MOST_ROWS = 6
_LONGEST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Dot:
    """A month at a place; the area of the dot stands for how many records there are."""

    x: float
    radius: float
    month: str
    records: int


@dataclass(frozen=True, slots=True)
class Row:
    """A place with its months."""

    name: str
    label_y: int
    y: int
    dots: Sequence[Dot]


@dataclass(frozen=True, slots=True)
class YearPicture:
    """Twelve months of records by place, the last one on the right.

    Attributes:
        months: As ``2026-11``, oldest first, with where each letter stands.
    """

    width: int
    height: int
    rows: Sequence[Row]
    months: Sequence[tuple[str, float, str]]
    records: int


def draw_year(acts: Sequence[Act], places: Sequence[Place]) -> YearPicture | None:
    """Measure the twelve months that end with the latest record; None where there is none."""
    if not acts:
        return None
    months = _months_until(month_key(acts[-1].at))
    counts: dict[tuple[str, str], int] = {}
    for act in acts:
        where = (act.institution, month_key(act.at))
        counts[where] = counts.get(where, 0) + 1
    shown = places[:MOST_ROWS]
    most = max((counts.get((place.id, month), 0) for place in shown for month in months), default=0)
    rows = []
    for number, place in enumerate(shown):
        top = _TOP + number * _ROW
        dots = [
            Dot(_x(index), _radius(counts[place.id, month], most), month, counts[place.id, month])
            for index, month in enumerate(months)
            if (place.id, month) in counts
        ]
        rows.append(Row(_cut(place.name), top + _LABEL, top + _LABEL + 24, dots))
    letters = [(month, _x(index), _LETTERS[int(month[5:7]) - 1]) for index, month in enumerate(months)]
    total = sum(dot.records for row in rows for dot in row.dots)
    return YearPicture(WIDTH, _TOP + len(shown) * _ROW + 26, rows, letters, total)


def _months_until(last: str) -> list[str]:
    number = int(last[:4]) * 12 + int(last[5:7]) - 1
    return [f"{one // 12:04d}-{one % 12 + 1:02d}" for one in range(number - MONTHS + 1, number + 1)]


def _x(index: int) -> float:
    return round(_SIDE + index * (WIDTH - 2 * _SIDE) / (MONTHS - 1), 1)


def _radius(records: int, most: int) -> float:
    return round(max(_LEAST, _MOST * math.sqrt(records / most)), 1)


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1].rstrip() + "…"
