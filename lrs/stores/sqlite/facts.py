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
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from lrs.errors import CorruptRecord
from lrs.xapi.ports import Fact, FactKind, Filter

_FORMS_REMEMBERED = 20_000
_FOOTER = struct.Struct("<HI")
_WORD = struct.Struct("<I")
_FOOTER_BYTES, _WORD_BYTES = _FOOTER.size, _WORD.size
_read_footer = _FOOTER.unpack_from
_to_word = _WORD.pack
_MOST_WORDS = 0xFFF0

_OFFSET_BITS, _LENGTH_BITS = 14, 9
_LARGEST_OFFSET, _LARGEST_LENGTH = (1 << _OFFSET_BITS) - 1, (1 << _LENGTH_BITS) - 1
_PRIMARY_SHIFT = _OFFSET_BITS + _LENGTH_BITS
_KIND_SHIFT = _PRIMARY_SHIFT + 1
_PREFIX_SHIFT = _KIND_SHIFT + 4

_PREFIXES = ("", "mbox ", "mbox_sha1sum ", "openid ", "account ")
"""What may stand before a part that is in the body: an agent key's first word. Only saves
room: any other value is kept as a literal. The index is stored."""

_PREFIX_NUMBERS = {prefix.encode(): number for number, prefix in enumerate(_PREFIXES) if prefix}

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
    find = body[:_LARGEST_OFFSET].find
    for fact in facts:
        found = _find_words(find, _shortest_form(fact))
        if found and len(words) < _MOST_WORDS:
            words += found
        else:
            literals.append(_to_literal(fact))
    text = b"".join(literals)
    return _words_struct(len(words)).pack(*words) + text + _FOOTER.pack(len(words), len(text))


def cut(blob: bytes) -> bytes:
    """Return the compressed body alone.

    Raises:
        CorruptRecord: The blob is cut short.
    """
    end = len(blob) - _FOOTER_BYTES
    if end >= 0:
        words, length = _read_footer(blob, end)
        end -= length + words * _WORD_BYTES
    if end < 0:
        raise CorruptRecord("A kept statement is cut short.")
    return blob[:end]


def split(blob: bytes) -> tuple[bytes, bytes, bytes]:
    """Take a blob apart: compressed body, words, literals.

    Raises:
        CorruptRecord: It is cut short.
    """
    end = len(blob) - _FOOTER_BYTES
    if end < 0:
        raise CorruptRecord("A kept statement is cut short.")
    words, length = _read_footer(blob, end)
    literals_at = end - length
    words_at = literals_at - words * _WORD_BYTES
    if words_at < 0:
        raise CorruptRecord("A kept statement is cut short.")
    return blob[:words_at], blob[words_at:literals_at], blob[literals_at:end]


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
        whole, prefixed = [_whole_form(fact) for fact in facts], [_prefixed_form(fact) for fact in facts]
        kinds = [
            (forms[0].parts, [form.head for form in forms]) for forms in (prefixed, whole) if forms[0].parts
        ]
        self._single = [
            (parts[0], len(parts[0]), heads)
            for parts, heads in kinds
            if len(parts) == 1 and 0 < len(parts[0]) <= _LARGEST_LENGTH
        ]
        self._several = [(parts, heads) for parts, heads in kinds if len(parts) > 1]
        self._literals = [_to_literal(fact) + _MARK for fact in facts]

    def holds_in(self, body: bytes, blob: bytes) -> bool:
        """Look for the fact as ``holds`` does, in a body and the blob that it was restored from.

        Runs a hundred times a page, so the usual case takes nothing apart.
        """
        end = len(blob) - _FOOTER_BYTES
        words, length_of_literals = _read_footer(blob, end)
        end -= length_of_literals
        begin = end - words * _WORD_BYTES
        for part, length, heads in self._single:
            offset = body.find(part, 0, _LARGEST_OFFSET)
            if offset >= 0:
                place = offset << _LENGTH_BITS | length
                for head in heads:
                    at = blob.find(_to_word(head | place), begin, end)
                    if at >= 0 and not (at - begin) % _WORD_BYTES:
                        return True
        return self.holds(Content(body, *split(blob)[1:]))

    def holds(self, content: Content) -> bool:
        """Look for the fact among the words, then among the literals."""
        body, words, literals = content
        for part, length, heads in self._single:
            offset = body.find(part, 0, _LARGEST_OFFSET)
            if offset >= 0:
                place = offset << _LENGTH_BITS | length
                for head in heads:
                    if _are_among(_to_word(head | place), words):
                        return True
        return self._holds_several(body, words) or (bool(literals) and self._is_literal(literals))

    def _holds_several(self, body: bytes, words: bytes) -> bool:
        find = body[:_LARGEST_OFFSET].find
        for parts, heads in self._several:
            found = _find_words(find, _Form(0, parts))
            for head in heads if found else ():
                wanted = _words_struct(len(found)).pack(found[0] | head, *found[1:])
                if _are_among(wanted, words):
                    return True
        return False

    def _is_literal(self, literals: bytes) -> bool:
        ended = literals + _MARK
        return any(literal in ended for literal in self._literals)


def _are_among(wanted: bytes, words: bytes) -> bool:
    at = words.find(wanted)
    while at > 0 and at % _WORD_BYTES:
        at = words.find(wanted, at + 1)
    return at >= 0


class _Form(NamedTuple):
    """A fact without its place: what the first word says besides, and the parts to be found."""

    head: int
    parts: tuple[bytes, ...]


@lru_cache(maxsize=_FORMS_REMEMBERED)
def _shortest_form(fact: Fact) -> _Form:
    """Return how a fact is written: by its prefix where it has one. The same ones come again and again."""
    prefixed = _prefixed_form(fact)
    return prefixed if prefixed.parts else _whole_form(fact)


@lru_cache(maxsize=256)
def _words_struct(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}I")


def _whole_form(fact: Fact) -> _Form:
    head = fact.kind << _KIND_SHIFT | fact.primary << _PRIMARY_SHIFT
    return _Form(head, (fact.value.encode("utf-8", "surrogatepass"),))


def _prefixed_form(fact: Fact) -> _Form:
    """Split off a known prefix; no parts where there is none."""
    head, (value,) = _whole_form(fact)
    first, space, rest = value.partition(b" ")
    prefix = _PREFIX_NUMBERS.get(first + space)
    if prefix is None:
        return _Form(head, ())
    parts: tuple[bytes, ...] = (rest,)
    if prefix == _ACCOUNT:
        home_page, _, name = rest.partition(b" ")
        parts = (home_page, name)
    return _Form(head | prefix << _PREFIX_SHIFT, parts)


def _find_words(find: Callable[[bytes], int], form: _Form) -> Sequence[int]:
    """Say where in a body a form's parts stand; nothing where one does not.

    Args:
        find: Of as much of the body as an offset can say.
        form: Runs ten times a statement, so the usual case of one part stands alone.
    """
    head, parts = form
    if len(parts) == 1:
        (part,) = parts
        offset, length = find(part), len(part)
        return (
            (head | offset << _LENGTH_BITS | length,) if offset >= 0 and 0 < length <= _LARGEST_LENGTH else ()
        )
    words = []
    for part in parts:
        offset, length = find(part), len(part)
        if offset < 0 or not 0 < length <= _LARGEST_LENGTH:
            return ()
        words.append(head | offset << _LENGTH_BITS | length)
        head = 0
    return words


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
