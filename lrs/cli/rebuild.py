"""``lrs rebuild``: make everything that is derived anew, or prove that it would come out the same."""

import json
import time
from collections.abc import Callable
from typing import Any

import click

from lrs.cli.opening import json_option, opened_services
from lrs.derivation.rebuilding import Rebuilder, Rebuilt
from lrs.errors import JobAlreadyRunning, JobError, LrsError
from lrs.jobs.model import Job, Report, Running
from lrs.jobs.runner import JobRunner
from lrs.jobs.schedule import DERIVE
from lrs.services import Services
from lrs.worker import on_signals

_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 120.0
_SHOWN_SECONDS = 1.0


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(rebuild)


@click.command()
@click.option("--verify", is_flag=True, help="Change nothing; compare what stands with what would be made.")
@json_option
def rebuild(verify: bool, as_json: bool) -> None:
    """Derive everything anew from what is recorded, while the job that derives waits."""
    began = time.monotonic()
    with opened_services() as services:
        done = _with_lease(services, verify)
    seconds = round(time.monotonic() - began, 3)
    for text in done.named:
        click.echo(text, err=True)
    if as_json:
        click.echo(json.dumps(_view(done, seconds)))
    else:
        click.echo(_line(done, verify, seconds), err=True)
    if done.differences:
        raise LrsError(
            f"{done.differences} rows are not what they should be; lrs rebuild makes everything anew."
        )


def _with_lease(services: Services, verify: bool) -> Rebuilt:
    """Do it as a run of the job that derives, so that no worker does."""
    stores = services.stores
    rebuilder = Rebuilder(services.deriving, stores.derived, stores.derived_scratch)
    act = rebuilder.verify if verify else rebuilder.rebuild
    made: list[Rebuilt] = []
    failed: list[LrsError] = []

    def run(running: Running) -> Report:
        try:
            made.append(act(running.epoch, running.keep, _shower()))
        except LrsError as error:
            failed.append(error)
            raise
        return Report(made[0].statements, 0 if verify else made[0].evidence)

    about = "Proves what is derived." if verify else "Makes everything that is derived anew."
    runner = JobRunner(
        stores.jobs, [Job(DERIVE, about, 1, run)], services.outside.clock, services.outside.new_id
    )
    on_signals(runner.stop)
    _run_when_free(runner)
    if failed:
        raise failed[0]
    if not made:
        raise JobError("It was not done; lrs jobs history derive says why.")
    return made[0]


def _run_when_free(runner: JobRunner) -> None:
    """Take the lease when whoever holds it lets go; a holder that died keeps it for a minute."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            runner.run(DERIVE)
        except JobAlreadyRunning:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return


def _shower() -> Callable[[int], None]:
    """Return what writes to standard error, now and then, how many statements have been read."""
    shown = [time.monotonic()]

    def show(statements: int) -> None:
        if time.monotonic() - shown[0] >= _SHOWN_SECONDS:
            shown[0] = time.monotonic()
            click.echo(f"{statements:,} statements read", err=True)

    return show


def _view(done: Rebuilt, seconds: float) -> dict[str, Any]:
    return {
        "statements": done.statements,
        "evidence": done.evidence,
        "progress": done.progress,
        "completions": done.completions,
        "differences": done.differences,
        "seconds": seconds,
    }


def _line(done: Rebuilt, verify: bool, seconds: float) -> str:
    what = f"{done.differences} differences" if verify else "made anew"
    return (
        f"{done.statements:,} statements: {done.evidence:,} pieces of evidence, {done.progress:,} rows of"
        f" progress, {done.completions:,} completions; {what}, in {seconds} s."
    )
