"""``lrs roster``: what an institution says of its people, from a file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from lrs.cli.opening import json_option, opened_services
from lrs.learners.roster_file import COLUMNS, MOST_BYTES, read_roster_file
from lrs.learners.service import RosterImport, RosterOptions
from lrs.learners.views import view_roster_import


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(roster)


@click.group()
def roster() -> None:
    """Take what an institution says of its people."""


@roster.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--institution", metavar="NAME", required=True, help="Whose people these are.")
@click.option(
    "--name", metavar="NAME", default="roster", show_default=True, help="What the roster is called."
)
@click.option("--home-page", metavar="URL", help="Where sourcedId and username are accounts.")
@click.option(
    "--column",
    "columns",
    metavar="NAME=HEADER",
    multiple=True,
    help="A column that is called otherwise; may be repeated.",
)
@click.option("--full", is_flag=True, help="Remove from the roster whoever is not in the file.")
@json_option
def import_roster(  # noqa: PLR0913, PLR0917 - each is an option
    file: Path,
    institution: str,
    name: str,
    home_page: str | None,
    columns: Sequence[str],
    full: bool,
    as_json: bool,
) -> None:
    """Take a roster (CSV); broken rows are shown with line and reason, good ones are kept."""
    with file.open("rb") as opened:
        rows = read_roster_file(opened.read(MOST_BYTES + 1), _columns(columns))
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        done = services.learners.import_roster(handle, name, rows, RosterOptions(home_page, full))
    if as_json:
        click.echo(json.dumps(view_roster_import(done)))
    else:
        _show(done)


def _columns(given: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, header = text.partition("=")
        if name not in COLUMNS or not equals or not header:
            raise click.BadParameter(
                f'"{text}" is not NAME=HEADER with one of {", ".join(COLUMNS)}.', param_hint="--column"
            )
        found[name] = header
    return found


def _show(done: RosterImport) -> None:
    parts = [
        f"{done.read} rows",
        f"{done.stored} people new or changed",
        f"{done.already} as before",
        f"{len(done.rejected)} rows rejected",
    ]
    if done.removed:
        parts.append(f"{done.removed} people removed")
    click.echo("; ".join(parts) + ".")
    for one in done.rejected:
        click.echo(f"line {one.line}: {one.reason}", err=True)
    for identifier, subjects in sorted(done.shared.items()):
        click.echo(f"{identifier} is given to {' and '.join(subjects)}: it counts for nobody.", err=True)
    if done.kept:
        click.echo(f"{done.kept} people are missing and were left: rejected rows may be theirs.", err=True)
