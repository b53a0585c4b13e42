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
from functools import cached_property, lru_cache
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
_MOST_WORDS = 0xFFF0
_CHECKS_REMEMBERED = 512


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
    """Tells whether a statement's own facts meet a filter, exactly."""

    def __init__(self, condition: Filter) -> None:
        """Prepare the narrow forms in which the fact may have been written: most rows have them."""
        flags = (True, False) if condition.related else (True,)
        self._facts = [Fact(condition.kind, condition.value, primary) for primary in flags]
        # Primary or not, a fact has the same parts: they are looked for once.
        alike = [prefixed_form(fact) for fact in self._facts], [whole_form(fact) for fact in self._facts]
        self._forms = [forms for forms in alike if forms[0].parts]
        self._narrow = NarrowWanted(self._forms)

    @cached_property
    def _wide(self) -> "_WideWanted":
        return _WideWanted(self._forms)

    @cached_property
    def _literals(self) -> list[bytes]:
        return [to_literal(fact) + MARK for fact in self._facts]

    def hold_in(self, bodies: Sequence[bytes], blobs: Sequence[bytes]) -> list[bool]:
        """Look for the fact as ``holds_in`` does, in each row of a page: most are told all at once."""
        found = self._narrow.are_in(bodies, blobs)
        if all(found):
            return found
        return [
            there or self.holds_in(body, blob) for there, body, blob in zip(found, bodies, blobs, strict=True)
        ]

    def holds_in(self, body: bytes, blob: bytes) -> bool:
        """Look for the fact as ``holds`` does, in a body and the blob that it was restored from.

        The usual case takes nothing apart.
        """
        if blob[-1] & NARROW_BIT and self._narrow.is_in(body, blob):
            return True
        return self.holds(Content(body, *split(blob)[1:]))

    def holds(self, content: Content) -> bool:
        """Look for the fact among the words, then among the literals."""
        body, words, literals = content
        return self._wide.is_in(body, words) or (bool(literals) and self._is_literal(literals))

    def _is_literal(self, literals: bytes) -> bool:
        ended = literals + MARK
        return any(literal in ended for literal in self._literals)


class _WideWanted:
    """What is looked for among wide words: one fact, by each of its heads."""

    def __init__(self, forms: Sequence[Sequence[Form]]) -> None:
        """Take the ways in which it may be written; each has the same parts under several heads."""
        self._kinds = [(alike[0].parts, [form.head for form in alike]) for alike in forms]

    def is_in(self, body: bytes, words: bytes) -> bool:
        """Tell whether it is among the words."""
        find = body[:LARGEST_OFFSET].find
        for parts, heads in self._kinds:
            found = find_words(find, Form(0, parts))
            for head in heads if found else ():
                if _are_among(words_struct(len(found)).pack(found[0] | head, *found[1:]), words):
                    return True
        return False


def _are_among(wanted: bytes, words: bytes) -> bool:
    at = words.find(wanted)
    while at > 0 and at % WIDE_WORD_BYTES:
        at = words.find(wanted, at + 1)
    return at >= 0


@lru_cache(maxsize=_CHECKS_REMEMBERED)
def check_of(condition: Filter) -> FilterCheck:
    """Return what tells whether a filter is met. The same ones are asked for page by page."""
    return FilterCheck(condition)


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
