"""What becomes of each batch of a group: decided in memory, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lrs.errors import QuotaExceeded, StatementConflict
from lrs.stores.mongo.segment import BatchReceipt, Entry
from lrs.xapi.fingerprint import is_same
from lrs.xapi.ports import Batch, BatchOutcome


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch with its statements as the log will keep them, in the same order."""

    batch: Batch
    entries: Sequence[Entry]

    @property
    def size(self) -> int:
        """About how many bytes it takes in a segment."""
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Known:
    """A statement that is there already: its fingerprint, and the segment that holds it."""

    fingerprint: bytes
    segment: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on each batch of a group, in order, and what must be written for them.

    Attributes:
        entries: All statements that are new.
        receipts: One for each accepted batch.
    """

    verdicts: Sequence[BatchOutcome | StatementConflict | QuotaExceeded]
    entries: Sequence[Entry]
    receipts: Sequence[BatchReceipt]


def decide(group: Sequence[PreparedBatch], known: Mapping[str, Known], total: int = 0) -> Decision:
    """Judge each batch by what is there and by the accepted batches before it.

    Args:
        group: Batches in the order in which they came.
        known: By id, every statement of theirs that is there.
        total: How many statements the institution holds before them.
    """
    there = {id_: one.fingerprint for id_, one in known.items()}
    verdicts: list[BatchOutcome | StatementConflict | QuotaExceeded] = []
    entries: list[Entry] = []
    receipts: list[BatchReceipt] = []
    for prepared in group:
        verdict = _within_quota(_judge(prepared, there), prepared.batch.quota, total + len(entries))
        verdicts.append(verdict)
        if isinstance(verdict, BatchOutcome):
            fresh = [prepared.entries[index] for index in verdict.stored]
            entries += fresh
            there |= {entry.id: entry.fingerprint for entry in fresh}
            receipts += _receipt(prepared, verdict)
    return Decision(verdicts, entries, receipts)


def _within_quota(
    verdict: BatchOutcome | StatementConflict, quota: int, held: int
) -> BatchOutcome | StatementConflict | QuotaExceeded:
    if isinstance(verdict, BatchOutcome) and quota and verdict.stored and held + len(verdict.stored) > quota:
        return QuotaExceeded.of(held, len(verdict.stored), quota)
    return verdict


def _judge(prepared: PreparedBatch, there: Mapping[str, bytes]) -> BatchOutcome | StatementConflict:
    stored: list[int] = []
    already: list[int] = []
    conflicts: list[int] = []
    for index, entry in enumerate(prepared.entries):
        fingerprint = there.get(entry.id)
        if fingerprint is None:
            stored.append(index)
        elif is_same(fingerprint, entry.fingerprint):
            already.append(index)
        else:
            conflicts.append(index)
    if conflicts:
        ids = [prepared.entries[index].id for index in conflicts]
        return StatementConflict("A statement id is already stored with other content.", conflicts, ids)
    return BatchOutcome(tuple(stored), tuple(already))


def _receipt(prepared: PreparedBatch, outcome: BatchOutcome) -> Sequence[BatchReceipt]:
    if not prepared.entries:
        return ()
    counts = len(outcome.stored), len(outcome.already)
    batch = prepared.batch
    return (BatchReceipt(batch.source, *counts, prepared.entries[0].id, batch.corrected),)
