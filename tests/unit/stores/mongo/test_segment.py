"""Segments: instants rise whatever the clocks say, and documents come back as written."""

from hypothesis import given
from hypothesis import strategies as st

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.keys import (
    dense_key,
    number_of,
    position_of,
    segment_of,
    statement_id_of,
    statement_key,
)
from lrs.stores.mongo.segment import BatchReceipt, Entry, Segment, next_instant, segment_from

T = InstitutionId("school0001")
MOMENT = st.integers(0, 2**52)


def _entry(number: int) -> Entry:
    target = "t" if number % 2 else None
    return Entry(f"id-{number}", b"f" * 16, (2, 5), b"chck", target, number == 1, 1, b"blob")


@given(now=MOMENT, last=MOMENT, count=st.integers(0, 4096))
def test_every_entry_is_later_than_all_before_it_when_a_segment_follows(
    now: int, last: int, count: int
) -> None:
    at_us = next_instant(now, last, count)
    segment = Segment(2, "w", at_us, [_entry(0)] * count)
    stored = [segment.stored_at_us(index) for index in range(count)]
    assert stored == sorted(set(stored))
    assert all(moment > last for moment in stored)
    assert at_us > last
    assert at_us >= now
    assert not stored or stored[-1] == at_us


def test_segment_comes_back_as_it_was_when_written_to_a_document() -> None:
    receipts = (BatchReceipt("key-1", 2, 1, "id-0"),)
    segment = Segment(7, "token", 1_700_000_000_000_000, (_entry(0), _entry(1), _entry(3)), receipts)
    assert segment_from(segment.to_document(T)) == segment


def test_thinned_segment_says_so_when_it_is_read() -> None:
    segment = segment_from({"_id": dense_key(T, 7), "at": 5, "total": 9})
    assert segment == Segment(7, "", 5, (), (), thinned=True, total=9)


@given(number=st.integers(1, 10**15), index=st.integers(0, 4095))
def test_keys_and_positions_are_read_back_when_they_were_made(number: int, index: int) -> None:
    assert number_of(dense_key(T, number)) == number
    assert segment_of(position_of(number, index)) == number
    assert position_of(number, index) < position_of(number + 1, 0)


@given(st.uuids())
def test_statement_key_gives_back_the_id_when_read(uuid: object) -> None:
    assert statement_id_of(statement_key(T, str(uuid))) == str(uuid)
