"""``lrs worker`` and ``lrs jobs``: what runs beside the requests.

``lrs worker --once`` ends with 1 when a job failed; ``lrs jobs run`` when its run did.
"""

import json
import logging
from typing import Any

import click

from config.settings import read_settings
from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.errors import JobError
from lrs.jobs.model import Outcome, Run
from lrs.jobs.views import view_job, view_run
from lrs.services import build_services
from lrs.worker import on_signals, work_until_asked_to_end

_BAD_OUTCOMES = frozenset({Outcome.FAILED, Outcome.LOST})


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(worker)
    group.add_command(jobs)


@click.command()
@click.option("--once", is_flag=True, help="Run what is due until nothing is, then end.")
def worker(once: bool) -> None:
    """Run jobs as they fall due, until asked to end."""
    settings = read_settings()
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    services = build_services(settings)
    try:
        if once:
            on_signals(services.jobs.stop)
            _report(services.jobs.run_until_idle())
            return
        names = ", ".join(job.name for job in services.jobs.jobs)
        click.echo(f"Running jobs as they fall due: {names}. Ctrl-C or SIGTERM ends it.", err=True)
        work_until_asked_to_end(services.jobs)
    finally:
        services.close()


@click.group()
def jobs() -> None:
    """See and start jobs."""


@jobs.command("list")
@json_option
def list_jobs(as_json: bool) -> None:
    """List the jobs: name, how it stands, last start, with tabs between."""
    with opened_services() as services:
        found = [_with_texts(view_job(one)) for one in services.jobs.view()]
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        stands = "running" if one["running"] else "due" if one["due"] else "idle"
        click.echo(f"{one['name']}\t{stands}\t{one['startedAt'] or 'never ran'}")


@jobs.command("run")
@click.argument("name")
@json_option
def run_job(name: str, as_json: bool) -> None:
    """Run a job now, due or not, and say what it did."""
    services = build_services(read_settings())
    on_signals(services.jobs.stop)
    try:
        run = services.jobs.run(name)
    finally:
        services.close()
    if as_json:
        click.echo(json.dumps(_with_texts(view_run(run))))
        _raise_if_bad([run])
    else:
        _report([run])


@jobs.command("history")
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
def history(name: str | None, limit: int, as_json: bool) -> None:
    """List the latest runs, of one job or of all, newest first."""
    with opened_services() as services:
        runs = services.jobs.history(name, limit)
    if as_json:
        click.echo(json.dumps([_with_texts(view_run(run)) for run in runs]))
        return
    for run in runs:
        click.echo(f"{to_text(run.started_at_us)}\t{_line(run)}")


def _report(runs: list[Run]) -> None:
    for run in runs:
        click.echo(_line(run), err=True)
        for problem in run.report.problems:
            click.echo(f"  {problem}", err=True)
    _raise_if_bad(runs)


def _raise_if_bad(runs: list[Run]) -> None:
    bad = sorted({run.job for run in runs if run.outcome in _BAD_OUTCOMES})
    if bad:
        raise JobError(f"Not done: {', '.join(bad)}. lrs jobs history says why.")


def _line(run: Run) -> str:
    return f"{run.job}\t{run.outcome.value}\tread {run.report.read}\twrote {run.report.wrote}"


def _with_texts(view: dict[str, Any]) -> dict[str, Any]:
    """Write the instants of a view as text."""
    return {
        name: to_text(value) if name.endswith("At") and value is not None else value
        for name, value in view.items()
    }
