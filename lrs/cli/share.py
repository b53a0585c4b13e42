"""``lrs share``: links that open a learner's portfolio or transcript without signing in."""

import json
from typing import Any

import click

from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.portfolios.model import ShareLink
from lrs.portfolios.shares import MOST_DAYS, WHATS, ShareWish
from lrs.services import Services


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(share)


@click.group()
def share() -> None:
    """Make, list and close links that open a learner's portfolio or transcript."""


@share.command("create")
@click.argument("learner")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=30, help="For how long; 30.")
@click.option("--what", type=click.Choice(WHATS), default=WHATS[0], help="What it opens; the portfolio.")
@click.option("--crosswalk", metavar="NAME", help="For a transcript: NAME, or INSTITUTION/NAME.")
@click.option("--label", metavar="TEXT", default="", help="For whom; only the learner sees it.")
@json_option
def create_share(
    learner: str, days: int, what: str, crosswalk: str | None, label: str, as_json: bool
) -> None:
    """Print a link, this once, that opens what LEARNER wants to show; an id or an identifier."""
    with opened_services() as services:
        handle = services.learners.own(learner)
        institution, name = _crosswalk(services, crosswalk) if crosswalk else (None, None)
        token = services.portfolios.create_share(handle, ShareWish(what, days, label, institution, name))
        link = f"{services.settings.public_url}/{what}/shared/{token}"
    click.echo(json.dumps({"url": link}) if as_json else link)
    click.echo(f"It is open for {days} days, or until it is closed.", err=True)


@share.command("list")
@click.argument("learner")
@json_option
def list_shares(learner: str, as_json: bool) -> None:
    """List the links of LEARNER, the latest first: id, what, state, end, label, with tabs between."""
    with opened_services() as services:
        found = services.portfolios.list_shares(services.learners.own(learner))
    if as_json:
        click.echo(json.dumps([_view(one) for one in found]))
        return
    for one in found:
        state = "open" if one.is_open else "closed"
        click.echo("\t".join([one.id, one.what, state, to_text(one.until_us), one.label]))


@share.command("revoke")
@click.argument("learner")
@click.argument("share_id", metavar="ID")
@json_option
def revoke_share(learner: str, share_id: str, as_json: bool) -> None:
    """Close a link of LEARNER at once, by its ID as lrs share list prints it."""
    with opened_services() as services:
        handle = services.learners.own(learner)
        services.portfolios.revoke_share(handle, share_id)
        closed = next(one for one in services.portfolios.list_shares(handle) if one.id == share_id)
    if as_json:
        click.echo(json.dumps(_view(closed)))
    click.echo("The link is closed.", err=True)


def _crosswalk(services: Services, name: str) -> tuple[str, str]:
    found = services.transcripts.find_crosswalk(name)
    return found.institution, found.crosswalk.name


def _view(one: ShareLink) -> dict[str, Any]:
    return {
        "id": one.id,
        "what": one.what,
        "label": one.label,
        "open": one.is_open,
        "madeAt": to_text(one.made_us),
        "until": to_text(one.until_us),
        "openedOn": list(one.days),
    }
