"""How a served statement is shown: ``exact``, ``ids`` or ``canonical``.

``exact`` is the served text itself. The other two rewrite only the parts that they are
about, on raw slices, so that every number elsewhere stays as written.

Spec: xAPI 1.0.3 Communication 2.1.3 (format, Accept-Language).
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

Parts = dict[str, msgspec.Raw]
Rewrite = Callable[[Parts], None]

_decode: Callable[[msgspec.Raw | bytes], Parts] = msgspec.json.Decoder(Parts).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.encode

_IFI = frozenset({"objectType", "mbox", "mbox_sha1sum", "openid", "account"})
_CONTEXT_ACTIVITIES = ("parent", "grouping", "category", "other")
_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")


class Format(StrEnum):
    """The three formats of the standard."""

    EXACT = "exact"
    IDS = "ids"
    CANONICAL = "canonical"


def show(served: bytes, form: Format, languages: Sequence[str]) -> bytes:
    """Show one served statement.

    Args:
        served: The statement's served text.
        form: The format asked for.
        languages: Language tags in order of preference (only ``canonical`` reads them).
    """
    if form is Format.EXACT:
        return served
    parts = _decode(served)
    if form is Format.IDS:
        _ids_of_statement(parts)
    else:
        _Negotiator(languages).statement(parts)
    return _encode(parts)


def choose_language(available: Sequence[str], preferred: Sequence[str]) -> str:
    """Choose an available tag: the same, a more general one, a more special one, else the first.

    Spec: RFC 4647 3.4 (lookup), the fall-back is ours.
    """
    by_lower = {tag.lower(): tag for tag in reversed(available)}
    for wish in preferred:
        words = wish.lower().split("-")
        for length in range(len(words), 0, -1):
            general = "-".join(words[:length])
            if general in by_lower:
                return by_lower[general]
        for tag in available:
            if tag.lower().startswith(words[0] + "-"):
                return tag
    return available[0]


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


class _Negotiator:
    """Leaves one language in every language map of a statement."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._languages = languages

    def statement(self, parts: Parts) -> None:
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
        _rewrite(parts, "definition", self._definition)

    def _definition(self, parts: Parts) -> None:
        for name in ("name", "description"):
            _rewrite(parts, name, self._one)
        for name in _COMPONENT_LISTS:
            _rewrite(parts, name, lambda component: _rewrite(component, "description", self._one))

    def _named(self, attachment: Parts) -> None:
        for name in ("display", "description"):
            _rewrite(attachment, name, self._one)
