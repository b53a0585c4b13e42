"""The contract of recorded tables: each change has its entry, in one order with the statements'."""

import pytest

from lrs.tables.recorded import Note, Recorded
from lrs.xapi.ports import Position
from tests.contract.builders import SCHOOL, add, make_statement, sid, voiding
from tests.contract.recorded.writing import KIND, entries, put, subjects, told


def test_history_tells_each_change_before_and_after(tables):
    put(tables, "ada", {"n": 1}, at_us=5)
    put(tables, "bo", {"n": 2}, at_us=6)
    put(tables, "ada", {"n": 3}, at_us=4)
    put(tables, "ada", None, at_us=8)
    assert told(tables) == [
        ("ada", None, {"n": 1}, 5),
        ("bo", None, {"n": 2}, 6),
        ("ada", {"n": 1}, {"n": 3}, 4),
        ("ada", {"n": 3}, None, 8),
    ]
    positions = [one.position for one in entries(tables)]
    assert positions == sorted(set(positions))
    assert positions[0] > 0


def test_bookkeeping_is_kept_without_a_history(tables):
    kind = "source.place"
    tables.note(kind, [Note("a", {"at": 1}, ("t",)), Note("b", {"at": 2})], 5)
    tables.note(kind, [Note("b", {"at": 3}, ("t", "u"))], 6)
    tables.note(kind, [Note("a", {"at": 1})], 7)
    assert tables.find(kind, "b") == Recorded(kind, "b", {"at": 3}, 0, 6)
    assert tables.find(kind, "a") == Recorded(kind, "a", {"at": 1}, 0, 7)
    assert subjects(tables.find_by(kind, "t")) == subjects(tables.find_by(kind, "u")) == ["b"]
    assert (subjects(tables.list(kind)), tables.count(kind)) == (["a", "b"], 2)
    assert tables.find_many(kind, ["a", "c"]).keys() == {"a"}
    tables.forget(kind, ["b", "never"])
    tables.forget("never", ["b"])
    assert (subjects(tables.list(kind)), subjects(tables.find_by(kind, "t"))) == (["a"], [])
    tables.note(kind, [], 8)
    assert entries(tables) == []


def test_history_is_one_with_that_of_statements(engine):
    stores = engine.open()
    tables, store = stores.recorded(SCHOOL), stores.records.statements(SCHOOL)
    put(tables, "ada", {"n": 1}, at_us=5)
    add(store, make_statement("a"), voiding("v", of="a"))
    put(tables, "ada", {"n": 2}, at_us=6)
    found = entries(tables, 1)
    assert [(one.kind, one.subject) for one in found] == [
        (KIND, "ada"),
        ("statement.voided", sid("a")),
        (KIND, "ada"),
    ]
    assert found[1].after == {"by": sid("v")}
    page = store.read_history(Position(0), 10)
    assert [(e.position, e.kind, e.subject, e.before, e.after, e.at_us) for e in page.entries] == [
        (e.position, e.kind, e.subject, e.before, e.after, e.at_us) for e in found
    ]
    assert page.last == found[-1].position


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_entries_continue_behind_a_position(limit, tables):
    for n in range(5):
        put(tables, "ada", {"n": n})
    assert [one.after["n"] for one in entries(tables, limit)] == list(range(5))
    last = entries(tables)[-1].position
    assert list(tables.read_entries(last, limit)) == []
    put(tables, "bo", {"n": 5})
    assert [one.after["n"] for one in tables.read_entries(last, limit)] == [5]
