"""Statements by the line: the good ones go in, the rest is reported.

The body is read as a stream into a temporary file, so that it may be larger than memory and
its digest is known before the first line is stored: the id of a line without one is made of
the institution, the body's SHA-256 and the line's number. The same body sent again therefore
changes nothing, also after a failure in its midst.

Spec: xAPI 1.0.3 Communication 2.1.1 (one id, one statement); NDJSON.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO

from lrs.access.model import Caller, Scope
from lrs.errors import InvalidStatement, Problem
from lrs.xapi.import_files import read_lines
from lrs.xapi.importing import Importer, ImportTarget, record_id
from lrs.xapi.preparing import Rejection
from lrs.xapi.rules import MAX_PROBLEMS
from lrs.xapi.service import StatementService
from lrs.xapi.versions import Version

KEPT_REJECTIONS = 100
"""So many rejected lines are told of one body; all are counted."""

KEPT_PROBLEMS = 20
"""So many problems are told of one line."""

_IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that was left out.

    Attributes:
        line: Its number, from 1.
        code: The error's stable code.
        problems: The first ones; their pointers begin at the statement in the line.
    """

    line: int
    code: str
    detail: str
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class LinesReport:
    """What became of a body of lines: each that was read was stored, there already, or rejected.

    Attributes:
        rejected: The first of them, by line.
        rejected_count: How many there were.
    """

    read: int
    stored: int
    already: int
    rejected_count: int
    rejected: Sequence[RejectedLine]

    def as_error(self) -> InvalidStatement:
        """Put the rejected lines as one error, for the page of arrivals; pointers begin with line - 1."""
        problems = [
            Problem(f"/{one.line - 1}{problem.path}", problem.rule, problem.message, problem.spec)
            for one in self.rejected
            for problem in (one.problems or [Problem("", one.code, one.detail)])
        ]
        detail = f"{self.rejected_count} of {self.read} lines were not stored; the others were."
        return InvalidStatement(detail, problems[:MAX_PROBLEMS])


class LineService:
    """Takes statements by the line.

    Args:
        service: Validates, prepares and stores, as for a post.
    """

    def __init__(self, service: StatementService) -> None:
        """Keep what was handed in."""
        self._service = service

    def take(self, caller: Caller, parts: Iterable[bytes], version: Version | None) -> LinesReport:
        """Store the good lines of a body, and report the rest.

        Args:
            caller: Whose client becomes the authority.
            parts: The body, piece by piece.
            version: Whose rules hold for every line; None lets each line's own ``version``
                decide, as in an import.

        Raises:
            NotPermitted: The caller may not write statements.
            QuotaExceeded: A batch does not fit; what was stored before stays.
            StoreError: The store failed; what was stored before stays, and the same body may be
                sent again.
        """
        handle, client = self._service.find_writer(caller)
        rejections: list[Rejection] = []

        def keep(rejection: Rejection) -> None:
            if len(rejections) < KEPT_REJECTIONS:
                rejections.append(rejection)

        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            digest = _spool(parts, body)
            target = ImportTarget(
                handle,
                client,
                version,
                lambda number: record_id(handle, digest, number),
                quota=lambda: caller.statement_quota,
                source=caller.source or "",
                defines=caller.may(Scope.DEFINE),
                tolerances=caller.tolerances,
            )
            importer = Importer(self._service, target, keep, lambda _counts: None)
            counts = importer.run(read_lines(body, self._service.read_limits.max_body_bytes))
        told = [_to_line(one) for one in sorted(rejections, key=lambda one: one.number)]
        return LinesReport(counts.read, counts.stored, counts.already, counts.rejected, told)


def _spool(parts: Iterable[bytes], body: IO[bytes]) -> str:
    """Write a body into a file, put it at its beginning and return its SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
        body.write(part)
    body.seek(0)
    return digest.hexdigest()


def _to_line(rejection: Rejection) -> RejectedLine:
    error = rejection.error
    return RejectedLine(rejection.number, error.code, error.detail, tuple(error.problems[:KEPT_PROBLEMS]))
