"""The promises of ArrivalStore, on each engine; receipts come from add_statements."""

import uuid
from collections.abc import Iterable
from dataclasses import replace

import pytest

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import Problem, StatementConflict
from lrs.stores import Stores
from lrs.xapi.ports import Batch, Fact, FactKind, PreparedStatement, StatementId
from lrs.xapi.ports.arrivals import ArrivalStore, Receipt, ReceiptCount, Refusal, RefusalCount
from tests.engines import Engine

SCHOOL = InstitutionHandle(InstitutionId("school0001"))
MUSEUM = InstitutionHandle(InstitutionId("museum0001"))
DAY_SECONDS = 86_400
DAY_US = DAY_SECONDS * 1_000_000


def _id(number: int) -> StatementId:
    return StatementId(str(uuid.UUID(int=number)))


def _batch(numbers: Iterable[int], source: str = "key-1", content: int = 1) -> Batch:
    facts = (Fact(FactKind.VERB, "http://verbs.example/did"),)
    statements = [
        PreparedStatement(_id(number), bytes([content]) * 16, facts, b'{"packed":true}') for number in numbers
    ]
    return Batch(statements, source)


def _refusal(number: int, at_us: int, source: str = "key-1") -> Refusal:
    problem = Problem("/0/verb", "verb.id", f"Problem {number} «ü».", "xAPI 1.0.3 Data 2.4.3")
    return Refusal(
        source=source,
        error_id=f"error-{number}",
        at_us=at_us,
        method="POST",
        status=400,
        code="invalid-statement",
        detail=f"Refused {number}.",
        problems=(problem, Problem("", "body", "Second.")),
        problem_count=7,
        body_bytes=5_000_000_000,
    )


@pytest.fixture
def stores(engine: Engine) -> Stores:
    return engine.open()


@pytest.fixture
def arrivals(stores: Stores) -> ArrivalStore:
    return stores.records.arrivals(SCHOOL)


def _post(stores: Stores, batch: Batch, handle: InstitutionHandle = SCHOOL) -> None:
    stores.records.statements(handle).add_statements(batch)


def _counts(receipts: Iterable[Receipt]) -> list[tuple[int, int, str]]:
    return [(receipt.stored, receipt.already, receipt.first_id) for receipt in receipts]


def test_nothing_is_listed_when_nothing_arrived(arrivals: ArrivalStore) -> None:
    assert list(arrivals.list_receipts("key-1", 10)) == []
    assert list(arrivals.list_refusals("key-1", 10)) == []


def test_receipt_says_how_many_statements_were_mended(stores: Stores) -> None:
    _post(stores, replace(_batch([1, 2, 3]), corrected=2))
    (receipt,) = stores.records.arrivals(SCHOOL).list_receipts("key-1", 10)
    assert receipt.corrected == 2


def test_receipt_says_what_became_of_a_batch_when_it_was_stored(engine: Engine, stores: Stores) -> None:
    _post(stores, _batch([1, 2, 3]))
    (receipt,) = stores.records.arrivals(SCHOOL).list_receipts("key-1", 10)
    assert receipt == Receipt("key-1", receipt.at_us, 3, 0, _id(1))
    assert abs(receipt.at_us - engine.clock()) < 1_000_000


def test_receipts_stand_newest_first_when_batches_bring_new_and_known_statements(
    stores: Stores, arrivals: ArrivalStore
) -> None:
    _post(stores, _batch([1, 2]))
    _post(stores, _batch([2, 3]))
    _post(stores, _batch([3]))
    _post(stores, _batch([4]))
    assert _counts(arrivals.list_receipts("key-1", 10)) == [
        (1, 0, _id(4)),
        (0, 1, _id(3)),
        (1, 1, _id(2)),
        (2, 0, _id(1)),
    ]


def test_receipts_are_cut_to_the_limit_when_there_are_more(stores: Stores, arrivals: ArrivalStore) -> None:
    for number in range(1, 6):
        _post(stores, _batch([number]))
    assert _counts(arrivals.list_receipts("key-1", 2)) == [(1, 0, _id(5)), (1, 0, _id(4))]


def test_no_receipt_is_written_when_a_batch_conflicts(stores: Stores, arrivals: ArrivalStore) -> None:
    _post(stores, _batch([1]))
    with pytest.raises(StatementConflict):
        _post(stores, _batch([2, 1], content=2))
    assert _counts(arrivals.list_receipts("key-1", 10)) == [(1, 0, _id(1))]


def test_receipts_stay_with_their_source_and_institution_when_others_post(
    stores: Stores, arrivals: ArrivalStore
) -> None:
    _post(stores, _batch([1]))
    _post(stores, _batch([2], source="import"))
    _post(stores, _batch([3]), MUSEUM)
    assert _counts(arrivals.list_receipts("key-1", 10)) == [(1, 0, _id(1))]
    assert _counts(arrivals.list_receipts("import", 10)) == [(1, 0, _id(2))]
    assert _counts(stores.records.arrivals(MUSEUM).list_receipts("key-1", 10)) == [(1, 0, _id(3))]


def test_receipts_are_seen_by_every_process_when_one_wrote_them(engine: Engine) -> None:
    one, other = engine.open(), engine.open()
    _post(one, _batch([1]))
    _post(other, _batch([2]))
    expected = [(1, 0, _id(2)), (1, 0, _id(1))]
    assert _counts(one.records.arrivals(SCHOOL).list_receipts("key-1", 10)) == expected
    assert _counts(other.records.arrivals(SCHOOL).list_receipts("key-1", 10)) == expected


def test_only_the_latest_receipts_are_shown_when_a_source_has_more_than_are_kept(engine: Engine) -> None:
    stores = engine.open(arrivals_kept=3)
    for number in range(1, 8):
        _post(stores, _batch([number]))
    _post(stores, _batch([100], source="quiet"))
    arrivals = stores.records.arrivals(SCHOOL)
    assert _counts(arrivals.list_receipts("key-1", 50)) == [(1, 0, _id(n)) for n in (7, 6, 5)]
    assert _counts(arrivals.list_receipts("quiet", 50)) == [(1, 0, _id(100))]


def test_receipts_are_not_shown_when_they_are_past_their_days(engine: Engine) -> None:
    stores = engine.open(arrivals_days=2)
    _post(stores, _batch([1]))
    engine.clock.move(2 * DAY_SECONDS - 60)
    _post(stores, _batch([2]))
    arrivals = stores.records.arrivals(SCHOOL)
    assert _counts(arrivals.list_receipts("key-1", 10)) == [(1, 0, _id(2)), (1, 0, _id(1))]
    engine.clock.move(120)
    assert _counts(arrivals.list_receipts("key-1", 10)) == [(1, 0, _id(2))]


def test_statements_stay_when_their_receipts_are_gone(engine: Engine) -> None:
    stores = engine.open(arrivals_kept=1, arrivals_days=1)
    for number in range(1, 4):
        _post(stores, _batch([number]))
    engine.clock.move(3 * DAY_SECONDS)
    _post(stores, _batch([4]))
    statements = stores.records.statements(SCHOOL)
    assert all(statements.find_statement(_id(number)) for number in range(1, 5))


def test_refusal_comes_back_as_it_was_kept_when_listed(engine: Engine, arrivals: ArrivalStore) -> None:
    refusal = _refusal(1, engine.clock())
    arrivals.add_refusal(refusal)
    assert list(arrivals.list_refusals("key-1", 10)) == [refusal]


def test_refusals_stand_newest_first_and_cut_when_there_are_many(
    engine: Engine, arrivals: ArrivalStore
) -> None:
    for number in range(5):
        arrivals.add_refusal(_refusal(number, engine.clock()))
        engine.clock.move(1)
    found = [refusal.error_id for refusal in arrivals.list_refusals("key-1", 3)]
    assert found == ["error-4", "error-3", "error-2"]


def test_refusals_stand_in_reverse_order_of_keeping_when_their_moment_is_one(
    engine: Engine, arrivals: ArrivalStore
) -> None:
    for number in range(3):
        arrivals.add_refusal(_refusal(number, engine.clock()))
    found = [refusal.error_id for refusal in arrivals.list_refusals("key-1", 10)]
    assert found == ["error-2", "error-1", "error-0"]


def test_refusals_stay_with_their_source_and_institution_when_others_are_refused(
    engine: Engine, stores: Stores, arrivals: ArrivalStore
) -> None:
    arrivals.add_refusal(_refusal(1, engine.clock()))
    arrivals.add_refusal(_refusal(2, engine.clock(), source="other"))
    stores.records.arrivals(MUSEUM).add_refusal(_refusal(3, engine.clock()))
    assert [one.error_id for one in arrivals.list_refusals("key-1", 10)] == ["error-1"]
    assert [one.error_id for one in arrivals.list_refusals("other", 10)] == ["error-2"]
    assert list(arrivals.list_receipts("key-1", 10)) == []


def test_only_the_latest_refusals_are_shown_when_a_source_has_more_than_are_kept(engine: Engine) -> None:
    arrivals = engine.open(arrivals_kept=4).records.arrivals(SCHOOL)
    arrivals.add_refusal(_refusal(999, engine.clock(), source="quiet"))
    for number in range(130):
        arrivals.add_refusal(_refusal(number, engine.clock()))
        engine.clock.move(1)
    found = [refusal.error_id for refusal in arrivals.list_refusals("key-1", 500)]
    assert found == ["error-129", "error-128", "error-127", "error-126"]
    assert [one.error_id for one in arrivals.list_refusals("quiet", 500)] == ["error-999"]


def test_refusals_are_not_shown_when_they_are_past_their_days(engine: Engine) -> None:
    arrivals = engine.open(arrivals_days=1).records.arrivals(SCHOOL)
    arrivals.add_refusal(_refusal(1, engine.clock()))
    engine.clock.move(DAY_SECONDS + 1)
    arrivals.add_refusal(_refusal(2, engine.clock()))
    assert [one.error_id for one in arrivals.list_refusals("key-1", 10)] == ["error-2"]


def test_the_latest_refusals_of_all_sources_are_listed_when_no_source_is_named(
    engine: Engine, stores: Stores, arrivals: ArrivalStore
) -> None:
    stores.records.arrivals(MUSEUM).add_refusal(_refusal(99, engine.clock()))
    kept = []
    for number in range(6):
        kept.append(_refusal(number, engine.clock(), source=f"key-{number % 3}"))
        arrivals.add_refusal(kept[-1])
        engine.clock.move(1)
    assert list(arrivals.list_refusals(None, 4)) == kept[:1:-1]
    assert list(arrivals.list_refusals(None, 400)) == kept[::-1]


def _count_all(arrivals: ArrivalStore, sources: Iterable[str], after_us: int) -> list[ReceiptCount]:
    """Count what is listed, one by one."""
    groups: dict[tuple[str, int], list[Receipt]] = {}
    for source in sources:
        for receipt in arrivals.list_receipts(source, 1000):
            groups.setdefault((source, receipt.at_us // DAY_US), []).append(receipt)
    return [
        ReceiptCount(
            *key,
            len(found),
            sum(one.stored for one in found),
            sum(one.already for one in found),
            sum(one.corrected for one in found),
            max(one.at_us for one in found),
            sum(one.at_us > after_us for one in found),
        )
        for key, found in sorted(groups.items())
    ]


def test_what_is_listed_is_what_is_counted_of_posts(engine: Engine) -> None:
    stores = engine.open(arrivals_kept=5, arrivals_days=4)
    arrivals = stores.records.arrivals(SCHOOL)
    assert list(arrivals.count_receipts(0)) == []
    sources = ("busy", "quiet", "import")
    _post(stores, _batch([900]), MUSEUM)
    for number in range(1, 24):
        source = sources[0 if number % 2 else number % 3]
        _post(stores, replace(_batch([number, number + 1], source), corrected=number % 3))
        engine.clock.move(DAY_SECONDS * 0.3)
    engine.clock.move(-DAY_SECONDS)
    after_us = engine.clock()
    engine.clock.move(DAY_SECONDS)
    counted = sorted(arrivals.count_receipts(after_us))
    assert counted == _count_all(arrivals, sources, after_us)
    assert {one.source for one in counted} == set(sources)
    assert sum(one.posts for one in counted if one.source == "busy") == 5
    assert 0 < sum(one.later for one in counted) < sum(one.posts for one in counted)


def test_what_is_listed_is_what_is_counted_of_refusals(engine: Engine) -> None:
    stores = engine.open(arrivals_kept=4, arrivals_days=3)
    arrivals = stores.records.arrivals(SCHOOL)
    assert list(arrivals.count_refusals()) == []
    stores.records.arrivals(MUSEUM).add_refusal(_refusal(99, engine.clock()))
    ways = (("POST", 400), ("LINES", 200), ("POST", 403))
    for number in range(20):
        source = "quiet" if number % 5 == 4 else "busy"
        method, status = ways[number % 3]
        refusal = _refusal(number, engine.clock(), source)
        arrivals.add_refusal(replace(refusal, method=method, status=status))
        engine.clock.move(DAY_SECONDS * 0.2)
    listed = [one for source in ("busy", "quiet") for one in arrivals.list_refusals(source, 1000)]
    alike: dict[tuple[str, int, str, int], list[int]] = {}
    for one in listed:
        alike.setdefault((one.source, one.at_us // DAY_US, one.method, one.status), []).append(one.at_us)
    assert sorted(arrivals.count_refusals()) == [
        RefusalCount(*key, len(found), max(found)) for key, found in sorted(alike.items())
    ]
    assert len(listed) == 4 + 3


def test_refusals_are_there_when_the_store_is_opened_again(engine: Engine) -> None:
    first = engine.open()
    refusal = _refusal(1, engine.clock())
    first.records.arrivals(SCHOOL).add_refusal(refusal)
    first.close()
    assert list(engine.open().records.arrivals(SCHOOL).list_refusals("key-1", 10)) == [refusal]
