"""Small known faults of authoring tools, mended where a key asks for it: nothing here is on by default.

A statement is mended before it is validated, and held to every rule afterwards. What was
received is kept exactly as it was sent; what is served is the mended text, in which everything
else stays as written. Each correction is named by rule and place, so that it can be logged and
counted: nothing is mended silently.

Only what has one possible meaning is mended. What stands in extensions is never looked at.

Spec: xAPI 1.0.3 Data 2.2 (what a store must refuse, and what these keys opt out of).
"""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec
import orjson

from lrs.access.model import Tolerance
from lrs.xapi.json_text import escape_pointer
from lrs.xapi.reader import RawStatement, ReadBody
from lrs.xapi.scalars import is_duration, is_language_tag, is_mailto, is_rfc3339, parse_timestamp
from lrs.xapi.versions import Version

MEANINGS: Mapping[Tolerance, str] = MappingProxyType(
    {
        Tolerance.MBOX_SCHEME: "An mbox that is an e-mail address alone gets its mailto:.",
        Tolerance.TIMESTAMP_FORM: (
            "A timestamp with a blank between date and time gets its T; under 2.0.0, one without offset"
            " is UTC, as it is under 1.0.3."
        ),
        Tolerance.LANGUAGE_UNDERSCORE: "A language tag such as en_US becomes en-US.",
        Tolerance.NUMBER_TEXT: 'A number of a score in quotes, such as "0.8", becomes the number.',
        Tolerance.BOOLEAN_TEXT: 'A success or completion of "true" or "false" becomes true or false.',
        Tolerance.DURATION_FORM: (
            "A duration that lacks its T, such as P30.5S, gets it; an empty one is left out."
        ),
        Tolerance.NULL_PROPERTY: "A property of the standard that is null is left out.",
        Tolerance.SCORE_ROUNDING: "A scaled score within 0.000001 beyond 1 or -1 becomes 1 or -1.",
    }
)
"""What each tolerance does, for people."""

_ROUNDING = 1e-6
_MOST_TOLD = 20
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BLANK_AT = 10
_LONGEST_NUMBER = 30
_LANGUAGE_MAPS = frozenset({"display", "name", "description"})
_PROPERTIES = frozenset(
    re.findall(
        r"\w+",
        """
        id actor verb object result context timestamp stored authority version attachments objectType name
        mbox mbox_sha1sum openid account homePage member display definition description type moreInfo
        interactionType correctResponsesPattern choices scale source target steps score scaled raw min max
        success completion response duration extensions registration instructor team contextActivities
        parent grouping category other revision platform language statement contextAgents contextGroups
        agent group relevantTypes usageType contentType length sha2 fileUrl
        """,
    )
)
_log = logging.getLogger(__name__)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing that was mended.

    Attributes:
        pointer: Where, in the statement as it was sent (RFC 6901).
        rule: What for.
    """

    pointer: str
    rule: Tolerance


@dataclass(frozen=True, slots=True)
class Corrected:
    """A body after mending.

    Attributes:
        read: The statements; of a mended one, ``sent`` is what it was before.
        corrections: Of each statement, in order; empty where nothing was mended.
    """

    read: ReadBody
    corrections: Sequence[Sequence[Correction]]

    @property
    def count(self) -> int:
        """Count the statements that were mended."""
        return sum(bool(found) for found in self.corrections)


@dataclass(frozen=True, slots=True)
class _Text:
    """A property's new value, as JSON; None leaves the property out."""

    json: bytes | None


@dataclass(slots=True)
class _Edits:
    """What changes in an object or array: values and what lies deeper by key, and new names."""

    values: "dict[str | int, _Text | _Edits]"
    names: dict[str, str]


_Fix: TypeAlias = "Callable[[Any, Version], _Text | None]"


def correct_body(read: ReadBody, names: Collection[Tolerance], version: Version) -> Corrected:
    """Mend the statements of a body.

    Args:
        read: The statements, not yet validated.
        names: What is tolerated; with none, everything comes back as it is.
        version: Whose rules the statements will be held to.
    """
    if not names:
        return Corrected(read, ())
    pairs = [correct_statement(raw, names, version) for raw in read.statements]
    return Corrected(ReadBody([raw for raw, _ in pairs], read.is_batch), [found for _, found in pairs])


def correct_statement(
    raw: RawStatement, names: Collection[Tolerance], version: Version
) -> tuple[RawStatement, Sequence[Correction]]:
    """Mend one statement; one that needs nothing comes back as it is."""
    if not names:
        return raw, ()
    mender = _Mender(names, version)
    edits = mender.look(raw.value, "", "")
    if edits is None:
        return raw, ()
    text = _apply(raw.raw, edits)
    return RawStatement(text, orjson.loads(text), raw.raw), mender.corrections


def log_corrections(label: str, ids: Iterable[str], corrections: Iterable[Sequence[Correction]]) -> None:
    """Write each mended statement of a body into the log.

    The statements were found valid, so that the pointers name nothing but properties of the
    standard, indexes and language tags.

    Args:
        label: Who sent them.
        ids: Of the statements, in order.
        corrections: Of each statement, in order; may be none at all.
    """
    for id_, found in zip(ids, corrections, strict=False):
        if found:
            told = ", ".join(f"{one.rule} at {one.pointer}" for one in found[:_MOST_TOLD])
            more = f" and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
            _log.info("%s: statement %s was mended: %s%s", label, id_, told, more)


class _Mender:
    """Walks a statement and finds what is to be mended."""

    def __init__(self, names: Collection[Tolerance], version: Version) -> None:
        self._names = names
        self._version = version
        self.corrections: list[Correction] = []

    def look(self, value: Any, name: str, pointer: str) -> _Edits | None:
        """Look at the value of a property, or of an array's item; None where nothing is to be done."""
        edits = _Edits({}, {})
        if type(value) is list:
            for index, item in enumerate(value):
                self._go_into(edits, index, item, name, f"{pointer}/{index}")
        elif type(value) is dict:
            if name in _LANGUAGE_MAPS:
                edits.names = self._mend_tags(value, pointer)
            for key, item in value.items():
                if key != "extensions":
                    self._look_at(edits, name, key, item, f"{pointer}/{escape_pointer(key)}")
        return edits if edits.values or edits.names else None

    def _look_at(self, edits: _Edits, parent: str, key: str, item: Any, pointer: str) -> None:
        """Look at one property; its own faults come first, then what lies in it."""
        for rule, fix in _FIXES.get(key, ()):
            if rule in self._names and (parent == "score") == (rule in _OF_SCORES):
                made = fix(item, self._version)
                if made is not None:
                    self._note(edits, key, made, rule, pointer)
                    item = made.json and orjson.loads(made.json)
        if item is None and key in _PROPERTIES and Tolerance.NULL_PROPERTY in self._names:
            if key not in edits.values:
                self._note(edits, key, _Text(None), Tolerance.NULL_PROPERTY, pointer)
            return
        self._go_into(edits, key, item, key, pointer)

    def _go_into(self, edits: _Edits, key: str | int, item: Any, name: str, pointer: str) -> None:
        if type(item) is dict or type(item) is list:
            below = self.look(item, name, pointer)
            if below is not None:
                edits.values[key] = below

    def _mend_tags(self, value: Mapping[str, Any], pointer: str) -> dict[str, str]:
        """Give the new names of the tags of a language map, where they are not taken."""
        if Tolerance.LANGUAGE_UNDERSCORE not in self._names:
            return {}
        found: dict[str, str] = {}
        for tag in value:
            mended = tag.replace("_", "-")
            taken = mended in value or mended in found.values()
            if mended != tag and is_language_tag(mended) and not taken:
                found[tag] = mended
                where = f"{pointer}/{escape_pointer(tag)}"
                self.corrections.append(Correction(where, Tolerance.LANGUAGE_UNDERSCORE))
        return found

    def _note(self, edits: _Edits, key: str, made: _Text, rule: Tolerance, pointer: str) -> None:
        edits.values[key] = made
        self.corrections.append(Correction(pointer, rule))


def _apply(raw: bytes, edits: _Edits) -> bytes:
    """Write a JSON text anew along the edits; all else stays as it is written."""
    if raw.lstrip()[:1] == b"[":
        items = _array(raw)
        for index, below in edits.values.items():
            if isinstance(below, _Edits) and isinstance(index, int):
                items[index] = msgspec.Raw(_apply(bytes(items[index]), below))
        return _encode(items)
    made: dict[str, msgspec.Raw] = {}
    edit: _Text | _Edits | None
    for key, text in _object(raw).items():
        edit = edits.values.get(key)
        if isinstance(edit, _Edits):
            text = msgspec.Raw(_apply(bytes(text), edit))  # noqa: PLW2901 - what is written instead
        elif edit is not None and edit.json is None:
            continue
        elif edit is not None and edit.json is not None:
            text = msgspec.Raw(edit.json)  # noqa: PLW2901 - what is written instead
        made[edits.names.get(key, key)] = text
    return _encode(made)


def _fix_mbox(value: Any, _version: Version) -> _Text | None:
    if type(value) is not str or not is_mailto(f"mailto:{value}"):
        return None
    return _Text(orjson.dumps(f"mailto:{value}"))


def _fix_timestamp(value: Any, version: Version) -> _Text | None:
    if type(value) is not str or _fits(value, version):
        return None
    mended = value
    if value[_BLANK_AT : _BLANK_AT + 1] == " ":
        mended = value[:_BLANK_AT] + "T" + value[_BLANK_AT + 1 :]
    if not _fits(mended, version):
        mended += "Z"
    return _Text(orjson.dumps(mended)) if _fits(mended, version) else None


def _fits(timestamp: str, version: Version) -> bool:
    if parse_timestamp(timestamp) is None:
        return False
    return version is not Version.V2_0_0 or is_rfc3339(timestamp)


def _fix_language(value: Any, _version: Version) -> _Text | None:
    if type(value) is not str or "_" not in value:
        return None
    mended = value.replace("_", "-")
    return _Text(orjson.dumps(mended)) if is_language_tag(mended) else None


def _fix_number(value: Any, _version: Version) -> _Text | None:
    if type(value) is not str or len(value) > _LONGEST_NUMBER or _NUMBER.fullmatch(value) is None:
        return None
    return _Text(value.encode())


def _fix_rounding(value: Any, _version: Version) -> _Text | None:
    if type(value) is not float or not 1 < abs(value) <= 1 + _ROUNDING:
        return None
    return _Text(b"1" if value > 0 else b"-1")


def _fix_boolean(value: Any, _version: Version) -> _Text | None:
    lowered = value.lower() if type(value) is str else ""
    return _Text(lowered.encode()) if lowered in {"true", "false"} else None


def _fix_duration(value: Any, _version: Version) -> _Text | None:
    if type(value) is not str or is_duration(value):
        return None
    if not value.strip():
        return _Text(None)
    mended = f"PT{value[1:]}"
    return _Text(orjson.dumps(mended)) if value[:1] == "P" and is_duration(mended) else None


_TIMESTAMP = ((Tolerance.TIMESTAMP_FORM, _fix_timestamp),)
_BOOLEAN = ((Tolerance.BOOLEAN_TEXT, _fix_boolean),)
_SCORE_NUMBER = (Tolerance.NUMBER_TEXT, _fix_number)
_OF_SCORES = frozenset({Tolerance.NUMBER_TEXT, Tolerance.SCORE_ROUNDING})
_FIXES: Mapping[str, Sequence[tuple[Tolerance, _Fix]]] = MappingProxyType(
    {
        "mbox": ((Tolerance.MBOX_SCHEME, _fix_mbox),),
        "timestamp": _TIMESTAMP,
        "stored": _TIMESTAMP,
        "language": ((Tolerance.LANGUAGE_UNDERSCORE, _fix_language),),
        "success": _BOOLEAN,
        "completion": _BOOLEAN,
        "duration": ((Tolerance.DURATION_FORM, _fix_duration),),
        "scaled": (_SCORE_NUMBER, (Tolerance.SCORE_ROUNDING, _fix_rounding)),
        "raw": (_SCORE_NUMBER,),
        "min": (_SCORE_NUMBER,),
        "max": (_SCORE_NUMBER,),
    }
)
"""The faults that a property may have, by its name, in the order in which they are mended."""
