"""``lrs attestation``: ask people who have no system to confirm what a learner did."""

import json
from collections.abc import Sequence
from typing import Any

import click

from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.sources.attestation import COMPLETED, LEVELS, MOST_DAYS, AttestationWish
from lrs.vouchers import VOUCHERS

_institution_option = click.option(
    "--institution", metavar="NAME", required=True, help="Whose record it goes into."
)


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(attestation)


@click.group()
def attestation() -> None:
    """Ask people who have no system to confirm what a learner did."""


@attestation.command("ask")
@_institution_option
@click.option("--learner", metavar="IDENT", required=True, help="mailto:…, or HOMEPAGE NAME of an account.")
@click.option("--learner-name", metavar="NAME", required=True, help="As the mentor knows the learner.")
@click.option("--mentor", "mentor_name", metavar="NAME", required=True, help="Who is asked.")
@click.option("--mentor-email", metavar="ADDRESS", help="Identifies the mentor; nothing is sent there.")
@click.option("--activity", metavar="IRI", required=True, help="What was done.")
@click.option("--activity-name", metavar="NAME", required=True, help="Its name, for people.")
@click.option("--hours", metavar="HOURS", help="Such as 2.5 or 2:30; the mentor may correct it.")
@click.option("--day", metavar="DAY", help="When, as YYYY-MM-DD; today without it.")
@click.option("--asker", metavar="NAME", help="Who asks; the institution's name without it.")
@click.option("--level", "levels", metavar="NAME", multiple=True, help="A level, from the lowest; repeat it.")
@click.option("--no-levels", is_flag=True, help="Ask for no rating.")
@click.option(
    "--voucher",
    type=click.Choice(VOUCHERS),
    default="mentor",
    show_default=True,
    help="What the mentor is to the learner.",
)
@click.option("--verb", metavar="IRI", default=COMPLETED, show_default=True, help="The statement's verb.")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    metavar="N",
    default=14,
    show_default=True,
    help="For so long the link is good.",
)
@json_option
def ask(institution: str, levels: Sequence[str], no_levels: bool, as_json: bool, **wanted: Any) -> None:
    """Print a private link that works once; give it to the mentor, who needs nothing but a browser."""
    chosen = () if no_levels else tuple(levels) or LEVELS
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        token = services.attestations.ask(handle, AttestationWish(levels=chosen, **wanted))
        asked = services.attestations.find(token)
        link = f"{services.settings.public_url}/attest/{token}"
    if as_json:
        click.echo(json.dumps({"id": asked.subject, "link": link, "until": to_text(asked.until_us)}))
    else:
        click.echo(link)


@attestation.command("list")
@_institution_option
@json_option
def list_attestations(institution: str, as_json: bool) -> None:
    """List what was asked, and how it stands; links are not shown again."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        found = services.attestations.list(handle)
    if as_json:
        click.echo(
            json.dumps(
                [
                    {"id": one.subject, "state": one.state, "until": to_text(one.until_us), **one.asked}
                    for one in found
                ],
                ensure_ascii=False,
            )
        )
        return
    for one in found:
        asked = one.asked
        click.echo(
            "\t".join(
                [one.state, asked["day"], asked["learnerName"], asked["mentorName"], asked["activityName"]]
            )
        )
