"""Jobs, leases and runs as plain values, and the rule that says when a job is due.

Instants are microseconds since the epoch, UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

KEPT_RUNS = 200
"""How many runs of each job are remembered."""
KEPT_PROBLEMS = 20
"""How many things that a run could not do are remembered one by one."""

_SECOND_US = 1_000_000
_FIRST_PAUSE_SECONDS = 5
_LONGEST_PAUSE_SECONDS = 300


class Outcome(StrEnum):
    """What became of a run.

    ``STOPPED``: the worker was asked to end; ``LOST``: another holder took its lease over;
    ``ABANDONED``: its process died, and the lease ran out.
    """

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    Attributes:
        problems: What it could not do and why, a sentence each; at most 20 are kept.
        problem_count: How many there were.
    """

    read: int = 0
    wrote: int = 0
    problems: tuple[str, ...] = ()
    problem_count: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run a job until a moment.

    Attributes:
        epoch: Rises by one with every lease of the job; what a holder writes carries it, so
            that whoever holds a later one is not overwritten.
        holder: Names the runner; nobody else's name is the same.
        failures: Runs that failed in a row before this one.
    """

    job: str
    epoch: int
    holder: str
    until_us: int
    failures: int = 0


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands.

    Attributes:
        until_us: When the lease ends; 0 while nobody holds it.
        asked_at_us: When somebody last asked for a run; 0 for never.
        started_at_us: When the last run began; 0 for never.
        ended_at_us: When the last run that ended did; 0 for never.
    """

    job: str
    epoch: int = 0
    holder: str = ""
    until_us: int = 0
    asked_at_us: int = 0
    started_at_us: int = 0
    ended_at_us: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as the history keeps it; job and epoch name it.

    Attributes:
        ended_at_us: None while it runs, or where it never ended.
    """

    job: str
    epoch: int
    holder: str
    started_at_us: int
    ended_at_us: int | None = None
    outcome: Outcome = Outcome.RUNNING
    report: Report = Report()


class Running(Protocol):
    """What a job is handed: its lease, to be kept alive at every step."""

    @property
    def epoch(self) -> int:
        """The lease's number; it goes into whatever the job writes."""
        ...

    def keep(self) -> None:
        """Go on only while the lease is ours, and nobody asked this process to end.

        Call it at every step, from any thread, and right before what cannot be taken back.

        Raises:
            JobTooLate: Another holder has the lease.
            JobStopped: This process is to end.
        """
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A job as declared in code.

    Attributes:
        about: One sentence for people.
        look_seconds: How often a worker looks whether it is due.
        run: Does the work; safe to be run twice, and to be killed anywhere.
        is_behind: Tells whether there is something to do; None where only time tells.
        period_seconds: It is due so long after it last began; None where only work tells.
    """

    name: str
    about: str
    look_seconds: float
    run: Callable[[Running], Report]
    is_behind: Callable[[], bool] | None = None
    period_seconds: int | None = None


def is_due(job: Job, state: JobState, now_us: int) -> bool:
    """Tell whether a job should run now.

    It is when nobody runs it, it does not rest after a failure, and one of these holds: it
    never ran, somebody asked for it, its time has passed, its cursor is behind.
    """
    if state.until_us > now_us:
        return False
    if state.started_at_us == 0 or state.asked_at_us > state.started_at_us:
        return True
    if now_us < rests_until_us(state):
        return False
    if job.period_seconds is not None and now_us >= state.started_at_us + job.period_seconds * _SECOND_US:
        return True
    return job.is_behind is not None and job.is_behind()


def rests_until_us(state: JobState) -> int:
    """Return until when a job that failed is left alone: 5 s, doubled with each failure, at most 5 min."""
    if not state.failures:
        return 0
    pause = min(_FIRST_PAUSE_SECONDS << min(state.failures - 1, 10), _LONGEST_PAUSE_SECONDS)
    return state.ended_at_us + pause * _SECOND_US


def seen_outcome(run: Run, state: JobState, now_us: int) -> Outcome:
    """Return how a run stands now: one without an end, whose lease is gone, was abandoned."""
    alive = run.epoch == state.epoch and state.until_us > now_us
    if run.outcome is Outcome.RUNNING and not alive:
        return Outcome.ABANDONED
    return run.outcome
