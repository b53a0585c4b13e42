"""Taking in many statements one by one: the same validation and store path as a post.

A post is all or nothing; an import, of a file or of a body of lines, takes every record by
itself. Good ones go in, in batches; each bad one is reported and left out. What goes in is known
by its id, so an import that was interrupted is simply run again.

Spec: xAPI 1.0.3 Communication 2.1.1 (one id, one statement).
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Client, Tolerance
from lrs.errors import InvalidBody, InvalidStatement, LrsError, Problem, StatementConflict, TooLarge
from lrs.xapi.arrivals import IMPORT
from lrs.xapi.attachments import match_attachments
from lrs.xapi.import_files import Record
from lrs.xapi.ports import Batch, BatchOutcome, PreparedStatement
from lrs.xapi.reader import ReadBody, read_statements
from lrs.xapi.rules import count_problems
from lrs.xapi.service import StatementService
from lrs.xapi.statement import validate_statement
from lrs.xapi.tolerance import Correction, correct_statement, log_corrections
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


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was left out, and why."""

    number: int
    body_bytes: int
    error: LrsError


@dataclass(frozen=True, slots=True)
class _Waiting:
    number: int
    body_bytes: int
    statement: PreparedStatement
    corrections: Sequence[Correction] = ()


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


class Importer:
    """Imports the records of one file or body.

    While one batch is being written by a thread, the next is made ready; at most these two
    are held. One importer is for one run.

    Args:
        service: Prepares and stores.
        target: Where to.
        on_rejection: Called with every record left out, in the order in which that was found.
        on_progress: Called after each batch with the counts so far.
    """

    def __init__(
        self,
        service: StatementService,
        target: ImportTarget,
        on_rejection: Callable[[Rejection], None],
        on_progress: Callable[[ImportCounts], None],
    ) -> None:
        """Begin with nothing read."""
        self._service = service
        self._target = target
        self._on_rejection = on_rejection
        self._on_progress = on_progress
        self.counts = ImportCounts()
        self._batch: list[_Waiting] = []
        self._batch_ids: set[str] = set()
        self._batch_bytes = 0
        self._pending: Future[_Written] | None = None

    def run(self, records: Iterable[Record]) -> ImportCounts:
        """Import every record.

        Raises:
            InvalidBody: The file cannot be read further; what was read before is dealt with.
            QuotaExceeded: A batch does not fit; run again when the quota has been raised.
            StoreError: The store failed; run again when it is back.
        """
        with ThreadPoolExecutor(1, "import-writer") as writer:
            try:
                for record in records:
                    self._take(record, writer)
            except (InvalidBody, KeyboardInterrupt):
                self._finish(writer)
                raise
            self._finish(writer)
        return self.counts

    def _take(self, record: Record, writer: ThreadPoolExecutor) -> None:
        self.counts.read += 1
        try:
            waiting = self._prepare(record)
        except LrsError as error:
            self._reject(Rejection(record.number, len(record.text), error))
            return
        if waiting.statement.id in self._batch_ids:
            self._flush(writer)
        self._batch.append(waiting)
        self._batch_ids.add(waiting.statement.id)
        self._batch_bytes += len(waiting.statement.body)
        if len(self._batch) >= BATCH_STATEMENTS or self._batch_bytes >= BATCH_BYTES:
            self._flush(writer)

    def _prepare(self, record: Record) -> _Waiting:
        read = read_statements(record.text, self._service.read_limits)
        if read.is_batch:
            problem = Problem("", "import.one-statement", "Write one statement object here.", "")
            raise InvalidStatement("There must be one statement here, not an array.", [problem])
        version = self._target.version or _own_version(read.statements[0].value)
        raw, corrections = correct_statement(read.statements[0], self._target.tolerances, version)
        value: dict[str, object] = raw.value  # type: ignore[assignment]  # what is no batch is an object
        problems = validate_statement(value, version)
        if problems:
            raise InvalidStatement(f"The statement is invalid ({count_problems(len(problems))}).", problems)
        match_attachments(ReadBody([raw], is_batch=False), (), version, self._service.read_limits)
        fallback_id = None if "id" in value else self._target.id_for(record.number)
        target = self._target
        prepared = self._service.prepare(raw, version, target.client, fallback_id, defines=target.defines)
        return _Waiting(record.number, len(record.text), prepared, corrections)

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
        pending, self._pending = self._pending, None
        written = pending.result()
        self.counts.stored += written.stored
        self.counts.already += written.already
        for rejection in written.rejected:
            self._reject(rejection)
        self._on_progress(self.counts)

    def _write(self, batch: list[_Waiting]) -> _Written:
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

    def _store(self, part: Sequence[_Waiting]) -> BatchOutcome:
        target, statements = self._target, [one.statement for one in part]
        mended = sum(bool(one.corrections) for one in part)
        outcome = self._service.add_prepared(
            target.handle, Batch(statements, target.source, quota=target.quota(), corrected=mended)
        )
        ids = [statement.id for statement in statements]
        log_corrections(target.source, ids, [one.corrections for one in part])
        return outcome


def _own_version(value: object) -> Version:
    own = value.get("version") if isinstance(value, dict) else None
    return Version.V2_0_0 if isinstance(own, str) and own.startswith("2.") else Version.V1_0_3


def _without_conflicts(
    part: list[_Waiting], conflict: StatementConflict, written: _Written
) -> list[list[_Waiting]]:
    conflicting = set(conflict.indexes)
    for index in sorted(conflicting):
        one = part[index]
        error = StatementConflict("Its id is already stored with other content.", [0], [one.statement.id])
        written.rejected.append(Rejection(one.number, one.body_bytes, error))
    rest = [one for index, one in enumerate(part) if index not in conflicting]
    return [rest] if rest else []


def _in_halves(part: list[_Waiting], error: TooLarge, written: _Written) -> list[list[_Waiting]]:
    if len(part) == 1:
        written.rejected.append(Rejection(part[0].number, part[0].body_bytes, error))
        return []
    middle = len(part) // 2
    return [part[middle:], part[:middle]]
