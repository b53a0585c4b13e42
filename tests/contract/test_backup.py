"""A backup of either engine restores into either: afterwards everything reads the same."""

import hashlib
import io
import struct
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Institution
from lrs.errors import Conflict, InvalidArchive, StatementConflict, StoreUnfinished
from lrs.stores import Stores, backup
from lrs.stores.archive import ArchiveReader, Item
from lrs.stores.archive_records import VERSION, EntryRecord, HistoryRecord, StatementRecord
from lrs.stores.backup import Made, Restored, read_backup, write_backup
from lrs.stores.moving import Fault, KeptStatement, to_prepared
from lrs.tables.recorded import COMMONS, Wish
from lrs.xapi.ports import Batch
from tests.contract.builders import make_statement as contract_statement
from tests.engines import Engine, mongo_server_engine, mongomock_engine, sqlite_engine
from tests.factories import make_statement
from tests.http.conftest import Instance, make_instance
from tests.worlds import World, answers, fill

MADE = Made(1_700_000_000_000_000, "0.0.0")

wire = pytest.mark.mongo_server
PAIRS = [
    ("sqlite", "sqlite"),
    ("sqlite", "mongomock"),
    ("mongomock", "sqlite"),
    ("mongomock", "mongomock"),
    pytest.param(("sqlite", "mongo-server"), marks=wire),
    pytest.param(("mongo-server", "sqlite"), marks=wire),
]

Open = Callable[[str], Engine]


@pytest.fixture
def open_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Gives empty engines by name, as many as are asked for."""
    with ExitStack() as stack:

        def opened(name: str) -> Engine:
            folder = tmp_path / f"store{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return stack.enter_context(_engine(request, name, folder))

        yield opened


@contextmanager
def _engine(request: pytest.FixtureRequest, name: str, folder: Path) -> Iterator[Engine]:
    if name == "mongo-server":
        engines = mongo_server_engine(request.getfixturevalue("mongo_server_uri"))
    else:
        engines = iter([sqlite_engine(folder) if name == "sqlite" else mongomock_engine()])
    engine = next(engines)
    yield engine
    engine.close()
    next(engines, None)


def back_up(stores: Stores) -> bytes:
    out = io.BytesIO()
    write_backup(stores, out, MADE, lambda done: None)
    return out.getvalue()


def restore(engine: Engine, archive: bytes) -> Restored:
    stores = engine.open(restoring=True)
    try:
        return read_backup(stores, io.BytesIO(archive), lambda done, total: None)
    finally:
        stores.close()


def filled(engine: Engine) -> tuple[Instance, World]:
    instance = make_instance(engine)
    return instance, fill(instance)


def items(archive: bytes) -> list[Item]:
    return list(ArchiveReader(io.BytesIO(archive)))


def content_of(archive: bytes) -> list[str]:
    """What an archive holds, whatever the order in which engines keep what has none."""
    found = items(archive)
    in_order = StatementRecord | HistoryRecord | EntryRecord
    ordered = [repr(item) for item in found if isinstance(item.record, in_order)]
    return ordered + sorted(repr(item) for item in found)


@pytest.mark.lasting
@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_everything_reads_the_same_when_a_backup_was_restored(
    pair: tuple[str, str], open_engine: Open
) -> None:
    source, target = map(open_engine, pair)
    instance, world = filled(source)
    before = answers(instance, world)
    archive = back_up(instance.services.stores)
    restored = restore(target, archive)
    assert restored.statements == sum(len(v) for k, v in before.items() if k.startswith("log "))
    target.clock.now_us = source.clock.now_us
    again = make_instance(target)
    after = answers(again, world)
    assert after.keys() == before.keys()
    for question, answer in before.items():
        assert after[question] == answer, question
    assert content_of(back_up(again.services.stores)) == content_of(archive)


ENGINES = ["sqlite", "mongomock"]
Frame = tuple[int, bytes]
STATEMENT, KEY, DOCUMENT, RECORDED, ENTRY, CONTENT, ERASED, TRAILER = 5, 4, 8, 13, 14, 0, 254, 255


def frames_of(archive: bytes) -> list[Frame]:
    text = zstandard.ZstdDecompressor().stream_reader(archive).read()
    found = []
    while text:
        number, length = struct.unpack_from(">BI", text)
        found.append((number, text[5 : 5 + length]))
        text = text[5 + length :]
    return found


def to_archive(frames: list[Frame]) -> bytes:
    text = b"".join(struct.pack(">BI", number, len(payload)) + payload for number, payload in frames)
    return zstandard.ZstdCompressor().compress(text)


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    """A backup of everything, made on the embedded engine."""
    folder = tmp_path / "origin"
    folder.mkdir()
    engine = sqlite_engine(folder)
    instance, _ = filled(engine)
    made = back_up(instance.services.stores)
    engine.close()
    return made


def test_questions_that_are_compared_are_answered_with_something(tmp_path: Path) -> None:
    instance, world = filled(sqlite_engine(tmp_path))
    given = answers(instance, world)
    statuses = Counter(page[0] for name, pages in given.items() if " /xapi/" in name for page in pages)
    instance.services.close()
    assert statuses[200] > 300
    assert any(len(pages) > 3 for name, pages in given.items() if " /xapi/" in name)
    assert {name for name, found in given.items() if not found} == {
        "keys Empty school",
        "clients Empty school",
        "credentials Empty school",
    }
    arrivals = [found for name, found in given.items() if name.startswith("arrivals ")]
    assert sum(len(receipts) for receipts, _ in arrivals) > 10
    assert sum(len(refusals) for _, refusals in arrivals) == 4


@pytest.mark.parametrize("name", ENGINES)
def test_store_is_refused_and_stays_as_it_was_when_it_is_not_empty(
    name: str, archive: bytes, open_engine: Open
) -> None:
    engine = open_engine(name)
    instance = make_instance(engine)
    key = instance.key("School")
    with pytest.raises(Conflict, match="not empty"):
        restore(engine, archive)
    assert instance.get(key).status_code == 200
    assert make_instance(engine).get(key).json["statements"] == []


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_store_serves_nobody_until_restored_anew_when_a_restore_was_cut_off(
    name: str, share: float, archive: bytes, open_engine: Open
) -> None:
    engine = open_engine(name)
    frames = frames_of(archive)
    with pytest.raises(InvalidArchive, match="cut off"):
        restore(engine, to_archive(frames[: 1 + int(len(frames) * share)]))
    with pytest.raises(StoreUnfinished):
        engine.open()
    restore(engine, archive)
    again = engine.open()
    assert [one for one in again.iter_faults() if isinstance(one, Fault)] == []
    assert content_of(back_up(again)) == content_of(archive)


def test_store_stays_empty_when_the_archive_is_none_or_newer(archive: bytes, open_engine: Open) -> None:
    engine = open_engine("sqlite")
    number, header = frames_of(archive)[0]
    newer = msgspec.msgpack.encode({**msgspec.msgpack.decode(header), "version": VERSION + 1})
    other = msgspec.msgpack.encode({**msgspec.msgpack.decode(header), "format": "tar"})
    for wrong in (
        b"",
        b"PK\3\4 not ours",
        to_archive([(number, newer)]),
        to_archive([(number, other)]),
        to_archive([(99, b"")]),
    ):
        with pytest.raises(InvalidArchive):
            restore(engine, wrong)
    assert not engine.open().access.list_institutions()


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


def test_recorded_values_are_restored_into_a_store_that_goes_on(archive: bytes, open_engine: Open) -> None:
    engine = open_engine("sqlite")
    restore(engine, archive)
    tables = engine.open().recorded(COMMONS)
    before = list(tables.read_entries(0, 99))
    kept = tables.find("roster.person", "p0")
    assert kept is not None
    changed_ = tables.change("roster.person", "p0", lambda _: Wish({"n": 1}), 5)
    assert changed_ is not None
    assert (kept.version, changed_.version) == (2, 3)
    (entry,) = tables.read_entries(before[-1].position, 99)
    assert (entry.before, entry.after) == (kept.value, {"n": 1})


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


@pytest.mark.lasting
@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("kept_bytes", [8, 16])
def test_statements_are_known_again_however_much_of_a_fingerprint_the_archive_holds(
    kept_bytes: int, engine_name: str, open_engine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, _ = filled(open_engine("mongomock"))
    stores = instance.services.stores
    with stores.open_dump() as dump:
        sent = [(one.institution_id, to_prepared(one)) for one in dump.iter_statements()]
    monkeypatch.setattr(backup, "FEWEST_KEPT", kept_bytes)
    archive = back_up(stores)
    held = [one.record for one in items(archive) if isinstance(one.record, StatementRecord)]
    assert {len(record.fingerprint) for record in held} == {kept_bytes}
    target = open_engine(engine_name)
    restore(target, archive)
    records = make_instance(target).services.stores.records
    for institution_id, statement in sent:
        assert len(statement.fingerprint) == 16
        outcome = records.statements(InstitutionHandle(institution_id)).add_statements(
            Batch([statement], "again")
        )
        assert outcome.already == (0,)
    changed = replace(statement, fingerprint=statement.fingerprint[:7] + bytes(9))
    with pytest.raises(StatementConflict):
        records.statements(InstitutionHandle(institution_id)).add_statements(Batch([changed], "again"))


@pytest.mark.parametrize("pair", [("sqlite", "sqlite"), ("mongomock", "mongomock")], ids=" to ".join)
def test_more_link_is_refused_when_it_was_given_before_the_restore(
    pair: tuple[str, str], open_engine: Open
) -> None:
    source, target = map(open_engine, pair)
    instance, world = filled(source)
    more = instance.get(world.keys["school"], limit="2").json["more"]
    restore(target, back_up(instance.services.stores))
    answer = make_instance(target).client.get(more, headers=world.keys["school"])
    assert (answer.status_code, answer.json["code"]) == (400, "invalid-parameter")


@pytest.mark.parametrize("name", ENGINES)
def test_backup_holds_what_was_acknowledged_before_it_while_others_write(
    name: str, open_engine: Open
) -> None:
    source, target = open_engine(name), open_engine("sqlite")
    instance = make_instance(source)
    keys = [instance.key("School"), instance.key("Museum")]
    acknowledged: dict[int, list[list[str]]] = {0: [], 1: []}
    stop = threading.Event()

    def write(number: int) -> None:
        while not stop.is_set():
            batch = [make_statement(id=str(uuid.uuid4())) for _ in range(3)]
            assert instance.post(batch, keys[number]).status_code == 200
            acknowledged[number].append([one["id"] for one in batch])

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, number) for number in (0, 1)]
        try:
            while not all(len(batches) > 5 for batches in acknowledged.values()):
                assert not any(writer.done() for writer in writers), writers
                time.sleep(0.01)
            before = {number: list(batches) for number, batches in acknowledged.items()}
            archive = back_up(instance.services.stores)
        finally:
            stop.set()
        for writer in writers:
            writer.result()
    restore(target, archive)
    again = make_instance(target)
    for number, institution in enumerate(("School", "Museum")):
        handle = again.access.handle_for_institution_named(institution)
        held = [
            one.id for one in again.services.stores.records.statements(handle).read_log(0, 99999).statements
        ]
        written = [one for batch in acknowledged[number] for one in batch]
        assert held == written[: len(held)]
        assert len(held) >= 3 * len(before[number])
        assert len(held) % 3 == 0


@pytest.mark.parametrize("name", ENGINES)
def test_restore_ends_unfinished_when_somebody_else_writes(
    name: str, archive: bytes, open_engine: Open
) -> None:
    engine = open_engine(name)
    other = make_instance(engine)
    stores = engine.open(restoring=True)
    school = next(
        one.record
        for one in items(archive)
        if isinstance(one.record, Institution) and one.record.name == "School"
    )
    handle = InstitutionHandle(school.id)

    kept = [_kept(item) for item in items(archive) if isinstance(item.record, StatementRecord)]
    mine = [(one, to_prepared(one)) for one in kept if one.institution_id == school.id]
    load = stores.begin_load()
    load.add_statements(mine[:3])
    intruder = Batch([contract_statement("intruder")], "key")
    other.services.stores.records.statements(handle).add_statements(intruder)
    with pytest.raises(Conflict, match="Somebody else"):
        load.add_statements(mine[3:5])
    with pytest.raises(StoreUnfinished):
        engine.open()


def _kept(item: Item) -> KeptStatement:
    record = item.record
    assert isinstance(record, StatementRecord)
    return KeptStatement(
        record.institution,
        record.id,
        record.stored_at_us,
        record.fingerprint,
        record.client,
        item.content or b"",
    )
