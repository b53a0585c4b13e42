"""What a process remembers of activities: after a transaction was taken back, across gaps, when full."""

import json
from pathlib import Path
from typing import Any

import pytest

from lrs.errors import StoreError
from lrs.stores.sqlite import activities
from lrs.stores.sqlite.activities import Given
from lrs.stores.sqlite.writer import Write
from lrs.xapi.ports.activities import ActivityDefinition
from tests.engines import Engine, sqlite_engine

H = 7
TENANT = 1


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    made = sqlite_engine(tmp_path)
    yield made
    made.close()


def name(word: str, activity: str = "http://a.example/quiz", h: int = H) -> Given:
    return h, ActivityDefinition(activity, json.dumps({"name": {"en": word}}).encode())


def merge(stores: Any, *given: Given) -> None:
    definitions = stores.records._definitions
    stores.writer.run(lambda write: definitions.merge(write, TENANT, given))


def kept(stores: Any) -> dict[str, str]:
    rows = stores.readers.get().execute("SELECT dict, content FROM activities").fetchall()
    bodies = stores.records._bodies
    found = dict(activities.unpack_definition(number, blob, bodies) for number, blob in rows)
    return {activity: json.loads(text)["name"]["en"] for activity, text in found.items()}


@pytest.mark.parametrize("meanwhile", [0, 1, 2, 3])
def test_definition_is_merged_again_when_its_transaction_was_taken_back(
    engine: Engine, meanwhile: int
) -> None:
    """Whatever another process changed meanwhile, also as much as was taken back."""
    stores: Any = engine.open()
    another: Any = engine.open()
    remembered = name("first", "http://b.example/0", 50)
    merge(stores, name("old"), remembered)

    def fail(write: Write) -> None:
        stores.records._definitions.merge(write, TENANT, [name("new"), name("x", "http://a.example/2", 8)])
        raise OSError("The disk is gone.")

    with pytest.raises(StoreError):
        stores.writer.run(fail)
    assert kept(stores) == {"http://a.example/quiz": "old", "http://b.example/0": "first"}
    others = {f"http://b.example/{number}": "y" for number in range(meanwhile)}
    merge(another, *[name("y", url, 50 + number) for number, url in enumerate(others)])
    merge(stores, name("new"), name("x", "http://a.example/2", 8), remembered)
    wanted = {
        "http://a.example/quiz": "new",
        "http://a.example/2": "x",
        **others,
        "http://b.example/0": "first",
    }
    assert kept(stores) == wanted


def test_everything_is_forgotten_when_the_changes_since_were_dropped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "_CHANGES_KEPT", 4)
    first: Any = engine.open()
    second: Any = engine.open()
    merge(first, name("A"))
    merge(second, name("B"))
    for number in range(20):
        merge(second, name("x", f"http://a.example/{number}", 100 + number))
    changes = first.readers.get().execute("SELECT count(*) FROM activity_changes").fetchall()
    assert changes[0][0] <= 8
    merge(first, name("A"))
    assert kept(first)["http://a.example/quiz"] == "A"


def test_definitions_stay_right_when_more_activities_are_met_than_remembered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "MOST_REMEMBERED_ACTIVITIES", 2)
    stores: Any = engine.open()
    urls = [f"http://a.example/{number}" for number in range(5)]
    for word in ("A", "B", "A"):
        merge(stores, *[name(word, url, number) for number, url in enumerate(urls)])
    assert kept(stores) == dict.fromkeys(urls, "A")
    assert len(stores.records._definitions._remembered._contained) <= 2


def test_activities_are_apart_when_their_hashes_collide(engine: Engine) -> None:
    stores: Any = engine.open()
    merge(stores, name("A", "http://a.example/1"), name("A", "http://a.example/2"))
    merge(stores, name("B", "http://a.example/1"), name("A", "http://a.example/2"))
    assert kept(stores) == {"http://a.example/1": "B", "http://a.example/2": "A"}


def test_known_definition_is_neither_read_nor_written(engine: Engine) -> None:
    stores: Any = engine.open()
    merge(stores, name("A"))
    definitions = stores.records._definitions

    def work(write: Write) -> list[str]:
        run: list[str] = []
        write.database.set_exec_trace(lambda _, statement, __: run.append(statement) or True)
        try:
            definitions.merge(write, TENANT, [name("A")] * 100)
        finally:
            write.database.set_exec_trace(None)
        return run

    assert stores.writer.run(work) == ["SELECT coalesce(max(n), 0) FROM activity_changes"]
