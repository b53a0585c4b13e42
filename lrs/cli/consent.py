"""``lrs consent``: who may see what of whom, from the command line.

Whoever runs this instance acts for a learner here (one who came to the desk, a parent who
signed a sheet); the history says so.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.cli.opening import json_option, opened_services
from lrs.clock import to_text
from lrs.consent.handles import Kind
from lrs.consent.model import begin_of, check_terms
from lrs.consent.views import view_basis, view_consent, view_disclosure
from lrs.services import Services

_BY = "operator"
_DAY_US = 86_400_000_000
_viewer_option = click.option("--institution", metavar="NAME", required=True, help="Who may see.")
_purpose_option = click.option(
    "--purpose", metavar="WORD", default="transcript", show_default=True, help="What for."
)
_kind_option = click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    help="What may be seen; may be repeated. [default: all of them]",
)
_source_option = click.option(
    "--source", "sources", metavar="NAME", multiple=True, help="Only what these institutions hold."
)
_until_option = click.option(
    "--until", metavar="DAY", help="The last day on which it holds, as 2026-11-22 (UTC)."
)


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(consent)


@click.group()
def consent() -> None:
    """Say who may see what of whom."""


@consent.command("grant")
@click.argument("learner", metavar="LEARNER")
@_viewer_option
@_purpose_option
@_kind_option
@_source_option
@_until_option
@json_option
def grant(  # noqa: PLR0913, PLR0917 - each is an option
    learner: str,
    institution: str,
    purpose: str,
    kinds: Sequence[str],
    sources: Sequence[str],
    until: str | None,
    as_json: bool,
) -> None:
    """Record that a learner lets an institution see what others hold of them; again confirms it."""
    with opened_services() as services:
        terms = check_terms(purpose, kinds or list(Kind), _sources(services, sources), _until(until))
        viewer = services.access.get_institution_named(institution).id
        made = services.consents.grant_as(services.learners.own(learner), viewer, terms, _BY)
        view = _texts(view_consent(made, _names(services)))
    if as_json:
        click.echo(json.dumps(view))
    click.echo(_line(view), err=True)


@consent.command("withdraw")
@click.argument("learner", metavar="LEARNER")
@_viewer_option
@_purpose_option
def withdraw(learner: str, institution: str, purpose: str) -> None:
    """Take back what a learner agreed to."""
    with opened_services() as services:
        viewer = services.access.get_institution_named(institution).id
        services.consents.withdraw(services.learners.own(learner), viewer, purpose, _BY)
    click.echo(f"{institution} sees nothing more of others for {purpose}.", err=True)


@consent.command("show")
@click.argument("learner", metavar="LEARNER")
@json_option
def show(learner: str, as_json: bool) -> None:
    """Show what a learner agreed to, and who saw what, the latest day first."""
    with opened_services() as services:
        handle, names = services.learners.own(learner), _names(services)
        consents = [_texts(view_consent(one, names)) for one in services.consents.list_for(handle)]
        seen = [view_disclosure(one, names) for one in services.consents.disclosures(handle)]
    if as_json:
        shown = {"learner": handle.learner_id, "consents": consents, "disclosures": seen}
        click.echo(json.dumps(shown))
        return
    for view in consents:
        click.echo(_line(view))
    for view in seen:
        sources = ", ".join(one["name"] for one in view["from"])
        parts = (view["day"], view["to"]["name"], f"{', '.join(view['kinds'])} of {sources}", view["purpose"])
        click.echo("\t".join([*parts, view["about"], view["ground"]]))
    if not consents:
        click.echo("Nothing was agreed to: no institution sees what others hold.", err=True)


@consent.command("declare")
@click.argument("name", metavar="NAME")
@_viewer_option
@_purpose_option
@_kind_option
@_source_option
@click.option(
    "--group", "groups", metavar="NAME", multiple=True, help="Only learners in these groups of its roster."
)
@click.option("--text", metavar="TEXT", default="", help="Which law or contract it is.")
@_until_option
@click.option("--remove", is_flag=True, help="Take it back instead.")
@json_option
def declare(  # noqa: PLR0913, PLR0917 - each is an option
    name: str,
    institution: str,
    purpose: str,
    kinds: Sequence[str],
    sources: Sequence[str],
    groups: Sequence[str],
    text: str,
    until: str | None,
    remove: bool,
    as_json: bool,
) -> None:
    """Declare a law or contract by which an institution sees records of its own roster's learners."""
    with opened_services() as services:
        handle = services.access.handle_for_institution_named(institution)
        if remove:
            services.consents.bases.remove(handle, name)
            click.echo(f"{name} opens nothing any more.", err=True)
            return
        terms = check_terms(purpose, kinds or list(Kind), _sources(services, sources), _until(until))
        made = services.consents.bases.declare(handle, name, terms, groups or None, text)
        view = _texts(view_basis(made, _names(services)))
    if as_json:
        click.echo(json.dumps(view))
    click.echo(f"{institution} may see {_what(view)} of its roster's learners: {text}", err=True)


@consent.command("bases")
@click.option("--institution", metavar="NAME", help="Whose; all without it.")
@json_option
def list_bases(institution: str | None, as_json: bool) -> None:
    """List declared laws and contracts: institution, name, what they open, text, with tabs between."""
    with opened_services() as services:
        names = _names(services)
        wanted = services.access.get_institution_named(institution).id if institution else None
        views = [
            {"institution": name, **_texts(view_basis(one, names))}
            for id_, name in names.items()
            if wanted in {None, id_}
            for one in services.consents.bases.list(InstitutionHandle(id_))
        ]
    if as_json:
        click.echo(json.dumps(views))
        return
    for view in views:
        click.echo("\t".join([view["institution"], view["name"], _what(view), view["text"]]))
    if not views:
        click.echo("None is declared.", err=True)


def _sources(services: Services, names: Sequence[str]) -> list[InstitutionId] | None:
    return [services.access.get_institution_named(name).id for name in names] or None


def _until(day: str | None) -> int | None:
    return begin_of(day) + _DAY_US if day else None


def _names(services: Services) -> Mapping[InstitutionId, str]:
    return {one.id: one.name for one in services.access.list_institutions()}


def _line(view: dict[str, Any]) -> str:
    until = [f"until {view['until']}"] if view["until"] else []
    confirm = ["something was joined since: confirm by granting again"] if view["toConfirm"] else []
    return "\t".join([view["institution"]["name"], view["state"], _what(view), *until, *confirm])


def _what(view: dict[str, Any]) -> str:
    sources = view["sources"]
    whose = "everybody" if sources is None else ", ".join(one["name"] for one in sources)
    return f"{', '.join(view['kinds'])} of {whose} for {view['purpose']}"


def _texts(view: dict[str, Any]) -> dict[str, Any]:
    """Write the instants of a view as text."""
    shown = {**view, "until": to_text(view["until"]) if view["until"] else None}
    if "events" in view:
        shown["events"] = [{**one, "at": to_text(one["at"])} for one in view["events"]]
    return shown
