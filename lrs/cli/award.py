"""``lrs award``: what learners earned, from the command line."""

import json

import click

from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.credentials.views import view_award


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(award)


@click.group()
def award() -> None:
    """See what finished pathways earned."""


@award.command("list")
@click.argument("learner", metavar="LEARNER")
@json_option
def list_awards(learner: str, as_json: bool) -> None:
    """List a learner's awards, the oldest first: time, state, institution, title, with tabs between."""
    with opened_services() as services:
        handle = services.learners.own(learner)
        names: dict[str, str] = {one.id: one.name for one in services.access.list_institutions()}
        found = [view_award(one, names) for one in services.awards.awards_of(handle.identities)]
    views = [{**view, "at": to_text(view["at"])} for view in found]
    if as_json:
        click.echo(json.dumps(views))
        return
    for view in views:
        click.echo("\t".join([view["at"], view["state"], view["institution"], view["title"]]))
    if not views:
        click.echo("Nothing was earned yet.", err=True)
