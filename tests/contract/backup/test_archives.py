"""Archives that were changed, and those in which something was erased."""

import hashlib
import struct
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from lrs.errors import InvalidArchive, StoreUnfinished
from lrs.stores.archive_records import StatementRecord
from lrs.tables.recorded import COMMONS
from tests.contract.backup.making import ENGINES, Frame, Open, back_up, frames_of, items, restore, to_archive

STATEMENT, KEY, DOCUMENT, RECORDED, ENTRY, CONTENT, ERASED, TRAILER = 5, 4, 8, 13, 14, 0, 254, 255


def changed(payload: bytes, **changes: Any) -> bytes:
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(payload), **changes})


def first(frames: list[Frame], number: int) -> int:
    return next(index for index, frame in enumerate(frames) if frame[0] == number)


def drop_a_statement(frames: list[Frame]) -> None:
    at = first(frames, STATEMENT)
    del frames[at : at + 2]


def swap_two_statements(frames: list[Frame]) -> None:
    at = first(frames, STATEMENT)
    frames[at : at + 4] = [*frames[at + 2 : at + 4], *frames[at : at + 2]]


def change_a_body(frames: list[Frame]) -> None:
    at = first(frames, CONTENT)
    frames[at] = (CONTENT, frames[at][1].replace(b"e", b"a"))


def change_a_stored(frames: list[Frame]) -> None:
    at = first(frames, STATEMENT)
    frames[at] = (STATEMENT, changed(frames[at][1], stored_at_us=5))


def change_a_key(frames: list[Frame]) -> None:
    at = first(frames, KEY)
    frames[at] = (KEY, changed(frames[at][1], scopes=["admin"], revoked_at_us=None, rate_per_minute=1))


def erase_a_record(frames: list[Frame]) -> None:
    del frames[first(frames, KEY)]


def change_the_trailer(frames: list[Frame]) -> None:
    frames[-1] = (TRAILER, changed(frames[-1][1], digest=bytes(32)))


def go_on_behind_the_trailer(frames: list[Frame]) -> None:
    frames.append(frames[1])


TAMPERINGS = [
    drop_a_statement,
    swap_two_statements,
    change_a_body,
    change_a_stored,
    change_a_key,
    erase_a_record,
    change_the_trailer,
    go_on_behind_the_trailer,
]


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_archive_is_refused_when_it_was_changed(
    tamper: Callable[[list[Frame]], None], archive: bytes, open_engine: Open
) -> None:
    frames = frames_of(archive)
    tamper(frames)
    engine = open_engine("sqlite")
    with pytest.raises(InvalidArchive):
        restore(engine, to_archive(frames))
    with pytest.raises(StoreUnfinished):
        engine.open()


def test_archive_is_refused_when_a_byte_of_it_is_flipped(archive: bytes) -> None:
    """Some bits of the compression mean nothing: flipped, they leave every frame as it was."""
    refused = 0
    for at in range(0, len(archive), len(archive) // 60):
        flipped = bytearray(archive)
        flipped[at] ^= 0x10
        try:
            items(bytes(flipped))
        except InvalidArchive:
            refused += 1
        else:
            assert frames_of(bytes(flipped)) == frames_of(archive)
    assert refused > 50


@pytest.mark.parametrize("wrong", ["not a UUID", "00000000-0000-4000-8000-00000000000g", "\u00e9"])
def test_archive_is_refused_when_the_id_of_a_statement_is_none(wrong: str, archive: bytes) -> None:
    frames = frames_of(archive)
    at = first(frames, STATEMENT)
    frames[at] = (STATEMENT, changed(frames[at][1], id=wrong))
    with pytest.raises(InvalidArchive, match="no statement's id"):
        items(to_archive(frames))


def test_archive_is_refused_when_the_kind_of_a_document_is_none(archive: bytes, open_engine: Open) -> None:
    frames = frames_of(archive)
    at = first(frames, DOCUMENT)
    frames[at] = (DOCUMENT, changed(frames[at][1], kind=19))
    with pytest.raises(InvalidArchive, match="no document of kind 19"):
        restore(open_engine("sqlite"), to_archive(frames))


def test_digests_hold_when_a_body_was_erased(archive: bytes, open_engine: Open) -> None:
    frames = frames_of(archive)
    at = first(frames, STATEMENT)
    erased = msgspec.msgpack.decode(frames[at][1])["id"]
    frames[at + 1] = (ERASED, b"")
    engine = open_engine("sqlite")
    restored = restore(engine, to_archive(frames))
    ids = [
        item.record.id
        for item in items(archive)
        if isinstance(item.record, StatementRecord)
        if item.record.id != erased
    ]
    assert restored.erased == 1
    left = items(back_up(engine.open()))
    assert [
        i.record.id for i in left if isinstance(i.record, StatementRecord) if i.record.id != erased
    ] == ids


@pytest.mark.parametrize("name", ENGINES)
def test_digests_hold_when_a_recorded_value_and_its_entries_were_erased(
    name: str, archive: bytes, open_engine: Open
) -> None:
    frames = frames_of(archive)
    erased = 0
    for at, (number, payload) in enumerate(frames):
        if number in {RECORDED, ENTRY}:
            record = msgspec.msgpack.decode(payload)
            if (record["institution"], record["subject"]) == ("commons", "p0"):
                frames[at + 1] = (ERASED, b"")
                erased += 1
    engine = open_engine(name)
    assert restore(engine, to_archive(frames)).erased == erased == 3
    tables = engine.open().recorded(COMMONS)
    assert [one.subject for one in tables.list("roster.person")] == ["p2", "p3"]
    assert [one.subject for one in tables.find_by("roster.person", "t1")] == ["p3"]
    assert "p0" not in {one.subject for one in tables.read_entries(0, 99)}


@pytest.mark.parametrize("number", [RECORDED, ENTRY])
@pytest.mark.parametrize("wrong", [b"{", b"{}", b'{"terms":1,"value":2}', b"\xff", b"[]"])
def test_archive_is_refused_when_a_recorded_value_cannot_be_read(
    wrong: bytes, number: int, archive: bytes, open_engine: Open
) -> None:
    frames = frames_of(archive)
    at = first(frames, number)
    frames[at] = (number, changed(frames[at][1], sha256=hashlib.sha256(wrong).digest()))
    frames[at + 1] = (CONTENT, wrong)
    with pytest.raises(InvalidArchive, match="cannot be read"):
        restore(open_engine("sqlite"), to_archive(frames))


def test_chain_is_that_of_the_documentation(archive: bytes) -> None:
    chains: dict[str, tuple[int, bytes]] = {}
    for item in items(archive):
        record = item.record
        if isinstance(record, StatementRecord):
            count, link = chains.get(record.institution, (0, hashlib.sha256(b"lrs-backup").digest()))
            text = link + struct.pack(">Q", count + 1) + uuid.UUID(record.id).bytes
            text += hashlib.sha256(item.content or b"").digest()
            chains[record.institution] = (count + 1, hashlib.sha256(text).digest())
    trailer = msgspec.msgpack.decode(frames_of(archive)[-1][1])
    assert {one: (log["statements"], log["chain"]) for one, log in trailer["logs"].items()} == chains
