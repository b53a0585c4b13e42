"""Nothing that becomes visible later has a ``stored`` at or before an instant once given.

Spec: xAPI 1.0.3 Communication 2.1.3 (X-Experience-API-Consistent-Through).
"""

import threading

from lrs.xapi.ports import StatementQuery
from tests.contract.builders import SCHOOL, add, log, make_statement, walk
from tests.engines import Engine, HandClock

SECOND = 1_000_000


def stored_of(store, name):
    add(store, make_statement(name))
    return log(store)[-1].stored_at_us


def test_instant_moves_with_the_clock_when_nothing_is_ever_written(engine: Engine):
    store = engine.open().records.statements(SCHOOL)
    for _ in range(3):
        engine.clock.move(60)
        assert engine.clock.now_us - SECOND <= store.consistent_through() <= engine.clock.now_us


def test_instant_moves_with_the_clock_when_nothing_more_is_written(engine: Engine):
    store = engine.open().records.statements(SCHOOL)
    stored = stored_of(store, "a")
    engine.clock.move(60)
    assert store.consistent_through() >= max(stored, engine.clock.now_us - SECOND)


def test_stored_lies_behind_every_instant_given_when_the_clock_stands(engine: Engine):
    store = engine.open().records.statements(SCHOOL)
    for n in range(20):
        given = store.consistent_through()
        assert stored_of(store, n) > given


def test_instant_covers_what_was_stored_when_the_clock_stands(engine: Engine):
    store = engine.open().records.statements(SCHOOL)
    for n in range(5):
        stored = stored_of(store, n)
        engine.clock.move(0.01)
        assert store.consistent_through() >= stored


def test_stored_lies_behind_every_instant_given_when_the_clock_is_set_back(engine: Engine):
    store = engine.open().records.statements(SCHOOL)
    before = stored_of(store, "a")
    given = store.consistent_through()
    engine.clock.move(-3600)
    after = stored_of(store, "b")
    assert after > max(before, given)
    assert store.consistent_through() >= given


def test_stored_lies_behind_every_instant_given_by_another_process(engine: Engine):
    ahead, behind = HandClock(engine.clock.now_us + 50 * SECOND), HandClock(engine.clock.now_us - 50 * SECOND)
    first = engine.open(clock=ahead).records.statements(SCHOOL)
    second = engine.open(clock=behind).records.statements(SCHOOL)
    for n in range(6):
        given = max(first.consistent_through(), second.consistent_through())
        assert stored_of(second if n % 2 else first, n) > given
        behind.move(-1)


def test_instant_holds_when_the_store_was_closed_and_the_clock_set_back(engine: Engine):
    stores = engine.open()
    stored = stored_of(stores.records.statements(SCHOOL), "a")
    stores.close()
    engine.clock.move(-3600)
    store = engine.open().records.statements(SCHOOL)
    given = store.consistent_through()
    assert stored_of(store, "b") > max(stored, given)


def test_page_up_to_the_instant_is_final_while_others_write_with_clocks_that_jump(engine: Engine):
    clocks = [HandClock(engine.clock.now_us), HandClock(engine.clock.now_us + 5 * SECOND)]
    stores = [engine.open(clock=clock).records.statements(SCHOOL) for clock in clocks]
    done = threading.Event()

    def write(n: int) -> None:
        for m in range(25):
            clocks[n % 2].move(0.003 if m % 5 else -0.01)
            add(stores[n % 2], *[make_statement((n, m, part)) for part in range(1 + m % 3)])

    promised: list[tuple[int, set[str]]] = []

    def read() -> None:
        reader = stores[1]
        while not done.is_set():
            instant = reader.consistent_through()
            page = walk(reader, StatementQuery(until_us=instant, limit=1000))
            promised.append((instant, {entry.id for entry in page}))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    try:
        for thread in writers:
            thread.join()
    finally:
        done.set()
        reader.join()
    entries = log(stores[0])
    assert len(entries) == sum(1 + m % 3 for m in range(25)) * 4
    assert promised
    for instant, seen in promised[:: max(1, len(promised) // 200)]:
        assert seen == {entry.id for entry in entries if entry.stored_at_us <= instant}
