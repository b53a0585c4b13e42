"""``lrs connector``: read sources (spreadsheets, other record stores), and mend what was left out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click

from lrs.access.handles import InstitutionHandle
from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.errors import NotFound
from lrs.services import Services
from lrs.sources.model import MOST_MINUTES, KeptRow, Kind, Run, RunResult, Source, is_url
from lrs.sources.setup import SourceWish, read_config

_SHOWN = 5
_config_option = click.option(
    "--config",
    type=click.File("rb"),
    metavar="FILE",
    help="What the source holds, in JSON (docs/formats.md).",
)


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(connector)


@click.group()
def connector() -> None:
    """Read sources: spreadsheets of attendance, other record stores."""


@connector.command("run")
@click.option("--institution", metavar="NAME", required=True, help="Whose records these are.")
@_config_option
@click.option(
    "--credentials",
    type=click.File("r"),
    metavar="FILE",
    help="KEY:SECRET of another record store; - reads standard input. They are kept encrypted.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be stored; write nothing.")
@json_option
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.argument("source", metavar="SOURCE")
def run_connector(  # noqa: PLR0913, PLR0917 - each is an option
    institution: str,
    config: BinaryIO | None,
    credentials: TextIO | None,
    dry_run: bool,
    as_json: bool,
    kind: str,
    source: str,
) -> None:
    """Read SOURCE, a file or a URL, and store what it holds; twice over changes nothing.

    The source is remembered under the name in its configuration, else under one made of its kind
    and its file's name or address: a corrected file of that name is the same source, and replaces
    what changed.
    """
    place = source if is_url(source) else str(Path(source).absolute())
    wish = SourceWish(
        Kind(kind),
        place,
        read_config(config.read()) if config else None,
        credentials.read() if credentials else None,
    )
    with opened_services() as services:
        handle = _institution(services, institution)
        result = services.sources.run(handle, wish, is_dry=dry_run)
    _show(result, as_json)


@connector.command("list")
@click.option("--institution", metavar="NAME", help="Whose; all without it.")
@json_option
def list_sources(institution: str | None, as_json: bool) -> None:
    """List sources with their latest runs, and each run's id."""
    with opened_services() as services:
        found = [
            (name, source, services.sources.runs(handle, source.name)[:_SHOWN])
            for name, handle in _institutions(services, institution)
            for source in services.sources.list(handle)
        ]
    if as_json:
        click.echo(json.dumps([_view_source(*one) for one in found], ensure_ascii=False))
        return
    for name, source, runs in found:
        every = f"every {source.every_minutes} minutes" if source.every_minutes else "when asked"
        click.echo("\t".join([name, source.name, source.kind.value, every]))
        for run in runs:
            click.echo(f"  {run.id}\t{to_text(run.started_at_us)}\t{run.act}\t{run.state}\t{_counts(run)}")


@connector.command("rejected")
@click.option("--kept-aside", is_flag=True, help="List what was good and not wanted instead.")
@json_option
@click.argument("run", metavar="RUN")
def list_rejected(kept_aside: bool, as_json: bool, run: str) -> None:
    """List the rows that RUN rejected, each with the reason and, in JSON, the row itself."""
    with opened_services() as services:
        handle = _owner(services, run)
        found = services.sources.rejected(handle, run, kept_aside=kept_aside)
    if as_json:
        click.echo(json.dumps([_view_kept(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        _show_kept(one)


@connector.command("replay")
@_config_option
@json_option
@click.argument("run", metavar="RUN")
def replay(config: BinaryIO | None, as_json: bool, run: str) -> None:
    """Try the rows that RUN rejected again, under the source's configuration or a mended one."""
    mended = read_config(config.read()) if config else None
    with opened_services() as services:
        result = services.sources.replay(_owner(services, run), run, mended)
    _show(result, as_json)


@connector.command("undo")
@json_option
@click.argument("run", metavar="RUN")
def undo(as_json: bool, run: str) -> None:
    """Void what RUN stored, and store again what it had replaced."""
    with opened_services() as services:
        result = services.sources.undo(_owner(services, run), run)
    _show(result, as_json)


@connector.command("schedule")
@click.option("--institution", metavar="NAME", required=True, help="Whose source.")
@click.option(
    "--every-minutes",
    type=click.IntRange(0, MOST_MINUTES),
    metavar="N",
    required=True,
    help="How often the worker reads it; 0 for only when asked.",
)
@click.argument("name", metavar="NAME")
def schedule(institution: str, every_minutes: int, name: str) -> None:
    """Have the worker read a source every so often."""
    with opened_services() as services:
        services.sources.schedule(_institution(services, institution), name, every_minutes or None)
    told = f"every {every_minutes} minutes" if every_minutes else "only when asked"
    click.echo(f"The source {name} is read {told}.", err=True)


def _show(result: RunResult, as_json: bool) -> None:
    run = result.run
    if as_json:
        more: dict[str, Any] = {"run": run.id, "source": run.source}
        if run.reason:
            more["reason"] = run.reason
        if not run.id:
            more |= {"statements": result.statements, "left": [_view_kept(one) for one in result.kept]}
        click.echo(json.dumps({**run.counts.as_json(), **more}, ensure_ascii=False))
        return
    for statement in result.statements:
        click.echo(json.dumps(statement, ensure_ascii=False))
    for one in result.kept:
        if one.is_rejected or not run.id:
            _show_kept(one, err=True)
    told = f"Run {run.id}" if run.id else "Nothing was written. It"
    click.echo(f"{told} of {run.source}: {_counts(run)}.", err=True)
    if run.reason:
        click.echo(run.reason, err=True)


def _show_kept(one: KeptRow, *, err: bool = False) -> None:
    click.echo(one.reason, err=err)
    for problem in one.problems[1:_SHOWN]:
        click.echo(f"  {problem['message']}", err=err)


def _counts(run: Run) -> str:
    counts = run.counts
    text = (
        f"{counts.read:,} read, {counts.stored:,} stored, {counts.already:,} there already,"
        f" {counts.rejected:,} rejected, {counts.kept_aside:,} kept aside"
    )
    return text + (f", {counts.voided:,} voided" if counts.voided else "")


def _view_kept(one: KeptRow) -> dict[str, Any]:
    return {"place": one.place, "reason": one.reason, "problems": one.problems, "row": one.content}


def _view_source(institution: str, source: Source, runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "institution": institution,
        "name": source.name,
        "kind": source.kind.value,
        "place": source.place,
        "everyMinutes": source.every_minutes,
        "runs": [_view_run(run) for run in runs],
    }


def _view_run(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "act": run.act.value,
        "state": run.state.value,
        "startedAt": to_text(run.started_at_us),
        "endedAt": None if run.ended_at_us is None else to_text(run.ended_at_us),
        "reason": run.reason,
        "about": run.about,
        **run.counts.as_json(),
    }


def _institution(services: Services, name: str) -> InstitutionHandle:
    try:
        return services.access.handle_for_institution_named(name)
    except NotFound as error:
        known = ", ".join(repr(one.name) for one in services.access.list_institutions()[:20])
        raise NotFound(
            f"There is no institution named {name!r}; there are {known or 'none yet'}. Make it with:"
            " lrs institution create NAME"
        ) from error


def _institutions(services: Services, name: str | None) -> list[tuple[str, InstitutionHandle]]:
    if name is not None:
        return [(name, _institution(services, name))]
    return [(one.name, InstitutionHandle(one.id)) for one in services.access.list_institutions()]


def _owner(services: Services, run: str) -> InstitutionHandle:
    """Find whose run it is: a run's id is unique in the instance."""
    for _, handle in _institutions(services, None):
        try:
            services.sources.get_run(handle, run)
        except NotFound:
            continue
        return handle
    raise NotFound(f"There is no run {run!r}; lrs connector list shows the latest ones.")
