"""The log over HTTP: one page of lines, and waiting for what is not there yet."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.errors import NotPermitted
from lrs.streams.tokens import PositionTokens
from lrs.xapi.log import LogEntry, LogReader

MOST_LINES = 1000
LONGEST_WAIT_SECONDS = 30
MOST_WAITING = 8
"""Requests of one process that may wait at a time; a further one is answered at once."""

_MOST_BYTES = 8 << 20
_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class LogLines:
    """A page of the log, as NDJSON; the last line names where to go on."""

    lines: Sequence[bytes]

    def to_bytes(self) -> bytes:
        """Write the lines, each with its end."""
        return b"".join(line + b"\n" for line in self.lines)


class LogService:
    """Reads the log for others.

    Args:
        reader: Reads the log.
        tokens: Writes and reads positions.
        rest: Waits for so many seconds.
    """

    def __init__(self, reader: LogReader, tokens: PositionTokens, rest: Callable[[float], object]) -> None:
        """Keep what was handed in."""
        self._reader = reader
        self._tokens = tokens
        self._rest = rest
        self._waiting = threading.Semaphore(MOST_WAITING)

    def read(self, caller: Caller, after: str | None, limit: int, wait_seconds: float) -> LogLines:
        """Return what follows a position, waiting for it where nothing does.

        Args:
            caller: Who asks.
            after: A token; None or empty begins at the log's start.
            limit: At most so many statements; fewer where they are long.
            wait_seconds: At most so long.

        Raises:
            NotPermitted: The caller may not read all statements of the institution.
            InvalidParameter: The token is not this institution's.
            StoreError: The store failed.
        """
        handle = caller.handle
        if handle is None or not caller.may(Scope.STATEMENTS_READ):
            raise NotPermitted(
                "These credentials may not read the log: the scope statements/read is missing."
            )
        position = self._tokens.decode(handle.institution_id, after) if after else 0
        page = self._reader.read(handle, position, limit)
        if not page.entries and wait_seconds > 0 and self._waiting.acquire(blocking=False):
            try:
                waited = 0.0
                while not page.entries and waited < wait_seconds:
                    self._rest(_LOOK_SECONDS)
                    waited += _LOOK_SECONDS
                    page = self._reader.read(handle, position, limit)
            finally:
                self._waiting.release()
        return self._lines(handle, page.entries, page.last)

    def _lines(self, handle: InstitutionHandle, entries: Sequence[LogEntry], last: int) -> LogLines:
        lines: list[bytes] = []
        size = 0
        for entry in entries:
            if lines and size + len(entry.text) > _MOST_BYTES:
                break
            size += len(entry.text)
            lines.append(self._line(handle, entry))
        if len(lines) < len(entries):
            last = entries[len(lines) - 1].position
        token = self._tokens.encode(handle.institution_id, last)
        lines.append(orjson.dumps({"next": token}))
        return LogLines(lines)

    def _line(self, handle: InstitutionHandle, entry: LogEntry) -> bytes:
        token = self._tokens.encode(handle.institution_id, entry.position)
        voided = b"true" if entry.voided else b"false"
        return b'{"position":"%s","voided":%s,"statement":%s}' % (token.encode(), voided, entry.text)
