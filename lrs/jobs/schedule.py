"""Which jobs there are, and what makes each due: declared here, and nowhere else."""

from collections.abc import Sequence

from lrs.jobs.model import Job


def declare_jobs() -> Sequence[Job]:
    """Declare every job, in the order in which one pass runs them."""
    return ()
