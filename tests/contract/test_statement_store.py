"""What every engine promises about statements (lrs.xapi.ports.StatementStore)."""

import itertools
import json
import pickle
import threading
from typing import Any

import pytest

from lrs.errors import StatementConflict
from lrs.xapi.ports import MOST_INHERITED_FACTS, MOST_LINKS, Batch, Position, StatementQuery, StatementStore
from tests.contract.builders import (
    ACTIVITY,
    AGENT,
    CLIENT,
    FAILED,
    MUSEUM,
    PASSED,
    REGISTRATION,
    SCHOOL,
    VERB,
    VOIDED,
    Fact,
    activity,
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
from tests.engines import Engine


@pytest.fixture
def store(engine: Engine) -> StatementStore:
    return engine.open().records.statements(SCHOOL)


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


def sent(value: Any) -> Any:
    """Return what another process gets when it is sent a value."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - it is our own


def test_statement_is_kept_the_same_when_it_was_encoded_elsewhere(engine, store):
    """Another process gets the encoder as bytes, and gives back what it made as bytes."""
    made = [
        make_statement("a", verb(), agent("x", primary=False), activity("y")),
        make_statement("b", target="a"),
        voiding("c", "a"),
        make_statement("d", body=b""),
        make_statement("e", body=b"e" * 300_000),
    ]
    encoder = sent(store.encoder())
    encoded = sent([encoder.encode(one) for one in made])
    assert [one.id for one in encoded] == [one.id for one in made]
    outcome = store.add_statements(Batch([encoded[0], made[1], *encoded[2:]], "import"))
    assert (outcome.stored, outcome.already) == (tuple(range(5)), ())
    assert [one.body for one in log(store)] == [one.body for one in made]
    assert [one.voided for one in log(store)] == [True, False, False, False, False]
    assert find(store, by(VERB, PASSED)) == [sid("c"), sid("b")]
    assert find(store, by(AGENT, "x", related=True)) == [sid("c"), sid("b")]
    assert find(store, by(AGENT, "x")) == []
    assert add(store, *made).already == tuple(range(5))
    other = make_statement("b", content="other")
    with pytest.raises(StatementConflict) as conflict:
        store.add_statements(Batch([encoder.encode(other)], "import"))
    assert conflict.value.ids == (sid("b"),)
    assert [one.id for one in log(engine.open().records.statements(SCHOOL))] == [one.id for one in made]


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


# --- filters ------------------------------------------------------------------------------


def test_each_kind_of_fact_is_found_by_its_filter_and_no_other(store):
    for kind in (VERB, AGENT, ACTIVITY, REGISTRATION, CLIENT):
        add(store, make_statement(kind.name, Fact(kind, "same value")))
    for kind in (VERB, AGENT, ACTIVITY, REGISTRATION, CLIENT):
        assert find(store, by(kind, "same value")) == [sid(kind.name)]


@pytest.mark.parametrize("ascending", [False, True])
def test_related_facts_are_found_only_when_asked_for(store, ascending):
    add(
        store,
        make_statement("p1", activity("course")),
        make_statement("r1", activity("course", primary=False)),
    )
    add(
        store,
        make_statement("r2", activity("course", primary=False)),
        make_statement("p2", activity("course")),
    )
    order = -1 if not ascending else 1
    assert find(store, by(ACTIVITY, "course"), ascending=ascending) == [sid("p1"), sid("p2")][::order]
    expected = [sid("p1"), sid("r1"), sid("r2"), sid("p2")][::order]
    for limit in (1, 2, 3, 10):
        found = find(store, by(ACTIVITY, "course", related=True), ascending=ascending, limit=limit)
        assert found == expected


def test_all_filters_must_hold(store):
    add(
        store,
        make_statement("1", verb(PASSED), agent("a"), activity("x")),
        make_statement("2", verb(FAILED), agent("a"), activity("x")),
        make_statement("3", verb(PASSED), agent("b"), activity("x")),
        make_statement("4", verb(PASSED), agent("a"), activity("x", primary=False)),
    )
    assert find(store, by(VERB, PASSED), by(AGENT, "a")) == [sid("4"), sid("1")]
    assert find(store, by(VERB, PASSED), by(AGENT, "a"), by(ACTIVITY, "x")) == [sid("1")]
    assert find(store, by(AGENT, "a"), by(ACTIVITY, "x", related=True), by(VERB, PASSED)) == [
        sid("4"),
        sid("1"),
    ]
    assert find(store, by(AGENT, "a"), by(AGENT, "b")) == []
    assert find(store, by(AGENT, "nobody"), by(VERB, PASSED)) == []


def test_values_that_begin_alike_are_kept_apart(store):
    add(store, make_statement("1", agent("mailto:ann")), make_statement("2", agent("mailto:anna")))
    assert find(store, by(AGENT, "mailto:ann")) == [sid("1")]
    assert find(store, by(AGENT, "mailto:")) == []


def test_instants_bound_the_page_since_excluded_until_included(engine, store):
    for n in range(6):
        engine.clock.move(10)
        add(store, make_statement(n, verb()))
    stored = [entry.stored_at_us for entry in log(store)]
    for filters in ((), (by(VERB, PASSED),)):
        assert find(store, *filters, since_us=stored[2]) == [sid(5), sid(4), sid(3)]
        assert find(store, *filters, since_us=stored[2] - 1) == [sid(5), sid(4), sid(3), sid(2)]
        assert find(store, *filters, until_us=stored[2]) == [sid(2), sid(1), sid(0)]
        assert find(store, *filters, until_us=stored[2] - 1) == [sid(1), sid(0)]
        assert find(store, *filters, since_us=stored[1], until_us=stored[3], ascending=True) == [
            sid(2),
            sid(3),
        ]
        assert find(store, *filters, since_us=stored[3], until_us=stored[1]) == []
        assert find(store, *filters, since_us=stored[5]) == []
        assert find(store, *filters, until_us=stored[0] - 1) == []
        assert len(find(store, *filters, since_us=0, until_us=1 << 62, limit=2)) == 6


# --- pages --------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 3, 10, 11])
def test_paging_by_any_limit_gives_the_same_list(store, limit):
    add(store, *[make_statement(n, verb(), agent(f"a{n % 2}")) for n in range(10)])
    assert find(store, limit=limit) == [sid(n) for n in range(9, -1, -1)]
    assert find(store, limit=limit, ascending=True) == [sid(n) for n in range(10)]
    assert find(store, by(AGENT, "a1"), by(VERB, PASSED), limit=limit) == [sid(n) for n in (9, 7, 5, 3, 1)]


def test_more_is_none_when_the_page_ends_exactly_at_the_limit(store):
    add(store, *[make_statement(n, verb()) for n in range(4)])
    assert store.query_statements(StatementQuery(limit=4)).more is None
    assert store.query_statements(StatementQuery((by(VERB, PASSED),), limit=4)).more is None
    assert store.query_statements(StatementQuery(limit=3)).more is not None


def test_walk_neither_misses_nor_repeats_what_was_there_when_others_write_meanwhile(store):
    add(store, *[make_statement(n, verb()) for n in range(20)])
    for ascending in (False, True):
        seen, after, extra = [], None, 0
        while True:
            query = StatementQuery((by(VERB, PASSED),), limit=3, ascending=ascending, after=after)
            page = store.query_statements(query)
            seen += ids(page.statements)
            after = page.more
            if after is None or extra > 10:
                break
            extra += 1
            add(store, make_statement((ascending, extra), verb()))
        assert len(seen) == len(set(seen))
        assert [i for i in seen if i in {sid(n) for n in range(20)}] == [
            sid(n) for n in (range(20) if ascending else range(19, -1, -1))
        ]


# --- voiding ------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["target first", "voiding first", "one batch", "one batch, voiding first"])
def test_voided_statement_is_left_out_whichever_comes_first(store, order):
    target, voider = make_statement("t", verb(), agent("a")), voiding("v", of="t")
    batches = {
        "target first": [[target], [voider]],
        "voiding first": [[voider], [target]],
        "one batch": [[target, voider]],
        "one batch, voiding first": [[voider, target]],
    }
    for batch in batches[order]:
        add(store, *batch)
    assert store.find_statement(sid("t")).voided
    assert not store.find_statement(sid("v")).voided
    assert find(store) == [sid("v")]
    assert find(store, by(AGENT, "a")) == [sid("v")]
    assert find(store, by(VERB, VOIDED)) == [sid("v")]
    assert {entry.id: entry.voided for entry in log(store)} == {sid("t"): True, sid("v"): False}


@pytest.mark.parametrize("voider_first", [False, True])
def test_voiding_statement_is_never_voided(store, voider_first):
    add(store, make_statement("t", verb()))
    both = [voiding("v", of="t"), voiding("w", of="v")]
    for statement in reversed(both) if voider_first else both:
        add(store, statement)
    assert not store.find_statement(sid("v")).voided
    assert store.find_statement(sid("t")).voided
    assert set(find(store)) == {sid("v"), sid("w")}


def test_statement_that_voids_itself_is_not_voided(store):
    add(store, voiding("v", of="v"))
    assert not store.find_statement(sid("v")).voided


def test_reference_with_another_verb_voids_nothing(store):
    add(store, make_statement("t"), make_statement("r", verb(), target="t"))
    assert not store.find_statement(sid("t")).voided


def test_inherited_voided_verb_voids_nothing(store):
    add(
        store,
        make_statement("r", verb(), target="v"),
        voiding("v", of="r2"),
        make_statement("r2", target="v"),
    )
    assert not store.find_statement(sid("r")).voided
    assert store.find_statement(sid("r2")).voided


def test_page_is_filled_up_when_voided_statements_lie_between(store):
    add(store, *[make_statement(n, verb()) for n in range(12)])
    add(store, *[voiding(f"v{n}", of=n) for n in range(12) if n % 4])
    page = store.query_statements(StatementQuery((by(VERB, PASSED),), limit=3, ascending=True))
    assert ids(page.statements) == [sid(0), sid(4), sid(8)]
    assert len(find(store, by(VERB, PASSED), limit=2)) == 12


def test_voiding_the_same_statement_twice_is_kept_twice(store):
    add(store, make_statement("t"))
    add(store, voiding("v", of="t"))
    add(store, voiding("w", of="t"))
    assert store.find_statement(sid("t")).voided
    assert [entry.subject for entry in store.read_history(Position(0), 9).entries] == [sid("t")] * 2


# --- StatementRefs ------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["r,t", "t,r", "rt", "tr"])
def test_referring_statement_is_found_by_its_targets_facts_whichever_comes_first(store, order):
    made = {
        "t": make_statement("t", verb(), agent("a"), activity("c", primary=False)),
        "r": make_statement("r", target="t"),
    }
    for batch in order.split(","):
        add(store, *[made[name] for name in batch])
    assert set(find(store, by(AGENT, "a"))) == {sid("t"), sid("r")}
    assert set(find(store, by(ACTIVITY, "c", related=True))) == {sid("t"), sid("r")}
    assert find(store, by(ACTIVITY, "c")) == []


@pytest.mark.parametrize("order", ["0123", "3210", "1302", "0,1,2,3", "3,2,1,0", "2,0,3,1", "13,02"])
def test_facts_flow_up_a_whole_chain_in_any_order_of_arrival(store, order):
    chain = {
        "0": make_statement("0", agent("deep")),
        "1": make_statement("1", verb(PASSED), target="0"),
        "2": make_statement("2", agent("middle"), target="1"),
        "3": make_statement("3", agent("top"), target="2"),
    }
    for batch in order.split(","):
        add(store, *[chain[name] for name in batch])
    assert set(find(store, by(AGENT, "deep"))) == {sid(n) for n in range(4)}
    assert set(find(store, by(VERB, PASSED))) == {sid(n) for n in (1, 2, 3)}
    assert set(find(store, by(AGENT, "middle"))) == {sid(2), sid(3)}
    assert find(store, by(AGENT, "top")) == [sid(3)]


def test_filters_may_be_met_by_different_links_of_the_chain(store):
    add(
        store,
        make_statement("t", verb(PASSED), agent("a")),
        make_statement("r", verb(FAILED), agent("b"), target="t"),
    )
    assert find(store, by(AGENT, "a"), by(VERB, FAILED)) == [sid("r")]
    assert find(store, by(AGENT, "b"), by(VERB, PASSED)) == [sid("r")]
    assert find(store, by(AGENT, "a"), by(AGENT, "b")) == [sid("r")]
    assert find(store, by(AGENT, "a"), by(VERB, PASSED)) == [sid("r"), sid("t")]


def test_cycles_of_references_come_to_an_end(store):
    add(store, make_statement("self", agent("s"), target="self"))
    add(store, make_statement("x", agent("ax"), target="y"))
    add(store, make_statement("y", agent("ay"), target="z"))
    add(store, make_statement("z", agent("az"), target="x"))
    add(store, make_statement("above", target="x"))
    assert find(store, by(AGENT, "s")) == [sid("self")]
    for name in ("ax", "ay", "az"):
        assert find(store, by(AGENT, name)) == [sid("above"), sid("z"), sid("y"), sid("x")]


def test_client_is_not_inherited(store):
    add(store, make_statement("t", Fact(CLIENT, "theirs"), verb()))
    add(store, make_statement("r", Fact(CLIENT, "mine"), target="t"))
    add(
        store,
        make_statement("late", Fact(CLIENT, "mine"), target="u"),
        make_statement("u", Fact(CLIENT, "theirs")),
    )
    assert find(store, by(CLIENT, "theirs")) == [sid("u"), sid("t")]
    assert find(store, by(CLIENT, "mine")) == [sid("late"), sid("r")]
    assert find(store, by(CLIENT, "mine"), by(VERB, PASSED)) == [sid("r")]


@pytest.mark.parametrize("late", [False, True])
def test_primary_wins_when_a_fact_is_both_related_and_inherited_as_primary(store, late):
    referring = make_statement("r", activity("c", primary=False), target="t")
    target = make_statement("t", activity("c"))
    for statement in (referring, target) if late else (target, referring):
        add(store, statement)
    assert set(find(store, by(ACTIVITY, "c"))) == {sid("t"), sid("r")}
    found = find(store, by(ACTIVITY, "c", related=True), limit=1)
    assert sorted(found) == sorted([sid("t"), sid("r")])


@pytest.mark.parametrize("late", [False, True])
def test_own_primary_stays_when_it_is_inherited_as_related(store, late):
    referring = make_statement("r", activity("c"), target="t")
    target = make_statement("t", activity("c", primary=False))
    for statement in (referring, target) if late else (target, referring):
        add(store, statement)
    assert find(store, by(ACTIVITY, "c")) == [sid("r")]
    assert len(find(store, by(ACTIVITY, "c", related=True), limit=1)) == 2


def test_voided_target_is_matched_through_what_refers_to_it(engine, store):
    add(store, make_statement("t", verb(), agent("a")))
    engine.clock.move(1)
    add(store, voiding("v", of="t"))
    engine.clock.move(1)
    add(store, make_statement("r", target="t"))
    assert find(store, by(AGENT, "a")) == [sid("r"), sid("v")]
    assert find(store, by(AGENT, "a"), limit=1)[0] == sid("r")
    stored = {entry.id: entry.stored_at_us for entry in log(store)}
    assert find(store, by(AGENT, "a"), since_us=stored[sid("v")]) == [sid("r")]
    assert find(store, by(AGENT, "a"), until_us=stored[sid("t")]) == []


def test_many_referring_statements_are_all_found_when_their_target_is_late(store):
    for part in range(4):
        add(store, *[make_statement((part, n), target="t") for n in range(25)])
    add(store, make_statement("t", agent("a")))
    found = find(store, by(AGENT, "a"), limit=9)
    assert found == [sid("t"), *(sid((part, n)) for part in (3, 2, 1, 0) for n in range(24, -1, -1))]


@pytest.mark.parametrize("order", ["up", "down", "one batch"])
def test_facts_flow_through_so_many_links_and_no_more(store, order):
    chain = [make_statement(0, agent("deep"))]
    chain += [make_statement(n, target=n - 1) for n in range(1, MOST_LINKS + 3)]
    if order == "one batch":
        add(store, *chain)
    else:
        for statement in chain if order == "up" else reversed(chain):
            add(store, statement)
    assert set(find(store, by(AGENT, "deep"))) == {sid(n) for n in range(MOST_LINKS + 1)}


@pytest.mark.parametrize("late", [False, True])
def test_facts_flow_up_to_their_bound_and_no_more(store, late):
    crowd = [agent(str(n)) for n in range(MOST_INHERITED_FACTS - 1)]
    full = [make_statement("full", *crowd, target="last"), make_statement("last", verb(), target="beyond")]
    chain = [make_statement("r", target="full"), *full, make_statement("beyond", agent("beyond"))]
    for statement in chain if late else reversed(chain):
        add(store, statement)
    assert set(find(store, by(VERB, PASSED))) == {sid("r"), sid("full"), sid("last")}
    assert set(find(store, by(AGENT, "beyond"))) == {sid("full"), sid("last"), sid("beyond")}


@pytest.mark.lasting
def test_long_chain_is_taken_in_one_batch_and_its_target_after_it(store):
    add(store, *[make_statement(n, agent(f"a{n}"), verb(str(n % 7)), target=n - 1) for n in range(1, 400)])
    add(store, make_statement(0, agent("a0")))
    for number in (0, 1, 200, 390):
        found = range(number, min(400, number + MOST_LINKS + 1))
        assert set(find(store, by(AGENT, f"a{number}"))) == {sid(n) for n in found}


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
