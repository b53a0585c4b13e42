"""Loading the demo city, step by step, each step said as it is done."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: the term is the same for everybody

from lrs.access.model import Scope
from lrs.demo.client import DemoClient, DemoError
from lrs.demo.deciding import agree, confirm
from lrs.demo.moving import STAR, UNWILLING, Moving, Say, school_account
from lrs.learners.roster_file import read_roster_file
from lrs.learners.service import RosterOptions
from lrs.services import Services
from lrs.sources.model import Kind
from lrs.sources.setup import SourceWish, read_config
from profiles.demo_city import DemoCity, load_city, make_term
from profiles.demo_city.sheet import card_of, make_sheet

_BATCH = 100
_SEED = 7
_ALIGNMENTS = ("alignment-spine.json", "alignment-culture.json")


def load_demo(services: Services, say: Say, go_on: Callable[[], None]) -> None:
    """Load the demo city into a store, and derive what follows from it.

    Args:
        services: Of the store.
        say: Takes a line for the person who waits.
        go_on: Called between two steps; what it raises ends the loading there.

    Raises:
        DemoError: The city is there already, or the application refused something.
    """
    city = load_city()
    _refuse_second(services, city)
    say(f"{city.name}, an invented city, moves in through the public doors:")
    began = time.monotonic()
    moving = Moving(services, DemoClient(services), city, say, go_on, {})
    for step in (
        _let_in,
        _take_roster,
        _take_rules,
        _post_term,
        _read_sheet,
        _attest,
        _work,
        _take_crosswalk,
        _consent,
    ):
        step(moving)
        go_on()
    say(f"  Everything together took {time.monotonic() - began:.1f} s.")


def read_demo_file(name: str) -> bytes:
    """Read one of the city's files."""
    return files("profiles.demo_city").joinpath(name).read_bytes()


def _refuse_second(services: Services, city: DemoCity) -> None:
    names = {provider.institution for provider in city.providers.values()}
    there = [one.name for one in services.access.list_institutions() if one.name in names]
    if there:
        raise DemoError(f"{there[0]} is here already; lrs demo --remove takes the city away first.")


def _let_in(moving: Moving) -> None:
    """Make the three institutions, each with a client and a key of it."""
    for provider in moving.city.providers.values():
        made = moving.services.access.create_key(provider.institution, provider.client, [Scope.ALL])
        moving.keys[provider.id] = f"{made.key.id}:{made.secret}"
        moving.say(f"  {provider.institution} is an institution now; its {provider.client} has a key.")


def _take_roster(moving: Moving) -> None:
    rows = read_roster_file(read_demo_file("roster.csv"))
    home = f"{moving.city.providers['school'].home}/accounts"
    done = moving.services.learners.import_roster(
        moving.handle("school"), "roster", rows, RosterOptions(home)
    )
    moving.say(
        f"  The school's roster: {done.stored} people; two of them share a mailbox, so what came under it"
        " is nobody's until a person decides."
    )


def _take_rules(moving: Moving) -> None:
    """Import what the school measures by."""
    school, frameworks = moving.handle("school"), moving.services.frameworks
    for name in ("spine.json", "culture.json"):
        frameworks.import_framework(school, read_demo_file(name))
    for name in _ALIGNMENTS:
        frameworks.import_alignment(school, read_demo_file(name))
    moving.services.pathways.import_pathway(moving.handle("museum"), read_demo_file("pathway.json"))
    moving.say("  The school's two frameworks, what is evidence for them, and the museum's playlist.")


def _post_term(moving: Moving) -> None:
    term = make_term(moving.city, _now(moving), Random(_SEED))  # noqa: S311 - nothing secret
    total, began = 0, time.monotonic()
    for provider in moving.city.providers.values():
        started, statements = time.monotonic(), term[provider.id]
        posts = moving.client.post_statements(moving.keys[provider.id], statements, _BATCH)
        took = time.monotonic() - started
        moving.say(f"  {provider.institution}: {len(statements)} statements in {posts} posts, {took:.2f} s")
        total += len(statements)
        moving.go_on()
    moving.say(f"  Together {total} statements in {time.monotonic() - began:.2f} s, each checked and kept.")


def _read_sheet(moving: Moving) -> None:
    """Have the museum's spreadsheet read by its connector; tell the desk's cards whose they are."""
    config = read_config(read_demo_file("sheet.json"))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "holiday-workshops.csv")
        place.write_bytes(make_sheet(moving.city, _now(moving)))
        wish = SourceWish(Kind.CSV, str(place), config)
        done = moving.services.sources.run(moving.handle("museum"), wish).run.counts
    for person in moving.city.known_to("museum", "8A"):
        card = f"account {moving.city.providers['museum'].home}/cards {card_of(moving.city, person)}"
        moving.services.learners.link(
            card, school_account(moving.city, person), "the museum's desk", "saw both cards"
        )
    moving.say(
        f"  The museum's spreadsheet of its holiday workshops: {done.read} rows, {done.stored} statements,"
        f" {done.rejected} row rejected with its reason."
    )


def _attest(moving: Moving) -> None:
    """Have the employer ask its mentor, who has no system, and the mentor answer on a phone."""
    confirm(moving, next(one for one in moving.city.known_to("employer") if one.name == STAR), _now(moving))
    moving.say(
        "  A mentor confirmed a day at the regatta by a private link, with hours, a level and a sentence."
    )


def _consent(moving: Moving) -> None:
    """Have each learner of class 10B but one let the school see the other places."""
    older = [one for one in moving.city.learners if one.group == "10B"]
    willing = [one for one in older if one.name != UNWILLING]
    for person in willing:
        learner = moving.services.learners.find(school_account(moving.city, person))
        agree(moving, learner.id)
        moving.go_on()
    moving.say(
        f"  {len(willing)} learners of class 10B let the school see their other records; {UNWILLING} has not."
    )


def _take_crosswalk(moving: Moving) -> None:
    moving.services.transcripts.import_crosswalk(moving.handle("school"), read_demo_file("crosswalk.json"))
    moving.say("  The school's crosswalk: what counts as which course, for how many credits.")


def _now(moving: Moving) -> datetime:
    return datetime.fromtimestamp(moving.services.outside.clock() / 1_000_000, UTC)


def _work(moving: Moving) -> None:
    """Run every job until nothing is due."""
    began = time.monotonic()
    runs = moving.services.jobs.run_until_idle()
    if bad := [run for run in runs if run.report.problem_count]:
        raise DemoError(f"The job {bad[0].job} could not do everything: {bad[0].report.problems[:1]}")
    moving.say(f"  Worked out who is who and what follows from it, in {time.monotonic() - began:.1f} s.")
