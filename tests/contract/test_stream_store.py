"""The promises of StreamStore, on each engine."""

from dataclasses import replace

import pytest

from lrs.errors import AlreadyExists
from lrs.streams.model import DeadLetter, Delivery, Destination, DestinationId, Kind, SealedSecret
from lrs.streams.ports import StreamStore
from lrs.xapi.log import StatementFilter
from tests.contract.builders import MUSEUM, SCHOOL
from tests.engines import Engine

NOW = 1_700_000_000_123_456
ID = DestinationId("destinat01")
FORWARD = Destination(
    ID,
    SCHOOL.institution_id,
    "Region «ü»",
    Kind.FORWARD,
    "https://lrs.example.org/xapi",
    StatementFilter(("http://v/1", "http://v/2"), (), ("mbox mailto:ada@example.org",), related=True),
    (SealedSecret("new"), SealedSecret("old", NOW)),
    NOW,
)
WEBHOOK = replace(
    FORWARD,
    id=DestinationId("destinat02"),
    name="Hook",
    kind=Kind.WEBHOOK,
    wanted=StatementFilter(),
    secrets=(),
)
FIRST = Delivery(ID, 1 << 40)


@pytest.fixture
def streams(engine: Engine) -> StreamStore:
    store = engine.open().streams
    store.add_destination(SCHOOL, FORWARD, FIRST)
    return store


def letter(n: int, **changes: object) -> DeadLetter:
    made = DeadLetter(ID, f"statement-{n}", (1 << 40) + n, 400, f"Refused «{n}».", 3, NOW + n)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_destination_is_found_as_it_was_kept(streams: StreamStore) -> None:
    streams.add_destination(SCHOOL, WEBHOOK, Delivery(WEBHOOK.id, 0))
    assert streams.find_destination(SCHOOL, ID) == FORWARD
    assert list(streams.list_destinations(SCHOOL)) == [WEBHOOK, FORWARD]
    assert list(streams.list_all()) == [FORWARD, WEBHOOK]
    assert streams.find_delivery(ID) == FIRST


def test_destination_is_seen_by_its_institution_alone(streams: StreamStore) -> None:
    assert streams.find_destination(MUSEUM, ID) is None
    assert list(streams.list_destinations(MUSEUM)) == []
    assert streams.put_secrets(MUSEUM, ID, ()) is False
    assert streams.remove_destination(MUSEUM, ID) is False
    assert streams.find_destination(SCHOOL, ID) == FORWARD
    museums = replace(FORWARD, id=DestinationId("destinat03"), institution_id=MUSEUM.institution_id)
    streams.add_destination(MUSEUM, museums, Delivery(museums.id, 0))
    assert list(streams.list_destinations(MUSEUM)) == [museums]


def test_second_destination_is_refused_when_its_name_is_taken(streams: StreamStore) -> None:
    with pytest.raises(AlreadyExists):
        streams.add_destination(SCHOOL, replace(WEBHOOK, name=FORWARD.name), Delivery(WEBHOOK.id, 0))
    assert list(streams.list_all()) == [FORWARD]
    assert streams.find_delivery(WEBHOOK.id) is None


def test_secrets_are_replaced_and_nothing_else(streams: StreamStore) -> None:
    secrets = (SealedSecret("newer"), SealedSecret("new", NOW + 5))
    assert streams.put_secrets(SCHOOL, ID, secrets) is True
    assert streams.find_destination(SCHOOL, ID) == replace(FORWARD, secrets=secrets)


def test_nothing_is_left_when_a_destination_is_removed(streams: StreamStore) -> None:
    streams.save_delivery(replace(FIRST, epoch=1), letter(1))
    assert streams.remove_destination(SCHOOL, ID) is True
    assert streams.find_destination(SCHOOL, ID) is None
    assert streams.find_delivery(ID) is None
    assert streams.begin_delivery(ID, 9) is None
    assert streams.save_delivery(replace(FIRST, epoch=9), letter(2)) is False
    assert list(streams.list_letters(ID, 10)) == []
    assert streams.remove_destination(SCHOOL, ID) is False


def test_delivery_goes_on_where_it_was_saved(streams: StreamStore) -> None:
    begun = streams.begin_delivery(ID, 4)
    assert begun == replace(FIRST, epoch=4)
    further = replace(begun, position=(1 << 41) + 7, attempt=2, reason="Slow.", sent=9, sent_at_us=NOW)
    assert streams.save_delivery(further) is True
    assert streams.find_delivery(ID) == further
    assert streams.begin_delivery(ID, 4) == further


def test_paused_worker_writes_nothing_when_a_higher_epoch_has_begun(streams: StreamStore) -> None:
    old = streams.begin_delivery(ID, 4)
    assert old is not None
    new = streams.begin_delivery(ID, 5)
    assert streams.save_delivery(replace(old, position=old.position + 5), letter(1)) is False
    assert streams.begin_delivery(ID, 4) is None
    assert streams.find_delivery(ID) == new
    assert list(streams.list_letters(ID, 10)) == []


def test_letters_come_in_the_order_of_the_log_and_once_each(streams: StreamStore) -> None:
    for n in (3, 1, 2, 3):
        assert streams.save_delivery(replace(FIRST, epoch=1), letter(n)) is True
    assert list(streams.list_letters(ID, 10)) == [letter(1), letter(2), letter(3)]
    assert list(streams.list_letters(ID, 2)) == [letter(1), letter(2)]
    assert streams.count_letters(ID) == 3
    assert streams.count_letters(WEBHOOK.id) == 0


def test_one_letter_or_all_are_asked_for(streams: StreamStore) -> None:
    for n in (1, 2, 3):
        streams.save_delivery(replace(FIRST, epoch=1), letter(n))
    assert list(streams.list_asked(ID, 10)) == []
    assert streams.ask_replay(ID, "statement-2", NOW + 9) == 1
    assert list(streams.list_asked(ID, 10)) == [letter(2, asked_at_us=NOW + 9)]
    assert streams.ask_replay(ID, "statement-9", NOW) == 0
    assert streams.ask_replay(ID, None, NOW + 10) == 3
    assert [one.statement_id for one in streams.list_asked(ID, 2)] == ["statement-1", "statement-2"]


def test_letter_is_forgotten_when_sent_and_changed_when_not(streams: StreamStore) -> None:
    for n in (1, 2):
        streams.save_delivery(replace(FIRST, epoch=1), letter(n))
    streams.ask_replay(ID, None, NOW)
    streams.settle_letter(letter(1), sent=True)
    again = letter(2, tries=4, reason="Still.")
    streams.settle_letter(again, sent=False)
    assert list(streams.list_letters(ID, 10)) == [again]
    assert list(streams.list_asked(ID, 10)) == []


def test_letter_that_was_dropped_meanwhile_does_not_come_back(streams: StreamStore) -> None:
    for n in (1, 2, 3):
        streams.save_delivery(replace(FIRST, epoch=1), letter(n))
    assert streams.drop_letters(ID, "statement-2") == 1
    streams.settle_letter(letter(2), sent=False)
    assert list(streams.list_letters(ID, 10)) == [letter(1), letter(3)]
    assert streams.drop_letters(ID, None) == 2
    assert streams.count_letters(ID) == 0
