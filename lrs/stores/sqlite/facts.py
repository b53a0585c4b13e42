"""A statement's own facts, as they lie in its row behind the compressed body.

With them a served row can be compared with what was asked (hashes may collide) and facts
can be handed on to referring statements, although a body means nothing to the engine. Most
values stand in the body as well: such a fact is a *word* that says where (``words.py``). What
is not found there is kept as text, a *literal*.

Layout of a row's blob: compressed body, words, literals, footer (how many words, and how
long the literals are). Words and literals stand outside the compressed part, since they
would only spoil it. There are two forms of that: the narrow one (``narrow.py``), and the wide
one with words of four bytes and a footer of six, for bodies that are too long for the other
and for all that were kept before there was one.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lrs.errors import CorruptRecord
from lrs.stores.sqlite.narrow import (
    NARROW_BIT,
    NARROW_FOOTER_BYTES,
    NarrowWanted,
    encode_narrow,
    narrow_bounds,
    widen,
)
from lrs.stores.sqlite.words import (
    ACCOUNT,
    KIND_SHIFT,
    LARGEST_LENGTH,
    LARGEST_OFFSET,
    LENGTH_BITS,
    MARK,
    PREFIX_SHIFT,
    PREFIXES,
    PRIMARY_SHIFT,
    WIDE_WORD_BYTES,
    Form,
    find_words,
    prefixed_form,
    shortest_form,
    to_literal,
    whole_form,
    words_struct,
)
from lrs.xapi.ports import Fact, FactKind, Filter

_FOOTER = struct.Struct("<HI")
_WORD = struct.Struct("<I")
_FOOTER_BYTES = _FOOTER.size
_read_footer = _FOOTER.unpack_from
_to_word = _WORD.pack
_MOST_WORDS = 0xFFF0


class Content(NamedTuple):
    """A body and the facts that refer to it, as read from a row."""

    body: bytes
    words: bytes
    literals: bytes


def encode_facts(body: bytes, facts: Sequence[Fact]) -> bytes:
    """Write what stands behind the compressed body."""
    narrow = encode_narrow(body, facts)
    return _encode_wide(body, facts) if narrow is None else narrow


def _encode_wide(body: bytes, facts: Iterable[Fact]) -> bytes:
    words: list[int] = []
    literals: list[bytes] = []
    find = body[:LARGEST_OFFSET].find
    for fact in facts:
        found = find_words(find, shortest_form(fact))
        if found and len(words) < _MOST_WORDS:
            words += found
        else:
            literals.append(to_literal(fact))
    text = b"".join(literals)
    return words_struct(len(words)).pack(*words) + text + _FOOTER.pack(len(words), len(text))


def cut(blob: bytes) -> bytes:
    """Return the compressed body alone.

    Raises:
        CorruptRecord: The blob is cut short.
    """
    return blob[: _bounds(blob)[0]]


def split(blob: bytes) -> tuple[bytes, bytes, bytes]:
    """Take a blob apart: compressed body, words as in the wide form, literals.

    Raises:
        CorruptRecord: It is cut short.
    """
    begin, end = _bounds(blob)
    if blob[-1] & NARROW_BIT:
        return blob[:begin], widen(blob[begin:end]), blob[end:-NARROW_FOOTER_BYTES]
    return blob[:begin], blob[begin:end], blob[end:-_FOOTER_BYTES]


def _bounds(blob: bytes) -> tuple[int, int]:
    """Return where the words begin and end.

    Raises:
        CorruptRecord: The blob is cut short.
    """
    try:
        begin, end = narrow_bounds(blob) if blob[-1] & NARROW_BIT else _wide_bounds(blob)
    except (IndexError, struct.error):
        begin = end = -1
    if begin < 0:
        raise CorruptRecord("A kept statement is cut short.")
    return begin, end


def _wide_bounds(blob: bytes) -> tuple[int, int]:
    end = len(blob) - _FOOTER_BYTES
    words, length = _read_footer(blob, end)
    end -= length
    return end - words * WIDE_WORD_BYTES, end


def decode_facts(content: Content) -> tuple[Fact, ...]:
    """Read the facts back."""
    return (*_iter_words(content), *_iter_literals(content.literals))


class FilterCheck:
    """Tells whether a statement's own facts meet a filter, exactly; made once for a page."""

    def __init__(self, condition: Filter) -> None:
        """Prepare each form in which the fact may have been written."""
        flags = (True, False) if condition.related else (True,)
        facts = [Fact(condition.kind, condition.value, primary) for primary in flags]
        # Primary or not, a fact has the same parts: they are looked for once.
        whole, prefixed = [whole_form(fact) for fact in facts], [prefixed_form(fact) for fact in facts]
        forms = [alike for alike in (prefixed, whole) if alike[0].parts]
        kinds = [(alike[0].parts, [form.head for form in alike]) for alike in forms]
        self._narrow = NarrowWanted(forms)
        self._single = [
            (parts[0], len(parts[0]), heads)
            for parts, heads in kinds
            if len(parts) == 1 and 0 < len(parts[0]) <= LARGEST_LENGTH
        ]
        self._several = [(parts, heads) for parts, heads in kinds if len(parts) > 1]
        self._literals = [to_literal(fact) + MARK for fact in facts]

    def holds_in(self, body: bytes, blob: bytes) -> bool:
        """Look for the fact as ``holds`` does, in a body and the blob that it was restored from.

        The usual case takes nothing apart.
        """
        found = self._narrow.is_in(body, blob) if blob[-1] & NARROW_BIT else self._is_in_wide(body, blob)
        return found or self.holds(Content(body, *split(blob)[1:]))

    def hold_in(self, bodies: Sequence[bytes], blobs: Sequence[bytes]) -> list[bool]:
        """Look for the fact as ``holds_in`` does, in each row of a page: most are told all at once."""
        found = self._narrow.are_in(bodies, blobs)
        return [
            there or self.holds_in(body, blob) for there, body, blob in zip(found, bodies, blobs, strict=True)
        ]

    def _is_in_wide(self, body: bytes, blob: bytes) -> bool:
        begin, end = _wide_bounds(blob)
        for part, length, heads in self._single:
            offset = body.find(part, 0, LARGEST_OFFSET)
            if offset >= 0:
                place = offset << LENGTH_BITS | length
                for head in heads:
                    at = blob.find(_to_word(head | place), begin, end)
                    if at >= 0 and not (at - begin) % WIDE_WORD_BYTES:
                        return True
        return False

    def holds(self, content: Content) -> bool:
        """Look for the fact among the words, then among the literals."""
        body, words, literals = content
        for part, length, heads in self._single:
            offset = body.find(part, 0, LARGEST_OFFSET)
            if offset >= 0:
                place = offset << LENGTH_BITS | length
                for head in heads:
                    if _are_among(_to_word(head | place), words):
                        return True
        return self._holds_several(body, words) or (bool(literals) and self._is_literal(literals))

    def _holds_several(self, body: bytes, words: bytes) -> bool:
        find = body[:LARGEST_OFFSET].find
        for parts, heads in self._several:
            found = find_words(find, Form(0, parts))
            for head in heads if found else ():
                wanted = words_struct(len(found)).pack(found[0] | head, *found[1:])
                if _are_among(wanted, words):
                    return True
        return False

    def _is_literal(self, literals: bytes) -> bool:
        ended = literals + MARK
        return any(literal in ended for literal in self._literals)


def _are_among(wanted: bytes, words: bytes) -> bool:
    at = words.find(wanted)
    while at > 0 and at % WIDE_WORD_BYTES:
        at = words.find(wanted, at + 1)
    return at >= 0


def _iter_words(content: Content) -> Iterator[Fact]:
    words = iter([word for (word,) in _WORD.iter_unpack(content.words)])
    for word in words:
        prefix = word >> PREFIX_SHIFT
        value = PREFIXES[prefix] + _text_at(content.body, word)
        if prefix == ACCOUNT:
            value += " " + _text_at(content.body, next(words))
        yield Fact(FactKind(word >> KIND_SHIFT & 0xF), value, bool(word >> PRIMARY_SHIFT & 1))


def _text_at(body: bytes, word: int) -> str:
    offset, length = word >> LENGTH_BITS & LARGEST_OFFSET, word & LARGEST_LENGTH
    return body[offset : offset + length].decode("utf-8", "surrogatepass")


def _iter_literals(literals: bytes) -> Iterator[Fact]:
    for part in literals.split(MARK)[1:]:
        yield Fact(FactKind(int(part[:1], 16)), part[2:].decode("utf-8", "surrogatepass"), part[1:2] == b"1")
