"""Pathways as values: steps, what each needs, what finishing earns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lrs.competencies.alignments import Wanted
from lrs.learners.acts import Act

Json = Mapping[str, Any]

KEEP, REVOKE = "keep", "revoke"
"""What becomes of an award whose pathway is finished no more."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which acts count; every condition must hold.

    Attributes:
        wanted: By name of the condition, as a file has it; one of the texts must be met.
        flags: ``success`` and ``completion``, as they must be.
    """

    wanted: Mapping[str, Wanted]
    flags: Mapping[str, bool]

    def takes(self, act: Act) -> bool:
        """Tell whether an act counts."""
        for name, wanted in self.wanted.items():
            if not _MEETS[name](wanted, act):
                return False
        return all(getattr(act, name) is flag for name, flag in self.flags.items())


@dataclass(frozen=True, slots=True)
class ActsNeed:
    """So many acts."""

    filter: Filter
    times: int


@dataclass(frozen=True, slots=True)
class TimeNeed:
    """Acts that lasted so long together."""

    filter: Filter
    minutes: int


@dataclass(frozen=True, slots=True)
class ItemNeed:
    """A level in an item of the framework; without a level, any evidence of it."""

    item: str
    level: int | None


@dataclass(frozen=True, slots=True)
class SomeNeed:
    """So many of several."""

    k: int
    of: tuple["Need", ...]


Need = ActsNeed | TimeNeed | ItemNeed | SomeNeed


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        required: Otherwise it is one of those of which ``Pathway.min_optional`` are needed.
        after: Ids of steps that must be done for this one to count.
    """

    id: str
    title: str
    required: bool
    needs: Need
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AwardTerms:
    """What finishing a pathway earns; ``policy`` is KEEP or REVOKE."""

    title: str
    description: str
    criteria: str
    policy: str


@dataclass(frozen=True, slots=True)
class Pathway:
    """A pathway, or playlist.

    Attributes:
        institution: Whose it is.
        framework: Identifier of the framework whose items the steps name; empty for none.
        steps: In order; each stands behind those that it comes after in no particular order.
        min_optional: So many of the steps that are not required are needed.
        opens: What finishing opens, in words.
    """

    institution: str
    name: str
    version: int
    title: str
    framework: str
    steps: tuple[Step, ...]
    min_optional: int
    award: AwardTerms | None
    opens: tuple[str, ...] = field(default=())

    @property
    def key(self) -> str:
        """The key of its completions."""
        return f"{self.institution} {self.name}"


def pathway_from(value: Json, institution: str) -> Pathway:
    """Read a pathway as it is recorded."""
    award = value.get("award")
    return Pathway(
        institution,
        value["name"],
        value["version"],
        value["title"],
        value.get("framework", ""),
        tuple(_step(one) for one in value["steps"]),
        value["minOptional"],
        AwardTerms(award["title"], award["description"], award["criteria"], award["policy"])
        if award
        else None,
        tuple(value.get("opens", ())),
    )


def _step(value: Json) -> Step:
    return Step(
        value["id"], value["title"], value["required"], _need(value["needs"]), tuple(value.get("after", ()))
    )


def _need(value: Json) -> Need:
    if "of" in value:
        return SomeNeed(value["k"], tuple(_need(one) for one in value["of"]))
    if "item" in value:
        return ItemNeed(value["item"], value.get("level"))
    wanted = {name: Wanted.of(value[name]) for name in LISTS if name in value}
    flags = {name: value[name] for name in FLAGS if name in value}
    found = Filter(wanted, flags)
    return TimeNeed(found, value["minutes"]) if "minutes" in value else ActsNeed(found, value["times"])


LISTS = ("verb", "activity", "activityType", "parent", "grouping", "category", "institution", "voucher")
"""Conditions that are lists of which one must be met."""

FLAGS = ("success", "completion")
"""Conditions that are true or false."""

_MEETS: Mapping[str, Callable[[Wanted, Act], bool]] = {
    "verb": lambda wanted, act: wanted.meets(act.verb),
    "activity": lambda wanted, act: wanted.meets(act.object),
    "activityType": lambda wanted, act: wanted.meets(act.type),
    "parent": lambda wanted, act: any(map(wanted.meets, act.parents)),
    "grouping": lambda wanted, act: any(map(wanted.meets, act.groupings)),
    "category": lambda wanted, act: any(map(wanted.meets, act.categories)),
    "institution": lambda wanted, act: wanted.meets(act.institution),
    "voucher": lambda wanted, act: wanted.meets(act.voucher.kind),
}
