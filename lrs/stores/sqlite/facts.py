"""A statement's own facts, as they lie in its row behind the compressed body.

With them a served row can be compared with what was asked (hashes may collide) and facts
can be handed on to referring statements, although a body means nothing to the engine. Most
values stand in the body as well: such a fact is a *word* of four bytes that says where.
What is not found there is kept as text, a *literal*.

Layout of a row's blob: compressed body, words, literals, footer (how many words, and how
long the literals are). Words and literals stand outside the compressed part, since they
would only spoil it.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lrs.errors import CorruptRecord
from lrs.xapi.ports import Fact, FactKind, Filter

_FOOTER = struct.Struct("<HI")
_WORD = struct.Struct("<I")
_MOST_WORDS = 0xFFF0

_OFFSET_BITS, _LENGTH_BITS = 14, 9
_LARGEST_OFFSET, _LARGEST_LENGTH = (1 << _OFFSET_BITS) - 1, (1 << _LENGTH_BITS) - 1
_PRIMARY_SHIFT = _OFFSET_BITS + _LENGTH_BITS
_KIND_SHIFT = _PRIMARY_SHIFT + 1
_PREFIX_SHIFT = _KIND_SHIFT + 4

_PREFIXES = ("", "mbox ", "mbox_sha1sum ", "openid ", "account ")
"""What may stand before a part that is in the body: an agent key's first word. Only saves
room: any other value is kept as a literal. The index is stored."""

_PREFIX_NUMBERS = {prefix: number for number, prefix in enumerate(_PREFIXES) if prefix}

_ACCOUNT = _PREFIXES.index("account ")
"""Its home page and its name are two parts: its word is followed by a second, of kind 0."""

_MARK = b"\xff"
"""Begins each literal; no UTF-8 text holds this byte."""


class Content(NamedTuple):
    """A body and the facts that refer to it, as read from a row."""

    body: bytes
    words: bytes
    literals: bytes


def encode_facts(body: bytes, facts: Iterable[Fact]) -> bytes:
    """Write what stands behind the compressed body."""
    words: list[int] = []
    literals: list[bytes] = []
    for fact in facts:
        found = _to_words(body, fact)
        if found and len(words) < _MOST_WORDS:
            words += found
        else:
            literals.append(_to_literal(fact))
    text = b"".join(literals)
    return struct.pack(f"<{len(words)}I", *words) + text + _FOOTER.pack(len(words), len(text))


def split(blob: bytes) -> tuple[bytes, bytes, bytes]:
    """Take a blob apart: compressed body, words, literals.

    Raises:
        CorruptRecord: It is cut short.
    """
    end = len(blob) - _FOOTER.size
    if end < 0:
        raise CorruptRecord("A kept statement is cut short.")
    words, length = _FOOTER.unpack_from(blob, end)
    literals_at = end - length
    words_at = literals_at - words * _WORD.size
    if words_at < 0:
        raise CorruptRecord("A kept statement is cut short.")
    return blob[:words_at], blob[words_at:literals_at], blob[literals_at:end]


def decode_facts(content: Content) -> tuple[Fact, ...]:
    """Read the facts back."""
    return (*_iter_words(content), *_iter_literals(content.literals))


def holds(content: Content, condition: Filter) -> bool:
    """Tell whether the statement's own facts meet a filter, exactly."""
    fact = Fact(condition.kind, condition.value, primary=True)
    if _has(content, fact):
        return True
    return condition.related and _has(content, Fact(condition.kind, condition.value, primary=False))


def _has(content: Content, fact: Fact) -> bool:
    words = b"".join(map(_WORD.pack, _to_words(content.body, fact)))
    if words:
        at = content.words.find(words)
        while at >= 0:
            if at % _WORD.size == 0:
                return True
            at = content.words.find(words, at + 1)
    return _to_literal(fact) + _MARK in content.literals + _MARK


def _to_words(body: bytes, fact: Fact) -> tuple[int, ...]:
    """Say where in the body a fact's value stands; nothing where it does not."""
    kind, value, primary = fact
    head = kind << _KIND_SHIFT | primary << _PRIMARY_SHIFT
    whole = _place(body, value)
    if whole:
        return (head | whole,)
    first, space, rest = value.partition(" ")
    prefix = _PREFIX_NUMBERS.get(first + space)
    if prefix is None:
        return ()
    head |= prefix << _PREFIX_SHIFT
    if prefix != _ACCOUNT:
        place = _place(body, rest)
        return (head | place,) if place else ()
    home_page, _, name = rest.partition(" ")
    places = _place(body, home_page), _place(body, name)
    return (head | places[0], places[1]) if all(places) else ()


def _place(body: bytes, text: str) -> int:
    """Return offset and length as one number; 0 where the text is not there, empty or too long."""
    encoded = text.encode("utf-8", "surrogatepass")
    length = len(encoded)
    offset = body.find(encoded, 0, _LARGEST_OFFSET)
    return offset << _LENGTH_BITS | length if offset >= 0 and length <= _LARGEST_LENGTH else 0


def _iter_words(content: Content) -> Iterator[Fact]:
    words = iter([word for (word,) in _WORD.iter_unpack(content.words)])
    for word in words:
        prefix = word >> _PREFIX_SHIFT
        value = _PREFIXES[prefix] + _text_at(content.body, word)
        if prefix == _ACCOUNT:
            value += " " + _text_at(content.body, next(words))
        yield Fact(FactKind(word >> _KIND_SHIFT & 0xF), value, bool(word >> _PRIMARY_SHIFT & 1))


def _text_at(body: bytes, word: int) -> str:
    offset, length = word >> _LENGTH_BITS & _LARGEST_OFFSET, word & _LARGEST_LENGTH
    return body[offset : offset + length].decode("utf-8", "surrogatepass")


def _to_literal(fact: Fact) -> bytes:
    head = b"%x%d" % (fact.kind, fact.primary)
    return b"".join((_MARK, head, fact.value.encode("utf-8", "surrogatepass")))


def _iter_literals(literals: bytes) -> Iterator[Fact]:
    for part in literals.split(_MARK)[1:]:
        yield Fact(FactKind(int(part[:1], 16)), part[2:].decode("utf-8", "surrogatepass"), part[1:2] == b"1")
