"""Instants are written as the standard asks, whatever they are."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lrs.clock import from_datetime, to_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59, 59, 999_999)))  # noqa: DTZ001
def test_text_of_an_instant_is_its_iso_form_to_the_microsecond(moment):
    aware = moment.replace(tzinfo=UTC)
    text = to_text(from_datetime(aware))
    assert text == moment.isoformat(timespec="microseconds") + "Z"
    assert datetime.fromisoformat(text) == aware


def test_instants_of_one_second_are_told_apart():
    instant = from_datetime(EPOCH + timedelta(days=20_000))
    assert to_text(instant + 1) == "2024-10-04T00:00:00.000001Z"
    assert to_text(instant + 999_999) == "2024-10-04T00:00:00.999999Z"
    assert to_text(instant - 1) == "2024-10-03T23:59:59.999999Z"
