"""A portfolio as a plain value: everything of one learner, put together and named, nothing judged. Pure.

Instants are microseconds since the epoch, UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lrs.learners.acts import Act


@dataclass(frozen=True, slots=True)
class Place:
    """An institution that has records of the learner.

    Attributes:
        seconds: Of all durations that were written down there.
    """

    id: str
    name: str
    records: int
    seconds: int
    since_us: int
    latest_us: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement that counted for an item; the institution by its id."""

    statement: str
    institution: str


@dataclass(frozen=True, slots=True)
class Competency:
    """Where a learner stands with one item, or with a branch of them.

    Attributes:
        level: None where the model has no levels; 0 where none is reached yet.
        levels: How many levels there are; 0 where the model has none.
        met: How many items of a branch were met with, of how many; 1 of 1 for an item.
        counted: How many records are evidence of the item itself; 0 for a branch.
        at_us: When the latest evidence was.
        evidence: What the level was made of, oldest first.
        branch: The identifier of what it stands under; empty at the top.
    """

    identifier: str
    label: str
    level: int | None
    level_name: str | None
    levels: int
    met: int
    of: int
    counted: int
    at_us: int
    evidence: Sequence[Evidence]
    branch: str = ""


@dataclass(frozen=True, slots=True)
class FrameworkProgress:
    """A framework and what of it was met with.

    Attributes:
        competencies: Items with evidence of their own, in the order of the framework.
        branches: What stands above them, in the same order.
        met: How many items were met with, of how many.
        level_names: From the lowest level to the highest; empty where there are none.
    """

    identifier: str
    title: str
    version: int
    competencies: Sequence[Competency]
    branches: Sequence[Competency]
    met: int
    of: int
    level_names: Sequence[str]

    @property
    def parts(self) -> Sequence[tuple[Competency | None, Sequence[Competency]]]:
        """The competencies by the branch that they stand under, None for those at the top."""
        branches = {one.identifier: one for one in self.branches}
        found: dict[str, list[Competency]] = {}
        for one in self.competencies:
            found.setdefault(one.branch if one.branch in branches else "", []).append(one)
        return [(branches.get(branch), below) for branch, below in found.items()]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a pathway.

    Attributes:
        at_us: When it was done, None where it is not.
        have: How much there is of ``want``: times, minutes, a level, or parts.
    """

    id: str
    title: str
    required: bool
    done: bool
    at_us: int | None
    have: int
    want: int
    evidence: Sequence[str]


@dataclass(frozen=True, slots=True)
class PathwayProgress:
    """A pathway that the learner has begun or finished.

    Attributes:
        institution: The name of whose it is.
        missing_optional: How many more of the optional steps are needed.
        award: The title of what finishing it earns, None where it earns nothing.
    """

    name: str
    title: str
    institution: str
    version: int
    done: bool
    at_us: int | None
    steps: Sequence[Step]
    missing_optional: int
    award: str | None
    opens: Sequence[str]

    @property
    def missing(self) -> Sequence[Step]:
        """Steps that are still open and needed: required ones, then as it says optional ones."""
        required = [step for step in self.steps if step.required and not step.done]
        optional = [step for step in self.steps if not step.required and not step.done]
        return [*required, *optional] if self.missing_optional else required


@dataclass(frozen=True, slots=True)
class Award:
    """A badge or credential that was earned.

    Attributes:
        institution: The name of who gave it.
        state: ``issued`` or ``revoked``.
    """

    pathway: str
    title: str
    description: str
    institution: str
    at_us: int
    state: str
    evidence: Sequence[str]
    opens: Sequence[str]


@dataclass(frozen=True, slots=True)
class Consent:
    """What the learner agreed to.

    Attributes:
        institution: Who may see; ``name`` is its name.
        sources: Names of those whose records; None for all.
        state: ``granted``, ``withdrawn`` or ``ended``.
        to_confirm: Records lie under an identity that was joined since; they stay closed until the
            learner agrees again.
    """

    institution: str
    name: str
    purpose: str
    kinds: Sequence[str]
    sources: Sequence[str] | None
    until_us: int | None
    state: str
    to_confirm: bool


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Who saw what, on a day. All institutions by name."""

    to: str
    sources: Sequence[str]
    kinds: Sequence[str]
    purpose: str
    about: str
    ground: str
    day: str


@dataclass(frozen=True, slots=True)
class ShareLink:
    """A link that the learner made; the link itself cannot be shown again.

    Attributes:
        id: Names it among the learner's links; opens nothing.
        what: ``portfolio`` or ``transcript``.
        days: The days on which somebody opened it.
    """

    id: str
    what: str
    label: str
    made_us: int
    until_us: int
    is_open: bool
    days: Sequence[str]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything of one learner.

    Attributes:
        name: As the learner is called here, empty where nobody said it.
        names: Every name that somebody gave.
        identifiers: By which systems know the learner, as ``lrs.xapi.facts.agent_key`` writes them.
        shared: One of them was given to two persons, and nobody has decided whose it is.
        acts: Everything that was recorded, oldest first.
        places: Where, the one with the latest record first.
        place_names: The name of every institution that is mentioned, by id.
        is_behind: Some records have arrived that are not worked in yet.
    """

    learner: str
    name: str
    names: Sequence[str]
    identifiers: Sequence[str]
    shared: bool
    acts: Sequence[Act]
    places: Sequence[Place]
    place_names: dict[str, str]
    frameworks: Sequence[FrameworkProgress]
    pathways: Sequence[PathwayProgress]
    awards: Sequence[Award]
    consents: Sequence[Consent]
    disclosures: Sequence[Disclosure]
    shares: Sequence[ShareLink]
    as_of_us: int
    is_behind: bool

    @property
    def since_us(self) -> int | None:
        """Since when there are records; None where there are none."""
        return self.acts[0].at if self.acts else None
