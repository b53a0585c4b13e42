"""What a restored store answers, and which stores may be restored."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from lrs.errors import Conflict, InvalidArchive, StoreUnfinished
from lrs.stores.archive_records import VERSION
from lrs.stores.moving import Fault
from lrs.tables.recorded import COMMONS, Wish
from tests.contract.backup.making import (
    ENGINES,
    Open,
    back_up,
    content_of,
    filled,
    frames_of,
    restore,
    to_archive,
)
from tests.engines import sqlite_engine
from tests.http.conftest import make_instance
from tests.worlds import answers

wire = pytest.mark.mongo_server
PAIRS = [
    ("sqlite", "sqlite"),
    ("sqlite", "mongomock"),
    ("mongomock", "sqlite"),
    ("mongomock", "mongomock"),
    pytest.param(("sqlite", "mongo-server"), marks=wire),
    pytest.param(("mongo-server", "sqlite"), marks=wire),
]


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
