"""The log and the history: what follows a position, in order, nothing missed, nothing twice."""

import pytest

from lrs.errors import StatementConflict
from lrs.xapi.ports import Position
from tests.contract.builders import MUSEUM, SCHOOL, add, ids, log, make_statement, sid, verb, voiding
from tests.engines import Engine


@pytest.fixture
def store(engine: Engine):
    return engine.open().records.statements(SCHOOL)


def test_log_holds_voided_and_voiding_statements(store):
    add(store, make_statement("a"), voiding("v", of="a"))
    assert [(entry.id, entry.voided) for entry in log(store)] == [(sid("a"), True), (sid("v"), False)]


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_log_continues_behind_a_position(store, limit):
    for n in range(6):
        add(store, make_statement((n, 1)), make_statement((n, 2)))
    seen, last = [], Position(0)
    while (page := store.read_log(last, limit)).statements:
        assert len(page.statements) <= limit
        assert page.last > last
        seen += ids(page.statements)
        last = page.last
    assert seen == [sid((n, part)) for n in range(6) for part in (1, 2)]
    assert store.read_log(last, limit).last == last


def test_log_goes_on_where_it_ended_when_more_is_written(store):
    add(store, make_statement("a"))
    last = store.read_log(Position(0), 10).last
    add(store, make_statement("b"))
    page = store.read_log(last, 10)
    assert ids(page.statements) == [sid("b")]
    assert not store.read_log(page.last, 10).statements


def test_log_says_the_same_as_a_look_at_the_statement(store):
    add(store, make_statement("a", verb()), make_statement("b"))
    for entry in log(store):
        assert entry == store.find_statement(entry.id)


def test_logs_of_two_institutions_are_apart(engine):
    records = engine.open().records
    school, museum = records.statements(SCHOOL), records.statements(MUSEUM)
    for n in range(4):
        add(school if n % 2 else museum, make_statement(n), voiding(f"v{n}", of=n))
    assert ids(log(school)) == [sid(1), sid("v1"), sid(3), sid("v3")]
    assert [entry.subject for entry in museum.read_history(Position(0), 9).entries] == [sid(0), sid(2)]


def test_history_has_an_entry_for_each_new_voiding_statement(engine, store):
    add(store, make_statement("a"))
    engine.clock.move(1)
    add(store, voiding("v", of="a"), voiding("w", of="not there yet"))
    add(store, voiding("v", of="a"))
    add(store, make_statement("not there yet"))
    entries = store.read_history(Position(0), 10).entries
    assert [(e.kind, e.subject, e.before, e.after) for e in entries] == [
        ("statement.voided", sid("a"), None, {"by": sid("v")}),
        ("statement.voided", sid("not there yet"), None, {"by": sid("w")}),
    ]
    assert entries[0].position < entries[1].position
    assert all(abs(entry.at_us - engine.clock.now_us) < 1_000_000 for entry in entries)


def test_history_is_silent_about_a_batch_that_was_refused(store):
    add(store, make_statement("a", content="1"))
    with pytest.raises(StatementConflict):
        add(store, voiding("v", of="a"), make_statement("a", content="2"))
    assert not store.read_history(Position(0), 10).entries


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_history_continues_behind_a_position(store, limit):
    for n in range(5):
        add(store, make_statement(n), voiding(f"v{n}", of=n))
    seen, last = [], Position(0)
    while (page := store.read_history(last, limit)).entries:
        assert len(page.entries) <= limit
        seen += [entry.subject for entry in page.entries]
        last = page.last
    assert seen == [sid(n) for n in range(5)]
    assert store.read_history(last, limit).last == last
