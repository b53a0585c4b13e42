"""A backup of either engine restores into either: afterwards everything reads the same."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lrs.stores import Stores
from lrs.stores.archive import ArchiveReader, HistoryRecord, Item, StatementRecord
from lrs.stores.backup import Made, Restored, read_backup, write_backup
from tests.engines import Engine, mongo_server_engine, mongomock_engine, sqlite_engine
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
    ordered = [repr(item) for item in found if isinstance(item.record, StatementRecord | HistoryRecord)]
    return ordered + sorted(repr(item) for item in found)


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
