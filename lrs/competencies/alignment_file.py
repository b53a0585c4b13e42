"""Reads alignment files and models (docs/formats.md), and names everything that is wrong in them. Pure."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lrs.competencies.alignments import LISTS, decimal_text
from lrs.competencies.model import COVERAGE, K_OF_N, Framework, Level, ProgressModel
from lrs.competencies.shapes import Shape, pointer
from lrs.vouchers import VOUCHERS

Json = Mapping[str, Any]

_WHEN = (*LISTS, "success", "completion", "minMinutes")
_SCORES = ("scaled", "success", "completion")
_MOST_STRENGTH = Decimal(10)
_LEAST_STRENGTH = Decimal("0.01")
_LARGE = Decimal(1_000_000)
_ONE = Decimal(1)


def read_alignment(
    value: object,
    shape: Shape,
    find_framework: Callable[[str], Framework | None],
    find_institution: Callable[[str], str | None],
) -> dict[str, Any]:
    """Read an alignment's file; return what is recorded of it, without ``version``.

    Items are recorded by identifier, institutions by id.

    Args:
        value: The parsed file.
        shape: Collects what is wrong.
        find_framework: Finds an imported framework by its identifier.
        find_institution: Finds an institution's id by its name.
    """
    given = shape.members(value, "", ("name", "framework", "rules"), ("model",))
    name, framework = shape.own_name(given), shape.find_framework(given, find_framework)
    reading = _RuleReader(shape, framework, find_institution)
    rules = [
        reading.rule(one, pointer("rules", index))
        for index, one in enumerate(shape.array(given.get("rules", []), "/rules", 1))
    ]
    return {"name": name, "framework": framework.identifier if framework else "", "rules": rules}


@dataclass
class _RuleReader:
    """Reads rules for a framework."""

    shape: Shape
    framework: Framework | None
    find_institution: Callable[[str], str | None]
    ids: set[str] = field(default_factory=set)

    def rule(self, value: object, path: str) -> dict[str, Any]:
        """Read a rule as it is recorded."""
        given = self.shape.members(value, path, ("id", "item", "when"), ("score", "strength"))
        made: dict[str, Any] = {"id": self._id(given, path), "item": self._item(given, path)}
        made["when"] = self._when(given.get("when", {}), path + "/when") if "when" in given else {}
        made["score"] = self._score(given.get("score", "scaled"), path + "/score")
        strength = given.get("strength", "1")
        number = self.shape.decimal(strength, path + "/strength", _LEAST_STRENGTH, _MOST_STRENGTH)
        made["strength"] = decimal_text(number)
        return made

    def _id(self, given: Json, path: str) -> str:
        rule_id = self.shape.token(given, "id", path)
        if rule_id and rule_id in self.ids:
            self.shape.wrong(path + "/id", "rule.duplicate", f"The rule {rule_id} stands twice.")
        self.ids.add(rule_id)
        return rule_id

    def _item(self, given: Json, path: str) -> str:
        name = self.shape.text(given, "item", path)
        if not name or self.framework is None:
            return name
        found = self.framework.find(name)
        if len(found) == 1:
            return found[0]
        many = f"{len(found)} items have the code {name}; name one by its identifier."
        none = f"The framework {self.framework.title!r} has no item {name}."
        self.shape.wrong(path + "/item", "item.unknown", many if found else none)
        return name

    def _when(self, value: object, path: str) -> dict[str, Any]:
        given = self.shape.members(value, path, (), _WHEN)
        if not given:
            self.shape.wrong(path, "rule.empty", "At least one condition must stand here.")
        made: dict[str, Any] = {name: list(self.shape.texts(given, name, path)) for name in LISTS}
        made |= {name: self.shape.flag(given, name, path) for name in ("success", "completion")}
        if "minMinutes" in given:
            made["minMinutes"] = self.shape.whole(given, "minMinutes", path, 1, 1_000_000)
        for index, kind in enumerate(made.get("voucher", ())):
            if kind not in VOUCHERS:
                known = f"{kind!r} is no kind of voucher; there are {', '.join(VOUCHERS)}."
                self.shape.wrong(path + pointer("voucher", index), "voucher.unknown", known)
        made["institution"] = [
            self.shape.institution_id(name, path + pointer("institution", index), self.find_institution)
            for index, name in enumerate(made.get("institution", ()))
        ]
        return {name: found for name, found in made.items() if found not in (None, [])}

    def _score(self, value: object, path: str) -> Any:
        if isinstance(value, str):
            if value not in _SCORES:
                message = f"Here must stand one of {', '.join(_SCORES)}, or an object with fixed or raw."
                self.shape.wrong(path, "score.unknown", message)
            return value
        given = self.shape.members(value, path, (), ("fixed", "raw"))
        if len(given) != 1:
            self.shape.wrong(path, "score.one", "Either fixed or raw must stand here.")
        if "fixed" in given:
            fixed = self.shape.decimal(given["fixed"], path + "/fixed", Decimal(0), _ONE)
            return {"fixed": decimal_text(fixed)}
        raw = self.shape.members(given.get("raw", {}), path + "/raw", ("of",))
        most = self.shape.decimal(raw.get("of", "1"), path + "/raw/of", Decimal("0.000001"), _LARGE)
        return {"raw": {"of": decimal_text(most)}}


def read_model(value: object, path: str, shape: Shape) -> ProgressModel:
    """Read a model's file (or the member ``model`` of an alignment's)."""
    given = shape.members(value, path, ("name",), ("k", "n", "levels"))
    name = shape.text(given, "name", path)
    if name == COVERAGE:
        shape.members(value, path, ("name",))
        return ProgressModel()
    if name != K_OF_N:
        if name:
            known = f"There are the models {K_OF_N} and {COVERAGE}."
            shape.wrong(path + "/name", "model.unknown", known)
        return ProgressModel()
    shape.members(value, path, ("name", "k", "n", "levels"))
    n = shape.whole(given, "n", path, 1, 100)
    k = shape.whole(given, "k", path, 1, 100)
    if k > n:
        shape.wrong(path + "/k", "model.k", "k of n: k must not be more than n.")
    listed = shape.array(given.get("levels", []), path + "/levels", 1)
    levels = [_level(one, path + pointer("levels", index), shape) for index, one in enumerate(listed)]
    for index, (lower, upper) in enumerate(itertools.pairwise(levels)):
        if upper.level <= lower.level or upper.threshold <= lower.threshold:
            rising = "Levels and their thresholds must rise from one to the next."
            shape.wrong(path + pointer("levels", index + 1), "model.rising", rising)
    return ProgressModel(K_OF_N, k, n, tuple(levels))


def _level(value: object, path: str, shape: Shape) -> Level:
    given = shape.members(value, path, ("level", "name", "threshold"))
    threshold = shape.decimal(given.get("threshold", "0"), path + "/threshold", Decimal(-1), _ONE)
    return Level(shape.whole(given, "level", path, 1, 100), shape.text(given, "name", path, 200), threshold)
