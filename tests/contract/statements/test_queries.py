"""What every engine promises about statements: filters and pages."""

import pytest

from lrs.xapi.ports import StatementQuery
from tests.contract.builders import (
    ACTIVITY,
    AGENT,
    CLIENT,
    FAILED,
    PASSED,
    REGISTRATION,
    VERB,
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
)

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
