"""Which jobs there are, and what makes each due: declared here, and nowhere else."""

from collections.abc import Sequence

from lrs.jobs.model import Job, Report, Running
from lrs.streams.delivery import Deliverer


def declare_jobs(deliverer: Deliverer) -> Sequence[Job]:
    """Declare every job, in the order in which one pass runs them.

    Args:
        deliverer: Sends statements on.
    """

    def deliver(running: Running) -> Report:
        done = deliverer.deliver(running.epoch, running.keep)
        return Report(done.read, done.sent, tuple(done.problems), len(done.problems))

    return (
        Job(
            "deliver",
            "Sends what was stored to other record stores and to webhooks.",
            2,
            deliver,
            is_behind=deliverer.is_behind,
        ),
    )
