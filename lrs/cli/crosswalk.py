"""``lrs crosswalk``: a school's tables that translate learning into courses, from the command line."""

import json
from pathlib import Path

import click

from lrs.cli.opening import json_option, opened_services
from lrs.transcripts.service import OwnedCrosswalk


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(crosswalk)


@click.group()
def crosswalk() -> None:
    """Take in and list crosswalks."""


@crosswalk.command("import")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--institution", metavar="NAME", required=True, help="The school whose crosswalk it is.")
def import_crosswalk(file: Path, institution: str) -> None:
    """Take a crosswalk (docs/formats.md), whole or not at all; again makes its next version."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        done = services.transcripts.import_crosswalk(handle, file.read_bytes())
    made = done.crosswalk
    how = "is here now" if done.changed else "was here already"
    click.echo(
        f"Crosswalk {made.name}, version {made.version}, {how}:"
        f" {len(made.rules)} rules, {len(made.courses)} courses."
    )


@crosswalk.command("list")
@click.option("--institution", metavar="NAME", help="Whose; all without it.")
@json_option
def list_crosswalks(institution: str | None, as_json: bool) -> None:
    """List crosswalks: name, version, institution, title and what is in it, with tabs between."""
    with opened_services() as services:
        found = services.transcripts.all_crosswalks()
        if institution is not None:
            wanted = services.access.get_institution_named(institution).id
            found = [one for one in found if one.institution == wanted]
    if as_json:
        click.echo(json.dumps([_view(one) for one in found]))
        return
    for one in found:
        click.echo("\t".join(str(value) for value in _view(one).values()))


def _view(one: OwnedCrosswalk) -> dict[str, str | int]:
    made = one.crosswalk
    return {
        "name": made.name,
        "version": made.version,
        "institution": one.owner,
        "title": made.title,
        "framework": made.framework,
        "rules": len(made.rules),
        "courses": len(made.courses),
    }
