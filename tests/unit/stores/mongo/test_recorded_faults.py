"""Changes of recorded values when the database answers late or not at all, and when writers die."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, NetworkTimeout

from lrs.errors import StoreUnavailable
from lrs.stores.mongo.recorded_rows import Rows
from lrs.stores.mongo.stores import MongoStores
from lrs.stores.recorded import KeptValue
from lrs.tables.recorded import Recorded, RecordedTables, Wish
from tests.engines import Engine
from tests.unit.stores.mongo.conftest import SCHOOL, batch, collections_of, statement
from tests.unit.stores.mongo.test_faults import fail_times

KIND = "counter"


@pytest.fixture
def tables(stores: MongoStores) -> RecordedTables:
    return stores.recorded(SCHOOL)


@pytest.fixture
def other(mock: Engine) -> RecordedTables:
    """The same institution, as another process would see it."""
    return mock.open(busy_seconds=0.5).recorded(SCHOOL)


def up(tables: RecordedTables, subject: str = "a") -> int:
    """Raise a counter by one."""

    def decide(now: Recorded | None) -> Wish:
        return Wish({"n": 1 if now is None else now.value["n"] + 1}, ("all",))

    found = tables.change(KIND, subject, decide, 1)
    assert found is not None
    return int(found.value["n"])


def told(tables: RecordedTables) -> list[tuple[str, int | None]]:
    return [(one.subject, one.after and one.after["n"]) for one in tables.read_entries(0, 10_000)]


def wishes(*numbers: int) -> list[tuple[str, Wish]]:
    return [(f"s{n}", Wish({"n": n}, ("all",))) for n in numbers]


def test_change_is_made_once_when_the_answer_to_the_insert_was_lost(
    tables: RecordedTables, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(tables)
    history = collections_of(stores).history
    lost = fail_times(1, history.insert_many, NetworkTimeout("lost"), lands=True)
    monkeypatch.setattr(history, "insert_many", lost)
    assert up(tables) == 2
    assert told(tables) == [("a", 1), ("a", 2)]


def test_entry_goes_to_the_same_place_when_the_insert_did_not_land(
    tables: RecordedTables, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = collections_of(stores).history
    tried: list[Any] = []
    insert = fail_times(2, history.insert_many, AutoReconnect("gone"), lands=False)

    def noting(documents: Any, **rest: Any) -> Any:
        tried.append([dict(one) for one in documents])
        return insert(documents, **rest)

    monkeypatch.setattr(history, "insert_many", noting)
    assert up(tables) == 1
    assert len(tried) == 3
    assert tried[0] == tried[1] == tried[2]


@pytest.mark.parametrize("landed", [0, 1, 3, 5])
def test_many_changes_are_counted_once_when_some_had_landed_before_the_answer_was_lost(
    landed: int, tables: RecordedTables, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = collections_of(stores).history
    insert = history.insert_many

    def broken_off(documents: Any, **rest: Any) -> Any:
        monkeypatch.setattr(history, "insert_many", insert)
        if landed:
            insert(documents[:landed], **rest)
        raise AutoReconnect("gone")

    monkeypatch.setattr(history, "insert_many", broken_off)
    assert tables.change_all(KIND, wishes(*range(5)), 1) == 5
    assert told(tables) == [(f"s{n}", n) for n in range(5)]
    assert tables.count(KIND) == 5


@pytest.mark.parametrize("landed", [0, 2])
def test_many_changes_are_all_made_when_another_was_faster_in_their_midst(
    landed: int,
    tables: RecordedTables,
    other: RecordedTables,
    stores: MongoStores,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = collections_of(stores).history
    insert = history.insert_many

    def overtaken(documents: Any, **rest: Any) -> Any:
        monkeypatch.setattr(history, "insert_many", insert)
        if landed:
            insert(documents[:landed], **rest)
        other.change_all(KIND, wishes(3, 9), 1)
        return insert(documents[landed:], **rest)

    monkeypatch.setattr(history, "insert_many", overtaken)
    # What the other wrote in between is there already, equal, and is not counted.
    assert tables.change_all(KIND, wishes(*range(5)), 1) == 4
    assert sorted(told(tables)) == [(f"s{n}", n) for n in (0, 1, 2, 3, 4, 9)]
    assert [one.version for one in other.list(KIND)] == [1] * 6


def test_decision_is_made_again_when_another_was_faster(
    tables: RecordedTables, other: RecordedTables, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = collections_of(stores).history
    insert = history.insert_many
    overtakings = [1, 2, 3]

    def overtaken(documents: Any, **rest: Any) -> Any:
        if overtakings:
            overtakings.pop()
            monkeypatch.setattr(history, "insert_many", insert)
            up(other)
            monkeypatch.setattr(history, "insert_many", overtaken)
        return insert(documents, **rest)

    monkeypatch.setattr(history, "insert_many", overtaken)
    assert up(tables) == 4
    assert told(other) == [("a", n) for n in (1, 2, 3, 4)]


def test_nothing_is_told_when_the_insert_never_answers_and_a_late_one_counts(
    tables: RecordedTables, other: RecordedTables, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = collections_of(stores).history
    abandoned: list[Any] = []

    def swallow(documents: Any, **_: Any) -> Any:
        abandoned[:] = [dict(one) for one in documents]
        raise AutoReconnect("gone")

    with monkeypatch.context() as broken:
        broken.setattr(history, "insert_many", swallow)
        with pytest.raises(StoreUnavailable):
            up(tables)
    history.insert_many(abandoned)
    assert up(other) == 2
    assert told(tables) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize("step", ["rows", "mark"])
def test_change_is_seen_by_all_when_its_writer_died_behind_the_commit(
    step: str,
    tables: RecordedTables,
    other: RecordedTables,
    stores: MongoStores,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [up(tables), up(other)] == [1, 2]
    all_ = collections_of(stores)
    dying: tuple[Any, str] = (
        (all_.recorded, "bulk_write") if step == "rows" else (all_.projections, "update_one")
    )
    with monkeypatch.context() as broken:
        broken.setattr(*dying, fail_times(10_000, getattr(*dying), AutoReconnect("killed"), lands=False))
        with pytest.raises(StoreUnavailable):
            up(tables)
    for reader in (tables, other):
        assert [one.value["n"] for one in reader.find_by(KIND, "all")] == [3]
    assert up(other) == 4


def test_removed_value_does_not_come_back_when_an_older_entry_is_projected_late(
    tables: RecordedTables, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    project = Rows.project
    monkeypatch.setattr(
        Rows, "project", lambda rows, *rest: (kept.append((rows, *rest)), project(rows, *rest))
    )
    up(tables)
    tables.change(KIND, "a", lambda _: Wish(None), 2)
    for late in kept:
        project(*late)
    assert tables.find(KIND, "a") is None
    assert (tables.count(KIND), list(tables.list(KIND)), list(tables.find_by(KIND, "all"))) == (0, [], [])
    assert up(tables) == 1
    for late in kept:
        project(*late)
    assert [one.version for one in tables.list(KIND)] == [1]
    assert tables.count(KIND) == 1


@pytest.mark.lasting
def test_rows_are_made_again_when_they_and_the_mark_are_lost(
    tables: RecordedTables, stores: MongoStores, mock: Engine
) -> None:
    tables.change_all(KIND, wishes(*range(700)), 1)
    tables.change_all(KIND, [(f"s{n}", Wish({"n": -n})) for n in range(0, 700, 7)], 2)
    before = tables.list(KIND)
    collections_of(stores).recorded.delete_many({})
    collections_of(stores).projections.delete_many({})
    again = mock.open().recorded(SCHOOL)
    assert again.list(KIND) == before
    collections_of(stores).recorded.delete_many({})
    collections_of(stores).projections.delete_many({})
    last = mock.open().recorded(SCHOOL)
    assert last.change_all(KIND, [("s3", Wish({"n": 3}, ("all",))), ("s7", Wish({"n": 8}))], 3) == 1
    assert last.count(KIND) == 700


def test_voidings_and_changes_share_one_dense_history(
    tables: RecordedTables, other: RecordedTables, stores: MongoStores
) -> None:
    store = stores.records.statements(SCHOOL)
    for n in range(1, 6):
        store.add_statements(batch(n, statement(n + 100, target=n, voids=True)))
        up(tables)
        up(other, "b")
    entries = tables.read_entries(0, 99)
    assert [one.position for one in entries] == list(range(1, 16))
    assert [one.kind for one in entries] == ["statement.voided", KIND, KIND] * 5
    assert [one.value["n"] for one in tables.list(KIND)] == [5, 5]


def in_dump(stores: MongoStores, while_open: Callable[[], Any]) -> list[KeptValue]:
    with stores.open_dump() as dump:
        while_open()
        return list(dump.iter_recorded(SCHOOL.institution_id))


def test_backup_holds_values_as_they_stood_when_it_began(
    tables: RecordedTables, other: RecordedTables, stores: MongoStores
) -> None:
    tables.change_all(KIND, wishes(1, 2, 3), 1)
    tables.change(KIND, "s3", lambda _: Wish(None), 1)
    before = in_dump(stores, lambda: None)
    assert [one.subject for one in before] == ["s1", "s2"]

    def meanwhile() -> None:
        for n in (10, 20, 30):
            other.change_all(KIND, [("s1", Wish({"n": n})), ("s4", Wish({"n": n}, ("x",)))], 2)
        for subject in ("s2", "s4"):
            other.change(KIND, subject, lambda _: Wish(None), 3)
        up(other, "s3")

    assert in_dump(stores, meanwhile) == before
    assert [one.subject for one in in_dump(stores, lambda: None)] == ["s1", "s3"]
