"""What every engine promises about statements: kept whole, in order, once, and apart."""

import itertools
import json
import threading

import pytest

from lrs.errors import StatementConflict
from lrs.xapi.ports import Position, StatementQuery
from tests.contract.builders import (
    AGENT,
    MUSEUM,
    PASSED,
    SCHOOL,
    VERB,
    add,
    agent,
    by,
    find,
    ids,
    log,
    make_statement,
    sid,
    verb,
    voiding,
    walk,
)

# --- in and out ---------------------------------------------------------------------------


def test_statement_comes_back_as_it_was_kept(engine, store):
    body = json.dumps(
        {"big": 2**65 + 1, "text": "Zürich  \u0000\ud83d\ude00", "$ne": {"a.b": -(2**64)}}
    ).encode()
    outcome = add(store, make_statement("a", verb(), body=body))
    assert (outcome.stored, outcome.already) == ((0,), ())
    found = store.find_statement(sid("a"))
    assert found is not None
    assert (found.id, found.body, found.voided) == (sid("a"), body, False)
    assert found.position > 0
    assert found.stored_at_us >= engine.clock.now_us


@pytest.mark.parametrize("body", [b"", b"\x00\xff\xfe" * 1000, b"x" * 300_000])
def test_body_is_kept_whatever_its_bytes(store, body):
    add(store, make_statement("a", verb(), body=body))
    assert store.find_statement(sid("a")).body == body
    assert walk(store, StatementQuery((by(VERB, PASSED),)))[0].body == body
    assert log(store)[0].body == body


def test_nothing_is_found_when_nothing_was_kept(store):
    assert store.find_statement(sid("a")) is None
    assert find(store) == []
    assert find(store, by(VERB, PASSED)) == []
    assert log(store) == []
    page = store.query_statements(StatementQuery())
    assert page.more is None


def test_page_order_is_that_of_the_batches_and_within_them(store):
    add(store, make_statement("a"), make_statement("b"))
    add(store, make_statement("c"))
    assert find(store) == [sid("c"), sid("b"), sid("a")]
    assert find(store, ascending=True) == [sid("a"), sid("b"), sid("c")]
    assert ids(log(store)) == [sid("a"), sid("b"), sid("c")]


def test_positions_and_stored_rise_with_the_order_when_the_clock_stands(store):
    for n in range(5):
        add(store, make_statement(f"{n}a"), make_statement(f"{n}b"))
    entries = log(store)
    for before, after in itertools.pairwise(entries):
        assert before.position < after.position
        assert before.stored_at_us < after.stored_at_us


def test_empty_batch_changes_nothing(store):
    outcome = add(store)
    assert (outcome.stored, outcome.already) == ((), ())
    assert log(store) == []


@pytest.mark.lasting
def test_large_batch_is_kept_whole(store):
    add(store, *[make_statement(n, verb(), agent(f"a{n % 7}")) for n in range(1000)])
    assert find(store, by(AGENT, "a3"), ascending=True, limit=60) == [sid(n) for n in range(3, 1000, 7)]


def test_what_was_kept_is_there_when_the_store_is_opened_again(engine):
    first = engine.open()
    add(first.records.statements(SCHOOL), make_statement("a", verb()))
    second = engine.open()
    assert second.instance_key == first.instance_key
    assert len(second.instance_key) == 32
    first.close()
    first.close()
    assert find(second.records.statements(SCHOOL), by(VERB, PASSED)) == [sid("a")]
    second.ping()


# --- the same id again --------------------------------------------------------------------


def test_equal_statement_is_already_there_and_the_first_body_stays(store):
    add(store, make_statement("a", verb(), body=b"first"))
    outcome = add(store, make_statement("a", verb(), body=b"second"), make_statement("b"))
    assert (outcome.stored, outcome.already) == ((1,), (0,))
    assert store.find_statement(sid("a")).body == b"first"
    assert len(log(store)) == 2


def test_batch_is_rejected_when_one_statement_conflicts(store):
    add(store, make_statement("a", content="1"), make_statement("c", content="1"))
    with pytest.raises(StatementConflict) as refused:
        add(
            store,
            make_statement("new", verb(), agent("x")),
            make_statement("a", content="2"),
            make_statement("b", voids="c"),
            make_statement("c", content="2"),
        )
    assert refused.value.indexes == (1, 3)
    assert refused.value.ids == (sid("a"), sid("c"))
    assert store.find_statement(sid("new")) is None
    assert not store.find_statement(sid("c")).voided
    assert ids(log(store)) == [sid("a"), sid("c")]
    assert find(store, by(AGENT, "x")) == []
    assert not store.read_history(Position(0), 10).entries


def test_one_writer_wins_when_many_race_on_one_id(engine):
    stores = [engine.open().records.statements(SCHOOL) for _ in range(2)]
    barrier = threading.Barrier(8)
    won: list[int] = []
    lost: list[int] = []

    def work(n: int) -> None:
        barrier.wait()
        try:
            add(stores[n % 2], make_statement(f"own {n}"), make_statement("same", content=f"by {n}"))
            won.append(n)
        except StatementConflict:
            lost.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert set(ids(log(stores[0]))) == {sid("same"), sid(f"own {won[0]}")}
    assert f"by {won[0]}" in stores[1].find_statement(sid("same")).body.decode()


# --- institutions -------------------------------------------------------------------------


def test_institutions_never_see_each_other_when_they_use_the_same_ids(engine):
    records = engine.open().records
    school, museum = records.statements(SCHOOL), records.statements(MUSEUM)
    add(school, make_statement("a", verb(), agent("x"), body=b"school"), make_statement("r", target="a"))
    add(museum, make_statement("a", verb(), agent("y"), body=b"museum", content="other"))
    assert school.find_statement(sid("a")).body == b"school"
    assert museum.find_statement(sid("a")).body == b"museum"
    assert museum.find_statement(sid("r")) is None
    assert find(school, by(VERB, PASSED)) == [sid("r"), sid("a")]
    assert find(museum, by(VERB, PASSED)) == [sid("a")]
    assert find(museum, by(AGENT, "x")) == []
    assert ids(log(museum)) == [sid("a")]


def test_voiding_and_references_stay_inside_the_institution(engine):
    records = engine.open().records
    school, museum = records.statements(SCHOOL), records.statements(MUSEUM)
    add(school, make_statement("a", verb()))
    add(museum, voiding("v", of="a"), make_statement("r", target="a"))
    assert not school.find_statement(sid("a")).voided
    assert find(museum, by(VERB, PASSED)) == []
    assert not school.read_history(Position(0), 10).entries


# --- receipts -----------------------------------------------------------------------------


def test_receipt_is_kept_with_each_accepted_batch_and_with_no_other(engine):
    records = engine.open().records
    store, arrivals = records.statements(SCHOOL), records.arrivals(SCHOOL)
    add(store, make_statement("a"), make_statement("b"), source="k1")
    engine.clock.move(1)
    add(store, make_statement("b"), make_statement("c"), source="k1")
    add(store, make_statement("c"), source="k2")
    with pytest.raises(StatementConflict):
        add(store, make_statement("d"), make_statement("a", content="else"), source="k1")
    found = arrivals.list_receipts("k1", 10)
    assert [(r.source, r.stored, r.already, r.first_id) for r in found] == [
        ("k1", 1, 1, sid("b")),
        ("k1", 2, 0, sid("a")),
    ]
    assert found[0].at_us > found[1].at_us
    assert [(r.stored, r.already) for r in arrivals.list_receipts("k2", 10)] == [(0, 1)]
    assert len(arrivals.list_receipts("k1", 1)) == 1
    assert not records.arrivals(MUSEUM).list_receipts("k1", 10)
