"""Reading files of our own formats: each thing that is wrong is noted, with its JSON pointer.

What is read stays usable after a fault (an empty object, an empty list), so that one pass
finds every fault of a file.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from lrs.competencies.model import Framework
from lrs.errors import InvalidImport, Problem
from lrs.xapi.reader import ReadLimits, read_json

Json = Mapping[str, Any]

MOST_PROBLEMS = 100
_DECIMAL = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_HIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LIMITS = ReadLimits(max_body_bytes=64 << 20, max_depth=64, max_statements=1)


def read_file(body: bytes) -> object:
    """Parse a file as strict JSON.

    Raises:
        TooLarge: It has more than 64 MiB.
        InvalidBody: It is not JSON; the problem says where.
    """
    return read_json(body, _LIMITS)


def pointer(*parts: str | int) -> str:
    """Write a JSON pointer. Spec: RFC 6901 3."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class Shape:
    """Reads members of parsed JSON and collects what is wrong."""

    def __init__(self) -> None:
        """Begin without a problem."""
        self.problems: list[Problem] = []

    def wrong(self, path: str, rule: str, message: str, spec: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(path, rule, message, spec))

    def refuse_if_wrong(self, what: str) -> None:
        """Raise with everything that was noted, if anything was.

        Raises:
            InvalidImport: With the first hundred problems; the detail says how many there are.
        """
        if self.problems:
            count = len(self.problems)
            detail = f"{what} was not imported, and nothing was changed: {count} problem{'s' * (count > 1)}."
            raise InvalidImport(detail, self.problems[:MOST_PROBLEMS], count=count)

    def members(
        self, value: object, path: str, required: Collection[str] = (), optional: Collection[str] | None = ()
    ) -> Json:
        """Return an object that has what is required; unknown members are refused unless optional is None."""
        if not isinstance(value, dict):
            self.wrong(path, "json.object", "An object must stand here.")
            return {}
        for name in required:
            if name not in value:
                self.wrong(path, "member.required", f"The member {name!r} is missing.")
        if optional is not None:
            for name in value:
                if name not in required and name not in optional:
                    self.wrong(path + pointer(name), "member.unknown", f"No member {name!r} is known here.")
        return value

    def array(self, value: object, path: str, least: int = 0) -> Sequence[Any]:
        """Return a list that is long enough."""
        if not isinstance(value, list):
            self.wrong(path, "json.array", "An array must stand here.")
            return []
        if len(value) < least:
            self.wrong(path, "array.short", f"At least {least} must stand here.")
        return value

    def text(self, owner: Json, name: str, path: str, most: int = 10_000) -> str:
        """Return a member's text; empty where the member is missing (which ``members`` tells)."""
        value = owner.get(name, "")
        if isinstance(value, str) and (name not in owner or value.strip()) and len(value) <= most:
            self._refuse_hidden(value, path + pointer(name))
            return value
        self.wrong(path + pointer(name), "json.text", f"Text of 1 to {most:,} characters must stand here.")
        return ""

    def token(self, owner: Json, name: str, path: str) -> str:
        """Return a member's text that names something: no white space, at most 100 characters."""
        text = self.text(owner, name, path, 100)
        if any(character.isspace() for character in text):
            self.wrong(path + pointer(name), "name.space", "A name has no white space.")
        return text

    def texts(self, owner: Json, name: str, path: str) -> tuple[str, ...]:
        """Return a member's list of texts, at least one; a single text stands for a list of it."""
        if name not in owner:
            return ()
        value = owner[name]
        found = [value] if isinstance(value, str) else self.array(value, path + pointer(name), 1)
        for index, one in enumerate(found):
            if not isinstance(one, str) or not one.strip():
                self.wrong(path + pointer(name, index), "json.text", "Text must stand here.")
            else:
                self._refuse_hidden(one, path + pointer(name, index))
        return tuple(one for one in found if isinstance(one, str))

    def own_name(self, given: Json) -> str:
        """Return the name that a file gives to what stands in it: without white space and slashes."""
        name = self.token(given, "name", "")
        if "/" in name:
            self.wrong("/name", "name.slash", "The name has no slash.")
        return name

    def find_framework(self, given: Json, find: Callable[[str], Framework | None]) -> Framework | None:
        """Return the imported framework that a file names, found by its identifier.

        None is returned where the member is missing (which ``members`` tells), or nothing was found.
        """
        wanted = self.text(given, "framework", "", 500)
        found = find(wanted) if wanted else None
        if wanted and found is None:
            self.wrong("/framework", "framework.unknown", f"No framework {wanted} has been imported.")
        return found

    def institution_id(self, name: str, path: str, find: Callable[[str], str | None]) -> str:
        """Return an institution's id, found by its name; empty where there is none."""
        found = find(name)
        if found is None:
            self.wrong(path, "institution.unknown", f"There is no institution named {name!r}.")
        return found or ""

    def _refuse_hidden(self, text: str, path: str) -> None:
        """Refuse characters that nobody sees, and that turn round what is read or printed."""
        if found := _HIDDEN.search(text):
            self.wrong(path, "text.hidden", f"The character U+{ord(found[0]):04X} may not stand in a text.")

    def flag(self, owner: Json, name: str, path: str) -> bool | None:
        """Return a member's true or false, None where it is missing."""
        value = owner.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(path + pointer(name), "json.boolean", "true or false must stand here.")
        return None

    def whole(self, owner: Json, name: str, path: str, least: int, most: int) -> int:
        """Return a member's whole number; the least where the member is missing."""
        value = owner.get(name, least)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.wrong(
            path + pointer(name), "number.whole", f"A whole number from {least} to {most} must stand here."
        )
        return least

    def decimal(self, value: object, path: str, least: Decimal, most: Decimal) -> Decimal:
        """Return a decimal number, written as text or as a number; the least where it is wrong."""
        try:
            number = Decimal(str(value)) if _is_number(value) else None
        except InvalidOperation:
            number = None
        if number is None or isinstance(value, bool) or not number.is_finite() or not least <= number <= most:
            self.wrong(path, "number.decimal", f'A number from {least} to {most} must stand here, as "0.8".')
            return least
        return number


def _is_number(value: object) -> bool:
    """Tell a number, and text that is one as JSON would write it: no other digits, blanks or underscores."""
    if isinstance(value, str):
        return _DECIMAL.fullmatch(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)
