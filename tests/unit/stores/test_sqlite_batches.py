"""Batches that share a transaction are written together; each gets the verdict that it would get alone."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrs.errors import LrsError, QuotaExceeded, StatementConflict
from lrs.stores import StoreOptions
from lrs.stores.sqlite.batches import BatchWork, Kept
from lrs.stores.sqlite.locks import WriteLock
from lrs.stores.sqlite.stores import SqliteStores
from lrs.xapi.ports import Batch, BatchOutcome, PreparedStatement
from tests.contract.builders import MUSEUM, SCHOOL, VERB, by, find, log, make_statement, sid, verb, voiding
from tests.engines import HandClock


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqliteStores]:
    opened = SqliteStores.open(str(tmp_path / "lrs.db"), StoreOptions(HandClock(), os.urandom, durable=False))
    yield opened
    opened.close()


def keep_together(stores: SqliteStores, *batches: Batch) -> list[Kept | LrsError]:
    place = stores.records.place(SCHOOL.institution_id)
    works = [
        BatchWork(batch, [place.codec.encode(one) for one in batch.statements], (), place)
        for batch in batches
    ]
    return stores.writer.run(lambda write: works[0].do_all(write, works))


def batch(*statements: PreparedStatement, source: str = "key", quota: int = 0) -> Batch:
    return Batch(statements, source, quota=quota)


def stored(*indexes: int) -> Kept:
    return Kept(BatchOutcome(indexes, ()))


def test_each_gets_its_own_verdict_when_they_contradict_each_other(stores):
    first, second = make_statement("a", verb()), make_statement("a", verb(), content="other")
    kept = keep_together(
        stores,
        batch(first),
        batch(make_statement("b", verb()), second),
        batch(first, make_statement("c", verb())),
        batch(second),
        batch(),
    )
    assert kept[0] == stored(0)
    assert isinstance(kept[1], StatementConflict)
    assert kept[1].indexes == (1,)
    assert kept[2] == Kept(BatchOutcome((1,), (0,)))
    assert isinstance(kept[3], StatementConflict)
    assert kept[4] == stored()
    store = stores.records.statements(SCHOOL)
    assert find(store, by(VERB, verb().value)) == [sid("c"), sid("a")]
    assert [one.id for one in log(store)] == [sid("a"), sid("c")]
    assert store.count_statements() == 2


def test_a_quota_counts_what_was_accepted_before_in_the_same_transaction(stores):
    keep_together(stores, batch(make_statement("there")))
    kept = keep_together(
        stores,
        batch(make_statement("a")),
        batch(make_statement("b"), make_statement("c"), quota=3),
        batch(make_statement("d"), quota=3),
        batch(make_statement("a"), quota=3),
        batch(make_statement("e"), quota=3),
        batch(make_statement("f")),
    )
    assert isinstance(kept[1], QuotaExceeded)
    assert kept[2] == stored(0)
    assert kept[3] == Kept(BatchOutcome((), (0,)))
    assert isinstance(kept[4], QuotaExceeded)
    assert [one.id for one in log(stores.records.statements(SCHOOL))] == [
        sid(name) for name in ("there", "a", "d", "f")
    ]


def test_each_accepted_batch_has_its_receipt_in_order(stores):
    keep_together(
        stores,
        batch(make_statement("a"), source="one"),
        batch(make_statement("b"), make_statement("c"), source="two"),
        batch(make_statement("a", content="other"), source="one"),
        batch(make_statement("d"), make_statement("a"), source="one"),
    )
    arrivals = stores.records.arrivals(SCHOOL)
    receipts = {source: arrivals.list_receipts(source, 9) for source in ("one", "two")}
    assert [(one.first_id, one.stored, one.already) for one in receipts["one"]] == [
        (sid("d"), 1, 1),
        (sid("a"), 1, 0),
    ]
    assert [(one.first_id, one.stored) for one in receipts["two"]] == [(sid("b"), 2)]


def test_a_statement_and_what_is_about_it_may_come_in_batches_of_one_transaction(stores):
    keep_together(
        stores,
        batch(make_statement("about", target="target")),
        batch(voiding("void", "gone")),
        batch(make_statement("target", verb())),
        batch(make_statement("gone", verb())),
    )
    store = stores.records.statements(SCHOOL)
    assert find(store, by(VERB, verb().value)) == [sid("target"), sid("void"), sid("about")]
    assert [one.id for one in log(store) if one.voided] == [sid("gone")]


def test_those_who_wait_at_the_same_time_share_a_transaction_and_not_their_verdicts(stores, tmp_path):
    others = WriteLock(str(tmp_path / "lrs.db"))
    assert others.acquire(lambda: True)
    told: dict[str, object] = {}

    def add(name: str, content: str) -> None:
        store = stores.records.statements(MUSEUM if name == "m" else SCHOOL)
        try:
            told[f"{name} {content}"] = store.add_statements(batch(make_statement(name, content=content)))
        except LrsError as error:
            told[f"{name} {content}"] = error

    threads = [
        threading.Thread(target=add, args=(name, content)) for name in "abm" for content in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    others.release()
    for thread in threads:
        thread.join()
    others.close()
    for name in "abm":
        verdicts = [told[f"{name} {content}"] for content in ("one", "two")]
        assert sorted(type(one).__name__ for one in verdicts) == ["BatchOutcome", "StatementConflict"]
    assert sorted(one.id for one in log(stores.records.statements(SCHOOL))) == sorted([sid("a"), sid("b")])
    assert [one.id for one in log(stores.records.statements(MUSEUM))] == [sid("m")]


def test_as_much_of_a_fingerprint_is_compared_as_is_kept(stores):
    same, other = make_statement("a", verb()), make_statement("a", verb(), content="other")
    again = batch(same), batch(other)
    keep_together(stores, batch(same))
    find_kept, keep = "SELECT fp FROM stmt", "UPDATE stmt SET fp = ?"
    kept = stores.writer.run(lambda write: list(write.database.execute(find_kept)))
    assert kept == [(same.fingerprint[:8],)]
    # As rows are that were written when all sixteen bytes were kept.
    stores.writer.run(lambda write: list(write.database.execute(keep, (same.fingerprint,))))
    verdicts = keep_together(stores, *again)
    assert verdicts[0] == Kept(BatchOutcome((), (0,)))
    assert isinstance(verdicts[1], StatementConflict)
    almost = same.fingerprint[:15] + bytes((same.fingerprint[15] ^ 1,))
    stores.writer.run(lambda write: list(write.database.execute(keep, (almost,))))
    assert isinstance(keep_together(stores, *again)[0], StatementConflict)
    stores.writer.run(lambda write: list(write.database.execute(keep, (almost[:8],))))
    verdicts = keep_together(stores, *again)
    assert verdicts[0] == Kept(BatchOutcome((), (0,)))
    assert isinstance(verdicts[1], StatementConflict)
