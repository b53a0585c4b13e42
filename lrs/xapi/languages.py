"""Which language of a language map is shown to whom.

Spec: xAPI 1.0.3 Communication 2.1.3 (language filtering), RFC 2616 14.4, RFC 4647 3.4.
"""

from collections.abc import Sequence
from typing import NamedTuple

ANY = "*"


class Languages(NamedTuple):
    """What a reader's Accept-Language asks for.

    Attributes:
        preferred: Language ranges, the most wanted first; ``*`` stands for every language that no
            other range names.
        refused: Ranges that are not acceptable (``q=0``).
    """

    preferred: Sequence[str] = ()
    refused: Sequence[str] = ()


def choose_language(available: Sequence[str], languages: Languages) -> str:
    """Choose an available tag: the same, a more general one, a more special one, else the first.

    What is refused is chosen only where there is nothing else.

    Spec: RFC 4647 3.4 (lookup), the fall-back is ours.
    """
    allowed = _without_refused(available, languages) or available
    by_lower = {tag.lower(): tag for tag in reversed(allowed)}
    for wish in languages.preferred:
        chosen = _first_unnamed(allowed, languages) if wish == ANY else _nearest(wish, by_lower)
        if chosen is not None:
            return chosen
    return allowed[0]


def _nearest(wish: str, by_lower: dict[str, str]) -> str | None:
    words = wish.lower().split("-")
    for length in range(len(words), 0, -1):
        general = "-".join(words[:length])
        if general in by_lower:
            return by_lower[general]
    special = [tag for tag in by_lower if tag.startswith(words[0] + "-")]
    return by_lower[special[-1]] if special else None


def _first_unnamed(allowed: Sequence[str], languages: Languages) -> str | None:
    return next((tag for tag in allowed if not _ranges_of(tag, languages.preferred)), None)


def _without_refused(available: Sequence[str], languages: Languages) -> Sequence[str]:
    """Leave out each tag whose longest range is one of those refused."""
    if not languages.refused:
        return available
    ranges = (*languages.preferred, *languages.refused)
    named = {tag: max(_ranges_of(tag, ranges), key=len, default=None) for tag in available}
    return [tag for tag in available if named[tag] is None or named[tag] not in languages.refused]


def _ranges_of(tag: str, ranges: Sequence[str]) -> list[str]:
    """List the ranges that name a tag: the same, or what it begins with. Spec: RFC 2616 14.4."""
    lowered = tag.lower() + "-"
    return [one for one in ranges if lowered.startswith(one.lower() + "-")]
