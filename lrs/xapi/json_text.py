"""Looking into JSON text itself, for what a parser does not tell: places, depth, names given twice.

All functions but ``has_duplicate_keys`` expect text that a parser has read, or has
read up to a place; none recurses, so that depth cannot hurt.

Spec: RFC 8259; RFC 6901
"""

import re
from dataclasses import dataclass, field
from itertools import islice

import orjson

# Possessive, so that a string that never ends is walked over once and no more.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\],]", re.DOTALL)
_UP_TO_BRACKET = re.compile(rf'(?:[^"{{}}\[\]]++|{_STRING})*+[{{}}\[\]]', re.DOTALL)
_OPENING = ("{", "[")
_CLOSING = ("}", "]")
_NEXT = ","
_HIDDEN_COLONS = (b"\\u003a", b"\\u003A")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text, counted in characters; line and column begin at 1."""

    offset: int
    line: int
    column: int

    @classmethod
    def at(cls, text: str, offset: int) -> "Place":
        """Find line and column of an offset."""
        line_start = text.rfind("\n", 0, offset) + 1
        return cls(offset, text.count("\n", 0, offset) + 1, offset - line_start + 1)

    def __str__(self) -> str:
        """Say it for a message."""
        return f"line {self.line}, column {self.column}"


def escape_pointer(name: str) -> str:
    """Write a property name as one reference token of a pointer, without the slash.

    Spec: RFC 6901 3
    """
    return name.replace("~", "~0").replace("/", "~1")


def has_duplicate_keys(body: bytes, value: object) -> bool | None:
    """Tell whether an object in the body has a name twice; None where that cannot be told so.

    Writes the parsed value again and counts the colons of both texts. The values that
    were lost with a repeated name take at least its colon with them; all that was kept
    is written with as many colons as it was read with. So the texts count alike exactly
    when nothing was lost.

    Args:
        body: Valid JSON.
        value: What the fast parser made of the body: the last of a name's values won.
    """
    try:
        again = orjson.dumps(value)
    except orjson.JSONEncodeError:  # Nested too deeply to be written.
        return None
    return body.count(b":") + _count_hidden_colons(body) != again.count(b":")


def _count_hidden_colons(body: bytes) -> int:
    """Count the colons that are written as their hexadecimal code."""
    if not any(hidden in body for hidden in _HIDDEN_COLONS):
        return 0
    # A backslash that is escaped itself must not be taken for the beginning of a code.
    escapes = body.replace(b"\\\\", b"__")
    return sum(map(escapes.count, _HIDDEN_COLONS))


def find_too_deep(text: str, max_depth: int, end: int | None = None) -> Place | None:
    """Find the bracket that opens one level too many; None where there is none.

    Args:
        text: JSON, which need not be valid; brackets in an unclosed string do not count.
        max_depth: How many levels there may be.
        end: How far to look; None looks to the end.
    """
    depth = 0
    beyond = len(text) if end is None else end
    found = _UP_TO_BRACKET.match(text, 0, beyond)
    while found is not None:
        at = found.end() - 1
        depth += 1 if text[at] in _OPENING else -1
        if depth > max_depth:
            return Place.at(text, at)
        found = _UP_TO_BRACKET.match(text, at + 1, beyond)
    return None


@dataclass(slots=True)
class _Level:
    """An array or object that is being read, and where in it the reader stands."""

    is_object: bool
    token: str = ""
    index: int = 0
    expects_name: bool = False
    names: set[str] = field(default_factory=set)

    def pointer_part(self) -> str:
        return self.token if self.is_object else str(self.index)


def find_duplicate_keys(text: str, at_most: int, most_tokens: int | None = None) -> list[str]:
    """Find names that an object has more than once, in the order of the text.

    Args:
        text: Valid JSON.
        at_most: How many to find before giving up.
        most_tokens: How many strings, brackets and commas to look at; None for all. A million
            take most of a second.

    Returns:
        The pointer of each repeated name, once for each repetition; empty when all is well.
    """
    found: list[str] = []
    levels: list[_Level] = []
    for match in islice(_TOKEN.finditer(text), most_tokens):
        written = match[0]
        if written in _OPENING:
            levels.append(_Level(is_object=written == "{", expects_name=written == "{"))
        elif written in _CLOSING:
            levels.pop()
        elif written == _NEXT:
            levels[-1].index += 1
            levels[-1].expects_name = levels[-1].is_object
        elif levels and levels[-1].expects_name and _is_repeated(levels[-1], written):
            found.append("".join(f"/{level.pointer_part()}" for level in levels))
            if len(found) == at_most:
                break
    return found


def _is_repeated(level: _Level, written: str) -> bool:
    name = orjson.loads(written) if "\\" in written else written[1:-1]
    level.token = escape_pointer(name)
    level.expects_name = False
    repeated = name in level.names
    level.names.add(name)
    return repeated
