"""``lrs award``: what learners earned, from the command line."""

import json

import click

from config.settings import read_settings
from lrs.clock import to_text
from lrs.credentials.views import view_award
from lrs.services import build_services


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(award)


@click.group()
def award() -> None:
    """See what finished pathways earned."""


@award.command("list")
@click.argument("learner", metavar="LEARNER")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value on standard output.")
def list_awards(learner: str, as_json: bool) -> None:
    """List a learner's awards, the oldest first: time, state, institution, title, with tabs between."""
    services = build_services(read_settings())
    try:
        handle = services.learners.own(learner)
        names: dict[str, str] = {one.id: one.name for one in services.access.list_institutions()}
        found = [view_award(one, names) for one in services.awards.awards_of(handle.identities)]
    finally:
        services.close()
    views = [{**view, "at": to_text(view["at"])} for view in found]
    if as_json:
        click.echo(json.dumps(views))
        return
    for view in views:
        click.echo("\t".join([view["at"], view["state"], view["institution"], view["title"]]))
    if not views:
        click.echo("Nothing was earned yet.", err=True)
