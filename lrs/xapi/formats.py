"""How a served statement is shown: ``exact``, ``ids`` or ``canonical``.

``exact`` is the served text itself. The other two rewrite only the parts that they are
about, on raw slices, so that every number elsewhere stays as written.

``canonical`` shows what the store knows of an Activity, gathered from every statement, in place
of what the one statement says of it. It keeps no display of verbs but the statement's own.

Spec: xAPI 1.0.3 Communication 2.1.3 (format, Accept-Language).
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from lrs.xapi.languages import Languages, choose_language

Parts = dict[str, msgspec.Raw]
Rewrite = Callable[[Parts], None]

_decode: Callable[[msgspec.Raw | bytes], Parts] = msgspec.json.Decoder(Parts).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.encode

_IFI = frozenset({"objectType", "mbox", "mbox_sha1sum", "openid", "account"})
_CONTEXT_ACTIVITIES = ("parent", "grouping", "category", "other")
_MOST_ACTIVITIES = 2000
_MOST_FILLED_BYTES = 1 << 24
"""Of one answer: beyond so many activities, or bytes of definitions, they are shown as they were sent."""
_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")


class Format(StrEnum):
    """The three formats of the standard."""

    EXACT = "exact"
    IDS = "ids"
    CANONICAL = "canonical"


def show(served: bytes, form: Format, canon: "Canon") -> bytes:
    """Show one served statement.

    Args:
        served: The statement's served text.
        form: The format asked for.
        canon: The answer's (only ``canonical`` asks it).
    """
    if form is Format.EXACT:
        return served
    parts = _decode(served)
    if form is Format.IDS:
        _ids_of_statement(parts)
    else:
        canon.statement(parts)
    return _encode(parts)


def _kind(part: msgspec.Raw) -> bytes:
    return bytes(part)[:1]


def _type_of(parts: Parts, default: str) -> str:
    return _decode_text(parts["objectType"]) if "objectType" in parts else default


def _rewrite(parts: Parts, name: str, rewrite: Rewrite) -> None:
    """Rewrite an object (or each object of an array) that stands under a name, if it does."""
    part = parts.get(name)
    if part is None:
        return
    if _kind(part) == b"[":
        items = []
        for item in _decode_list(part):
            inner = _decode(item)
            rewrite(inner)
            items.append(inner)
        parts[name] = msgspec.Raw(_encode(items))
    elif _kind(part) == b"{":
        inner = _decode(part)
        rewrite(inner)
        parts[name] = msgspec.Raw(_encode(inner))


def _ids_of_agent(parts: Parts) -> None:
    """Keep what identifies an agent; of an Anonymous Group, what identifies its members."""
    identified = any(name in parts for name in _IFI - {"objectType"})
    for name in list(parts):
        if name not in _IFI and not (name == "member" and not identified):
            del parts[name]
    _rewrite(parts, "member", _ids_of_agent)


def _only_id(parts: Parts) -> None:
    for name in list(parts):
        if name != "id":
            del parts[name]


def _ids_of_context_activities(parts: Parts) -> None:
    for kind in _CONTEXT_ACTIVITIES:
        _rewrite(parts, kind, _only_id)


def _ids_of_context(parts: Parts) -> None:
    _rewrite(parts, "instructor", _ids_of_agent)
    _rewrite(parts, "team", _ids_of_agent)
    _rewrite(parts, "contextActivities", _ids_of_context_activities)
    _rewrite(parts, "contextAgents", lambda entry: _rewrite(entry, "agent", _ids_of_agent))
    _rewrite(parts, "contextGroups", lambda entry: _rewrite(entry, "group", _ids_of_agent))


def _ids_of_object(parts: Parts) -> None:
    kind = _type_of(parts, "Activity")
    if kind == "Activity":
        _only_id(parts)
    elif kind in {"Agent", "Group"}:
        _ids_of_agent(parts)
    elif kind == "SubStatement":
        _ids_of_statement(parts)


def _ids_of_statement(parts: Parts) -> None:
    _rewrite(parts, "actor", _ids_of_agent)
    _rewrite(parts, "verb", _only_id)
    _rewrite(parts, "object", _ids_of_object)
    _rewrite(parts, "context", _ids_of_context)
    _rewrite(parts, "authority", _ids_of_agent)


class Canon:
    """Makes the statements of one answer canonical: what is known of activities, in one language each.

    Args:
        languages: Those of the reader.
        find_definition: Gives what the store knows of an activity, as JSON text; None for nothing.
    """

    def __init__(self, languages: Languages, find_definition: Callable[[str], bytes | None]) -> None:
        """Know nothing yet; an activity is asked for once an answer."""
        self._languages = languages
        self._find_definition = find_definition
        self._known: dict[bytes, msgspec.Raw | None] = {}
        self._bytes_left = _MOST_FILLED_BYTES

    def statement(self, parts: Parts) -> None:
        """Rewrite a statement's parts, or a SubStatement's."""
        _rewrite(parts, "verb", lambda verb: _rewrite(verb, "display", self._one))
        _rewrite(parts, "object", self._object)
        _rewrite(parts, "context", lambda context: _rewrite(context, "contextActivities", self._by_kind))
        _rewrite(parts, "attachments", self._named)

    def _one(self, language_map: Parts) -> None:
        if len(language_map) > 1:
            chosen = choose_language(list(language_map), self._languages)
            for tag in [tag for tag in language_map if tag != chosen]:
                del language_map[tag]

    def _object(self, parts: Parts) -> None:
        kind = _type_of(parts, "Activity")
        if kind == "SubStatement":
            self.statement(parts)
        elif kind == "Activity":
            self._activity(parts)

    def _by_kind(self, parts: Parts) -> None:
        for kind in _CONTEXT_ACTIVITIES:
            _rewrite(parts, kind, self._activity)

    def _activity(self, parts: Parts) -> None:
        known = self._known_definition(parts["id"])
        if known is None:
            _rewrite(parts, "definition", self._definition)
        else:
            parts["definition"] = known
            self._bytes_left -= len(known)

    def _known_definition(self, id_: msgspec.Raw) -> msgspec.Raw | None:
        """Return what is known of an activity, as far as the answer has room for it."""
        key = bytes(id_)
        if key not in self._known and len(self._known) < _MOST_ACTIVITIES:
            self._known[key] = self._find(_decode_text(id_))
        known = self._known.get(key)
        return known if known is not None and len(known) <= self._bytes_left else None

    def _find(self, activity: str) -> msgspec.Raw | None:
        text = self._find_definition(activity) if self._bytes_left > 0 else None
        if text is None:
            return None
        parts = _decode(text)
        self._definition(parts)
        shown = msgspec.Raw(_encode(parts))
        return shown if len(shown) <= self._bytes_left else None

    def _definition(self, parts: Parts) -> None:
        for name in ("name", "description"):
            _rewrite(parts, name, self._one)
        for name in _COMPONENT_LISTS:
            _rewrite(parts, name, lambda component: _rewrite(component, "description", self._one))

    def _named(self, attachment: Parts) -> None:
        for name in ("display", "description"):
            _rewrite(attachment, name, self._one)
