"""How the postings of a merged lot are written: in blocks, each a run of postings in key order.

A posting is (hash, primary, position). In a block stands, for each hash that it holds, a list:
the first place, and the differences to the next ones, one, two or three bytes each. Places
are positions counted from the lot's beginning. Most hashes of a lot are rare, and a block
holds some thirty of them; of a common one each piece of 256 places is a block of its own.

Layout: one byte, how many lists; of each four bytes, how far its hash, without its last
bits, lies behind the block's own; of each a byte, primary, width and how many places; then
the lists, each three bytes of its first place and the differences. Where the first byte is
zero the block has one list, whose length follows from the block's; it may be a map, a bit for
each place from the first on, where that is shorter: its width is zero. All numbers are
little endian.

The last bits of a hash are not kept: a list may be taken for another's, of a hash that begins
alike. That is as harmless as any collision. A block's own hash is kept whole, beside it.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate, compress, count, groupby, pairwise
from operator import itemgetter, sub
from typing import NamedTuple

Key = tuple[int, int, int]
"""Hash, primary, position: the order of postings inside a lot."""

MOST_PLACES = 256
"""In a list; a longer one is cut into pieces."""

_MOST_SHARED_PLACES = 31
_MOST_BYTES = 400
_MOST_LISTS = 255
_DROPPED_BITS = 23
_LARGEST_OFFSET = (1 << 32) - 1
_PRIMARY = 0x80
_WIDTH_SHIFT = 5
_HEAD_BYTES, _OFFSET_BYTES = 1, 4
_FIRST_BYTES, _ALONE_BYTES = 3, 2
_SHARED_BYTES = _OFFSET_BYTES + _HEAD_BYTES
_MAP = 0
_BITS = bytes.maketrans(b"01", b"\0\1")
_hash_and_primary = itemgetter(0, 1)


class PlaceList(NamedTuple):
    """One list of a block.

    Attributes:
        offset: How far its hash lies behind the block's, both without their last bits.
        places: Rising, counted from the lot's beginning.
    """

    offset: int
    primary: int
    places: Sequence[int]


class Block(NamedTuple):
    """A row of ``lists``: its first posting, and its content."""

    h: int
    primary: int
    first: int
    content: bytes


class _Piece(NamedTuple):
    """A list on its way into a block."""

    h: int
    primary: int
    first: int
    length: int
    width: int
    content: bytes


def cut_into_blocks(lo: int, postings: Iterable[Key], *, is_end: bool) -> tuple[list[Block], int]:
    """Make blocks of a lot's postings, which come in order; each may be there once.

    Args:
        lo: Where the lot begins.
        postings: At least one.
        is_end: Whether none follow. Otherwise the last ones are left out, which may share a
            block with what follows, unless there are no others.

    Returns:
        The blocks, and how many postings they hold.
    """
    pieces = list(_iter_pieces(lo, postings))
    if not is_end and len(pieces) > 1:
        pieces.pop()
    runs = list(_iter_runs(pieces))
    if not is_end and len(runs) > 1:
        runs.pop()
    return [_to_block(lo, run) for run in runs], sum(piece.length for run in runs for piece in run)


def _iter_pieces(lo: int, postings: Iterable[Key]) -> Iterator[_Piece]:
    for (h, primary), group in groupby(postings, _hash_and_primary):
        places = [seq - lo for _, _, seq in group]
        for begin in range(0, len(places), MOST_PLACES):
            piece = places[begin : begin + MOST_PLACES]
            width, content = _write_places(piece)
            yield _Piece(h, primary, piece[0], len(piece), width, content)


def _iter_runs(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Yield what goes into one block."""
    run: list[_Piece] = []
    size = 0
    for piece in pieces:
        added = _SHARED_BYTES + len(piece.content)
        if run and (size + added > _MOST_BYTES or not _may_share(run, piece)):
            yield run
            run, size = [], 0
        run.append(piece)
        size += added
    if run:
        yield run


def _may_share(run: Sequence[_Piece], piece: _Piece) -> bool:
    return (
        run[0].length <= _MOST_SHARED_PLACES
        and piece.length <= _MOST_SHARED_PLACES
        and len(run) < _MOST_LISTS
        and offset_of(piece.h, run[0].h) <= _LARGEST_OFFSET
    )


def _to_block(lo: int, run: Sequence[_Piece]) -> Block:
    begin = run[0].h
    lists = [
        (offset_of(piece.h, begin), _head(piece.primary, piece.width, piece.length), piece.content)
        for piece in run
    ]
    return Block(begin, run[0].primary, lo + run[0].first, _join(lists, run[0].length))


def offset_of(h: int, begin: int) -> int:
    """Return how far a hash lies behind that of a block, both without their last bits."""
    return (h >> _DROPPED_BITS) - (begin >> _DROPPED_BITS)


def _join(lists: Sequence[tuple[int, int, bytes]], places: int) -> bytes:
    """Put a block together of (offset, head, list); ``places`` is how many the first list has."""
    if len(lists) == 1 and places > _MOST_SHARED_PLACES:
        return bytes((0, lists[0][1])) + lists[0][2]
    offsets = struct.pack(f"<{len(lists)}I", *[offset for offset, _, _ in lists])
    heads = bytes([head for _, head, _ in lists])
    return b"".join((bytes((len(lists),)), offsets, heads, *[content for _, _, content in lists]))


def _head(primary: int, width: int, places: int) -> int:
    shared = places if places <= _MOST_SHARED_PLACES else 0
    return (_PRIMARY if primary else 0) | width << _WIDTH_SHIFT | shared


def _write_places(places: Sequence[int]) -> tuple[int, bytes]:
    """Return how wide differences are, or that there are none but a map, and a list's bytes."""
    differences = list(map(sub, places[1:], places))
    most = max(differences, default=0)
    first = places[0].to_bytes(_FIRST_BYTES, "little")
    map_bytes = (places[-1] - places[0]) // 8 + 1
    if len(places) > _MOST_SHARED_PLACES and map_bytes < len(places):
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
    return _FIRST_BYTES + ((head & _MOST_SHARED_PLACES) - 1) * (head >> _WIDTH_SHIFT & 3)


_LENGTHS = [_length_of(head) for head in range(256)]


def _read_places(head: int, content: bytes, base: int) -> list[int]:
    """Read a list, its places counted from a base."""
    first = base + int.from_bytes(content[:_FIRST_BYTES], "little")
    width = head >> _WIDTH_SHIFT & 3
    if width == _MAP:
        return _read_map(content[_FIRST_BYTES:], first)
    if len(content) == _FIRST_BYTES:
        return [first]
    differences: Iterable[int] = content[_FIRST_BYTES:]
    if width == 2:  # noqa: PLR2004 - bytes
        differences = struct.unpack_from(f"<{(len(content) - _FIRST_BYTES) // 2}H", content, _FIRST_BYTES)
    elif width == 3:  # noqa: PLR2004 - bytes
        ends = range(_FIRST_BYTES, len(content), 3)
        differences = [int.from_bytes(content[end : end + 3], "little") for end in ends]
    return list(accumulate(differences, initial=first))


def find_places(content: bytes, offset: int, primary: int, base: int = 0) -> list[int]:
    """Return the places, counted from a base, under which a block holds a hash."""
    lists = content[0]
    if lists == 0:
        head = content[1]
        is_asked = offset == 0 and (head >= _PRIMARY) == bool(primary)
        return _read_places(head, content[2:], base) if is_asked else []
    if not 0 <= offset <= _LARGEST_OFFSET:
        return []
    heads_at = 1 + lists * _OFFSET_BYTES
    wanted = offset.to_bytes(_OFFSET_BYTES, "little")
    at = _find_offset(content, wanted, heads_at)
    found: list[int] = []
    while 0 <= at < lists and content.startswith(wanted, 1 + at * _OFFSET_BYTES):
        head = content[heads_at + at]
        if (head >= _PRIMARY) == bool(primary):
            begin = heads_at + lists + sum([_LENGTHS[one] for one in content[heads_at : heads_at + at]])
            places = _read_places(head, content[begin : begin + _LENGTHS[head]], base)
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
    begin = _ALONE_BYTES + _FIRST_BYTES
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
        PlaceList(offset, int(head >= _PRIMARY), _read_places(head, written, 0))
        for offset, head, written in _split(content)
    ]


def _split(content: bytes) -> list[tuple[int, int, bytes]]:
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
    if gone.keys().isdisjoint([offset for offset, _, _ in _split(content)]):
        return content
    left: list[tuple[int, int, bytes]] = []
    longest = 0
    for offset, head, written in _split(content):
        one = (offset, head, written)
        if offset in gone:
            places = [place for place in _read_places(head, written, 0) if place not in gone[offset]]
            if not places:
                continue
            longest = len(places)
            width, written_anew = _write_places(places)
            one = (offset, _head(int(head >= _PRIMARY), width, longest), written_anew)
        left.append(one)
    return _join(left, longest) if left else b""


def count_places(content: bytes) -> int:
    """Return how many postings a block holds."""
    lists = content[0]
    if lists == 0:
        width = content[1] >> _WIDTH_SHIFT & 3
        if width == _MAP:
            return int.from_bytes(content[_ALONE_BYTES + _FIRST_BYTES :], "little").bit_count()
        return 1 + (len(content) - _ALONE_BYTES - _FIRST_BYTES) // width
    heads_at = 1 + lists * _OFFSET_BYTES
    return sum([head & _MOST_SHARED_PLACES for head in content[heads_at : heads_at + lists]])
