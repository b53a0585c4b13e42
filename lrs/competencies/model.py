"""Frameworks as values: items in the order of their tree, and the model that makes levels of evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

Json = Mapping[str, Any]

K_OF_N = "k-of-n"
COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class Level:
    """One level, 1 or more; reached by scores at or above the threshold."""

    level: int
    name: str
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class ProgressModel:
    """How evidence becomes a level.

    Attributes:
        name: ``k-of-n``: a level is reached when k of the last n are at or above its threshold;
            ``coverage``: there are no levels, only what was met with.
        levels: From the lowest to the highest; their thresholds rise.
    """

    name: str = COVERAGE
    k: int = 0
    n: int = 0
    levels: tuple[Level, ...] = ()

    def level_named(self, level: int) -> str | None:
        """Return the name of a level, None for none."""
        return next((one.name for one in self.levels if one.level == level), None)


@dataclass(frozen=True, slots=True)
class Item:
    """One competency, or a branch of them.

    Attributes:
        code: What people call it (``humanCodingScheme``); may be empty.
        withdrawn: A later version of the framework no longer has it; what was shown stays shown.
    """

    identifier: str
    statement: str
    code: str = ""
    type: str = ""
    short: str = ""
    language: str = ""
    withdrawn: bool = False

    @property
    def label(self) -> str:
        """What to call it in one line."""
        text = self.short or self.statement
        return f"{self.code} {text}" if self.code and self.code != text else text


@dataclass(frozen=True)
class Framework:
    """A framework as it is imported.

    Attributes:
        institution: Whose it is.
        version: Rises by one with every change.
        items: By identifier, in the order of the tree.
        children: Identifiers of an item's children in their order; the framework's own
            identifier has those at the top. An item may have several parents; there is no cycle.
    """

    identifier: str
    title: str
    version: int
    institution: str
    model: ProgressModel
    items: Mapping[str, Item]
    children: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def leaves(self) -> Mapping[str, frozenset[str]]:
        """The leaves below each branch (and below the framework itself), withdrawn ones left out."""
        found: dict[str, frozenset[str]] = {}
        for branch in reversed(self._branches):
            below: set[str] = set()
            for child in self.children[branch]:
                if child in self.children:
                    below |= found[child]
                elif not self.items[child].withdrawn:
                    below.add(child)
            found[branch] = frozenset(below)
        return found

    @cached_property
    def _branches(self) -> Sequence[str]:
        """Everything that has children, each before the branches below it."""
        waits = dict.fromkeys(self.children, 0)
        for below in self.children.values():
            for child in below:
                if child in waits:
                    waits[child] += 1
        ready = [branch for branch, count in waits.items() if not count]
        for branch in ready:
            for child in self.children[branch]:
                if child in waits:
                    waits[child] -= 1
                    if not waits[child]:
                        ready.append(child)
        return ready

    @cached_property
    def parents(self) -> Mapping[str, Sequence[str]]:
        """The parents of each item."""
        found: dict[str, list[str]] = {}
        for parent, below in self.children.items():
            for child in below:
                found.setdefault(child, []).append(parent)
        return found

    @cached_property
    def codes(self) -> Mapping[str, Sequence[str]]:
        """Identifiers by code; several where a code stands twice."""
        found: dict[str, list[str]] = {}
        for item in self.items.values():
            if item.code:
                found.setdefault(item.code, []).append(item.identifier)
        return found

    def ancestors(self, item: str) -> set[str]:
        """Return every branch above an item, the framework's own identifier included."""
        found: set[str] = set()
        above = list(self.parents.get(item, ()))
        while above:
            parent = above.pop()
            if parent not in found:
                found.add(parent)
                above += self.parents.get(parent, ())
        return found

    def find(self, name: str) -> Sequence[str]:
        """Return what a name means: an identifier, else a code; several where a code stands twice."""
        if name in self.items:
            return (name,)
        return self.codes.get(name, ())


def model_from(value: Json) -> ProgressModel:
    """Read a model as it is recorded."""
    levels = tuple(
        Level(one["level"], one["name"], Decimal(one["threshold"])) for one in value.get("levels", ())
    )
    return ProgressModel(value["name"], value.get("k", 0), value.get("n", 0), levels)


def model_value(model: ProgressModel) -> dict[str, Any]:
    """Write a model as it is recorded."""
    if model.name == COVERAGE:
        return {"name": COVERAGE}
    levels = [{"level": one.level, "name": one.name, "threshold": str(one.threshold)} for one in model.levels]
    return {"name": model.name, "k": model.k, "n": model.n, "levels": levels}


def framework_from(value: Json, institution: str) -> Framework:
    """Read a framework as it is recorded (see ``lrs.competencies.case``)."""
    items = {one["identifier"]: _item(one) for one in value["items"]}
    children: dict[str, list[str]] = {value["identifier"]: []}
    placed = set()
    for one in value["associations"]:
        if one["type"] == "isChildOf":
            children.setdefault(one["to"], []).append(one["from"])
            placed.add(one["from"])
    children[value["identifier"]] += [one for one in items if one not in placed]
    return Framework(
        value["identifier"],
        value["title"],
        value["version"],
        institution,
        model_from(value["model"]),
        items,
        children,
    )


def _item(value: Json) -> Item:
    return Item(
        value["identifier"],
        value["fullStatement"],
        value.get("humanCodingScheme", ""),
        value.get("CFItemType", ""),
        value.get("abbreviatedStatement", ""),
        value.get("language", ""),
        value.get("withdrawn", False),
    )
