"""``lrs portfolio``: everything of one learner, as a file for programs or for people."""

import sys
from pathlib import Path

import click

from lrs.app import create_app
from lrs.cli.opening import opened_services
from lrs.portfolios.export import to_bytes
from lrs.portfolios.model import Portfolio
from lrs.portfolios.routes.rendering import render_file
from lrs.services import Services


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(portfolio)


@click.command("portfolio")
@click.argument("learner")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "html"]),
    default="json",
    help="json for programs; html: the page, in one file that stands alone.",
)
@click.option("--out", type=click.Path(dir_okay=False), help="A file, instead of standard output.")
def portfolio(learner: str, form: str, out: str | None) -> None:
    """Write the portfolio of LEARNER: an id, or an identifier such as an e-mail address."""
    with opened_services() as services:
        handle = services.learners.own(learner)
        made = services.portfolios.assemble(handle)
        body = to_bytes(made) if form == "json" else _page(services, made)
    if out is None:
        sys.stdout.buffer.write(body)
    else:
        Path(out).write_bytes(body)
        click.echo(f"Wrote {out}: {len(made.acts):,} records, {len(body):,} bytes.", err=True)
    if made.is_behind:
        click.echo("Some records are not worked in yet: lrs worker --once does it.", err=True)


def _page(services: Services, made: Portfolio) -> bytes:
    with create_app(services.settings, services).test_request_context():
        return render_file(made).encode()
