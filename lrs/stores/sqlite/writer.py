"""Group commit: one thread a process drains a queue into one transaction.

Callers hand in *work*, a function of the open transaction, and wait for its result, which
they get only after the commit. Whoever waits while one transaction is being committed
shares the next one. Work must stand being run again: where one piece of a group fails
after it has written, the transaction is taken back and each piece gets one of its own, so
that nobody fails for a neighbour's fault.
"""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import apsw

from lrs.clock import Clock
from lrs.errors import LrsError, StoreError, StoreUnavailable
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.errors import translate, translated
from lrs.stores.sqlite.locks import WriteLock
from lrs.traces import trace_of

T = TypeVar("T")
_LARGEST_GROUP = 4096
_LONGEST_PAUSE_SECONDS = 0.1

LATE_POSTINGS = 10_000
"""How much one transaction hands on along StatementRefs: some hundred milliseconds."""

LAST_SEQ = "last_seq"
"""Under which ``meta`` keeps the last position there was when an institution was taken away."""

log = logging.getLogger(__name__)


class Write:
    """An open write transaction, under the write lock.

    Attributes:
        database: The connection; work neither commits nor rolls back.
        now_us: The clock when the transaction began.
        committed: Whether it is known to be committed.
        late_room: How many postings of statements that were there before may still be added;
            below zero none (``references``).
    """

    def __init__(self, database: apsw.Connection, clock: Clock, floor_us: int) -> None:
        """Begin to give positions and instants behind the last ones kept."""
        self.database = database
        self.now_us = clock()
        self.committed = False
        self.late_room = LATE_POSTINGS
        last = sql.row(database, "SELECT seq, stored FROM stmt ORDER BY seq DESC LIMIT 1")
        noted = sql.value(database, "SELECT value FROM meta WHERE name = ?", (LAST_SEQ,))
        self.last_seq: int = max(last[0] if last else 0, noted or 0)
        self._last_stored: int = max(last[1] if last else 0, floor_us)

    def next_seq(self) -> int:
        """Give the next position."""
        self.last_seq += 1
        return self.last_seq

    def next_stored(self) -> int:
        """Give the next ``stored``: later than all before it and than all that was promised."""
        self._last_stored = max(self.now_us, self._last_stored + 1)
        return self._last_stored

    @property
    def last_stored_us(self) -> int:
        """The latest ``stored`` given, or the floor."""
        return self._last_stored


class SharedWork(ABC, Generic[T]):
    """Work that is done in one go with other work of the same company."""

    @property
    @abstractmethod
    def company(self) -> Hashable:
        """What those have in common that may be done together."""

    @abstractmethod
    def do_all(self, write: Write, works: Sequence[Any]) -> Sequence[T | LrsError]:
        """Do works of one company, this among them; return the result of each, or its verdict.

        A verdict is an LrsError: nothing of that work was written. What is raised is about all.
        """

    def __call__(self, write: Write) -> T:
        """Do this work alone."""
        (result,) = self.do_all(write, [self])
        if isinstance(result, LrsError):
            raise result
        return result


Piece: TypeAlias = Callable[[Write], "Piece | None"]
"""Work that does some of what there is to do, and returns the work that does the rest; None at the end."""


class _Job:
    """One piece of work and what became of it; whoever waits for it waits for a bare lock, the quickest."""

    __slots__ = ("_done", "begun", "error", "result", "weight", "work")

    def __init__(self, work: Callable[[Write], Any], weight: int) -> None:
        self.work = work
        self.weight = weight
        self.begun = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def wait(self, seconds: float = -1) -> bool:
        """Wait until it is finished, or for so long; True, once, when it is."""
        return self._done.acquire(timeout=seconds)

    def finish(self, error: BaseException | None = None) -> None:
        self.error = error or self.error
        if self._done.locked():
            self._done.release()

    @property
    def company(self) -> Hashable:
        return self.work.company if isinstance(self.work, SharedWork) else self


class Writer:
    """The only way to change the store.

    Args:
        database: A connection that nobody else uses from here on.
        lock: The write lock; closed with the writer.
        clock: Now, in microseconds.
        busy_seconds: How long work waits to be begun.
        committed: Called after each commit.
        check_files: Called before each transaction, and before anybody is told that one was
            committed; raises StoreUnavailable where what is written would not be found again.
    """

    def __init__(
        self,
        database: apsw.Connection,
        lock: WriteLock,
        clock: Clock,
        busy_seconds: float,
        committed: Callable[[], None],
        check_files: Callable[[], None],
    ) -> None:
        """Start the thread."""
        self._database = database
        self._check_files = check_files
        self._lock = lock
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._committed = committed
        self._queue: deque[_Job] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="sqlite-writer", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[Write], T], weight: int = 1) -> T:
        """Do work inside a transaction; return its result when it is committed.

        Args:
            work: May be called more than once (a run that was taken back does not count);
                what it raises before its first write leaves the group untouched.
            weight: About how many rows it writes.

        Raises:
            StoreUnavailable: It could not begin in time, and will not; or the commit failed.
            LrsError: What the work itself raised; nothing of it was kept.
        """
        job = _Job(work, weight)
        with self._wake:
            if self._closing:
                raise StoreUnavailable("The store is closed.")
            self._queue.append(job)
            self._wake.notify()
        if not job.wait(self._busy_seconds):
            if self._withdraw(job):
                held = f"Another writer held the store for {self._busy_seconds:g} s. Try again."
                raise StoreUnavailable(held)
            job.wait()
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def run_in_pieces(self, piece: Piece, weight: int) -> None:
        """Do a piece and all that follows it, a transaction each; others write in between.

        Args:
            piece: The first; notes in its own transaction what is left, where that must not be lost.
            weight: About how many rows each piece writes.

        Raises:
            StoreUnavailable: A piece could not be begun; those before it are kept.
        """
        left: Piece | None = piece
        while left is not None:
            began = time.monotonic()
            left = self.run(left, weight)
            if left is not None:
                # As long as it took: others who wait for the lock come first.
                time.sleep(min(_LONGEST_PAUSE_SECONDS, time.monotonic() - began))

    def _withdraw(self, job: _Job) -> bool:
        """Take a job back that has not begun; False when it has, and must be waited for."""
        with self._wake:
            if job.begun:
                return False
            self._queue.remove(job)
            return True

    def close(self) -> None:
        """Finish what was handed in, end the thread, close connection and lock."""
        with self._wake:
            first, self._closing = not self._closing, True
            self._wake.notify()
        self._thread.join()
        if first:
            self._database.close()
            self._lock.close()

    def _loop(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return
            self._serve_guarded()

    def _serve_guarded(self) -> None:
        """Serve one group; whatever happens, this thread lives on and nobody waits for ever."""
        jobs: list[_Job] = []
        try:
            self._serve(jobs)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever it is
            # Not log.exception, here and below: a message may quote records.
            log.error("The writer failed\n%s", trace_of(error))  # noqa: TRY400
            translation = _as_ours(error)
            for job in jobs or self._take():
                job.finish(translation)

    def _serve(self, jobs: list[_Job]) -> None:
        if not self._lock.acquire(lambda: bool(self._queue)):
            return
        try:
            jobs.extend(self._take())
            if jobs and not self._commit_together(jobs):
                for job in jobs:
                    self._commit_together([job])
        finally:
            self._lock.release()
        for job in jobs:
            job.finish()

    def _take(self) -> list[_Job]:
        """Take jobs from the queue's head: as many as one transaction should hold."""
        jobs: list[_Job] = []
        weight = 0
        with self._wake:
            while self._queue and (not jobs or weight + self._queue[0].weight <= _LARGEST_GROUP):
                job = self._queue.popleft()
                job.begun = True
                weight += job.weight
                jobs.append(job)
        return jobs

    def _commit_together(self, jobs: list[_Job]) -> bool:
        """Run jobs in one transaction; False when it was taken back and each must go alone.

        A single job's failure is noted as its verdict, never False.
        """
        try:
            with translated():
                self._run_and_commit(jobs)
        except Exception as error:  # noqa: BLE001 - nobody may fail for a neighbour's fault
            self._roll_back()
            if len(jobs) > 1:
                return False
            jobs[0].error = _as_ours(error)
            if not isinstance(error, LrsError):
                log.error("Work failed inside a transaction\n%s", trace_of(error))  # noqa: TRY400
        return True

    def _run_and_commit(self, jobs: list[_Job]) -> None:
        self._check_files()
        self._database.execute("BEGIN IMMEDIATE")
        write = Write(self._database, self._clock, self._lock.floor.read())
        before = self._database.total_changes()
        companies: dict[Hashable, list[_Job]] = {}
        for job in jobs:
            companies.setdefault(job.company, []).append(job)
        for company in companies.values():
            self._do(write, company)
        if self._database.total_changes() == before:
            self._database.execute("ROLLBACK")
            return
        self._database.execute("COMMIT")
        write.committed = True
        self._lock.floor.raise_to(write.last_stored_us)
        self._committed()
        self._check_files()

    def _do(self, write: Write, jobs: Sequence[_Job]) -> None:
        """Do the work of one company, and note each result or verdict."""
        written = self._database.total_changes()
        work = jobs[0].work
        results: Sequence[Any]
        try:
            if isinstance(work, SharedWork):
                results = work.do_all(write, [job.work for job in jobs])
            else:
                results = [work(write)]
        except LrsError as verdict:
            if self._database.total_changes() != written:
                raise
            results = [verdict] * len(jobs)
        for job, result in zip(jobs, results, strict=True):
            job.error = result if isinstance(result, LrsError) else None
            job.result = result

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            try:
                self._database.execute("ROLLBACK")
            except apsw.Error as error:
                log.error("A transaction could not be rolled back\n%s", trace_of(error))  # noqa: TRY400


def _as_ours(error: Exception) -> LrsError:
    """Make an error one of ours, so that nothing of the driver reaches a caller."""
    if isinstance(error, LrsError):
        return error
    if isinstance(error, apsw.Error | OSError):
        return translate(error)
    wrapped = StoreError(f"The store failed ({type(error).__name__}); nothing of this was kept.")
    wrapped.__cause__ = error
    return wrapped
