"""Making blocks (blocks.py) of lists: of such as are new, and of those of smaller lots."""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from lrs.stores.sqlite.blocks import (
    LARGEST_OFFSET,
    MOST_PLACES,
    MOST_SHARED_PLACES,
    SHARED_BYTES,
    SHORTEST,
    STEM_SHIFT,
    is_alone,
    is_map,
    join_lists,
    read_places,
    split_block,
    write_list,
)

Piece = tuple[int, int, int, int, bytes]
"""A list on its way into a block: stem, primary, first place, head, content."""

_MOST_BYTES = 400
"""In a shared block: of lists that take eight at least, so they can be counted by a byte."""
_LONG_BYTES = 128
"""A list of so many is left as it is, whatever follows."""
_PRIMARY_SHIFT = 7
_SINGLES = [write_list(primary, [0])[0] for primary in (0, 1)]


class Block(NamedTuple):
    """A row of ``lists``: its first posting, the hash without its last bits, and its content."""

    h: int
    primary: int
    first: int
    content: bytes


def write_pieces(stem: int, primary: int, places: Sequence[int]) -> list[Piece]:
    """Make lists of places, which rise."""
    return [
        (stem, primary, some[0], *write_list(primary, some))
        for some in (places[begin : begin + MOST_PLACES] for begin in range(0, len(places), MOST_PLACES))
    ]


def write_all(lists: Iterable[tuple[int, int, list[int]]]) -> list[Piece]:
    """Make lists of (stem, primary, places); where there is more than one place, they may repeat."""
    pieces: list[Piece] = []
    for stem, primary, places in lists:
        if len(places) == 1:
            place = places[0]
            pieces.append((stem, primary, place, _SINGLES[primary], place.to_bytes(SHORTEST, "little")))
        else:
            pieces += write_pieces(stem, primary, sorted(set(places)))
    return pieces


def read_pieces(h: int, content: bytes) -> list[Piece]:
    """Take the lists out of a block; ``h`` is its own hash."""
    begin = h >> STEM_SHIFT
    return [
        (begin + offset, head >> _PRIMARY_SHIFT, int.from_bytes(written[:SHORTEST], "little"), head, written)
        for offset, head, written in split_block(content)
    ]


def unite(pieces: Iterable[Piece], doubtful: Set[int]) -> list[Piece]:
    """Make one list, or a few long ones, of those that have the same stem.

    Args:
        pieces: In order.
        doubtful: Stems whose lists may have the same places, or as related what is primary.
    """
    united: list[Piece] = []
    same: list[Piece] = []
    last = -1
    for piece in pieces:
        if piece[0] != last:
            united += same if len(same) < 2 else _unite_same(same, doubtful)  # noqa: PLR2004
            same = []
            last = piece[0]
        same.append(piece)
    return united + (same if len(same) < 2 else _unite_same(same, doubtful))  # noqa: PLR2004


def _unite_same(pieces: Sequence[Piece], doubtful: Set[int]) -> list[Piece]:
    if pieces[0][0] in doubtful:
        return _unite_doubtful(pieces)
    primary = [piece for piece in pieces if piece[1]]
    related = pieces if not primary else [piece for piece in pieces if not piece[1]]
    return [*_join(related), *_join(primary)]


def _join(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Join short lists of one hash, each of which ends before the next begins."""
    if len(pieces) < 2:  # noqa: PLR2004
        return pieces
    stem, primary = pieces[0][:2]
    joined: list[Piece] = []
    short: list[int] = []
    for piece in pieces:
        _, _, first, head, content = piece
        if is_alone(head) and (is_map(head) or len(content) > _LONG_BYTES):
            joined += write_pieces(stem, primary, short)
            short = []
            joined.append(piece)
        elif len(content) == SHORTEST:
            short.append(first)
        else:
            short += read_places(head, content)
    return joined + write_pieces(stem, primary, short)


def _unite_doubtful(pieces: Sequence[Piece]) -> list[Piece]:
    found: tuple[set[int], set[int]] = (set(), set())
    for _, primary, _, head, content in pieces:
        found[primary].update(read_places(head, content))
    found[0].difference_update(found[1])
    stem = pieces[0][0]
    return [*write_pieces(stem, 0, sorted(found[0])), *write_pieces(stem, 1, sorted(found[1]))]


class Packer:
    """Puts lists, which come in order, into blocks; the last ones wait for what may share their block.

    Args:
        base: What the first place of a block is counted from.
    """

    def __init__(self, base: int) -> None:
        """Begin with nothing."""
        self._base = base
        self._run: list[Piece] = []
        self._bytes = 0
        self._most_bytes = 0
        self._last_stem = -1

    def add(self, pieces: Iterable[Piece]) -> list[Block]:
        """Return the blocks that are full."""
        blocks: list[Block] = []
        run, size, most, last = self._run, self._bytes, self._most_bytes, self._last_stem
        for piece in pieces:
            stem, _, _, head, content = piece
            size += SHARED_BYTES + len(content)
            if size > most or stem > last or not head & MOST_SHARED_PLACES:
                if run:
                    blocks.append(self._to_block(run))
                run, size = [], SHARED_BYTES + len(content)
                most = 0 if is_alone(head) else _MOST_BYTES
                last = stem + LARGEST_OFFSET
            run.append(piece)
        self._run, self._bytes, self._most_bytes, self._last_stem = run, size, most, last
        return blocks

    def finish(self) -> list[Block]:
        """Return the last block, if there is one."""
        run, self._run = self._run, []
        return [self._to_block(run)] if run else []

    def _to_block(self, run: Sequence[Piece]) -> Block:
        stems, primaries, firsts, heads, contents = zip(*run, strict=True)
        begin = stems[0]
        content = join_lists([stem - begin for stem in stems], heads, contents)
        return Block(begin << STEM_SHIFT, primaries[0], self._base + firsts[0], content)
