"""``lrs institution``, ``lrs key`` and ``lrs sign-in``: who is let in, from the command line.

What was asked for stands alone on standard output; everything else goes to standard error.
"""

import json
from collections.abc import Sequence
from typing import Any

import click

from lrs.access.model import UNCHANGED, Institution, Key, KeyChange, NewKey, Role, Tolerance, Unchanged
from lrs.access.rules import (
    MAX_OVERLAP_HOURS,
    MAX_QUOTA,
    MAX_RATE,
    KeyState,
    parse_scopes,
    parse_tolerances,
    state_of,
)
from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.services import Services

_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
_NONE = "none"
_institution_option = click.option(
    "--institution", metavar="NAME", required=True, help="The institution's name."
)


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(institution)
    group.add_command(key)
    group.add_command(sign_in)


@click.group()
def institution() -> None:
    """Make and list institutions, and say how much each may hold."""


@institution.command("create")
@click.argument("name")
@json_option
def create_institution(name: str, as_json: bool) -> None:
    """Make an institution and print its id."""
    with opened_services() as services:
        made = services.access.create_institution(name)
        view = _institution_view(services, made)
    click.echo(json.dumps(view) if as_json else made.id)


@institution.command("list")
@json_option
def list_institutions(as_json: bool) -> None:
    """List all institutions by name: id, tab, name."""
    with opened_services() as services:
        found = services.access.list_institutions()
        views = [_institution_view(services, one) for one in found]
    if as_json:
        click.echo(json.dumps(views))
        return
    for one in found:
        click.echo(f"{one.id}\t{one.name}")
    if not found:
        click.echo("There is no institution yet.", err=True)
    for view in views:
        if view["quotaAlarm"]:
            click.echo(_alarm_text(view), err=True)


@institution.command("quota")
@click.argument("name")
@click.option(
    "--statements",
    type=click.IntRange(0, MAX_QUOTA),
    metavar="N",
    required=True,
    help="How many statements it may hold; 0 for any number.",
)
@json_option
def set_quota(name: str, statements: int, as_json: bool) -> None:
    """Say how many statements an institution may hold.

    A post that would pass it is refused; what is kept already stays.
    """
    with opened_services() as services:
        named = services.access.get_institution_named(name)
        changed = services.access.set_statement_quota(named.id, statements)
        view = _institution_view(services, changed)
    if as_json:
        click.echo(json.dumps(view))
    if view["quotaAlarm"]:
        click.echo(_alarm_text(view), err=True)


@click.group()
def key() -> None:
    """Make, list, change, rotate and revoke keys."""


@key.command("create")
@click.option("--institution", "institution_name", metavar="NAME", help="Made where it is missing.")
@click.option(
    "--client",
    "client_name",
    metavar="NAME",
    help="Made where it is missing. [default: the institution's name]",
)
@click.option(
    "--scope",
    "scopes",
    metavar="SCOPE",
    multiple=True,
    required=True,
    help="What the key may do; may be repeated. With admin alone, and no institution, it administers.",
)
@click.option(
    "--default-version",
    type=click.Choice(["1.0.3", "2.0.0"]),
    help="In whose form a request without version header is answered.",
)
@click.option(
    "--expires-days", type=click.IntRange(1, 36500), metavar="N", help="Days until it stops. [default: never]"
)
@click.option(
    "--rate",
    type=click.IntRange(0, MAX_RATE),
    metavar="N",
    help="Requests a minute that it may make; 0 for no limit. [default: LRS_KEY_RATE]",
)
@click.option(
    "--tolerate",
    "tolerances",
    metavar="FAULT",
    multiple=True,
    help="A small known fault of statements to mend instead of refusing it; may be repeated. One of "
    + ", ".join(Tolerance)
    + ".",
)
@json_option
def create_key(  # noqa: PLR0913, PLR0917 - each is an option
    institution_name: str | None,
    client_name: str | None,
    scopes: Sequence[str],
    default_version: str | None,
    expires_days: int | None,
    rate: int | None,
    tolerances: Sequence[str],
    as_json: bool,
) -> None:
    """Make a key and print KEY:SECRET; the secret is shown this once."""
    with opened_services() as services:
        expires = services.outside.clock() + expires_days * _DAY_US if expires_days else None
        made = services.access.create_key(
            institution_name,
            client_name,
            parse_scopes(scopes),
            default_version,
            expires,
            rate,
            parse_tolerances(tolerances),
        )
        _show_new_key(services, made, as_json)


@key.command("list")
@click.option(
    "--institution", "institution_name", metavar="NAME", help="Without it, the administrators' keys."
)
@json_option
def list_keys(institution_name: str | None, as_json: bool) -> None:
    """List keys, oldest first: id, scopes, state, expiry, last use and what is tolerated, with tabs between.

    Warns of keys that expire within 14 days.
    """
    with opened_services() as services:
        found = services.access.keys.list(
            services.access.get_institution_named(institution_name).id if institution_name else None
        )
        now = services.outside.clock()
    if as_json:
        click.echo(json.dumps([_key_view(one, now) for one in found]))
    else:
        for one in found:
            click.echo(_key_line(one, now))
    for one in found:
        _warn_of_end(one, now)


@key.command("rotate")
@click.argument("key_id", metavar="KEY")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, MAX_OVERLAP_HOURS),
    default=24,
    show_default=True,
    metavar="N",
    help="For so long the old key stays good as well; 0 ends it at once.",
)
@json_option
def rotate_key(key_id: str, overlap_hours: int, as_json: bool) -> None:
    """Make a key's successor and print KEY:SECRET; the secret is shown this once.

    It has the same client, scopes, default version, rate and tolerances, and lasts as long as the old
    one was made to last.
    """
    with opened_services() as services:
        made = services.access.keys.rotate(key_id, overlap_hours * _HOUR_US)
        _show_new_key(services, made, as_json)
        old = services.access.keys.find(key_id)
    ends = _moment(old.expires_at_us if old else None)
    click.echo(f"Key {key_id} is good until {ends}; its successor at once.", err=True)


class _NumberOr(click.ParamType):  # type: ignore[type-arg]
    """A whole number from least to most, or a word that stands for none (None inside)."""

    name = "number"

    def __init__(self, word: str, least: int, most: int) -> None:
        self._word = word
        self._range = click.IntRange(least, most)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Unchanged | None:
        """Read what was typed."""
        if isinstance(value, Unchanged):
            return value
        return None if value == self._word else self._range.convert(value, param, ctx)


@key.command("change")
@click.argument("key_id", metavar="KEY")
@click.option(
    "--rate",
    type=_NumberOr("default", 0, MAX_RATE),
    default=UNCHANGED,
    metavar="N|default",
    help="Requests a minute that it may make; 0 for no limit, default for what LRS_KEY_RATE says.",
)
@click.option(
    "--expires-days",
    type=_NumberOr("never", 1, 36500),
    default=UNCHANGED,
    metavar="N|never",
    help="Days from now until it stops.",
)
@click.option(
    "--default-version",
    type=click.Choice(["1.0.3", "2.0.0", _NONE]),
    help="In whose form a request without version header is answered; none for the server's.",
)
@click.option(
    "--tolerate",
    "tolerances",
    metavar="FAULT|none",
    multiple=True,
    help="A fault of statements to mend; may be repeated. Those that are not named are no longer.",
)
@json_option
def change_key(
    key_id: str,
    rate: int | Unchanged | None,
    expires_days: int | Unchanged | None,
    default_version: str | None,
    tolerances: Sequence[str],
    as_json: bool,
) -> None:
    """Change a key's rate, end, default version or tolerances; what is not given stays.

    In force at once, in every process. A key that is revoked, expired or rotated stays as it is.
    """
    with opened_services() as services:
        now = services.outside.clock()
        change = KeyChange(
            _or_none(default_version) if default_version else UNCHANGED,
            now + expires_days * _DAY_US if isinstance(expires_days, int) else expires_days,
            rate,
            parse_tolerances([] if _NONE in tolerances else tolerances) if tolerances else UNCHANGED,
        )
        changed = services.access.keys.change(key_id, change)
    if as_json:
        click.echo(json.dumps(_key_view(changed, now)))
    click.echo(f"Key {key_id} is changed.", err=True)


def _or_none(word: str) -> str | None:
    return None if word == _NONE else word


@key.command("revoke")
@click.argument("key_id", metavar="KEY")
@json_option
def revoke_key(key_id: str, as_json: bool) -> None:
    """Stop a key at once."""
    with opened_services() as services:
        services.access.keys.revoke(key_id)
        revoked = services.access.keys.find(key_id)
        now = services.outside.clock()
    if as_json and revoked:
        click.echo(json.dumps(_key_view(revoked, now)))
    click.echo(f"Key {key_id} is revoked.", err=True)


@click.command("sign-in")
@_institution_option
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role]),
    default=str(Role.ARRIVALS),
    help="As what; see below.",
)
@click.option("--learner", metavar="LEARNER", help="Who, where the role is learner.")
@json_option
def sign_in(institution: str, role: str, learner: str | None, as_json: bool) -> None:
    """Print a link that signs a person in: one day, one use."""
    with opened_services() as services:
        subject = services.learners.find(learner).id if learner else None
        token = services.access.create_sign_in(institution, role, subject)
        link = f"{services.settings.public_url}/sign-in/{token}"
    click.echo(json.dumps({"url": link}) if as_json else link)
    click.echo("The link works once, within a day.", err=True)


def _institution_view(services: Services, one: Institution) -> dict[str, Any]:
    handle = services.access.handle_for_institution_named(one.name)
    usage = services.quotas.usage(handle, one.statement_quota)
    return {
        "id": one.id,
        "name": one.name,
        "createdAt": to_text(one.created_at_us),
        "statements": usage.statements,
        "statementQuota": usage.quota,
        "quotaPercent": usage.percent,
        "quotaAlarm": usage.alarm,
    }


def _alarm_text(view: dict[str, Any]) -> str:
    return (
        f"{view['name']} holds {view['statements']:,} statements, {view['quotaPercent']} % of its quota of"
        f" {view['statementQuota']:,}."
    )


def _show_new_key(services: Services, made: NewKey, as_json: bool) -> None:
    view = {**_key_view(made.key, services.outside.clock()), "secret": made.secret}
    click.echo(json.dumps(view) if as_json else f"{made.key.id}:{made.secret}")


def _key_view(one: Key, now: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "institution": one.institution_id,
        "scopes": sorted(one.scopes),
        "defaultVersion": one.default_version,
        "ratePerMinute": one.rate_per_minute,
        "tolerances": sorted(one.tolerances),
        "state": state_of(one, now),
        "createdAt": to_text(one.created_at_us),
        "expiresAt": _moment(one.expires_at_us),
        "revokedAt": _moment(one.revoked_at_us),
        "lastUsedAt": _moment(one.last_used_at_us),
        "replacedBy": one.replaced_by,
    }


def _moment(instant_us: int | None) -> str | None:
    return None if instant_us is None else to_text(instant_us)


def _key_line(one: Key, now: int) -> str:
    state = str(state_of(one, now))
    if one.revoked_at_us is not None:
        state += f" {to_text(one.revoked_at_us)}"
    expires = f"expires {to_text(one.expires_at_us)}" if one.expires_at_us else "no expiry"
    used = f"used {to_text(one.last_used_at_us)}" if one.last_used_at_us else "never used"
    tolerates = [f"tolerates {' '.join(sorted(one.tolerances))}"] if one.tolerances else []
    return "\t".join([one.id, " ".join(sorted(one.scopes)), state, expires, used, *tolerates])


def _warn_of_end(one: Key, now: int) -> None:
    """Say on standard error that a key is about to stop, and what to do."""
    if state_of(one, now) is not KeyState.ENDING:
        return
    do = f"lrs key rotate {one.id}"
    if one.replaced_by:
        do = f"change to its successor {one.replaced_by}"
    click.echo(f"Key {one.id} expires {_moment(one.expires_at_us)}: {do}", err=True)
