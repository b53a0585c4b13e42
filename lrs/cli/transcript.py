"""``lrs transcript``: a learner's transcript for a school, from the command line."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from lrs.access.handles import InstitutionHandle
from lrs.cli.opening import opened_services
from lrs.learners.reading import Learner
from lrs.services import Services
from lrs.transcripts.document import write_json
from lrs.transcripts.explaining import explain_line


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
    with opened_services() as services:
        owned = services.transcripts.find_crosswalk(name)
        found = services.learners.find(learner)
        handle = InstitutionHandle(owned.institution)
        document = services.transcripts.make(handle, found.id, owned.crosswalk.name)
    if form == "json":
        return write_json(document)
    from lrs.transcripts.pdf import render  # noqa: PLC0415 - the typesetter is large; only a PDF needs it

    return render(document)


def explain_transcript_line(
    services: Services, learner: Learner, item: str
) -> tuple[Sequence[str], dict[str, Any]] | None:
    """Explain a line of the learner's transcript, ``CROSSWALK:LINE``; None where that names no crosswalk."""
    known = services.transcripts.all_crosswalks()
    names = {name for one in known for name in (one.crosswalk.name, f"{one.owner}/{one.crosswalk.name}")}
    name = next((one for one in sorted(names) if item.startswith(f"{one}:")), None)
    if name is None:
        return None
    owned = services.transcripts.find_crosswalk(name)
    handle = InstitutionHandle(owned.institution)
    document = services.transcripts.make(handle, learner.id, owned.crosswalk.name)
    return explain_line(document, item.removeprefix(f"{name}:"))


def write(stream: BinaryIO, made: bytes) -> None:
    """Write the bytes as they are."""
    stream.write(made)
    stream.flush()
