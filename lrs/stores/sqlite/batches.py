"""Keeping batches that wait together: a verdict for each, then the rows of all accepted ones at once.

Those who share a transaction share its queries too: looking the ids up, inserting, noting the
receipts costs a group of single statements hardly more than one batch of as many.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from lrs.access.handles import InstitutionId
from lrs.errors import LrsError, QuotaExceeded, StatementConflict
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.arrivals import insert_receipts
from lrs.stores.sqlite.attachments import PackedAttachment, insert_attachments
from lrs.stores.sqlite.defining import define
from lrs.stores.sqlite.references import Spread
from lrs.stores.sqlite.rows import Row
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.writer import SharedWork, Write
from lrs.stores.sqlite.writing import Insertion, Place, Placed
from lrs.xapi.fingerprint import is_same
from lrs.xapi.ports import Batch, BatchOutcome
from lrs.xapi.ports.arrivals import Receipt

_FIND = (
    "SELECT s.id, s.fp FROM carray(?) c CROSS JOIN ids i ON i.h = c.value CROSS JOIN stmt s ON s.seq = i.seq"
    " WHERE s.tenant = ?"
)


class Kept(NamedTuple):
    """What became of a batch, and what statements that were written with it have still to hand on.

    ``undefined``: definitions are left to be merged, and this batch brought the most of them.
    """

    outcome: BatchOutcome
    left: Spread | None = None
    undefined: bool = False


@dataclass(frozen=True, slots=True)
class BatchWork(SharedWork[Kept]):
    """Writes one prepared batch inside a transaction; may be run again."""

    batch: Batch
    rows: Sequence[Row]
    attachments: Sequence[PackedAttachment]
    place: Place

    @property
    def company(self) -> InstitutionId:
        """Batches of one institution are written together."""
        return self.place.tenants.institution_id

    def count_definitions(self) -> int:
        """Count the definitions that its statements give."""
        return sum(len(row.definitions) for row in self.rows)

    def do_all(self, write: Write, works: Sequence[Any]) -> list[Kept | LrsError]:
        """Decide on each batch in turn, then write those that were accepted.

        The verdict on one is a StatementConflict or QuotaExceeded: nothing of that batch is written.
        """
        batches: Sequence[BatchWork] = works
        outcomes = _Verdicts(write.database, self.place.tenants, batches).give()
        accepted = [
            (work, outcome)
            for work, outcome in zip(batches, outcomes, strict=True)
            if isinstance(outcome, BatchOutcome) and work.rows
        ]
        left, undefined = _write(write, self.place, accepted) if accepted else (None, None)
        return [
            one if isinstance(one, LrsError) else Kept(one, left, work is undefined)
            for work, one in zip(batches, outcomes, strict=True)
        ]


class _Verdicts:
    """Decides on batches, one after the other; what an earlier one brings, a later one finds there."""

    def __init__(self, database: apsw.Connection, tenants: Tenants, works: Sequence[BatchWork]) -> None:
        self._database = database
        self._tenants = tenants
        self._works = works
        self._fingerprints = self._find([row.id_hash for work in works for row in work.rows])
        self._before: int | None = None
        self._brought = 0

    def _find(self, hashes: Sequence[int]) -> dict[bytes, bytes]:
        """Return the fingerprint of each statement that is there, by its id."""
        if not hashes:
            return {}
        tenant = self._tenants.find_in_write(self._database)
        return dict(sql.rows(self._database, _FIND, (apsw.carray(array("q", hashes)), tenant)))

    def give(self) -> list[BatchOutcome | LrsError]:
        """Return what becomes of each."""
        return [self._decide(work) for work in self._works]

    def _decide(self, work: BatchWork) -> BatchOutcome | LrsError:
        new: list[int] = []
        already: list[int] = []
        conflicts: list[int] = []
        for index, row in enumerate(work.rows):
            fingerprint = self._fingerprints.get(row.id)
            if fingerprint is None:
                new.append(index)
            else:
                (already if is_same(fingerprint, row.fingerprint) else conflicts).append(index)
        if conflicts:
            return _conflict(work, conflicts)
        quota = work.batch.quota
        if quota and new and self._count_held() + len(new) > quota:
            return QuotaExceeded.of(self._count_held(), len(new), quota)
        self._brought += len(new)
        self._fingerprints.update([(work.rows[index].id, work.rows[index].fingerprint) for index in new])
        return BatchOutcome(tuple(new), tuple(already))

    def _count_held(self) -> int:
        """Count what is there once the batches accepted so far are written."""
        if self._before is None:
            self._before = self._tenants.count_statements(self._database)
        return self._before + self._brought


def _conflict(work: BatchWork, conflicts: list[int]) -> StatementConflict:
    ids = [work.batch.statements[index].id for index in conflicts]
    count = len(ids)
    return StatementConflict(
        f"{count} statement{'s are' if count > 1 else ' is'} already stored with other content;"
        " nothing of this batch was stored.",
        conflicts,
        ids,
    )


def _write(
    write: Write, place: Place, accepted: Sequence[tuple[BatchWork, BatchOutcome]]
) -> tuple[Spread | None, BatchWork | None]:
    """Write accepted batches as if they were one, and a receipt for each.

    Returns:
        What is still to be handed on; and the batch that has to see to definitions that were left.
    """
    database = write.database
    tenant = place.tenants.find_or_add(database)
    new = [work.rows[index] for work, outcome in accepted for index in outcome.stored]
    left = undefined = None
    if new:
        placed = [Placed(write.next_seq(), write.next_stored(), row) for row in new]
        left = Insertion(write, tenant, place).insert(placed)
        if define(write, tenant, place, placed):
            undefined = max((work for work, _ in accepted), key=BatchWork.count_definitions)
    for work, _ in accepted:
        if work.attachments:
            insert_attachments(database, tenant, work.attachments)
    insert_receipts(database, tenant, [_receipt(write, *one) for one in accepted])
    return left, undefined


def _receipt(write: Write, work: BatchWork, outcome: BatchOutcome) -> Receipt:
    batch = work.batch
    counts = (len(outcome.stored), len(outcome.already))
    return Receipt(batch.source, write.now_us, *counts, batch.statements[0].id, batch.corrected)
