"""What every engine promises about statements: the voided ones."""

import pytest

from lrs.xapi.ports import Position, StatementQuery
from tests.contract.builders import (
    AGENT,
    PASSED,
    VERB,
    VOIDED,
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
)


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
