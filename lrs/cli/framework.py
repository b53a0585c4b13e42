"""``lrs framework`` and ``lrs alignment``: what there is to be learned, and what is evidence of it."""

import json
from pathlib import Path

import click

from lrs.cli.opening import json_option, opened_services
from lrs.competencies.views import view_alignment_import, view_framework, view_framework_import

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(framework)
    group.add_command(alignment)


@click.group()
def framework() -> None:
    """Take in competency frameworks."""


@framework.command("import")
@click.argument("file", type=_file)
@click.option("--institution", metavar="NAME", required=True, help="Whose framework this is.")
@click.option("--model", type=_file, metavar="FILE", help="How evidence becomes a level; JSON.")
@json_option
def import_framework(file: Path, institution: str, model: Path | None, as_json: bool) -> None:
    """Take a CASE package (1.0 or 1.1), whole or not at all; a later version replaces an earlier one."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        given = model.read_bytes() if model is not None else None
        done = services.frameworks.import_framework(handle, file.read_bytes(), given)
        shown = view_framework_import(done, {one.id: one.name for one in services.access.list_institutions()})
    if as_json:
        click.echo(json.dumps(shown))
        return
    what = f"version {shown['version']}, {shown['items']} items" if done.changed else "was here already"
    click.echo(f"{shown['title']} ({shown['identifier']}): {what}.", err=True)


@framework.command("list")
@json_option
def list_frameworks(as_json: bool) -> None:
    """List frameworks: identifier, title, institution, version, number of items, with tabs between."""
    with opened_services() as services:
        names = {one.id: one.name for one in services.access.list_institutions()}
        found = [view_framework(one, names) for one in services.frameworks.frameworks()]
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        shown = (one[name] for name in ("identifier", "title", "institution", "version", "items"))
        click.echo("\t".join(map(str, shown)))


@click.group()
def alignment() -> None:
    """Say which records are evidence of which items."""


@alignment.command("import")
@click.argument("file", type=_file)
@click.option("--institution", metavar="NAME", required=True, help="Whose alignment this is.")
@json_option
def import_alignment(file: Path, institution: str, as_json: bool) -> None:
    """Take an alignment (JSON), whole or not at all; it takes the place of one of the same name."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        done = services.frameworks.import_alignment(handle, file.read_bytes())
    if as_json:
        click.echo(json.dumps(view_alignment_import(done)))
        return
    what = f"version {done.version}, {done.rules} rules" if done.changed else "was here already"
    click.echo(f"{done.name}: {what}.", err=True)


@alignment.command("list")
@click.option("--institution", metavar="NAME", required=True, help="Whose alignments.")
@json_option
def list_alignments(institution: str, as_json: bool) -> None:
    """List an institution's alignments: name, version, framework, number of rules, with tabs between."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        found = services.frameworks.alignments(handle)
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        click.echo(f"{one['name']}\t{one['version']}\t{one['framework']}\t{len(one['rules'])}")
