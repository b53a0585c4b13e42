"""Group commit: one thread an institution a process gathers waiting batches into one segment."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, TimeoutError
from dataclasses import dataclass, field

from lrs.errors import StoreUnavailable, TooLarge
from lrs.stores.mongo.errors import AWAY, translated
from lrs.stores.mongo.keys import LARGEST_GROUP
from lrs.stores.mongo.verdicts import PreparedBatch
from lrs.stores.mongo.writer import Writer
from lrs.xapi.ports import BatchOutcome

LARGEST_GROUP_BYTES = 8_000_000
"""Half of what a document may hold."""

_IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A batch in the queue and where its verdict goes."""

    prepared: PreparedBatch
    size: int
    verdict: "Future[BatchOutcome]" = field(default_factory=Future)


class Committer:
    """Takes batches from any number of threads; its own thread is made when there is work.

    Args:
        writer: Commits the groups.
        busy_seconds: How long a batch waits for its turn, and then a group for the database.
    """

    def __init__(self, writer: Writer, busy_seconds: float) -> None:
        """No thread yet."""
        self._writer = writer
        self._busy_seconds = busy_seconds
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def busy_seconds(self) -> float:
        """How long a batch waits."""
        return self._busy_seconds

    def submit(self, prepared: PreparedBatch) -> BatchOutcome:
        """Have a batch committed and return its outcome.

        Raises:
            StatementConflict: Decided after the commit, like every verdict.
            QuotaExceeded: The same.
            TooLarge: It alone is more than one segment holds; nothing was written.
            StoreUnavailable: It did not get its turn, or the database did not answer.
        """
        waiting = _Waiting(prepared, prepared.size)
        if len(prepared.entries) > LARGEST_GROUP or waiting.size > LARGEST_GROUP_BYTES:
            raise TooLarge(
                f"A batch holds at most {LARGEST_GROUP} statements and {LARGEST_GROUP_BYTES} bytes as kept;"
                " send it in parts."
            )
        self._enqueue(waiting)
        return self._wait_for(waiting.verdict)

    def close(self) -> None:
        """Commit what is waiting, then stop; safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _enqueue(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._closed:
                raise StoreUnavailable("The store was closed.")
            self._queue.append(waiting)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lrs-mongo-commit", daemon=True)
                self._thread.start()

    def _wait_for(self, verdict: "Future[BatchOutcome]") -> BatchOutcome:
        try:
            return verdict.result(self._busy_seconds)
        except TimeoutError as error:
            # A batch whose turn has come is waited for: the group has a time limit of its own.
            if verdict.cancel():
                raise StoreUnavailable(AWAY) from error
            return verdict.result()
        except CancelledError as error:
            raise StoreUnavailable(AWAY) from error

    def _run(self) -> None:
        while group := self._take():
            self._commit(group)

    def _take(self) -> Sequence[_Waiting]:
        """Return the next group; an empty one when the thread may end."""
        with self._changed:
            group: list[_Waiting] = []
            while not group:
                if not self._queue and not self._closed:
                    self._changed.wait(_IDLE_SECONDS)
                if not self._queue:
                    self._thread = None
                    return ()
                group = self._cut()
            return group

    def _cut(self) -> list[_Waiting]:
        """Take from the queue what one segment holds, leaving out what was given up."""
        group: list[_Waiting] = []
        count = size = 0
        while self._queue:
            waiting = self._queue[0]
            count += len(waiting.prepared.entries)
            size += waiting.size
            if group and (count > LARGEST_GROUP or size > LARGEST_GROUP_BYTES):
                break
            self._queue.popleft()
            if waiting.verdict.set_running_or_notify_cancel():
                group.append(waiting)
        return group

    def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            with translated():
                verdicts = self._writer.commit([one.prepared for one in group], self._busy_seconds)
        except Exception as error:  # noqa: BLE001 - this thread must outlive it; each waiting caller gets it
            for one in group:
                one.verdict.set_exception(error)
            return
        for one, verdict in zip(group, verdicts, strict=True):
            if isinstance(verdict, BatchOutcome):
                one.verdict.set_result(verdict)
            else:
                one.verdict.set_exception(verdict)
