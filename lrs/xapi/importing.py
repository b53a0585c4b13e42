"""Taking in many statements one by one: the same validation and store path as a post.

A post is all or nothing; an import, of a file or of a body of lines, takes every record by
itself. Good ones go in, in batches; each bad one is reported and left out. What goes in is known
by its id, so an import that was interrupted is simply run again.

Spec: xAPI 1.0.3 Communication 2.1.1 (one id, one statement).
"""

import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Client, Tolerance
from lrs.errors import InvalidBody, ProcessLost, StatementConflict, TooLarge
from lrs.xapi.arrivals import IMPORT
from lrs.xapi.import_files import Record, digest_of
from lrs.xapi.import_processes import judge_in_order
from lrs.xapi.ports import Batch, BatchOutcome
from lrs.xapi.preparing import Judged, Preparer, ReadyRecord, Rejection
from lrs.xapi.service import StatementService
from lrs.xapi.tolerance import log_corrections
from lrs.xapi.versions import Version

BATCH_STATEMENTS = 500
BATCH_BYTES = 4 << 20
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:lrs:import")


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """Where the records go.

    Attributes:
        client: Its authority is written; for a file, the institution's client ``import``.
        version: Whose rules hold for every record; None lets each record's own ``version``
            decide: 2.0.0 where it begins with ``2.``, else 1.0.3.
        id_for: Gives the id of a record that has none, by its number.
        quota: Gives how many statements the institution may hold, 0 for any number; asked
            before each batch.
        source: What receipts are filed under: a key's id, or ``import``.
        defines: Whether activity definitions count beyond their statements (scope ``define``).
        tolerances: What is mended instead of rejected.
    """

    handle: InstitutionHandle
    client: Client
    version: Version | None
    id_for: Callable[[int], str]
    quota: Callable[[], int] = lambda: 0
    source: str = IMPORT
    defines: bool = True
    tolerances: frozenset[Tolerance] = frozenset()


@dataclass(slots=True)
class ImportCounts:
    """What became of the records so far: every one that was read is in one of the other three."""

    read: int = 0
    stored: int = 0
    already: int = 0
    rejected: int = 0


@dataclass(slots=True)
class _Written:
    stored: int = 0
    already: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def record_id(handle: InstitutionHandle, digest: str, number: int) -> str:
    """Give the id of a record without one: the same whenever the same file is imported again.

    Args:
        handle: The institution.
        digest: SHA-256 of the file's or body's content.
        number: The record's line, or index.
    """
    return str(uuid.uuid5(NAMESPACE, f"{handle.institution_id}/{digest}/{number}"))


@dataclass(frozen=True, slots=True)
class FileIds:
    """Gives the records of a file their ids. The file is looked through when the first is asked for."""

    handle: InstitutionHandle
    path: Path

    def __call__(self, number: int) -> str:
        """Give the id of a record without one."""
        return record_id(self.handle, digest_of(self.path), number)


class Importer:
    """Imports the records of one file or body.

    While one batch is being written by a thread, the next is made ready; at most these two
    are held, and what several processes are given ahead (``lrs.xapi.import_processes``). One
    importer is for one run.

    Args:
        service: Prepares and stores.
        target: Where to.
        on_rejection: Called with every record left out, in the order in which that was found.
        on_progress: Called after each batch with the counts so far.
        processes: How many prepare the records; with more than one, the target's ``id_for`` must
            stand being pickled.
    """

    def __init__(
        self,
        service: StatementService,
        target: ImportTarget,
        on_rejection: Callable[[Rejection], None],
        on_progress: Callable[[ImportCounts], None],
        processes: int = 1,
    ) -> None:
        """Begin with nothing read."""
        self._service = service
        self._target = target
        self._on_rejection = on_rejection
        self._on_progress = on_progress
        self._processes = processes
        self.counts = ImportCounts()
        self._batch: list[ReadyRecord] = []
        self._batch_ids: set[str] = set()
        self._batch_bytes = 0
        self._pending: Future[_Written] | None = None

    def run(self, records: Iterable[Record]) -> ImportCounts:
        """Import every record.

        Raises:
            InvalidBody: The file cannot be read further; what was read before is dealt with.
            QuotaExceeded: A batch does not fit; run again when the quota has been raised.
            StoreError: The store failed; run again when it is back.
            ProcessLost: A process that prepared records was killed; run again.
        """
        with ThreadPoolExecutor(1, "import-writer") as writer, closing(self._judged(records)) as judged:
            try:
                for one in judged:
                    self._take(one, writer)
                self._finish(writer)
            except (InvalidBody, ProcessLost, KeyboardInterrupt):
                self._finish(writer)
                raise
        return self.counts

    def _judged(self, records: Iterable[Record]) -> Generator[Judged, None, None]:
        target = self._target
        preparer = Preparer(
            self._service.read_limits,
            target.client,
            target.version,
            target.id_for,
            target.defines,
            target.tolerances,
        )
        encoder = partial(self._service.encoder, target.handle)
        yield from judge_in_order(records, preparer, encoder, self._processes)

    def _take(self, one: Judged, writer: ThreadPoolExecutor) -> None:
        self.counts.read += 1
        if isinstance(one, Rejection):
            self._reject(one)
            return
        if one.statement.id in self._batch_ids:
            self._flush(writer)
        self._batch.append(one)
        self._batch_ids.add(one.statement.id)
        self._batch_bytes += one.body_bytes
        if len(self._batch) >= BATCH_STATEMENTS or self._batch_bytes >= BATCH_BYTES:
            self._flush(writer)

    def _reject(self, rejection: Rejection) -> None:
        self.counts.rejected += 1
        self._on_rejection(rejection)

    def _flush(self, writer: ThreadPoolExecutor) -> None:
        """Hand the batch to the writer, once the one before it is done."""
        self._settle()
        if self._batch:
            self._pending = writer.submit(self._write, self._batch)
            self._batch, self._batch_ids, self._batch_bytes = [], set(), 0

    def _finish(self, writer: ThreadPoolExecutor) -> None:
        self._flush(writer)
        self._settle()

    def _settle(self) -> None:
        """Wait for the batch being written and count what became of it."""
        if self._pending is None:
            return
        written = self._pending.result()
        self._pending = None
        self.counts.stored += written.stored
        self.counts.already += written.already
        for rejection in written.rejected:
            self._reject(rejection)
        self._on_progress(self.counts)

    def _write(self, batch: list[ReadyRecord]) -> _Written:
        """Store a batch without the records that cannot be stored."""
        written = _Written()
        waiting = [batch]
        while waiting:
            part = waiting.pop()
            try:
                outcome = self._store(part)
            except StatementConflict as conflict:
                waiting += _without_conflicts(part, conflict, written)
            except TooLarge as error:
                waiting += _in_halves(part, error, written)
            else:
                written.stored += len(outcome.stored)
                written.already += len(outcome.already)
        return written

    def _store(self, part: Sequence[ReadyRecord]) -> BatchOutcome:
        target, statements = self._target, [one.statement for one in part]
        mended = sum(bool(one.corrections) for one in part)
        outcome = self._service.add_prepared(
            target.handle, Batch(statements, target.source, quota=target.quota(), corrected=mended)
        )
        ids = [statement.id for statement in statements]
        log_corrections(target.source, ids, [one.corrections for one in part])
        return outcome


def _without_conflicts(
    part: list[ReadyRecord], conflict: StatementConflict, written: _Written
) -> list[list[ReadyRecord]]:
    conflicting = set(conflict.indexes)
    for index in sorted(conflicting):
        one = part[index]
        error = StatementConflict("Its id is already stored with other content.", [0], [one.statement.id])
        written.rejected.append(Rejection(one.number, one.body_bytes, error))
    rest = [one for index, one in enumerate(part) if index not in conflicting]
    return [rest] if rest else []


def _in_halves(part: list[ReadyRecord], error: TooLarge, written: _Written) -> list[list[ReadyRecord]]:
    if len(part) == 1:
        written.rejected.append(Rejection(part[0].number, part[0].body_bytes, error))
        return []
    middle = len(part) // 2
    return [part[middle:], part[:middle]]
