"""The narrow form of a row's facts: words of three bytes, for bodies that are not too long.

Offsets below 4,096, lengths below 128, and a number in place of the head. Behind the words stand the
literals; behind these two bytes: how long the literals are, then how many words, with the highest bit
set. By that bit the form is told from the wide one, whose last byte never has it.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product, repeat

from lrs.stores.sqlite.words import (
    LENGTH_BITS,
    PREFIX_SHIFT,
    PREFIXES,
    PRIMARY_SHIFT,
    WIDE_WORD_BYTES,
    Form,
    shortest_form,
    to_literal,
    words_struct,
)
from lrs.xapi.ports import Fact, FactKind

_WORD_BYTES = 3
NARROW_FOOTER_BYTES = 2
NARROW_BIT = 0x80
_MOST_WORDS = 0x7F
_MOST_LITERALS = 0xFF
_FORMS_REMEMBERED = 20_000

_OFFSET_BITS, _LENGTH_BITS = 12, 7
_LARGEST_OFFSET, _LARGEST_LENGTH = (1 << _OFFSET_BITS) - 1, (1 << _LENGTH_BITS) - 1
_HEAD_SHIFT = _OFFSET_BITS + _LENGTH_BITS
_OFFSETS = _LARGEST_OFFSET << _LENGTH_BITS


def _list_heads() -> Iterator[int]:
    """List the heads there are. The order is stored."""
    yield 0
    for kind, primary in product((1, 2, 3, 4, 5), (0, 1)):
        yield kind << 1 | primary
    for prefix, primary in product(range(1, len(PREFIXES)), (0, 1)):
        yield prefix << PREFIX_SHIFT - PRIMARY_SHIFT | FactKind.AGENT << 1 | primary


_HEADS = tuple(head << PRIMARY_SHIFT for head in _list_heads())
_NUMBERS = {head: number << _HEAD_SHIFT for number, head in enumerate(_HEADS)}


def _parts_of_form(form: Form) -> tuple[tuple[int, bytes], ...]:
    """Return a form's words without their offsets, each with its part; nothing where they are too wide."""
    head, parts = form
    if head not in _NUMBERS or any(not 0 < len(part) <= _LARGEST_LENGTH for part in parts):
        return ()
    heads = (_NUMBERS[head], *[0] * (len(parts) - 1))
    return tuple([(head | len(part), part) for head, part in zip(heads, parts, strict=True)])


@lru_cache(maxsize=_FORMS_REMEMBERED)
def _parts_of(fact: Fact) -> tuple[tuple[int, bytes], ...]:
    """Return how a fact is written; the same ones come again and again."""
    return _parts_of_form(shortest_form(fact))


def encode_narrow(body: bytes, facts: Iterable[Fact]) -> bytes | None:
    """Write what stands behind the compressed body; None where that takes the wide form."""
    words: list[int] = []
    literals: list[bytes] = []
    find = body[:_LARGEST_OFFSET].find
    for fact in facts:
        parts = _parts_of(fact)
        before = len(words)
        for word, part in parts:
            at = find(part)
            if at < 0:
                del words[before:]
                break
            words.append(at << _LENGTH_BITS | word)
        if len(words) == before:
            if not parts or len(body) > _LARGEST_OFFSET:
                return None
            literals.append(to_literal(fact))
    text = b"".join(literals)
    if len(words) > _MOST_WORDS or len(text) > _MOST_LITERALS:
        return None
    return b"".join((_pack(words), text, bytes((len(text), NARROW_BIT | len(words)))))


def _pack(words: Sequence[int]) -> bytes:
    text = bytearray(words_struct(len(words)).pack(*words))
    del text[_WORD_BYTES::WIDE_WORD_BYTES]
    return bytes(text)


def narrow_bounds(blob: bytes) -> tuple[int, int]:
    """Return where the words begin and end."""
    end = len(blob) - NARROW_FOOTER_BYTES - blob[-2]
    return end - (blob[-1] & _MOST_WORDS) * _WORD_BYTES, end


def widen(narrow: bytes) -> bytes:
    """Write narrow words in four bytes each, with their heads."""
    count = len(narrow) // _WORD_BYTES
    text = bytearray(count * WIDE_WORD_BYTES)
    for place in range(_WORD_BYTES):
        text[place::WIDE_WORD_BYTES] = narrow[place::_WORD_BYTES]
    words = words_struct(count)
    return words.pack(
        *[
            _HEADS[word >> _HEAD_SHIFT]
            | (word & _OFFSETS) << LENGTH_BITS - _LENGTH_BITS
            | word & _LARGEST_LENGTH
            for word in words.unpack(text)
        ]
    )


class NarrowWanted:
    """What is looked for in rows of the narrow form: one fact, by each of its heads."""

    def __init__(self, forms: Sequence[Sequence[Form]]) -> None:
        """Take the ways in which it may be written; each has the same parts under several heads."""
        written = [[_parts_of_form(form) for form in alike] for alike in forms]
        fitting = [alike for alike in written if alike and all(alike)]
        self._single = [
            (alike[0][0][1], [parts[0][0] for parts in alike]) for alike in fitting if len(alike[0]) == 1
        ]
        self._several = [alike for alike in fitting if len(alike[0]) > 1]

    def is_in(self, body: bytes, blob: bytes) -> bool:
        """Tell whether it is among the words."""
        return self._word_in(body, blob) is not None or (
            bool(self._several) and self._are_several_in(body, blob)
        )

    def are_in(self, bodies: Sequence[bytes], blobs: Sequence[bytes]) -> list[bool]:
        """Look for it in many rows at once, as it is written in the first: a few calls for all of them.

        Where it says no, ``is_in`` may still find it, written otherwise; a row need not be of this form.
        """
        met = self._word_in(bodies[0], blobs[0]) if blobs[0][-1] & NARROW_BIT else None
        if met is None:
            return [False] * len(bodies)
        part, word = met
        offsets = map(bytes.find, bodies, repeat(part), repeat(0), repeat(_LARGEST_OFFSET))
        # What is not found gets the largest offset, which no word has: a part is longer than nothing.
        packed = _pack([offset << _LENGTH_BITS & _OFFSETS | word for offset in offsets])
        places = map(bytes.rfind, blobs, _packed_words(len(bodies)).unpack(packed))
        return [
            at >= 0
            and blob[-1] & NARROW_BIT != 0
            and (to_end := len(blob) - NARROW_FOOTER_BYTES - blob[-2] - at) > 0
            and to_end <= (blob[-1] & _MOST_WORDS) * _WORD_BYTES
            and not to_end % _WORD_BYTES
            for at, blob in zip(places, blobs, strict=True)
        ]

    def _word_in(self, body: bytes, blob: bytes) -> tuple[bytes, int] | None:
        """Return as which part, and word without its offset, it is among the words of a row."""
        begin, end = narrow_bounds(blob)
        for part, words in self._single:
            offset = body.find(part, 0, _LARGEST_OFFSET)
            for word in words if offset >= 0 else ():
                wanted = (offset << _LENGTH_BITS | word).to_bytes(_WORD_BYTES, "little")
                at = blob.find(wanted, begin, end)
                if at >= 0 and not (at - begin) % _WORD_BYTES:
                    return part, word
        return None

    def _are_several_in(self, body: bytes, blob: bytes) -> bool:
        begin, end = narrow_bounds(blob)
        for alike in self._several:
            places = [body.find(part, 0, _LARGEST_OFFSET) << _LENGTH_BITS for _, part in alike[0]]
            for parts in alike if min(places) >= 0 else ():
                wanted = _pack([place | word for place, (word, _) in zip(places, parts, strict=True)])
                at = blob.find(wanted, begin, end)
                if at >= 0 and not (at - begin) % _WORD_BYTES:
                    return True
        return False


@lru_cache(maxsize=1024)
def _packed_words(count: int) -> struct.Struct:
    """Return what takes so many packed words apart."""
    return struct.Struct(f"{_WORD_BYTES}s" * count)
