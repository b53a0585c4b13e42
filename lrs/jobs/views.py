"""Jobs and runs as the API and the command line show them; instants stay microseconds."""

from typing import Any

from lrs.jobs.model import Run
from lrs.jobs.runner import JobView


def view_job(one: JobView) -> dict[str, Any]:
    """Show a job and how it stands."""
    state = one.state
    return {
        "name": one.job.name,
        "about": one.job.about,
        "running": one.is_running,
        "due": one.is_due,
        "startedAt": state.started_at_us or None,
        "endedAt": state.ended_at_us or None,
        "askedAt": state.asked_at_us or None,
        "failures": state.failures,
    }


def view_run(run: Run) -> dict[str, Any]:
    """Show one run."""
    return {
        "job": run.job,
        "run": run.epoch,
        "outcome": run.outcome.value,
        "startedAt": run.started_at_us,
        "endedAt": run.ended_at_us,
        "read": run.report.read,
        "wrote": run.report.wrote,
        "problems": list(run.report.problems),
        "problemCount": run.report.problem_count,
    }
