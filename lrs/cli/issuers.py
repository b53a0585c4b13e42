"""``lrs issuer``: whose signed tokens an institution trusts, from the command line."""

import json
from typing import Any

import click

from lrs.access.issuers import IssuerWish
from lrs.access.model import Issuer
from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(issuer)


@click.group()
def issuer() -> None:
    """Say whose signed tokens an institution trusts."""


@issuer.command("add")
@click.option("--institution", metavar="NAME", required=True, help="Who trusts it.")
@click.option("--issuer", "url", metavar="URL", required=True, help="Exactly as its tokens say it in iss.")
@click.option("--audience", metavar="AUD", required=True, help="What its tokens for us say in aud.")
@click.option(
    "--client-claim",
    metavar="CLAIM",
    default="azp",
    show_default=True,
    help="The claim that names the client whose statements they are.",
)
@click.option(
    "--scope-claim",
    metavar="CLAIM",
    default="scope",
    show_default=True,
    help="The claim that holds the scopes, separated by blanks or as a list.",
)
@click.option(
    "--jwks-url",
    metavar="URL",
    help="Where its keys are. [default: where its /.well-known/openid-configuration says]",
)
@json_option
def add_issuer(institution: str, as_json: bool, **wish: str) -> None:
    """Trust an issuer's tokens for an audience, and print the id of that trust."""
    with opened_services() as services:
        made = services.issuers.add(institution, IssuerWish(**wish))
    click.echo(json.dumps(_view(made)) if as_json else made.id)


@issuer.command("list")
@click.option("--institution", metavar="NAME", help="Without it, those of all institutions.")
@json_option
def list_issuers(institution: str | None, as_json: bool) -> None:
    """List trusted issuers, oldest first: id, institution's id, issuer and audience, with tabs between."""
    with opened_services() as services:
        found = services.issuers.list(institution)
    if as_json:
        click.echo(json.dumps([_view(one) for one in found]))
        return
    for one in found:
        click.echo("\t".join([one.id, one.institution_id, one.url, one.audience]))
    if not found:
        click.echo("No issuer is trusted yet.", err=True)


@issuer.command("remove")
@click.argument("issuer_id", metavar="ID")
def remove_issuer(issuer_id: str) -> None:
    """Trust an issuer no more, at once."""
    with opened_services() as services:
        services.issuers.remove(issuer_id)
    click.echo(f"Issuer {issuer_id} is trusted no more.", err=True)


def _view(one: Issuer) -> dict[str, Any]:
    return {
        "id": one.id,
        "institution": one.institution_id,
        "issuer": one.url,
        "audience": one.audience,
        "clientClaim": one.client_claim,
        "scopeClaim": one.scope_claim,
        "jwksUrl": one.jwks_url,
        "createdAt": to_text(one.created_at_us),
    }
