"""What every engine promises about statements: found by what they refer to. Spec: xAPI 1.0.3 2.1.4."""

import pytest

from lrs.xapi.ports import MOST_INHERITED_FACTS, MOST_LINKS
from tests.contract.builders import (
    ACTIVITY,
    AGENT,
    CLIENT,
    FAILED,
    PASSED,
    VERB,
    Fact,
    activity,
    add,
    agent,
    by,
    find,
    log,
    make_statement,
    sid,
    verb,
    voiding,
)


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
