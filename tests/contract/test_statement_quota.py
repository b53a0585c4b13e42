"""How many statements there are, and how many there may be, on each engine."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import QuotaExceeded, StatementConflict
from lrs.stores import Stores
from lrs.xapi.ports import Batch, StatementStore
from tests.contract.builders import make_statement
from tests.engines import Engine

SCHOOL = InstitutionHandle(InstitutionId("school0001"))
MUSEUM = InstitutionHandle(InstitutionId("museum0001"))


def add(store: StatementStore, *ids: str, quota: int = 0) -> int:
    """Add statements; returns how many were new."""
    batch = Batch([make_statement(id_) for id_ in ids], "key-1", (), quota)
    return len(store.add_statements(batch).stored)


def fresh(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


def school_of(stores: Stores) -> StatementStore:
    return stores.records.statements(SCHOOL)


def test_every_new_statement_counts_once_and_in_its_own_institution(engine: Engine) -> None:
    stores = engine.open()
    school, museum = school_of(stores), stores.records.statements(MUSEUM)
    assert school.count_statements() == 0
    first = fresh(3)
    add(school, *first)
    add(school, *first[:2], *fresh(1))
    add(museum, *first)
    assert (school.count_statements(), museum.count_statements()) == (4, 3)


def test_a_batch_that_was_refused_does_not_count(engine: Engine) -> None:
    school = school_of(engine.open())
    known = fresh(1)[0]
    add(school, known)
    other = make_statement(known, content="another")
    with pytest.raises(StatementConflict):
        school.add_statements(Batch([make_statement(fresh(1)[0]), other], "key-1"))
    assert school.count_statements() == 1


def test_the_count_is_there_when_the_store_is_opened_again(engine: Engine) -> None:
    first = engine.open()
    add(school_of(first), *fresh(5))
    first.close()
    assert school_of(engine.open()).count_statements() == 5


def test_the_count_goes_on_when_nobody_wrote_for_a_while(engine: Engine) -> None:
    """Reading the instant may write an empty segment, which holds nothing."""
    school = school_of(engine.open())
    add(school, *fresh(2))
    engine.clock.move(60)
    school.consistent_through()
    add(school, *fresh(1))
    assert school.count_statements() == 3


def test_a_batch_fits_up_to_the_last_statement_and_not_beyond(engine: Engine) -> None:
    school = school_of(engine.open())
    add(school, *fresh(6), quota=10)
    with pytest.raises(QuotaExceeded) as refused:
        add(school, *fresh(5), quota=10)
    assert refused.value.facts == {"held": 6, "brought": 5, "quota": 10}
    assert school.count_statements() == 6
    add(school, *fresh(4), quota=10)
    with pytest.raises(QuotaExceeded):
        add(school, *fresh(1), quota=10)
    assert add(school, *fresh(1), quota=11) == 1
    assert add(school, *fresh(1)) == 1


def test_what_is_there_already_fits_when_the_quota_is_used_up(engine: Engine) -> None:
    school = school_of(engine.open())
    ids = fresh(3)
    add(school, *ids, quota=3)
    assert add(school, *ids, quota=3) == 0
    assert add(school, *ids, quota=1) == 0
    with pytest.raises(QuotaExceeded):
        add(school, *ids, *fresh(1), quota=3)


def test_nothing_of_a_refused_batch_is_kept(engine: Engine) -> None:
    school = school_of(engine.open())
    ids = fresh(2)
    with pytest.raises(QuotaExceeded):
        add(school, *ids, quota=1)
    assert [school.find_statement(make_statement(id_).id) for id_ in ids] == [None, None]
    assert add(school, ids[0], quota=1) == 1


def test_exactly_the_quota_is_kept_when_many_write_at_once(engine: Engine) -> None:
    opened = [engine.open() for _ in range(2)]
    begin = threading.Barrier(6)

    def write(number: int) -> int:
        school = school_of(opened[number % 2])
        begin.wait()
        kept = 0
        for _ in range(8):
            try:
                kept += add(school, *fresh(2), quota=51)
            except QuotaExceeded:
                continue
        return kept

    with ThreadPoolExecutor(6) as pool:
        kept = sum(pool.map(write, range(6)))
    assert kept == 50
    assert school_of(engine.open()).count_statements() == 50
