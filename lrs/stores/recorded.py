"""What both engines do alike with recorded values: their text, and what they are found by.

Two values are equal when their texts are, so 1, 1.0 and true are three. Python's own reader
is used: integers of any length stay what they are.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lrs.errors import TooLarge
from lrs.tables.recorded import LARGEST_VALUE_BYTES, MOST_TERMS, Json, Note, Wish

VOIDED_KIND = "statement.voided"
"""Entries of this kind are the record store's own; they come about with statements."""


@dataclass(frozen=True, slots=True)
class KeptValue:
    """A value as it lies in a store, and travels in a backup.

    Attributes:
        text: As ``value_text`` writes it.
        terms: As ``sorted_terms`` gives them.
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


Texts = tuple[str | None, tuple[str, ...]]
"""What a value is, as text, and what it is found by, in order; no text where there is none."""


def value_text(value: Json) -> str:
    """Write a value as JSON: two values are equal exactly when their texts are.

    Raises:
        TooLarge: It is longer than LARGEST_VALUE_BYTES.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(text) > LARGEST_VALUE_BYTES // 4 and len(text.encode()) > LARGEST_VALUE_BYTES:
        raise TooLarge(f"A recorded value may have {LARGEST_VALUE_BYTES:,} bytes; this one has more.")
    return text


def value_from(text: str) -> Json:
    """Read what ``value_text`` wrote."""
    value: dict[str, Any] = json.loads(text)
    return value


def sorted_terms(terms: Sequence[str]) -> tuple[str, ...]:
    """Return terms in order, each once.

    Raises:
        TooLarge: There are more than MOST_TERMS.
    """
    found = tuple(sorted(set(terms)))
    if len(found) > MOST_TERMS:
        raise TooLarge(f"A recorded value may have {MOST_TERMS} terms; this one has {len(found)}.")
    return found


def texts_of(wish: Wish | Note) -> Texts:
    """Return what a wish writes: the value's text, and its terms; nothing where it removes.

    Raises:
        TooLarge: See the functions above.
    """
    if wish.value is None:
        return None, ()
    return value_text(wish.value), sorted_terms(wish.terms)
