"""What a fact is as words, and as a literal: what both forms of a row's facts have in common.

A *word* says where in the body a part of a fact stands: offset and length, its *place*; before
that its *head*: kind, primary, and prefix. Here it has four bytes. An account has two parts, its home
page and its name: its word is followed by a second whose head is 0.
"""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from lrs.xapi.ports import Fact

WIDE_WORD_BYTES = 4
OFFSET_BITS, LENGTH_BITS = 14, 9
LARGEST_OFFSET, LARGEST_LENGTH = (1 << OFFSET_BITS) - 1, (1 << LENGTH_BITS) - 1
PRIMARY_SHIFT = OFFSET_BITS + LENGTH_BITS
KIND_SHIFT = PRIMARY_SHIFT + 1
PREFIX_SHIFT = KIND_SHIFT + 4

PREFIXES = ("", "mbox ", "mbox_sha1sum ", "openid ", "account ")
"""What may stand before a part that is in the body: an agent key's first word. Only saves
room: any other value is kept as a literal. The index is stored."""

_PREFIX_NUMBERS = {prefix.encode(): number for number, prefix in enumerate(PREFIXES) if prefix}

ACCOUNT = PREFIXES.index("account ")

MARK = b"\xff"
"""Begins each literal; no UTF-8 text holds this byte."""


class Form(NamedTuple):
    """A fact without its place: what the first word says besides, and the parts to be found."""

    head: int
    parts: tuple[bytes, ...]


def shortest_form(fact: Fact) -> Form:
    """Return how a fact is written: by its prefix where it has one."""
    prefixed = prefixed_form(fact)
    return prefixed if prefixed.parts else whole_form(fact)


def whole_form(fact: Fact) -> Form:
    """Return a fact in one part."""
    head = fact.kind << KIND_SHIFT | fact.primary << PRIMARY_SHIFT
    return Form(head, (fact.value.encode("utf-8", "surrogatepass"),))


def prefixed_form(fact: Fact) -> Form:
    """Split off a known prefix; no parts where there is none."""
    head, (value,) = whole_form(fact)
    first, space, rest = value.partition(b" ")
    prefix = _PREFIX_NUMBERS.get(first + space)
    if prefix is None:
        return Form(head, ())
    parts: tuple[bytes, ...] = (rest,)
    if prefix == ACCOUNT:
        home_page, _, name = rest.partition(b" ")
        parts = (home_page, name)
    return Form(head | prefix << PREFIX_SHIFT, parts)


def find_words(find: Callable[[bytes], int], form: Form) -> Sequence[int]:
    """Say where in a body a form's parts stand; nothing where one does not.

    Args:
        find: Of as much of the body as an offset can say.
        form: Of the fact.
    """
    head, parts = form
    words = []
    for part in parts:
        offset, length = find(part), len(part)
        if offset < 0 or not 0 < length <= LARGEST_LENGTH:
            return ()
        words.append(head | offset << LENGTH_BITS | length)
        head = 0
    return words


def to_literal(fact: Fact) -> bytes:
    """Write a fact as text."""
    head = b"%x%d" % (fact.kind, fact.primary)
    return b"".join((MARK, head, fact.value.encode("utf-8", "surrogatepass")))


@lru_cache(maxsize=256)
def words_struct(count: int) -> struct.Struct:
    """Return what reads and writes so many words of four bytes."""
    return struct.Struct(f"<{count}I")
