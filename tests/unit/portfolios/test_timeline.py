"""The timeline: months, places, lines, filters, pages."""

import pytest

from lrs.portfolios.pictures import draw_year
from lrs.portfolios.timeline import Filters, Timeline, kind_of, make_timeline, school_year
from tests.unit.portfolios.builders import NAMES, PLAIN, act, at, portfolio


def rows(timeline: Timeline) -> list[tuple[str, str, str, int]]:
    return [
        (month.key, place, f"{line.verb} {line.what}", line.times)
        for month in timeline.months
        for place, lines in month.places
        for line in lines
    ]


def test_what_was_done_several_times_in_a_month_at_a_place_is_one_line() -> None:
    acts = [
        act(at=at("2026-10-26")),
        act(at=at("2026-11-02")),
        act(at=at("2026-11-09")),
        act(at=at("2026-11-10"), institution="museum"),
    ]
    found = make_timeline(acts, NAMES, Filters())
    assert rows(found) == [
        ("2026-11", "Harbour Museum", "Attended Monday assembly", 1),
        ("2026-11", "Hill School", "Attended Monday assembly", 2),
        ("2026-10", "Hill School", "Attended Monday assembly", 1),
    ]
    line = found.months[0].places[1][1][0]
    assert line.seconds == 2_400
    assert [one.at_us for one in line.occasions] == [at("2026-11-09"), at("2026-11-02")]


@pytest.mark.parametrize(
    ("month", "year"), [("2026-08", "2026/27"), ("2026-07", "2025/26"), ("2099-12", "2099/00")]
)
def test_a_school_year_begins_with_august(month: str, year: str) -> None:
    assert school_year(month) == year


def test_filters_leave_the_kind_and_the_place_that_were_asked_for() -> None:
    acts = [
        act(at=at("2026-11-01"), raw="7"),
        act(at=at("2026-11-02"), completion=True),
        act(at=at("2026-11-03"), completion=True, institution="museum"),
        act(at=at("2026-11-04"), narrative="It was windy."),
        act(at=at("2026-11-05")),
    ]
    assert [kind_of(one) for one in acts] == ["marked", "finished", "finished", "words", "took-part"]
    assert make_timeline(acts, NAMES, Filters("finished")).records == 2
    both = make_timeline(acts, NAMES, Filters("finished", "museum"))
    assert [(key, place) for key, place, _, _ in rows(both)] == [("2026-11", "Harbour Museum")]
    assert make_timeline(acts, NAMES, Filters("", "elsewhere")).months == []


@pytest.mark.parametrize("lines", [1, 2, 3, 7, 50])
def test_pages_of_any_length_have_every_line_once_in_order(lines: int) -> None:
    acts = [
        act(at=PLAIN.at + day * 86_400_000_000, object=f"urn:x:{day % 5}", object_name={})
        for day in range(90)
    ]
    whole = rows(make_timeline(acts, NAMES, Filters(lines=10_000)))
    first = make_timeline(acts, NAMES, Filters(lines=lines))
    paged = [
        row
        for page in range(1, first.pages + 1)
        for row in rows(make_timeline(acts, NAMES, Filters(page=page, lines=lines)))
    ]
    assert paged == whole
    assert make_timeline(acts, NAMES, Filters(page=first.pages + 1, lines=lines)).months == []


def test_the_year_ends_with_the_latest_record_and_shows_every_record_of_it_as_a_dot() -> None:
    acts = [
        act(at=at("2025-10-01")),
        act(at=at("2026-01-05")),
        act(at=at("2026-11-03")),
        act(at=at("2026-11-04")),
    ]
    shown = portfolio(acts)
    picture = draw_year(shown.acts, shown.places)
    assert picture is not None
    assert [month for month, _, _ in picture.months][0::11] == ["2025-12", "2026-11"]
    assert [(dot.month, dot.records) for dot in picture.rows[0].dots] == [("2026-01", 1), ("2026-11", 2)]
    assert picture.records == 3
    small, large = picture.rows[0].dots
    assert (small.radius / large.radius) ** 2 == pytest.approx(1 / 2, rel=0.1)


def test_there_is_no_picture_when_there_is_no_record() -> None:
    assert draw_year([], []) is None
