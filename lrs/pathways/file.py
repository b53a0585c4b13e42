"""Reading a pathway's file: every problem with its place; what could never be finished is refused.

The format is told in docs/formats.md.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lrs.competencies.model import K_OF_N, Framework
from lrs.competencies.shapes import Shape, pointer
from lrs.pathways.model import FLAGS, KEEP, LISTS, REVOKE
from lrs.vouchers import VOUCHERS
from lrs.xapi.scalars import is_iri

Json = Mapping[str, Any]

MOST_STEPS = 200
_MOST_TIMES = 10_000
_MOST_MINUTES = 1_000_000
_MOST_LEVEL = 100
_TOP = ("name", "title", "steps")
_TOP_OPTIONAL = ("framework", "minOptional", "award", "opens")
_IRIS = ("verb", "activity", "activityType", "parent", "grouping", "category")


def read_pathway(
    value: object,
    shape: Shape,
    find_framework: Callable[[str], Framework | None],
    find_institution: Callable[[str], str | None],
) -> dict[str, Any]:
    """Read a pathway's file; return what is recorded of it, without ``version``.

    Items are recorded by identifier, institutions by id.

    Args:
        value: The parsed file.
        shape: Collects what is wrong.
        find_framework: Finds an imported framework by its identifier.
        find_institution: Finds an institution's id by its name.
    """
    given = shape.members(value, "", _TOP, _TOP_OPTIONAL)
    read: dict[str, Any] = {"name": shape.own_name(given), "title": shape.text(given, "title", "", 500)}
    framework = shape.find_framework(given, find_framework)
    if framework is not None:
        read["framework"] = framework.identifier
    needs = _NeedReader(shape, framework, "framework" in given, find_institution)
    listed = shape.array(given.get("steps", []), "/steps", 1)
    if len(listed) > MOST_STEPS:
        shape.wrong("/steps", "steps.many", f"{MOST_STEPS} steps are allowed.")
    read["steps"] = [_step(one, index, shape, needs) for index, one in enumerate(listed)]
    _check_ids(read["steps"], shape)
    _check_order(read["steps"], shape)
    read["minOptional"] = _min_optional(given, read["steps"], shape)
    if "award" in given:
        read["award"] = _award(given["award"], shape)
    read["opens"] = list(shape.texts(given, "opens", "")) if given.get("opens") else []
    return read


def _step(value: object, index: int, shape: Shape, needs: "_NeedReader") -> dict[str, Any]:
    path = pointer("steps", index)
    given = shape.members(value, path, ("id", "title", "needs"), ("required", "after"))
    required = shape.flag(given, "required", path)
    read: dict[str, Any] = {
        "id": shape.token(given, "id", path),
        "title": shape.text(given, "title", path, 500),
        "required": required is not False,
        "needs": needs.need(given["needs"], path + "/needs") if "needs" in given else {},
    }
    if given.get("after"):
        read["after"] = list(dict.fromkeys(shape.texts(given, "after", path)))
    return read


def _check_ids(steps: Sequence[Json], shape: Shape) -> None:
    seen: dict[str, int] = {}
    for index, step in enumerate(steps):
        first = seen.setdefault(step["id"], index)
        if step["id"] and first != index:
            message = f"Step {first} has the id {step['id']!r} too; ids must differ."
            shape.wrong(pointer("steps", index, "id"), "step.repeated", message)


def _check_order(steps: Sequence[Json], shape: Shape) -> None:
    """Note steps that come after none that is there, and those that wait for themselves."""
    before = {step["id"]: step.get("after", []) for step in steps}
    for index, step in enumerate(steps):
        for place, one in enumerate(step.get("after", [])):
            if one not in before:
                path = pointer("steps", index, "after", place)
                shape.wrong(path, "step.unknown", f"There is no step {one!r}.")
        if step["id"] in _all_before(step["id"], before):
            message = f"Step {step['id']!r} waits for itself: it can never be done."
            shape.wrong(pointer("steps", index, "after"), "step.cycle", message)


def _all_before(step_id: str, before: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(before[step_id])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += before.get(one, ())
    return found


def _min_optional(given: Json, steps: Sequence[Json], shape: Shape) -> int:
    optional = sum(not step["required"] for step in steps)
    least = shape.whole({"minOptional": 0, **given}, "minOptional", "", 0, MOST_STEPS)
    if least > optional:
        message = f"{least} optional steps are needed and there are {optional}: this could never be finished."
        shape.wrong("/minOptional", "pathway.never", message)
    if steps and optional == len(steps) and not least:
        message = "No step is required, and no optional one is needed: everybody would have finished."
        shape.wrong("/minOptional", "pathway.empty", message)
    return least


def _award(value: object, shape: Shape) -> dict[str, Any]:
    given = shape.members(value, "/award", ("title", "description", "criteria"), ("policy",))
    policy = given.get("policy", KEEP)
    if policy not in (KEEP, REVOKE):
        shape.wrong("/award/policy", "award.policy", f"This must be {KEEP} or {REVOKE}.")
    texts = {name: shape.text(given, name, "/award") for name in ("title", "description", "criteria")}
    return {**texts, "policy": policy}


class _NeedReader:
    """Reads what steps need.

    Args:
        shape: Collects what is wrong.
        framework: Whose items may be named; None for none, or an unknown one.
        named: Whether the file names a framework at all.
        find_institution: Finds an institution's id by its name.
    """

    def __init__(
        self,
        shape: Shape,
        framework: Framework | None,
        named: bool,
        find_institution: Callable[[str], str | None],
    ) -> None:
        self._shape = shape
        self._framework = framework
        self._named = named
        self._find_institution = find_institution

    def need(self, value: object, path: str) -> dict[str, Any]:
        """Read one need: an object that is of exactly one form."""
        if isinstance(value, dict) and ("of" in value or "k" in value):
            return self._some(value, path)
        if isinstance(value, dict) and ("item" in value or "level" in value):
            return self._item(value, path)
        return self._acts(value, path)

    def _some(self, value: Json, path: str) -> dict[str, Any]:
        given = self._shape.members(value, path, ("k", "of"))
        of = self._shape.array(given.get("of", []), path + "/of", 1)
        k = self._shape.whole(given, "k", path, 1, MOST_STEPS)
        if of and k > len(of):
            message = f"{k} of {len(of)} are needed: this can never be done."
            self._shape.wrong(path + "/k", "need.never", message)
        return {"k": k, "of": [self.need(one, path + pointer("of", i)) for i, one in enumerate(of)]}

    def _item(self, value: Json, path: str) -> dict[str, Any]:
        given = self._shape.members(value, path, ("item",), ("level",))
        read: dict[str, Any] = {"item": self._item_named(self._shape.text(given, "item", path), path)}
        if "level" in given:
            read["level"] = self._shape.whole(given, "level", path, 1, _MOST_LEVEL)
            self._check_level(read["level"], path + "/level")
        return read

    def _item_named(self, name: str, path: str) -> str:
        wrong = self._shape.wrong
        if not self._named:
            wrong(path + "/item", "framework.missing", "An item needs the member framework at the top.")
        if self._framework is None or not name:
            return name
        if name == self._framework.identifier:
            return name
        found = self._framework.find(name)
        if not found:
            message = f"The framework has no item with the identifier or code {name!r}."
            wrong(path + "/item", "item.unknown", message)
        elif len(found) > 1:
            message = f"{len(found)} items have the code {name!r}; name the identifier of one."
            wrong(path + "/item", "item.ambiguous", message)
        elif self._framework.items[found[0]].withdrawn:
            message = f"The item {name!r} was withdrawn from the framework: nobody can get there any more."
            wrong(path + "/item", "need.never", message)
        return found[0] if found else name

    def _check_level(self, level: int, path: str) -> None:
        if self._framework is None:
            return
        model = self._framework.model
        levels = [one.level for one in model.levels] if model.name == K_OF_N else []
        if level > max(levels, default=0):
            known = f"its levels are {', '.join(map(str, levels))}" if levels else "it has no levels"
            message = f"Level {level} of this framework can never be reached: {known}."
            self._shape.wrong(path, "need.never", message)

    def _acts(self, value: object, path: str) -> dict[str, Any]:
        given = self._shape.members(value, path, (), (*LISTS, *FLAGS, "times", "minutes"))
        read: dict[str, Any] = {}
        for name in LISTS:
            if name in given:
                read[name] = self._texts(given, name, path)
        for name in FLAGS:
            flag = self._shape.flag(given, name, path)
            if flag is not None:
                read[name] = flag
        if isinstance(value, dict) and not read:
            names = ", ".join((*LISTS, *FLAGS))
            message = f"Say which acts count, by one of {names}; or name an item, or k and of."
            self._shape.wrong(path, "need.empty", message)
        if "times" in given and "minutes" in given:
            self._shape.wrong(path, "need.both", "Either times or minutes may stand here.")
        if "minutes" in given:
            return {**read, "minutes": self._shape.whole(given, "minutes", path, 1, _MOST_MINUTES)}
        return {**read, "times": self._shape.whole(given, "times", path, 1, _MOST_TIMES)}

    def _texts(self, given: Json, name: str, path: str) -> list[str]:
        found = self._shape.texts(given, name, path)
        return [self._checked(name, one, path + pointer(name, index)) for index, one in enumerate(found)]

    def _checked(self, name: str, text: str, path: str) -> str:
        if name in _IRIS and not is_iri(text.removesuffix("*")):
            message = "This must be an IRI, or the beginning of one with a * at its end; nothing else is met."
            self._shape.wrong(path, "iri.form", message)
        if name == "voucher" and text not in VOUCHERS:
            self._shape.wrong(path, "voucher.unknown", f"This must be one of {', '.join(VOUCHERS)}.")
        if name == "institution":
            return self._shape.institution_id(text, path, self._find_institution)
        return text
