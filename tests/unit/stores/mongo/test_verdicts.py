"""Verdicts on the batches of one group."""

from collections.abc import Iterable

from lrs.errors import StatementConflict
from lrs.stores.mongo.segment import BatchReceipt, Entry
from lrs.stores.mongo.verdicts import Known, PreparedBatch, decide
from lrs.xapi.ports import Batch, BatchOutcome


def _batch(source: str, entries: Iterable[tuple[str, bytes]]) -> PreparedBatch:
    made = [Entry(id_, fingerprint, (), b"", None, False, 0, b"") for id_, fingerprint in entries]
    return PreparedBatch(Batch((), source), made)


def test_neighbours_are_kept_when_one_batch_of_the_group_conflicts() -> None:
    group = [
        _batch("one", [("a", b"1"), ("b", b"1")]),
        _batch("two", [("c", b"1"), ("k", b"2"), ("b", b"9")]),
        _batch("three", [("d", b"1")]),
    ]
    decision = decide(group, {"k": Known(b"1", 4)})
    first, second, third = decision.verdicts
    assert first == BatchOutcome((0, 1), ())
    assert isinstance(second, StatementConflict)
    assert (second.indexes, second.ids) == ((1, 2), ("k", "b"))
    assert third == BatchOutcome((0,), ())
    assert [entry.id for entry in decision.entries] == ["a", "b", "d"]
    assert decision.receipts == [BatchReceipt("one", 2, 0, "a"), BatchReceipt("three", 1, 0, "d")]


def test_later_batch_is_judged_by_accepted_ones_only_when_ids_repeat_in_a_group() -> None:
    group = [
        _batch("one", [("k", b"9"), ("a", b"1")]),
        _batch("two", [("a", b"2")]),
        _batch("three", [("a", b"2")]),
        _batch("four", [("a", b"1")]),
    ]
    verdicts = decide(group, {"k": Known(b"1", 4)}).verdicts
    assert isinstance(verdicts[0], StatementConflict)
    assert verdicts[1] == BatchOutcome((0,), ())
    assert verdicts[2] == BatchOutcome((), (0,))
    assert isinstance(verdicts[3], StatementConflict)


def test_batch_leaves_a_receipt_when_all_of_it_was_there() -> None:
    decision = decide([_batch("one", [("k", b"1")])], {"k": Known(b"1", 4)})
    assert decision.entries == []
    assert decision.receipts == [BatchReceipt("one", 0, 1, "k")]


def test_empty_batch_leaves_nothing_when_it_is_judged() -> None:
    decision = decide([_batch("one", [])], {})
    assert (decision.verdicts, decision.receipts) == ([BatchOutcome((), ())], [])


def test_as_much_of_a_fingerprint_is_compared_as_is_kept() -> None:
    made = bytes(range(16))
    known = {"whole": Known(made, 4), "restored": Known(made[:8], 4), "other": Known(made[:7] + b"x", 4)}
    (verdict,) = decide([_batch("one", [("whole", made), ("restored", made)])], known).verdicts
    assert verdict == BatchOutcome((), (0, 1))
    (verdict,) = decide([_batch("one", [("whole", made[:15] + b"x"), ("other", made)])], known).verdicts
    assert isinstance(verdict, StatementConflict)
    assert verdict.ids == ("whole", "other")
