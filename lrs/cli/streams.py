"""``lrs destination`` and ``lrs outbox``: where statements are sent on, and what was refused there."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import click

from lrs.access.handles import InstitutionHandle
from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.errors import LrsError, NotFound
from lrs.services import Services
from lrs.streams.model import MAX_OVERLAP_HOURS, DestinationView, Kind
from lrs.streams.sending import Result
from lrs.streams.service import Issued, Wish
from lrs.streams.views import view_destination, view_letter
from lrs.xapi.log import read_filter

_HOUR_US = 3_600_000_000
_MOST_LETTERS = 10_000
_credentials_option = click.option(
    "--credentials",
    type=click.File("r"),
    metavar="FILE",
    help="A forward's KEY:SECRET of the other store; - reads standard input.",
)


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(destination)
    group.add_command(outbox)


@click.group()
def destination() -> None:
    """Send statements on, to other record stores and to webhooks."""


@destination.command("add")
@click.option("--institution", metavar="NAME", required=True, help="Whose statements are sent.")
@click.option("--name", metavar="NAME", required=True, help="What it is called; unique in the institution.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), required=True, help="How.")
@click.option("--url", metavar="URL", required=True, help="The other store's endpoint, or what is called.")
@_credentials_option
@click.option("--verb", "verbs", metavar="IRI", multiple=True, help="Only these verbs; may be repeated.")
@click.option("--activity", "activities", metavar="IRI", multiple=True, help="Only these activities.")
@click.option("--agent", "agents", metavar="JSON", multiple=True, help="Only these agents, as in queries.")
@click.option("--related", is_flag=True, help="Agents and activities may stand anywhere in a statement.")
@click.option("--from-start", is_flag=True, help="Send the whole log, not only what is stored from now on.")
@json_option
def add_destination(  # noqa: PLR0913, PLR0917 - each is an option
    institution: str,
    name: str,
    kind: str,
    url: str,
    credentials: TextIO | None,
    verbs: Sequence[str],
    activities: Sequence[str],
    agents: Sequence[str],
    related: bool,
    from_start: bool,
    as_json: bool,
) -> None:
    """Make a destination; print its id, and for a webhook its secret, which is shown this once."""
    given = credentials.read() if credentials else None
    wanted = read_filter(verbs, activities, agents, related=related)
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        issued = services.destinations.add(handle, Wish(name, Kind(kind), url, wanted, given, from_start))
        _show_issued(services, handle, issued, as_json)


@destination.command("list")
@click.option("--institution", metavar="NAME", help="Whose; all without it.")
@json_option
def list_destinations(institution: str | None, as_json: bool) -> None:
    """List destinations: id, institution, name, kind, how it stands, with tabs between."""
    with opened_services() as services:
        found = [
            (owner, _texts(view_destination(one)), one) for owner, one in _destinations(services, institution)
        ]
    if as_json:
        click.echo(json.dumps([{**view, "institution": owner} for owner, view, _ in found]))
        return
    for owner, view, one in found:
        click.echo("\t".join([view["id"], owner, view["name"], view["kind"], _stands(one)]))


@destination.command("remove")
@click.argument("destination_id", metavar="ID")
def remove_destination(destination_id: str) -> None:
    """Forget a destination; what was not sent yet is not sent."""
    with opened_services() as services:
        services.destinations.remove(_owner(services, destination_id), destination_id)
    click.echo(f"Destination {destination_id} is removed.", err=True)


@destination.command("test")
@click.argument("destination_id", metavar="ID")
@json_option
def test_destination(destination_id: str, as_json: bool) -> None:
    """Send a test now, and say what came of it."""
    with opened_services() as services:
        verdict = services.destinations.test(_owner(services, destination_id), destination_id)
    ok = verdict.result is Result.SENT
    if as_json:
        click.echo(json.dumps({"ok": ok, "status": verdict.status, "reason": verdict.reason}))
    elif ok:
        click.echo(f"It was taken (status {verdict.status}).", err=True)
    if not ok:
        raise LrsError(f"It was not taken. {verdict.reason}")


@destination.command("rotate")
@click.argument("destination_id", metavar="ID")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, MAX_OVERLAP_HOURS),
    default=24,
    show_default=True,
    metavar="N",
    help="For so long a webhook's old secret signs as well; 0 ends it at once.",
)
@_credentials_option
@json_option
def rotate_secret(destination_id: str, overlap_hours: int, credentials: TextIO | None, as_json: bool) -> None:
    """Change a destination's secret; a webhook's new one is printed, this once."""
    given = credentials.read() if credentials else None
    with opened_services() as services:
        handle = _owner(services, destination_id)
        issued = services.destinations.rotate(handle, destination_id, overlap_hours * _HOUR_US, given)
        _show_issued(services, handle, issued, as_json)


@click.group()
def outbox() -> None:
    """See what is still to be sent, and send again what was refused."""


@outbox.command("list")
@click.option("--institution", metavar="NAME", help="Whose; all without it.")
@json_option
def list_outbox(institution: str | None, as_json: bool) -> None:
    """List every destination with how it stands, and under it its dead letters."""
    with opened_services() as services:
        found = [(owner, one, _letters(services, one)) for owner, one in _destinations(services, institution)]
    if as_json:
        views = (
            {**_texts(view_destination(one)), "institution": owner, "letters": letters}
            for owner, one, letters in found
        )
        click.echo(json.dumps(list(views)))
        return
    for owner, one, letters in found:
        click.echo("\t".join([one.destination.id, owner, one.destination.name, _stands(one)]))
        for letter in letters:
            click.echo(f"  {letter['id']}\t{letter['at']}\t{letter['reason']}")


@outbox.command("replay")
@click.argument("letter_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--drop", is_flag=True, help="Forget them instead.")
@json_option
def replay(letter_ids: Sequence[str], drop: bool, as_json: bool) -> None:
    """Have dead letters sent again: one letter's id, or a destination's for all of its letters."""
    count = 0
    with opened_services() as services:
        act = services.destinations.drop if drop else services.destinations.replay
        for one in letter_ids:
            destination_id, _, statement_id = one.partition(":")
            count += act(_owner(services, destination_id), destination_id, statement_id.lower() or None)
    if as_json:
        click.echo(json.dumps({"letters": count}))
        return
    done = "forgotten" if drop else "sent again by the worker"
    click.echo(f"{count} dead letter{' is' if count == 1 else 's are'} {done}.", err=True)


def _letters(services: Services, one: DestinationView) -> list[dict[str, Any]]:
    handle = InstitutionHandle(one.destination.institution_id)
    found = services.destinations.letters(handle, one.destination.id, _MOST_LETTERS)
    return [_texts(view_letter(letter)) for letter in found]


def _destinations(services: Services, institution: str | None) -> Iterator[tuple[str, DestinationView]]:
    for one in services.access.list_institutions():
        if institution in {None, one.name}:
            for found in services.destinations.list(InstitutionHandle(one.id)):
                yield one.name, found
    if institution is not None:
        services.access.get_institution_named(institution)


def _owner(services: Services, destination_id: str) -> InstitutionHandle:
    for _, one in _destinations(services, None):
        if one.destination.id == destination_id:
            return InstitutionHandle(one.destination.institution_id)
    raise NotFound(f"There is no destination {destination_id}; lrs destination list shows them.")


def _show_issued(services: Services, handle: InstitutionHandle, issued: Issued, as_json: bool) -> None:
    made = issued.destination
    if as_json:
        view = _texts(view_destination(services.destinations.get(handle, made.id)))
        click.echo(json.dumps({**view, "secret": issued.secret}))
    else:
        click.echo("\t".join(filter(None, [made.id, issued.secret])))


def _stands(one: DestinationView) -> str:
    text = f"sent {one.delivery.sent}"
    if one.delivery.reason:
        text += f"; tries again {to_text(one.delivery.next_try_us)}: {one.delivery.reason}"
    return text + (f"; dead letters: {one.letters}" if one.letters else "")


def _texts(view: dict[str, Any]) -> dict[str, Any]:
    """Write the instants of a view as text."""
    return {
        name: to_text(value) if name == "at" or (name.endswith("At") and value is not None) else value
        for name, value in view.items()
    }
