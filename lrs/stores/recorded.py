"""How recorded values are written, by either engine: as JSON text with sorted keys.

Two values are equal when their texts are, so 1, 1.0 and true are three values. Python's own
reader is used: integers of any length stay what they are.
"""

import json
from dataclasses import dataclass
from typing import Any

from lrs.errors import TooLarge
from lrs.tables.recorded import LARGEST_VALUE_BYTES, MOST_TERMS, Note, Wish

VOIDED_KIND = "statement.voided"
"""Entries of this kind are the record store's own; they come about with statements."""


@dataclass(frozen=True, slots=True)
class KeptValue:
    """A value as it lies in a store, and travels in a backup.

    Attributes:
        text: JSON text as ``text_of`` writes it.
        terms: Sorted, each once.
        version: 0 for bookkeeping, which has no history.
    """

    kind: str
    subject: str
    text: str
    terms: tuple[str, ...]
    version: int
    at_us: int


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry of the history as it travels in a backup; ``before`` and ``after`` are JSON text."""

    kind: str
    subject: str
    before: str | None
    after: str | None
    at_us: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wish made ready to be kept; ``text`` is None where the value shall not be."""

    subject: str
    text: str | None
    terms: tuple[str, ...] = ()


def text_of(value: dict[str, Any]) -> str:
    """Write a value; equal values give the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def value_of(text: str) -> dict[str, Any]:
    """Read what ``text_of`` wrote."""
    value: dict[str, Any] = json.loads(text)
    return value


def wanted_of(subject: str, wish: Wish | Note) -> Wanted:
    """Make a wish, or a note, ready to be kept.

    Raises:
        TooLarge: Its text is longer than LARGEST_VALUE_BYTES, or it has more than MOST_TERMS.
    """
    if wish.value is None:
        return Wanted(subject, None)
    text, terms = text_of(wish.value), tuple(sorted(set(wish.terms)))
    size = len(text) if text.isascii() else len(text.encode())
    if size > LARGEST_VALUE_BYTES:
        raise TooLarge(f"A recorded value may be {LARGEST_VALUE_BYTES:,} bytes long; this one is {size:,}.")
    if len(terms) > MOST_TERMS:
        raise TooLarge(f"A recorded value may have {MOST_TERMS} terms; this one has {len(terms)}.")
    return Wanted(subject, text, terms)
