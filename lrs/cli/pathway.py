"""``lrs pathway``: playlists and paths, from the command line."""

import json
from pathlib import Path

import click

from lrs.cli.opening import json_option, opened_services
from lrs.pathways.views import view_pathway


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(pathway)


@click.group()
def pathway() -> None:
    """Take and list pathways: what leads to what."""


@pathway.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--institution", metavar="NAME", required=True, help="Whose it is; its award is given by it.")
@json_option
def import_pathway(file: Path, institution: str, as_json: bool) -> None:
    """Take a pathway from a file, whole or not at all; its next version where one of its name is there."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        done = services.pathways.import_pathway(handle, file.read_bytes())
    found = done.pathway
    if as_json:
        shown = {
            "name": found.name,
            "version": found.version,
            "steps": len(found.steps),
            "changed": done.changed,
        }
        click.echo(json.dumps({**shown, "unaligned": list(done.unaligned)}))
    else:
        kept = "" if done.changed else ", as before"
        click.echo(f"{found.name}, version {found.version}, {len(found.steps)} steps{kept}")
    for label in done.unaligned:
        click.echo(f"No alignment leads to {label} yet.", err=True)


@pathway.command("list")
@click.option("--institution", metavar="NAME", help="Whose; all without it.")
@json_option
def list_pathways(institution: str | None, as_json: bool) -> None:
    """List pathways: institution, name, version, title, award, with tabs between."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution) if institution else None
        names: dict[str, str] = {one.id: one.name for one in services.access.list_institutions()}
        views = [view_pathway(one, names) for one in services.pathways.list(handle)]
    if as_json:
        click.echo(json.dumps(views))
        return
    for view in views:
        parts = (view["institution"], view["name"], str(view["version"]), view["title"], view["award"] or "-")
        click.echo("\t".join(parts))
