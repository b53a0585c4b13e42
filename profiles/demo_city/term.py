"""A term, twelve weeks, of records of the whole city."""

from datetime import datetime
from random import Random  # noqa: TID251 - only the type; the generator itself is handed in

from profiles.demo_city.city import DemoCity, Json
from profiles.demo_city.diary import BLOCKS, Diary
from profiles.demo_city.employer import write_employer
from profiles.demo_city.museum import write_museum
from profiles.demo_city.school import write_school

_WRITERS = {"school": write_school, "museum": write_museum, "employer": write_employer}


def make_term(city: DemoCity, until: datetime, rng: Random) -> dict[str, list[Json]]:
    """Make the statements of the 84 days that end at a moment.

    The same day and the same generator give the same statements, ids included; an earlier
    hour of that day only leaves out what had not happened yet.

    Args:
        city: From ``load_city``.
        until: When the term ends; aware. No statement has a later timestamp, but for what
            is planned inside a SubStatement.
        rng: A seeded generator; it is used up from where it stands.

    Returns:
        Provider id to its statements in order of time, at least 2,000 in all.
    """
    diaries = [Diary(city, provider, until, rng) for provider in city.providers.values()]
    for diary in diaries:
        for diary.block in range(BLOCKS):
            _WRITERS[diary.provider.id](diary)
    return {diary.provider.id: diary.statements() for diary in diaries}
