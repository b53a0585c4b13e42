"""``lrs learner``: who is who, from the command line."""

import json
from collections.abc import Iterator, Mapping

import click

from lrs.access.handles import InstitutionId
from lrs.cli.opening import json_option, opened_services
from lrs.learners.identifiers import shown
from lrs.learners.reading import MOST_LISTED, Learner
from lrs.learners.views import view_learner
from lrs.services import Services

_BY = "operator"
_why_option = click.option("--why", metavar="TEXT", default="", help="Kept in the history.")


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(learner)


@click.group()
def learner() -> None:
    """See who is who; join and part identifiers."""


@learner.command("list")
@click.option("--institution", metavar="NAME", help="Only whom it has records or a roster of.")
@json_option
def list_learners(institution: str | None, as_json: bool) -> None:
    """List learners: id, name, institutions, identifiers, with tabs between."""
    with opened_services() as services:
        named = services.access.get_institution_named(institution).id if institution else None
        names = _names(services)
        found = list(_learners(services, named))
    if as_json:
        click.echo(json.dumps([view_learner(one, names) for one in found]))
        return
    for one in found:
        click.echo(_line(one, names))
    if not found:
        click.echo("Nobody is known yet; lrs worker --once derives who is who.", err=True)


@learner.command("find")
@click.argument("identifier", metavar="IDENTIFIER")
@json_option
def find_learner(identifier: str, as_json: bool) -> None:
    """Show whom an identifier means: mailto:…, "HOMEPAGE NAME" of an account, an OpenID, or an id."""
    with opened_services() as services:
        found = services.learners.find(identifier)
        names = _names(services)
    click.echo(json.dumps(view_learner(found, names)) if as_json else _line(found, names))


@learner.command("link")
@click.argument("one", metavar="IDENTIFIER")
@click.argument("other", metavar="IDENTIFIER")
@_why_option
@json_option
def link_identifiers(one: str, other: str, why: str, as_json: bool) -> None:
    """Record that two identifiers, or learners, are one person; it counts for a shared mailbox too."""
    with opened_services() as services:
        pair = services.learners.link(one, other, _BY, why)
    _show_pair(pair, "linked", as_json)


@learner.command("unlink")
@click.argument("one", metavar="IDENTIFIER")
@click.argument("other", metavar="IDENTIFIER")
@_why_option
@json_option
def unlink_identifiers(one: str, other: str, why: str, as_json: bool) -> None:
    """Record that two identifiers, or learners, are not one person, whatever else joins them."""
    with opened_services() as services:
        pair = services.learners.unlink(one, other, _BY, why)
    _show_pair(pair, "apart", as_json)


def _learners(services: Services, institution: InstitutionId | None) -> Iterator[Learner]:
    after: str | None = ""
    while after is not None:
        page = services.learners.list(institution, after, MOST_LISTED)
        yield from page.learners
        after = page.after


def _names(services: Services) -> Mapping[InstitutionId, str]:
    return {one.id: one.name for one in services.access.list_institutions()}


def _line(one: Learner, names: Mapping[InstitutionId, str]) -> str:
    view = view_learner(one, names)
    identifiers = " | ".join(shown(identifier) for identifier in view["identifiers"])
    shared = ["shared: nobody has decided whose it is"] if one.shared else []
    return "\t".join([one.id, one.name or "-", ", ".join(view["institutions"]), identifiers, *shared])


def _show_pair(pair: tuple[str, str], state: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"identifiers": list(pair), "state": state}))
    one, other = (shown(identifier) for identifier in pair)
    said = f"{one} and {other} are one person" if state == "linked" else f"{one} and {other} are two persons"
    click.echo(f"{said} from the next run of the job derive on.", err=True)
