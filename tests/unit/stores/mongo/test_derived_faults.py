"""Derived rows when a writer is late, killed in the midst of a step, or asks in vain."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, NetworkTimeout

from lrs.errors import StoreUnavailable
from lrs.stores.mongo.derived import MongoDerivedTables
from lrs.stores.mongo.stores import MongoStores
from lrs.tables.derived import Derivation, DerivedTables, Row, RowName
from tests.engines import Engine
from tests.unit.stores.mongo.conftest import collections_of
from tests.unit.stores.mongo.test_faults import fail_times


@pytest.fixture
def tables(stores: MongoStores) -> DerivedTables:
    assert stores.derived.begin(1)
    return stores.derived


def row(owner: str, content: str = "1", key: str = "k") -> Row:
    return Row("levels", owner, key, content.encode())


def all_of(tables: DerivedTables) -> dict[str, str]:
    return {one.owner: one.content.decode() for one in tables.iter_rows("levels")}


def before_writing(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Do something once, right behind the look at the head that allows the next rows."""
    put = MongoDerivedTables._put
    left = [act]

    def late(tables: MongoDerivedTables, documents: Any) -> bool:
        if left:
            left.pop()()
        return put(tables, documents)

    monkeypatch.setattr(MongoDerivedTables, "_put", late)


def test_rows_and_cursors_of_a_later_epoch_stay_when_an_earlier_writer_wakes_up(
    tables: DerivedTables, mock: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tables.save(1, Derivation([row("a"), row("gone")], (), {"x": 1}))
    later = mock.open().derived

    def overtake() -> None:
        removed = [RowName("levels", "gone", "k"), RowName("levels", "never", "k")]
        assert later.begin(2)
        assert later.save(2, Derivation([row("a", "later"), row("new", "later")], removed, {"x": 7}))

    before_writing(monkeypatch, overtake)
    puts = [row("a", "late"), row("new", "late"), row("gone", "late"), row("never", "late")]
    assert not tables.save(1, Derivation(puts, (), {"x": 2}))
    assert all_of(later) == {"a": "later", "new": "later"}
    assert later.cursors() == {"x": 7}


def test_cursors_of_an_earlier_writer_are_refused_when_only_the_epoch_has_begun(
    tables: DerivedTables, mock: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = mock.open().derived
    before_writing(monkeypatch, lambda: later.begin(2))
    assert not tables.save(1, Derivation([row("a")], (), {"x": 2}))
    assert later.cursors() == {}


@pytest.mark.lasting
def test_step_is_made_again_when_its_writer_died_in_the_midst(
    tables: DerivedTables, stores: MongoStores, mock: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = collections_of(stores).derived
    step = Derivation([row(f"o{n}") for n in range(1200)], (), {"x": 5})
    insert = rows.insert_many
    written = [2]

    def dying(documents: Any, **rest: Any) -> Any:
        if not written[0]:
            raise AutoReconnect("killed")
        written[0] -= 1
        return insert(documents, **rest)

    with monkeypatch.context() as broken:
        broken.setattr(rows, "insert_many", dying)
        with pytest.raises(StoreUnavailable):
            tables.save(1, step)
    assert (tables.count("levels"), tables.cursors()) == (1000, {})
    again = mock.open().derived
    assert again.begin(2)
    assert again.save(2, step)
    assert (again.count("levels"), again.cursors()) == (1200, {"x": 5})


def test_step_is_written_when_answers_were_lost(
    tables: DerivedTables, stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = collections_of(stores).derived
    for name in ("insert_many", "bulk_write"):
        lost = fail_times(1, getattr(rows, name), NetworkTimeout("lost"), lands=True)
        monkeypatch.setattr(rows, name, lost)
    assert tables.save(1, Derivation([row("a"), row("b")], (), {"x": 1}))
    assert tables.save(1, Derivation([row("a", "2")], [RowName("levels", "b", "k")], {"x": 2}))
    assert (all_of(tables), tables.cursors()) == ({"a": "2"}, {"x": 2})


def test_removed_rows_are_forgotten_for_good_some_epochs_later(
    tables: DerivedTables, stores: MongoStores
) -> None:
    names = [RowName("levels", f"o{n}", "k") for n in range(5)]
    assert tables.save(1, Derivation([row(one.owner) for one in names]))
    assert tables.save(1, Derivation((), names))
    kept = collections_of(stores).derived
    assert (tables.count("levels"), kept.count_documents({"gone": 1})) == (0, 5)
    assert tables.begin(3)
    assert kept.count_documents({"gone": 1}) == 5
    assert tables.begin(40)
    assert kept.count_documents({}) == 1, "only the head is left"


NAMES = [
    "",
    "\0",
    "\0\0",
    "\0\1",
    "\1",
    "\1\0",
    "\1\1",
    "\1\2",
    "\2",
    "a",
    "a\0",
    "a\0b",
    "a\1",
    "a\1\1",
    "aa",
    "b",
]


@pytest.mark.lasting
def test_rows_are_in_order_and_apart_whatever_their_names_hold(tables: DerivedTables) -> None:
    rows = [Row(table, owner, key, b"1") for table in NAMES for owner in NAMES for key in NAMES]
    assert tables.save(1, Derivation(rows))
    for table in ("", "\0", "a", "\1\1"):
        assert list(tables.iter_rows(table)) == sorted(one for one in rows if one.table == table)
        assert tables.count(table) == len(NAMES) ** 2
        assert tables.owners(table) == sorted(NAMES)
        assert tables.owners(table, "a\0", 3) == ["a\0b", "a\1", "a\1\1"]
        for owner in ("", "\0", "a", "a\1"):
            assert [one.key for one in tables.rows(table, owner)] == sorted(NAMES)
            assert [one.key for one in tables.rows(table, owner, "\1", 2)] == ["\1\0", "\1\1"]
            found = tables.find(table, owner, "a\0b")
            assert found == Row(table, owner, "a\0b", b"1")
