"""``lrs progress`` and ``lrs explain``: how far somebody is, and why."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from lrs.cli.opening import json_option, opened_services
from lrs.cli.transcript import explain_transcript_line
from lrs.competencies.views import view_all_progress, view_explanation
from lrs.errors import NotFound
from lrs.learners.reading import Learner
from lrs.services import Services

Explained = tuple[Sequence[str], dict[str, Any]]
"""An explanation in words, a line for each thing, and as JSON."""

Explainer = Callable[[Services, Learner, str], Explained | None]
"""Explains something of a learner by its name; None where it knows nothing of that name."""


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(progress)
    group.add_command(explain)


@click.command()
@click.argument("learner")
@json_option
def progress(learner: str, as_json: bool) -> None:
    """Show how far a learner is: item, level, coverage, with tabs between; everything of the learner's own.

    LEARNER is an id, or an identifier such as mailto:ada@example.org.
    """
    with opened_services() as services:
        found = services.frameworks.progress(services.learners.find(learner).identity_ids)
        shown = view_all_progress(found, services.frameworks.known(one.framework for one in found))
    if as_json:
        click.echo(json.dumps(shown))
        return
    for one in shown:
        level = "" if one["level"] is None else f"{one['level']} {one['levelName'] or ''}".strip()
        name = one["frameworkTitle"] if one["whole"] else one["code"] or one["item"]
        click.echo(f"{name}\t{level}\t{one['coverage']['met']} of {one['coverage']['of']} met with")
    if not shown:
        click.echo("Nothing that was recorded is evidence of anything yet.", err=True)


@click.command()
@click.argument("learner")
@click.argument("item")
@json_option
def explain(learner: str, item: str, as_json: bool) -> None:
    """Say why: the statements, the rule, its version, and who stands for each.

    LEARNER is an id or an identifier. ITEM is an item's identifier or code, a framework's identifier, or a
    line of a transcript, CROSSWALK:LINE.
    """
    with opened_services() as services:
        found = services.learners.find(learner)
        lines, shown = _explained(services, found, item)
    click.echo(json.dumps(shown) if as_json else "\n".join(lines))


def _explained(services: Services, learner: Learner, item: str) -> Explained:
    for explainer in EXPLAINERS:
        found = explainer(services, learner, item)
        if found is not None:
            return found
    raise NotFound(f"Nothing is called {item}.")


def explain_level(services: Services, learner: Learner, item: str) -> Explained:
    """Explain a level; the last in the list, since it says what is wrong with a name that nobody knows."""
    explanation = services.frameworks.explain(learner.identity_ids, item)
    return explanation.lines(), view_explanation(explanation)


EXPLAINERS: Sequence[Explainer] = (explain_transcript_line, explain_level)
"""Who is asked, in this order."""
