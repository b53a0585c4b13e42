"""What the jobs need kept. Both engines implement it; one contract suite checks both."""

from collections.abc import Sequence
from typing import Protocol

from lrs.jobs.model import JobState, Lease, Run


class JobStore(Protocol):
    """Leases and the history of runs, of the whole instance.

    Every method is one atomic step, durable when it returns, visible at once to every
    process on the same store. All raise StoreUnavailable when the store is away.
    """

    def take_lease(self, job: str, holder: str, now_us: int, until_us: int) -> Lease | None:
        """Take the lease of a job, and begin a run in its history.

        Of any number who try at once, one gets it. A lease that has run out by that moment is
        taken over. The epoch is one higher than that of every lease before it. Of each
        job's runs the latest 200 stay.

        Returns:
            The lease, or None while another one stands.
        """
        ...

    def extend_lease(self, lease: Lease, until_us: int) -> bool:
        """Let a lease last longer; False when it is no longer the job's latest, or was given back.

        One that ran out and that nobody took over is still the latest.
        """
        ...

    def end_run(self, lease: Lease, run: Run, failures: int) -> bool:
        """Write how a run ended and give its lease back.

        The run is written in any case. The lease, and how many runs failed in a row, only
        where it is still the job's latest.

        Returns:
            Whether the lease was still ours.
        """
        ...

    def ask_run(self, job: str, at_us: int) -> None:
        """Note that somebody asked for a run; the latest moment stays."""
        ...

    def find_state(self, job: str) -> JobState:
        """Return how a job stands; all zero for one that nobody knows."""
        ...

    def list_runs(self, job: str | None, limit: int) -> Sequence[Run]:
        """Return the latest runs, of one job or of all, those that began last first."""
        ...
