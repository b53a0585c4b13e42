"""``lrs transcript``: a learner's transcript for a school, from the command line."""

import sys
from pathlib import Path
from typing import BinaryIO

import click

from config.settings import read_settings
from lrs.access.handles import InstitutionHandle
from lrs.services import build_services
from lrs.transcripts.document import write_json


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(transcript)


@click.command()
@click.argument("learner", metavar="LEARNER")
@click.option(
    "--crosswalk",
    "name",
    metavar="NAME",
    required=True,
    help="By which it is translated; INSTITUTION/NAME where two schools have one of this name.",
)
@click.option(
    "--format", "form", type=click.Choice(["json", "pdf"]), default="json", show_default=True, help="As what."
)
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="Where to; standard output without it."
)
def transcript(learner: str, name: str, form: str, out: Path | None) -> None:
    """Make the transcript of LEARNER (an identifier or an id) for the school whose crosswalk it is.

    What it shows of other institutions' records goes into the learner's disclosure log.
    """
    made = make(learner, name, form)
    if out is None:
        write(sys.stdout.buffer, made)
        return
    out.write_bytes(made)
    click.echo(f"{out}: {len(made):,} bytes.", err=True)


def make(learner: str, name: str, form: str) -> bytes:
    """Make the file."""
    services = build_services(read_settings())
    try:
        owned = services.transcripts.find_crosswalk(name)
        found = services.learners.find(learner)
        handle = InstitutionHandle(owned.institution)
        document = services.transcripts.make(handle, found.id, owned.crosswalk.name)
    finally:
        services.close()
    if form == "json":
        return write_json(document)
    from lrs.transcripts.pdf import render  # noqa: PLC0415 - the typesetter is large; only a PDF needs it

    return render(document)


def write(stream: BinaryIO, made: bytes) -> None:
    """Write the bytes as they are."""
    stream.write(made)
    stream.flush()
