"""Runs jobs: each on a lease, each leaving a record, each safe to be started twice.

Whether a job that failed is tried again, and when, is decided in ``model.rests_until_us``
alone; the job runner is one of the few places that outlive any failure.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lrs.clock import Clock
from lrs.errors import JobAlreadyRunning, JobStopped, JobTooLate, LrsError, NotFound
from lrs.jobs.model import (
    KEPT_PROBLEMS,
    Job,
    JobState,
    Lease,
    Outcome,
    Report,
    Run,
    is_due,
    seen_outcome,
)
from lrs.jobs.ports import JobStore
from lrs.traces import trace_of

LEASE_SECONDS = 60.0
_SECOND_US = 1_000_000
_WAIT_SECONDS = 0.2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobView:
    """A declared job and how it stands."""

    job: Job
    state: JobState
    is_running: bool
    is_due: bool


class JobRunner:
    """Runs the declared jobs, and tells how they stand.

    Args:
        store: Keeps leases and runs.
        jobs: As declared in code, each name once.
        clock: Now, in microseconds.
        new_holder: Gives a name that nobody else has; one for each lease.
        lease_seconds: For so long a lease stands when it is not extended.
    """

    def __init__(
        self,
        store: JobStore,
        jobs: Sequence[Job],
        clock: Clock,
        new_holder: Callable[[], str],
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """Keep what was handed in."""
        self._store = store
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock
        self._new_holder = new_holder
        self._lease_us = int(lease_seconds * _SECOND_US)
        self._stopping = threading.Event()

    @property
    def jobs(self) -> Sequence[Job]:
        """The declared jobs, in order of declaration."""
        return tuple(self._jobs.values())

    def stop(self) -> None:
        """Let running jobs end at their next step, and begin no other."""
        self._stopping.set()

    def view(self) -> Sequence[JobView]:
        """Return every declared job and how it stands."""
        return [self._view(job) for job in self._jobs.values()]

    def get(self, name: str) -> JobView:
        """Return one declared job.

        Raises:
            NotFound: There is none of that name.
        """
        return self._view(self._find(name))

    def ask(self, name: str) -> JobView:
        """Note that a run is wanted; the next worker that looks runs it.

        Raises:
            NotFound: There is no such job.
        """
        job = self._find(name)
        self._store.ask_run(name, self._clock())
        return self._view(job)

    def history(self, name: str | None = None, limit: int = 50) -> Sequence[Run]:
        """Return the latest runs, newest first, with the outcome as it is seen now.

        Raises:
            NotFound: There is no such job.
        """
        if name is not None:
            self._find(name)
        now = self._clock()
        states: dict[str, JobState] = {}
        runs = []
        for run in self._store.list_runs(name, limit):
            state = states.setdefault(run.job, self._store.find_state(run.job))
            runs.append(replace(run, outcome=seen_outcome(run, state, now)))
        return runs

    def run(self, name: str) -> Run:
        """Run a job now, due or not.

        Raises:
            NotFound: There is no such job.
            JobAlreadyRunning: Another holder runs it.
            StoreError: The store failed before the run began, or its end could not be written.
        """
        run = self._try(self._find(name))
        if run is None:
            raise JobAlreadyRunning(f"The job {name} is being run by another process; see its history.")
        return run

    def run_if_due(self, name: str) -> Run | None:
        """Run a job if it is due and nobody else took it; None where it was not run.

        Raises:
            NotFound: There is no such job.
            StoreError: As ``run``.
        """
        job = self._find(name)
        if self._stopping.is_set() or not is_due(job, self._store.find_state(name), self._clock()):
            return None
        return self._try(job)

    def run_until_idle(self) -> list[Run]:
        """Run what is due, again and again, until nothing is; return the runs in order.

        What another holder runs is waited for: when this returns, it is done as well. A job
        that failed rests, and is not due meanwhile.

        Raises:
            StoreError: As ``run``.
        """
        runs: list[Run] = []
        while not self._stopping.is_set():
            made = [run for name in self._jobs if (run := self.run_if_due(name)) is not None]
            runs += made
            if not made and not self._others_run():
                break
            if not made:
                self._stopping.wait(_WAIT_SECONDS)
        return runs

    def _others_run(self) -> bool:
        now = self._clock()
        return any(self._store.find_state(name).until_us > now for name in self._jobs)

    def _find(self, name: str) -> Job:
        if name not in self._jobs:
            raise NotFound(f"There is no job named {name!r}; there are {', '.join(self._jobs) or 'none'}.")
        return self._jobs[name]

    def _view(self, job: Job) -> JobView:
        state = self._store.find_state(job.name)
        now = self._clock()
        return JobView(job, state, state.until_us > now, is_due(job, state, now))

    def _try(self, job: Job) -> Run | None:
        now = self._clock()
        lease = self._store.take_lease(job.name, self._new_holder(), now, now + self._lease_us)
        if lease is None:
            return None
        running = _Held(self._store, lease, self._clock, self._lease_us, self._stopping)
        outcome, report = _guarded(job, running)
        run = Run(job.name, lease.epoch, lease.holder, now, self._clock(), outcome, report)
        failures = lease.failures + 1 if outcome is Outcome.FAILED else 0
        if not self._store.end_run(lease, run, failures):
            _log.warning("job %s: run %d ended after its lease was taken over", job.name, lease.epoch)
        return run


class _Held:
    """See lrs.jobs.model.Running."""

    def __init__(
        self, store: JobStore, lease: Lease, clock: Clock, lease_us: int, stopping: threading.Event
    ) -> None:
        self._store = store
        self._lease = lease
        self._clock = clock
        self._lease_us = lease_us
        self._stopping = stopping
        self._until_us = lease.until_us
        self._lost = False
        self._lock = threading.Lock()

    @property
    def epoch(self) -> int:
        return self._lease.epoch

    def keep(self) -> None:
        if self._stopping.is_set():
            raise JobStopped(f"The job {self._lease.job} was asked to end.")
        with self._lock:
            now = self._clock()
            if not self._lost and self._until_us - now < self._lease_us * 2 // 3:
                self._lost = not self._store.extend_lease(self._lease, now + self._lease_us)
                self._until_us = now + self._lease_us
            if self._lost:
                raise JobTooLate(f"Another process runs {self._lease.job} now; this run ends.")


def _guarded(job: Job, running: _Held) -> tuple[Outcome, Report]:
    """Run a job; whatever happens becomes an outcome."""
    try:
        return Outcome.DONE, _bounded(job.run(running))
    except JobStopped:
        return Outcome.STOPPED, Report()
    except JobTooLate as error:
        return Outcome.LOST, _problem(error.detail)
    except LrsError as error:
        _log.warning("job %s failed: %s", job.name, error.code)
        return Outcome.FAILED, _problem(f"{error.code}: {error.detail}")
    except Exception as error:  # noqa: BLE001 - a job's fault ends its run, never the worker
        _log.error("job %s failed\n%s", job.name, trace_of(error))
        return Outcome.FAILED, _problem(f"{type(error).__name__}; the log of the worker says where.")


def _problem(text: str) -> Report:
    return Report(problems=(text,), problem_count=1)


def _bounded(report: Report) -> Report:
    return replace(report, problems=report.problems[:KEPT_PROBLEMS])
