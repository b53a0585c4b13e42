"""Reading a connector's configuration: JSON whose members are all known; every problem is listed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from lrs.errors import InvalidImport, Problem

_T = TypeVar("_T")
_MISSING: Any = object()
_MOST_PROBLEMS = 100


def pointer(path: str, name: str | int) -> str:
    """Append a member to a JSON pointer. Spec: RFC 6901 3."""
    return f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}"


class Problems(list[Problem]):
    """What is wrong with a configuration, in the order found."""

    def add(self, path: str, rule: str, message: str) -> None:
        """Note one."""
        self.append(Problem(path, f"config.{rule}", message))

    def raise_if_any(self) -> None:
        """End here when something is wrong.

        Raises:
            InvalidImport: With what was found.
        """
        if self:
            raise InvalidImport("The source's configuration cannot be used.", self[:_MOST_PROBLEMS])


class Members:
    """The members of one object of a configuration; each is asked for, and then no other may be there.

    Args:
        value: What stands there.
        path: Its JSON pointer.
        problems: Where to note what is wrong.
    """

    def __init__(self, value: object, path: str, problems: Problems) -> None:
        """Note it where it is no object."""
        if not isinstance(value, Mapping):
            problems.add(path, "object", "Write an object here.")
            value = {}
        self._value: Mapping[str, Any] = value
        self._asked: set[str] = set()
        self.path = path
        self.problems = problems

    def has(self, name: str) -> bool:
        """Tell whether a member is there."""
        return name in self._value

    def raw(self, name: str) -> Any:
        """Return a member as it is, None where it is missing."""
        self._asked.add(name)
        return self._value.get(name)

    def at(self, name: str | int) -> str:
        """Return a member's pointer."""
        return pointer(self.path, name)

    def wrong(self, name: str, rule: str, message: str) -> None:
        """Note what is wrong with a member."""
        self.problems.add(self.at(name), rule, message)

    def text(self, name: str, default: str | None = _MISSING) -> str:
        """Return a text that is not empty; required without a default."""
        found = self._of(name, str, "a text", default)
        if found == "" and default != "":
            self.wrong(name, "empty", "Write something here, or leave the member out.")
        return found or ""

    def optional(self, name: str) -> str | None:
        """Return a text, None where it is missing."""
        self._asked.add(name)
        return self.text(name) if self.has(name) else None

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        return bool(self._of(name, bool, "true or false", default))

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number between bounds."""
        found = self._of(name, int, "a whole number", default)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.wrong(name, "number", f"Write a whole number from {least} to {most}.")
            return default
        return found

    def choice(self, name: str, choices: Collection[str], default: str = _MISSING) -> str:
        """Return one of some texts."""
        found = self.text(name, default)
        if found and found not in choices:
            self.wrong(name, "choice", f"Write one of {', '.join(choices)}.")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; one text counts as a list of one; empty where it is missing."""
        found = self.raw(name)
        if found is None:
            return ()
        if isinstance(found, str):
            return (found,)
        if not isinstance(found, Sequence) or not all(isinstance(one, str) and one for one in found):
            self.wrong(name, "texts", "Write a list of texts.")
            return ()
        return tuple(found)

    def inner(self, name: str, read: Callable[["Members"], _T]) -> _T | None:
        """Read a member that is an object, None where it is missing; nothing else may stand in it."""
        self._asked.add(name)
        if not self.has(name):
            return None
        members = Members(self.raw(name), self.at(name), self.problems)
        found = read(members)
        members.done()
        return found

    def done(self) -> None:
        """Note every member that nobody asked for."""
        for name in self._value:
            if name not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.wrong(name, "unknown-member", f"There is no such member here; there are {known}.")

    def names(self) -> Sequence[str]:
        """Return the names that are there."""
        return list(self._value)

    def _of(self, name: str, kind: type, what: str, default: Any) -> Any:
        found = self.raw(name)
        if found is None:
            if default is _MISSING:
                self.wrong(name, "missing", f"Write {what} here; it is needed.")
                return None
            return default
        if not isinstance(found, kind):
            self.wrong(name, "kind", f"Write {what} here.")
            return None if default is _MISSING else default
        return found
