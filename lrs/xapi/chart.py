"""Posts and refusals by day, as the measures of a picture that a template draws."""

from collections.abc import Sequence
from dataclasses import dataclass

from lrs.xapi.verdicts import Day

WIDTH = 640
HEIGHT = 150
_AXIS = 100
_UP = 84
_DOWN = 40
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: accepted posts stand on the axis, refused ones hang from it.

    Refused ones are told apart by direction and by pattern, not by colour alone.
    """

    day: Day
    x: float
    width: float
    up: float
    down: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole picture; ``most`` is the largest number of posts in a day."""

    width: int
    height: int
    axis: int
    bars: Sequence[Bar]
    accepted: int
    refused: int
    most: int


def draw_days(days: Sequence[Day]) -> Chart:
    """Measure the picture of some days, oldest first."""
    most = max((max(day.accepted, day.refused) for day in days), default=0)
    step = WIDTH / max(len(days), 1)
    bars = [
        Bar(
            day,
            round(number * step + step * 0.15, 1),
            round(step * 0.7, 1),
            _length(day.accepted, most, _UP),
            _length(day.refused, most, _DOWN),
        )
        for number, day in enumerate(days)
    ]
    return Chart(
        WIDTH,
        HEIGHT if any(day.refused for day in days) else _AXIS + 1,
        _AXIS,
        bars,
        sum(day.accepted for day in days),
        sum(day.refused for day in days),
        most,
    )


def _length(posts: int, most: int, room: int) -> float:
    """Scale a bar; a single post among thousands still shows."""
    return round(max(posts / most * room, _LEAST), 1) if posts else 0
