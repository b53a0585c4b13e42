"""Backups made, restored and taken apart."""

import io
import struct
from collections.abc import Callable

import zstandard

from lrs.stores import Stores
from lrs.stores.archive import ArchiveReader, Item
from lrs.stores.archive_records import EntryRecord, HistoryRecord, StatementRecord
from lrs.stores.backup import Made, Restored, read_backup, write_backup
from tests.engines import Engine
from tests.http.conftest import Instance, make_instance
from tests.worlds import World, fill

MADE = Made(1_700_000_000_000_000, "0.0.0")

Open = Callable[[str], Engine]


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


ENGINES = ["sqlite", "mongomock"]
Frame = tuple[int, bytes]


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
