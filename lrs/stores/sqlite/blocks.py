"""How the postings of a merged lot are written: in blocks, each a run of postings in key order.

A posting is (hash, primary, position). Of a hash its *stem* is kept, 40 of 63 bits. In a block
stands, for each stem that it holds, a list: the first place, and the differences to the next
ones, one, two or three bytes each. A place is the last 24 bits of a position, so a list says the
same in whichever lot it lies (of lots that earlier versions merged: what a position is counted
from the lot's beginning). Most hashes of a lot are rare, and a block holds some thirty of them;
of a common one each piece of 256 places is a block of its own.

Layout: one byte, how many lists; of each four bytes, how far its stem lies behind that of the
first; of each a byte, primary, width and how many places; then the lists, each three bytes of its
first place and the differences. Where the first byte is zero the block has one list, whose length
follows from the block's; it may be a map, a bit for each place from the first on, where that is
shorter: its width is zero. All numbers are little endian.

The last bits of a hash are not kept: a list may be taken for another's, of a hash that begins
alike. That is as harmless as any collision.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import accumulate, compress, count, pairwise
from operator import sub
from typing import NamedTuple

MOST_PLACES = 256
"""In a list; a longer one is cut into pieces."""
MOST_SHARED_PLACES = 31
"""In a list that shares a block with others."""
LARGEST_OFFSET = (1 << 32) - 1
STEM_SHIFT = 23
PLACES = 1 << 24
"""Positions that have places of their own; a lot begins and ends between two multiples of it."""
SHARED_BYTES = 5
"""What a list takes in a shared block, beside its content."""
SHORTEST = 3
"""Bytes of a list's first place, which is all there is of most."""

_PRIMARY = 0x80
_WIDTH_SHIFT = 5
_OFFSET_BYTES = 4
_ALONE_BYTES = 2
_MAP = 0
_BITS = bytes.maketrans(b"01", b"\0\1")


class PlaceList(NamedTuple):
    """One list of a block.

    Attributes:
        offset: How far its stem lies behind the block's.
        places: Rising.
    """

    offset: int
    primary: int
    places: Sequence[int]


def offset_of(h: int, begin: int) -> int:
    """Return how far the stem of a hash lies behind that of a block."""
    return (h >> STEM_SHIFT) - (begin >> STEM_SHIFT)


def join_lists(offsets: Sequence[int], heads: Sequence[int], contents: Sequence[bytes]) -> bytes:
    """Put a block together."""
    if is_alone(heads[0]):
        return bytes((0, heads[0])) + contents[0]
    packed = struct.pack(f"<{len(offsets)}I", *offsets)
    return b"".join((bytes((len(offsets),)), packed, bytes(heads), *contents))


def is_alone(head: int) -> bool:
    """Tell whether a list is too long to share a block."""
    return not head & MOST_SHARED_PLACES


def is_map(head: int) -> bool:
    """Tell whether a list is a map of bits."""
    return head >> _WIDTH_SHIFT & 3 == _MAP


def write_list(primary: int, places: Sequence[int]) -> tuple[int, bytes]:
    """Write a list: its head, and what follows that."""
    width, content = _write_places(places)
    shared = len(places) if len(places) <= MOST_SHARED_PLACES else 0
    return (_PRIMARY if primary else 0) | width << _WIDTH_SHIFT | shared, content


def _write_places(places: Sequence[int]) -> tuple[int, bytes]:
    """Return how wide differences are, or that there are none but a map, and a list's bytes."""
    differences = list(map(sub, places[1:], places))
    most = max(differences, default=0)
    first = places[0].to_bytes(SHORTEST, "little")
    map_bytes = (places[-1] - places[0]) // 8 + 1
    if len(places) > MOST_SHARED_PLACES and map_bytes < len(places):
        return _MAP, first + _write_map(places, map_bytes)
    if most < 1 << 8:
        return 1, first + bytes(differences)
    if most < 1 << 16:
        return 2, first + struct.pack(f"<{len(differences)}H", *differences)
    return 3, first + b"".join([one.to_bytes(3, "little") for one in differences])


def _write_map(places: Sequence[int], length: int) -> bytes:
    written = bytearray(length)
    first = places[0]
    for place in places:
        at = place - first
        written[at >> 3] |= 1 << (at & 7)
    return bytes(written)


def _read_map(content: bytes, first: int) -> list[int]:
    digits = f"{int.from_bytes(content, 'little'):b}"[::-1]
    return list(compress(count(first), digits.encode().translate(_BITS)))


def _length_of(head: int) -> int:
    return SHORTEST + ((head & MOST_SHARED_PLACES) - 1) * (head >> _WIDTH_SHIFT & 3)


_LENGTHS = [_length_of(head) for head in range(256)]


def read_places(head: int, content: bytes, base: int = 0) -> list[int]:
    """Read a list; the base is added to each place."""
    first = base + int.from_bytes(content[:SHORTEST], "little")
    width = head >> _WIDTH_SHIFT & 3
    if width == _MAP:
        return _read_map(content[SHORTEST:], first)
    if len(content) == SHORTEST:
        return [first]
    differences: Iterable[int] = content[SHORTEST:]
    if width == 2:  # noqa: PLR2004 - bytes
        differences = struct.unpack_from(f"<{(len(content) - SHORTEST) // 2}H", content, SHORTEST)
    elif width == 3:  # noqa: PLR2004 - bytes
        ends = range(SHORTEST, len(content), 3)
        differences = [int.from_bytes(content[end : end + 3], "little") for end in ends]
    return list(accumulate(differences, initial=first))


def find_places(content: bytes, offset: int, primary: int, base: int = 0) -> list[int]:
    """Return the places, counted from a base, under which a block holds a hash."""
    lists = content[0]
    if lists == 0:
        head = content[1]
        is_asked = offset == 0 and (head >= _PRIMARY) == bool(primary)
        return read_places(head, content[2:], base) if is_asked else []
    if not 0 <= offset <= LARGEST_OFFSET:
        return []
    heads_at = 1 + lists * _OFFSET_BYTES
    wanted = offset.to_bytes(_OFFSET_BYTES, "little")
    at = _find_offset(content, wanted, heads_at)
    found: list[int] = []
    while 0 <= at < lists and content.startswith(wanted, 1 + at * _OFFSET_BYTES):
        head = content[heads_at + at]
        if (head >= _PRIMARY) == bool(primary):
            begin = heads_at + lists + sum([_LENGTHS[one] for one in content[heads_at : heads_at + at]])
            places = read_places(head, content[begin : begin + _LENGTHS[head]], base)
            # Hashes that begin alike stand side by side.
            found = sorted({*found, *places}) if found else places
        at += 1
    return found


def find_among(content: bytes, offset: int, primary: int, base: int, wanted: Sequence[int]) -> list[int]:
    """Return which of some places, counted from a base, a block holds under a hash."""
    if content[0] or content[1] >> _WIDTH_SHIFT & 3 != _MAP:
        held = find_places(content, offset, primary, base)
        return [
            place for place in wanted if held and held[bisect_left(held, place, 0, len(held) - 1)] == place
        ]
    if offset or (content[1] >= _PRIMARY) != bool(primary):
        return []
    begin = _ALONE_BYTES + SHORTEST
    first = base + int.from_bytes(content[_ALONE_BYTES:begin], "little")
    last = first + 8 * (len(content) - begin) - 1
    return [
        place
        for place in wanted
        if first <= place <= last and content[begin + (place - first >> 3)] >> (place - first & 7) & 1
    ]


def _find_offset(content: bytes, wanted: bytes, end: int) -> int:
    """Return which list is the first of that offset; less than zero where none is."""
    at = content.find(wanted, 1, end)
    while at > 0 and (at - 1) % _OFFSET_BYTES:
        at = content.find(wanted, at + 1, end)
    return (at - 1) // _OFFSET_BYTES


def read_block(content: bytes) -> list[PlaceList]:
    """Read all lists of a block."""
    return [
        PlaceList(offset, int(head >= _PRIMARY), read_places(head, written, 0))
        for offset, head, written in split_block(content)
    ]


def split_block(content: bytes) -> list[tuple[int, int, bytes]]:
    """Take a block apart into (offset, head, list)."""
    lists = content[0]
    if lists == 0:
        return [(0, content[1], content[_ALONE_BYTES:])]
    offsets = struct.unpack_from(f"<{lists}I", content, 1)
    heads_at = 1 + lists * _OFFSET_BYTES
    heads = content[heads_at : heads_at + lists]
    ends = list(accumulate([_LENGTHS[head] for head in heads], initial=heads_at + lists))
    written = [content[begin:end] for begin, end in pairwise(ends)]
    return list(zip(offsets, heads, written, strict=True))


def take_out(content: bytes, gone: Mapping[int, Set[int]]) -> bytes:
    """Write a block without the places that are gone of each offset; empty where no list is left."""
    if gone.keys().isdisjoint([offset for offset, _, _ in split_block(content)]):
        return content
    left: list[tuple[int, int, bytes]] = []
    for offset, head, written in split_block(content):
        one = (offset, head, written)
        if offset in gone:
            places = [place for place in read_places(head, written, 0) if place not in gone[offset]]
            if not places:
                continue
            one = (offset, *write_list(int(head >= _PRIMARY), places))
        left.append(one)
    return join_lists(*zip(*left, strict=True)) if left else b""


def count_places(content: bytes) -> int:
    """Return how many postings a block holds."""
    lists = content[0]
    if lists == 0:
        width = content[1] >> _WIDTH_SHIFT & 3
        if width == _MAP:
            return int.from_bytes(content[_ALONE_BYTES + SHORTEST :], "little").bit_count()
        return 1 + (len(content) - _ALONE_BYTES - SHORTEST) // width
    heads_at = 1 + lists * _OFFSET_BYTES
    return sum([head & MOST_SHARED_PLACES for head in content[heads_at : heads_at + lists]])
