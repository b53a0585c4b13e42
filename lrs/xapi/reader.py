"""Reading a body: strict JSON, and the exact text of every statement in it.

A fast parser accepts the body; what it lets through although it must not pass (a name
twice in one object, nesting beyond the limit) is found by counting, and searched for
only where the count says that it may be there.

A byte order mark is refused rather than skipped, so that the text that is kept is the
text that was sent. An empty array is a batch of no statements: nothing is stored, and
that is no error.

Spec: RFC 8259; xAPI 1.0.3 Data 2.2, Communication 1.4
"""

import re
from dataclasses import dataclass

import msgspec
import orjson

from lrs.errors import InvalidBody, TooLarge
from lrs.xapi.json_text import Place, find_duplicate_keys, find_too_deep, has_duplicate_keys
from lrs.xapi.rules import MAX_PROBLEMS, make_problem
from lrs.xapi.versions import Version

_WHITESPACE = b" \t\n\r"
_BOM = b"\xef\xbb\xbf"
_NOT_A_NUMBER = re.compile(r"[+-]?(?:NaN|Infinity|inf|nan)")
_MOST_TOKENS = 500_000
"""Where a name is known to come twice, its place is searched for in no more of the body than this."""

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much one body may hold.

    Attributes:
        max_body_bytes: Longest body.
        max_depth: Most arrays and objects within each other, a batch's own array included.
        max_statements: Longest batch.
        max_parts: Most parts of multipart/mixed, the statements' own included.
    """

    max_body_bytes: int
    max_depth: int
    max_statements: int
    max_parts: int = 1000


@dataclass(frozen=True, slots=True)
class RawStatement:
    """One statement (or what stands in its place) as sent and as parsed.

    Attributes:
        raw: The exact slice of the body, without whitespace around it.
        value: The parsed JSON value; integers beyond 64 bits are floats here, whole in ``raw``.
        sent: What was sent, where ``raw`` and ``value`` are what it was mended to
            (``lrs.xapi.tolerance``); None where they are the same.
    """

    raw: bytes
    value: object
    sent: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReadBody:
    """What a body holds, in the order sent.

    Attributes:
        is_batch: The body is an array, of whatever length.
    """

    statements: list[RawStatement]
    is_batch: bool


def read_statements(body: bytes, limits: ReadLimits) -> ReadBody:
    """Read a statement or an array of them; whether they are valid is not asked here.

    Returns:
        The statements with their texts; no statements for an empty array.

    Raises:
        TooLarge: The body or the batch passes a limit.
        InvalidBody: The body is not strict JSON, is nested too deeply, or is neither an
            object nor an array; its problems say where and why.

    Spec: xAPI 1.0.3 Communication 2.1.1, 2.1.2
    """
    value = _parse(body, limits)
    if isinstance(value, dict):
        _refuse_too_deep(body, value, limits)
        _refuse_duplicate_keys(body, value)
        return ReadBody([RawStatement(body.strip(_WHITESPACE), value)], is_batch=False)
    if not isinstance(value, list):
        raise _invalid(
            "body.top-level", "The body must be a statement (an object) or an array of statements."
        )
    if len(value) > limits.max_statements:
        raise TooLarge(
            f"The batch has {len(value)} statements; at most {limits.max_statements} are taken at once. "
            "Send it in parts."
        )
    slices = _split_batch(body, limits)
    if max(map(_openings, slices), default=0) >= limits.max_depth:
        _refuse_too_deep(body, value, limits)
    _refuse_duplicate_keys(body, value)
    return ReadBody([RawStatement(*pair) for pair in zip(slices, value, strict=True)], is_batch=True)


def read_json(body: bytes, limits: ReadLimits) -> object:
    """Read any JSON value, as strictly as statements are read.

    Raises:
        TooLarge: The body is longer than the limit.
        InvalidBody: The body is not strict JSON, or is nested too deeply.
    """
    value = _parse(body, limits)
    _refuse_too_deep(body, value, limits)
    _refuse_duplicate_keys(body, value)
    return value


def _parse(body: bytes, limits: ReadLimits) -> object:
    if len(body) > limits.max_body_bytes:
        raise TooLarge(
            f"The body has {len(body)} bytes; at most {limits.max_body_bytes} are taken. Send it in parts."
        )
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _explain(body, error, limits) from error


def _explain(body: bytes, error: orjson.JSONDecodeError, limits: ReadLimits) -> InvalidBody:
    """Say in our words why the parser refused the body."""
    if not body.strip(_WHITESPACE):
        return _invalid("body.empty", "The body is empty; send a statement or an array of statements.")
    if body.startswith(_BOM):
        return _invalid(
            "body.byte-order-mark", "The body begins with a byte order mark; send plain UTF-8 without it."
        )
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        before = body[: wrong.start].decode()
        place = Place.at(before, len(before))
        return _invalid("body.encoding", f"The body is not UTF-8: {place} holds no valid character.")
    deep = find_too_deep(text, limits.max_depth, error.pos + 1)
    if deep is not None:
        return _too_deep(deep, limits)
    place = Place.at(text, error.pos)
    if _NOT_A_NUMBER.match(text, error.pos) or error.msg.startswith("number is infinity"):
        return _invalid(
            "body.number",
            f"{place}: this is not a number in JSON, or is too large to be read as one; "
            "leave it out or send it as text.",
        )
    return _invalid("body.syntax", f"The body is not JSON: {place}: {error.msg}.")


def _openings(text: bytes) -> int:
    """Count what may open a level: never less than the nesting is deep."""
    return text.count(b"{") + text.count(b"[")


def _refuse_too_deep(body: bytes, value: object, limits: ReadLimits) -> None:
    if _openings(body) <= limits.max_depth:
        return
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limits.max_depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return
    raise _too_deep(find_too_deep(body.decode(), limits.max_depth), limits)


def _split_batch(body: bytes, limits: ReadLimits) -> list[bytes]:
    try:
        return list(map(bytes, _split(body)))
    except RecursionError as error:
        raise _too_deep(find_too_deep(body.decode(), limits.max_depth), limits) from error


def _refuse_duplicate_keys(body: bytes, value: object) -> None:
    repeated = has_duplicate_keys(body, value)
    if repeated is False:
        return
    # Where it is certain, the place is only help, and not worth any time.
    pointers = find_duplicate_keys(body.decode(), MAX_PROBLEMS, _MOST_TOKENS if repeated else None)
    if pointers or repeated:
        first = f", first at {pointers[0]}" if pointers else ""
        message = "This name comes twice in its object; give it once."
        raise InvalidBody(
            f"A name comes twice in one object{first}; give it once.",
            [
                make_problem(Version.V1_0_3, pointer, "body.duplicate-key", message)
                for pointer in pointers or [""]
            ],
        )


def _too_deep(place: Place | None, limits: ReadLimits) -> InvalidBody:
    where = f" at {place}" if place else ""
    return _invalid(
        "body.depth", f"The body is nested more than {limits.max_depth} levels deep{where}; flatten it."
    )


def _invalid(rule: str, message: str, path: str = "") -> InvalidBody:
    # What JSON itself asks for does not depend on the version.
    return InvalidBody(message, [make_problem(Version.V1_0_3, path, rule, message)])
