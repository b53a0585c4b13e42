"""Acts and portfolios for tests, with as little said as a test needs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lrs.clock import from_datetime
from lrs.learners.acts import Act, Voucher
from lrs.portfolios.gathering import make_places
from lrs.portfolios.model import Competency, FrameworkProgress, PathwayProgress, Portfolio, Step

NAMES = {"school": "Hill School", "museum": "Harbour Museum"}


def at(day: str) -> int:
    return from_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC))


PLAIN = Act(
    id="11111111-1111-4111-8111-111111111111",
    institution="school",
    at=at("2026-11-03"),
    identifier="mbox mailto:wren@example.org",
    name="Wren",
    group=None,
    verb="http://adlnet.gov/expapi/verbs/attended",
    verb_name={"en": "attended"},
    object="https://example.org/assembly",
    object_name={"en": "Monday assembly", "es": "Asamblea del lunes"},
    type=None,
    parents=(),
    groupings=(),
    categories=(),
    scaled=None,
    raw=None,
    min=None,
    max=None,
    success=None,
    completion=None,
    seconds=1200,
    narrative=None,
    voucher=Voucher("machine", "School system"),
    client="client",
)


def act(**changes: Any) -> Act:
    return replace(PLAIN, **changes)


def competency(label: str, level: int | None, day: str = "2026-11-03", levels: int = 3) -> Competency:
    names = {1: "Emerging", 2: "Secure", 3: "Extending"}
    return Competency(label, label, level, names.get(level or 0), levels, 1, 1, 2, at(day), ())


def framework(*competencies: Competency, met: int = 0, of: int = 9) -> FrameworkProgress:
    return FrameworkProgress("spine", "Sea Spine", 1, competencies, (), met or len(competencies), of, ())


def step(title: str, done: bool = False, required: bool = True) -> Step:
    return Step(title, title, required, done, at("2026-10-01") if done else None, int(done), 1, ())


def pathway(title: str, *steps: Step, missing_optional: int = 0, done: bool = False) -> PathwayProgress:
    return PathwayProgress(title, title, "Harbour Museum", 1, done, None, steps, missing_optional, title, ())


def portfolio(acts: Sequence[Act] = (), **changes: Any) -> Portfolio:
    empty = Portfolio(
        learner="0123456789ab",
        name="Wren",
        names=("Wren",),
        identifiers=("mbox mailto:wren@example.org",),
        shared=False,
        acts=acts,
        places=make_places(acts, NAMES),
        place_names=dict(NAMES),
        frameworks=(),
        pathways=(),
        awards=(),
        consents=(),
        disclosures=(),
        shares=(),
        as_of_us=at("2026-11-22"),
        is_behind=False,
    )
    return replace(empty, **changes)
