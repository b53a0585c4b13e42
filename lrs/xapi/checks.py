"""How statements are checked: tables of properties, each with the check that its value must pass.

A check adds to the findings what it finds and goes on, so that a sender learns of every
problem at once. Pointers are only written out for a problem: on the way down a place is a
pair (place of the parent, key), and costs next to nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from lrs.errors import Problem
from lrs.xapi.json_text import escape_pointer
from lrs.xapi.rules import MAX_PROBLEMS, make_problem
from lrs.xapi.scalars import is_duration, is_iri, is_language_tag, is_rfc3339, is_uuid, parse_timestamp
from lrs.xapi.versions import Version

Trail: TypeAlias = "tuple[Trail, str | int] | None"
"""The place of a value: the place of its parent and its key there; None is the root."""

Key: TypeAlias = "str | int | None"
"""The key of a value in its parent; None for the value that is checked as a whole."""

Check: TypeAlias = "Callable[[Findings, Any, Trail, Any], None]"
"""Checks a value, given the place of its parent and its key there."""

MAX_SHOWN = 60
_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


class EnoughFound(Exception):
    """As many problems were found as are told; looking for more would be for nothing."""


class Findings:
    """The problems met so far, and what is needed to write them down.

    Args:
        version: Whose rules hold.
        prefix: The pointer of the value that is checked.
        most: With so many problems ``EnoughFound`` ends the search.
    """

    __slots__ = ("most", "prefix", "problems", "version")

    def __init__(self, version: Version, prefix: str, most: int = MAX_PROBLEMS) -> None:
        """Begin with none."""
        self.version = version
        self.prefix = prefix
        self.most = most
        self.problems: list[Problem] = []

    def add(self, trail: Trail, key: Key, rule: str, message: str) -> None:
        """Keep a problem of the value that stands at the key.

        Raises:
            EnoughFound: It is the last that is told.
        """
        pointer = self.prefix + to_pointer(place(trail, key))
        self.problems.append(make_problem(self.version, pointer, rule, message))
        if len(self.problems) >= self.most:
            raise EnoughFound

    def add_wrong_type(self, value: object, trail: Trail, key: Key, wanted: str) -> None:
        """Keep that a value is null, or of another JSON type than the wanted one."""
        if value is None:
            self.add(
                trail, key, "json.null", f"This must be {wanted}, not null; leave out what is not known."
            )
        else:
            kind = _KINDS.get(type(value), "something else")
            self.add(trail, key, "json.type", f"This must be {wanted}, not {kind}.")


def place(trail: Trail, key: Key) -> Trail:
    """Return the place of the value at a key."""
    return trail if key is None else (trail, key)


def to_pointer(trail: Trail) -> str:
    """Write a place as a pointer.

    Spec: RFC 6901
    """
    tokens: list[str] = []
    while trail is not None:
        trail, key = trail
        tokens.append(escape_pointer(str(key)))
    return "".join(f"/{token}" for token in reversed(tokens))


def show(value: object) -> str:
    """Quote a value in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class Shape:
    """The properties that one kind of object may and must have.

    Attributes:
        what: What it is called in a message, such as ``a verb``.
        fields: The check of each allowed property; a plain dict, for its speed, never changed.
        required: The properties that must be there.
        rule: The rule that asks for them; not needed where none is required.
    """

    what: str
    fields: dict[str, Check]
    required: tuple[str, ...] = ()
    rule: str = ""


def check_shape(found: Findings, value: Any, trail: Trail, key: Key, shape: Shape) -> bool:
    """Check an object against its shape; tell whether it is an object at all."""
    if type(value) is not dict:
        found.add_wrong_type(value, trail, key, "an object")
        return False
    here = trail if key is None else (trail, key)
    fields = shape.fields
    for name, item in value.items():
        if name in fields:
            fields[name](found, item, here, name)
        else:
            _add_unknown(found, here, name, shape)
    for name in shape.required:
        if name not in value:
            found.add(trail, key, shape.rule, f'"{name}" is missing; {shape.what} needs it.')
    return True


def _add_unknown(found: Findings, here: Trail, name: str, shape: Shape) -> None:
    close = next((field for field in shape.fields if field.lower() == name.lower()), None)
    hint = (
        f'did you mean "{close}"? Names are case-sensitive'
        if close
        else f"{shape.what} may have {', '.join(sorted(shape.fields))}"
    )
    found.add(here, name, "property.unknown", f"{show(name)} is not a property of {shape.what}; {hint}.")


def shape_check(shape: Shape) -> Check:
    """Make the check of an object that nothing but its shape constrains."""

    def check(found: Findings, value: Any, trail: Trail, key: Key) -> None:
        check_shape(found, value, trail, key, shape)

    return check


def array_check(item_check: Check) -> Check:
    """Make the check of an array, each item of which passes a check; it may be empty."""

    def check(found: Findings, value: Any, trail: Trail, key: Key) -> None:
        if type(value) is not list:
            found.add_wrong_type(value, trail, key, "an array")
            return
        here = place(trail, key)
        for index, item in enumerate(value):
            item_check(found, item, here, index)

    return check


def text_check(test: Callable[[str], object], rule: str, message: str, *, quoted: bool = False) -> Check:
    """Make the check of a string of some form.

    Args:
        test: Tells whether a text has the form.
        rule: The name of the broken rule.
        message: What is wrong and what to do, as a sentence.
        quoted: Say the value before the message. Not for what may identify a person:
            problems are kept where the body is not.
    """

    def check(found: Findings, value: Any, trail: Trail, key: Key) -> None:
        if type(value) is not str:
            found.add_wrong_type(value, trail, key, "a string")
        elif not test(value):
            found.add(trail, key, rule, f"{show(value)}: {message}" if quoted else message)

    return check


def choice_check(choices: tuple[str, ...], rule: str) -> Check:
    """Make the check of a string that is one of a few, by the letter."""
    allowed = frozenset(choices)
    listed = ", ".join(choices)
    return text_check(
        allowed.__contains__, rule, f"This must be exactly one of: {listed}. Case counts.", quoted=True
    )


def check_string(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check that a value is a string, of any form and length."""
    if type(value) is not str:
        found.add_wrong_type(value, trail, key, "a string")


def check_boolean(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check that a value is true or false itself, not a text or number that means it."""
    if value is not True and value is not False:
        found.add_wrong_type(value, trail, key, "true or false")


def check_number(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check that a value is a number; a boolean is none."""
    if type(value) is not float and type(value) is not int:
        found.add_wrong_type(value, trail, key, "a number")


check_iri = text_check(
    is_iri,
    "iri.form",
    "This is not an IRI: it must begin with a scheme such as https: and hold no space,"
    ' control character or any of < > " { } | \\ ^ `.',
)
"""Checks an IRI or IRL.

Spec: xAPI 1.0.3 Data 2.2, 4.3
"""

check_uuid = text_check(
    is_uuid,
    "uuid.form",
    "This is not a UUID: 32 hex digits in groups of 8-4-4-4-12 are needed.",
    quoted=True,
)
"""Checks a UUID.

Spec: xAPI 1.0.3 Data 4.4
"""

check_language = text_check(
    is_language_tag,
    "language.tag",
    "this is not a language tag of RFC 5646, such as en, pt-BR or zh-Hans-CN.",
    quoted=True,
)
"""Checks a language tag.

Spec: xAPI 1.0.3 Data 4.2
"""

check_duration = text_check(
    is_duration,
    "duration.form",
    "this is not an ISO 8601 duration such as PT1H30M, PT12.5S or P4W; only its last number"
    " may have a fraction, and weeks stand alone.",
    quoted=True,
)
"""Checks a duration.

Spec: xAPI 1.0.3 Data 4.6
"""


def check_timestamp(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check a timestamp: ISO 8601, and from 2.0 on RFC 3339's form of it.

    Spec: xAPI 1.0.3 Data 4.5; xAPI 2.0 4.2.7
    """
    if type(value) is not str:
        found.add_wrong_type(value, trail, key, "a string")
    elif parse_timestamp(value) is None:
        found.add(
            trail,
            key,
            "timestamp.form",
            f"{show(value)}: this is not a moment in ISO 8601, such as 2026-11-21T09:30:00.125Z;"
            " an offset of -00:00 is not allowed.",
        )
    elif found.version is Version.V2_0_0 and not is_rfc3339(value):
        found.add(
            trail,
            key,
            "timestamp.rfc3339",
            f"{show(value)}: xAPI 2.0 asks for RFC 3339's form, with seconds and an offset,"
            " such as 2026-11-21T09:30:00+01:00.",
        )


def check_language_map(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check an object of texts by language tag; it may be empty.

    Spec: xAPI 1.0.3 Data 4.2
    """
    if type(value) is not dict:
        found.add_wrong_type(value, trail, key, "an object of texts by language tag")
        return
    for tag, text in value.items():
        if not is_language_tag(tag):
            check_language(found, tag, place(trail, key), tag)
        if type(text) is not str:
            found.add_wrong_type(text, place(trail, key), tag, "a string")


def check_extensions(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    """Check that extensions are an object with IRIs for keys; its values are not looked at.

    Spec: xAPI 1.0.3 Data 4.1
    """
    if type(value) is not dict:
        found.add_wrong_type(value, trail, key, "an object")
        return
    for name in value:
        if not is_iri(name):
            found.add(
                place(trail, key),
                name,
                "extensions.key",
                "The key of an extension must be an IRI with a scheme.",
            )
