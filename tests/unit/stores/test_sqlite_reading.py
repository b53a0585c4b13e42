"""Reading from the embedded engine: hashes that collide, plans, connections, facts still to be handed on."""

import threading

import apsw
import pytest

from lrs.access.model import KeyId
from lrs.stores.sqlite.spreading import Abandoned
from lrs.xapi.ports import StatementQuery
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
    make_statement,
    sid,
    verb,
    voiding,
)


@pytest.mark.parametrize("bits", [0, 1, 3])
def test_collisions_of_hashes_are_harmless(open_stores, monkeypatch, bits):
    from lrs.stores.sqlite import rows

    real, real_id = rows.term_hash, rows.RowCodec.id_hash
    mask = (1 << bits) - 1
    monkeypatch.setattr(rows, "term_hash", lambda *parts: real(*parts) & mask)
    monkeypatch.setattr(rows.RowCodec, "id_hash", lambda codec, identity: real_id(codec, identity) & mask)
    records = open_stores().records
    store, other = records.statements(SCHOOL), records.statements(MUSEUM)
    for n in range(30):
        target = n + 100 if n % 5 == 0 else None
        facts = [agent(f"a{n % 7}"), verb(f"v{n % 2}"), agent("all", primary=False)]
        add(store, make_statement(n, *facts, target=target))
        add(other, make_statement(n, agent(f"a{n % 3}")))
    add(store, make_statement(105, agent("late")), voiding("v", of=3))
    assert find(store, by(AGENT, "a3"), limit=2) == [sid(n) for n in ("v", 24, 17, 10)]
    everyone = [sid(n) for n in ("v", *range(29, -1, -1)) if n != 3]
    assert find(store, by(AGENT, "all", related=True), limit=7) == everyone
    assert find(store, by(AGENT, "all")) == []
    assert find(store, by(AGENT, "a3"), by(VERB, "v0"), limit=1) == [sid(24), sid(10)]
    assert find(store, by(AGENT, "late"), ascending=True) == [sid(5), sid(105)]
    assert find(store, by(AGENT, "nobody")) == []
    assert find(other, by(AGENT, "a0"), limit=3) == [sid(n) for n in range(27, -1, -3)]
    assert store.find_statement(sid(3)).voided
    assert not other.find_statement(sid(3)).voided


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize(
    "filters",
    [
        (),
        (by(VERB, PASSED),),
        (by(AGENT, "a", related=True),),
        (by(AGENT, "a", related=True), by(VERB, PASSED)),
        (by(AGENT, "a"), by(VERB, PASSED, related=True)),
    ],
)
def test_plan_of_a_page_has_no_sort_and_no_scan(open_stores, filters, ascending):
    from lrs.stores.sqlite.query import PageReader

    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, make_statement("a", verb(), agent("a")))
    with stores.readers.snapshot() as database:
        reader = PageReader(database, store._codec, 1, StatementQuery(filters, ascending=ascending))
        values = {"tenant": 1, "low": 1, "high": 9, "limit": 5, "h0": 1, "h1": 2}
        plan = [row[-1] for row in database.execute(f"EXPLAIN QUERY PLAN {reader._sql}", values)]
    assert plan
    assert not [step for step in plan if "TEMP B-TREE" in step]
    assert not [step for step in plan if step.startswith("SCAN") and not step.startswith("SCAN CONSTANT")], (
        plan
    )


def test_ends_of_the_log_are_found_without_a_scan(open_stores):
    from lrs.stores.sqlite.query import ENDS

    with open_stores().readers.snapshot() as database:
        plan = [row[-1] for row in database.execute(f"EXPLAIN QUERY PLAN {ENDS}")]
        assert database.execute(ENDS).fetchall() == [(1, 0)]
    assert [step for step in plan if step.startswith("SEARCH stmt")]
    assert not [step for step in plan if step.startswith("SCAN stmt")]


def test_page_is_filled_up_over_the_bounds_of_lots(open_stores):
    store = open_stores(lot_size=4).records.statements(SCHOOL)
    add(store, *[make_statement(n, verb(), agent(f"a{n % 3}")) for n in range(50)])
    assert find(store, by(AGENT, "a0"), limit=5) == [sid(n) for n in range(48, -1, -3)]
    assert find(store, by(AGENT, "a0"), by(VERB, PASSED), ascending=True) == [sid(n) for n in range(0, 50, 3)]


def test_connection_of_a_thread_is_gone_with_the_thread(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    for _ in range(20):
        thread = threading.Thread(target=lambda: store.query_statements(StatementQuery()))
        thread.start()
        thread.join()
    assert len(list(stores.readers._all)) <= 2


def test_what_a_process_left_to_hand_on_is_finished_by_the_one_that_maintains_the_store(
    open_stores, monkeypatch
):
    monkeypatch.setattr("lrs.stores.sqlite.statements.finish_spread", lambda *_: None)
    store = open_stores().records.statements(SCHOOL)
    add(store, *[make_statement(n, verb(), target="t") for n in range(2000)])
    add(store, make_statement("t", *[agent(f"a{n}") for n in range(20)]))
    expected = {sid("t"), *(sid(n) for n in range(2000))}
    partly = set(find(store, by(AGENT, "a7"), limit=1000))
    assert partly < expected
    assert len(partly) > 100
    other = open_stores()
    notes = "SELECT name FROM meta WHERE name GLOB 'spread:*'"
    abandoned = Abandoned(other.writer, lambda one: other.records.place(one).codec, 16, patience_seconds=0)
    abandoned.look(other.readers.get())
    assert set(find(store, by(AGENT, "a7"), limit=1000)) == expected
    assert not other.readers.get().execute(notes).fetchall()


def test_no_query_is_planned_anew_when_another_value_is_bound(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    add(store, *[make_statement(name, verb(), agent(f"mbox mailto:{name}@example.org")) for name in "abc"])
    planned = []

    def ask(name: str) -> None:
        assert store.find_statement(sid(name)) is not None
        assert len(find(store, by(VERB, PASSED), by(AGENT, f"mbox mailto:{name}@example.org"))) == 1
        assert stores.access.find_credential(KeyId(name)) is None

    def authorize(*action: object) -> int:
        # Who plans asks what it may do.
        planned.append(action)
        return apsw.SQLITE_OK

    stores.readers.get().authorizer = authorize
    ask("a")
    assert planned
    planned.clear()
    ask("b")
    ask("c")
    assert planned == []


def test_what_a_group_of_single_statements_needs_is_planned_once_however_many_rows_it_writes(open_stores):
    stores = open_stores()
    store = stores.records.statements(SCHOOL)
    planned = []

    def authorize(*action: object) -> int:
        planned.append(action)
        return apsw.SQLITE_OK

    def write_group(group: str) -> None:
        facts = [agent(f"mbox mailto:{n}@example.org") for n in range(10)]
        add(store, *[make_statement(f"{group}{n}", verb(), *facts) for n in range(20)])

    stores.writer._database.authorizer = authorize
    write_group("a")
    write_group("b")
    assert planned
    planned.clear()
    write_group("c")
    assert planned == []
