"""Reads what a crosswalk's rules take credit from: competencies, time, pathways, awards."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrs.competencies.shapes import Shape, pointer
from lrs.transcripts.model import WILDCARD, ByItems, ByMinutes, ByPathway, Filter, From
from lrs.vouchers import VOUCHERS
from lrs.xapi.scalars import is_iri

MOST_NUMBER = 10_000_000
_IRIS = ("verb", "activity", "activityType", "parent", "category", "grouping")
_FILTER = (*_IRIS, "institution", "voucher", "success", "completion")
_SOURCES = ("items", "minutes", "pathway", "award")
_NOTHING = ByItems((), 1)


@dataclass(frozen=True, slots=True)
class Known:
    """What a crosswalk may name.

    Attributes:
        items: Identifier or code of an item to the identifiers that bear it (a code may be of two).
        levels: The levels of the framework's model; empty where it has coverage alone.
        has_framework: Whether the framework that the crosswalk names was imported.
        pathways: Name of a pathway to the names of the institutions that have one of this name.
        awarding: Those of the pathways (institution, name) that end in an award.
        institutions: Names of all institutions.
        school: The name of the crosswalk's own institution.
    """

    items: Mapping[str, Collection[str]] = field(default_factory=dict)
    levels: Collection[int] = ()
    has_framework: bool = False
    pathways: Mapping[str, Collection[str]] = field(default_factory=dict)
    awarding: Collection[tuple[str, str]] = ()
    institutions: Collection[str] = ()
    school: str = ""


class SourceShape(Shape):
    """Reads a rule's ``from``.

    Args:
        known: What it may name; None for what was checked when it was recorded.
    """

    def __init__(self, known: Known | None) -> None:
        """Begin without a problem."""
        super().__init__()
        self.known = known
        self.framework = ""

    def choice(self, owner: Mapping[str, Any], name: str, path: str, choices: Sequence[str]) -> str:
        """Return a member that is one of some words; the first where it is wrong."""
        value = owner.get(name, choices[0])
        if value in choices:
            return str(value)
        self.wrong(path + pointer(name), "text.choice", f"This must be one of {', '.join(choices)}.")
        return choices[0]

    def iris(self, owner: Mapping[str, Any], name: str, path: str) -> tuple[str, ...]:
        """Return a member's list of IRIs, each of which may end in a ``*``."""
        found = self.texts(owner, name, path)
        for index, one in enumerate(found):
            if not is_iri(one.removesuffix(WILDCARD)) or WILDCARD in one[:-1]:
                message = "This must be an IRI; a * at its end stands for whatever follows."
                self.wrong(path + pointer(name, index), "iri.form", message)
        return found

    def institutions(self, owner: Mapping[str, Any], name: str, path: str) -> tuple[str, ...]:
        """Return a member's list of institutions' names."""
        found = self.texts(owner, name, path)
        for index, one in enumerate(found):
            if self.known is not None and one not in self.known.institutions:
                message = "There is no institution of this name on this instance."
                self.wrong(path + pointer(name, index), "institution.unknown", message)
        return found

    def source(self, value: object, path: str) -> From:
        """Read what a rule takes credit from."""
        given = [name for name in _SOURCES if isinstance(value, dict) and name in value]
        if len(given) != 1:
            self.wrong(path, "from.one", f"This must be an object with exactly one of {', '.join(_SOURCES)}.")
            return _NOTHING
        if given[0] == "items":
            return self._items(self.members(value, path, ("items",), ("level", "k")), path)
        if given[0] == "minutes":
            found = self.members(value, path, ("minutes",), ("least",))
            least = self.whole(found, "least", path, 1, MOST_NUMBER)
            return ByMinutes(self.filter(found["minutes"], f"{path}/minutes"), least)
        return self._pathway(self.members(value, path, (given[0],), ("institution",)), path, given[0])

    def _items(self, found: Mapping[str, Any], path: str) -> ByItems:
        names = self.texts(found, "items", path)
        level = self.whole(found, "level", path, 1, 100) if "level" in found else None
        count = self.whole(found, "k", path, 1, max(1, len(names))) if "k" in found else len(names)
        if len(set(names)) < len(names):
            self.wrong(f"{path}/items", "item.repeated", "An item is named twice.")
        if not self.framework:
            self.wrong(f"{path}/items", "framework.missing", "Items need the member framework at the top.")
        elif self.known is not None and self.known.has_framework:
            self._check_items(names, path, self.known)
            if level is not None and level not in self.known.levels:
                self.wrong(f"{path}/level", "level.unknown", _levels_text(self.known.levels))
        return ByItems(names, count, level)

    def _check_items(self, names: Sequence[str], path: str, known: Known) -> None:
        for index, name in enumerate(names):
            bearers = known.items.get(name, ())
            if not bearers:
                message = f"The framework has no item with the identifier or code {name!r}."
                self.wrong(f"{path}/items/{index}", "item.unknown", message)
            elif len(bearers) > 1:
                message = f"{len(bearers)} items have the code {name!r}; name the identifier of one."
                self.wrong(f"{path}/items/{index}", "item.ambiguous", message)

    def _pathway(self, found: Mapping[str, Any], path: str, word: str) -> ByPathway:
        name = self.text(found, word, path, 200)
        whose = self.text(found, "institution", path, 200)
        if self.known is not None and name:
            self._check_pathway(name, whose, f"{path}/{word}", word == "award")
        return ByPathway(name, whose, awarded=word == "award")

    def _check_pathway(self, name: str, whose: str, path: str, awarded: bool) -> None:
        known = self.known or Known()
        owner = owner_of(known.pathways.get(name, ()), whose, known.school)
        if owner is None and len(known.pathways.get(name, ())) > 1 and not whose:
            self.wrong(path, "pathway.ambiguous", "Several institutions have one; say whose, by institution.")
        elif owner is None:
            where = f" at {whose}" if whose else ""
            self.wrong(path, "pathway.unknown", f"There is no pathway of the name {name!r}{where}.")
        elif awarded and (owner, name) not in known.awarding:
            self.wrong(path, "pathway.no-award", "This pathway ends in no award; take it as pathway.")

    def filter(self, value: object, path: str) -> Filter:
        """Read which statements count."""
        found = self.members(value, path, (), _FILTER)
        if isinstance(value, dict) and not value:
            self.wrong(path, "filter.empty", f"Say which statements count, by one of {', '.join(_FILTER)}.")
        lists = {name: self.iris(found, name, path) for name in _IRIS}
        vouchers = self.texts(found, "voucher", path)
        for index, one in enumerate(vouchers):
            if one not in VOUCHERS:
                message = f"This must be one of {', '.join(VOUCHERS)}."
                self.wrong(f"{path}/voucher/{index}", "voucher.unknown", message)
        return Filter(
            verb=lists["verb"],
            activity=lists["activity"],
            activity_type=lists["activityType"],
            parent=lists["parent"],
            category=lists["category"],
            grouping=lists["grouping"],
            institution=self.institutions(found, "institution", path),
            voucher=vouchers,
            success=self.flag(found, "success", path),
            completion=self.flag(found, "completion", path),
        )


def owner_of(owners: Collection[str], whose: str, school: str) -> str | None:
    """Say whose pathway is meant: the one named, else the school's, else the only one there is."""
    if whose:
        return whose if whose in owners else None
    if school in owners:
        return school
    return next(iter(owners)) if len(owners) == 1 else None


def _levels_text(levels: Collection[int]) -> str:
    if not levels:
        return "The framework has coverage and no levels; leave level out."
    return f"The framework's levels are {', '.join(map(str, sorted(levels)))}."


_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_OFFSET = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])")


def read_day(text: str) -> tuple[int, int] | None:
    """Read a day of the year, ``MM-DD``."""
    match = _DAY.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def read_offset(text: str) -> int | None:
    """Read an offset from UTC, ``+01:00``, as minutes."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    minutes = 60 * int(match[2]) + int(match[3])
    return -minutes if match[1] == "-" else minutes
