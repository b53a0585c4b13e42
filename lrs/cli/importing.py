"""``lrs import``: a file of statements goes in through the same checks as a post.

Exit codes: 0 the file was read to its end, whatever was rejected in it; 1 it could not be
read to its end, one of its processes was killed, or the institution's quota is used up; 2 wrong
usage, or no such file; 3 wrong settings; 4 the store is away; 130 interrupted. After 1, 4 and 130
the same command continues without duplicates.
"""

import json
from dataclasses import asdict
from pathlib import Path

import click

from lrs.cli.cores import count_cores
from lrs.cli.opening import opened_services
from lrs.cli.progress import Progress
from lrs.processes import spare_collector
from lrs.services import Services
from lrs.web.kinds import kind_of
from lrs.xapi.arrivals import IMPORT
from lrs.xapi.import_files import StatementFile
from lrs.xapi.importing import FileIds, ImportCounts, Importer, ImportTarget
from lrs.xapi.preparing import Rejection
from lrs.xapi.versions import Version

NOTED_REFUSALS = 100
"""Rejected records of one run that are kept as refusals; all are written to standard error."""

_SHOWN_PROBLEMS = 5

_MOST_PROCESSES = 8
"""Unless more are asked for: fewer prepare already as fast as the one that writes can write."""


@click.command("import")
@click.option("--institution", required=True, help="Whose records these are; made where it is missing.")
@click.option(
    "--version",
    type=click.Choice([version.value for version in Version]),
    help="Whose rules every record must keep. Without it, a record whose own version begins with 2."
    " is held to 2.0.0, any other to 1.0.3.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=lambda: min(count_cores(), _MOST_PROCESSES),
    show_default=f"as many as there are cores, at most {_MOST_PROCESSES}",
    help="How many prepare the records of a large file, beside the one that writes; 1 does it all in one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(institution: str, version: str | None, processes: int, as_json: bool, file: Path) -> None:
    """Import FILE: one statement a line, a JSON array, or one statement; gzip or plain.

    Good records go in and bad ones are named with their line (in an array: their index, from
    0) on standard error. It may be interrupted at any moment and run again: nothing goes in
    twice.
    """
    with opened_services() as services:
        spare_collector()
        source = StatementFile(file, services.statements.read_limits.max_body_bytes)
        target = _target(services, institution, Version(version) if version else None, file)
        counts, seconds = _run(services, target, source, processes, as_json)
    if as_json:
        click.echo(json.dumps(asdict(counts)))
    else:
        click.echo(
            f"Read {counts.read:,} records in {seconds:.1f} s: {counts.stored:,} stored,"
            f" {counts.already:,} were there already, {counts.rejected:,} rejected."
        )


def _run(
    services: Services, target: ImportTarget, source: StatementFile, processes: int, silent: bool
) -> tuple[ImportCounts, float]:
    progress = Progress(source.total_bytes, silent)
    importer = Importer(
        services.statements,
        target,
        _Refusals(services, target, source, progress),
        lambda counts: progress.show(source.bytes_read, counts.read),
        processes,
    )
    try:
        counts = importer.run(source)
    except BaseException:
        progress.clear()
        done = importer.counts
        click.echo(
            f"Stopped after {done.read:,} records; {done.stored:,} of them are new in the store and safe."
            " Run the same command again to continue.",
            err=True,
        )
        raise
    progress.clear()
    return counts, progress.seconds


def _target(services: Services, name: str, version: Version | None, file: Path) -> ImportTarget:
    institution = services.access.ensure_institution(name)
    client = services.access.ensure_client(institution.id, IMPORT)
    handle = services.access.handle_for_institution_named(institution.name)
    return ImportTarget(
        handle,
        client,
        version,
        FileIds(handle, file),
        lambda: services.access.get_institution(institution.id).statement_quota,
    )


class _Refusals:
    """Writes each rejected record to standard error, and the first ones into the store."""

    def __init__(
        self, services: Services, target: ImportTarget, source: StatementFile, progress: Progress
    ) -> None:
        self._services = services
        self._target = target
        self._where = f"{source.name}, {source.unit}"
        self._progress = progress
        self._noted = 0

    def __call__(self, rejection: Rejection) -> None:
        error = rejection.error
        error.detail = f"{self._where} {rejection.number}: {error.detail}"
        self._progress.clear()
        click.echo(error.detail, err=True)
        for problem in error.problems[:_SHOWN_PROBLEMS]:
            click.echo(f"  {problem.path or '(all)'}: {problem.message}", err=True)
        if self._noted < NOTED_REFUSALS:
            self._noted += 1
            self._services.arrivals.note_refusal(
                self._target.handle,
                source=IMPORT,
                error=error,
                error_id=self._services.outside.new_error_id(),
                status=kind_of(error).status,
                method="IMPORT",
                body_bytes=rejection.body_bytes,
            )


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(import_file)
