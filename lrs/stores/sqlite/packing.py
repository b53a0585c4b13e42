"""Making blocks (blocks.py) of lists: of such as are new, and of those of smaller lots."""

from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

from lrs.stores.sqlite.blocks import (
    LARGEST_OFFSET,
    MOST_PLACES,
    SHARED_BYTES,
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
_MOST_LISTS = 255
_LONG_BYTES = 128
"""A list of so many is left as it is, whatever follows."""
_PRIMARY_SHIFT = 7
_SINGLE = write_list(0, [0])[0]

_stem = itemgetter(0)
_stem_and_primary = itemgetter(0, 1)


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


def write_single(stem: int, primary: int, place: int) -> Piece:
    """Make a list of one place, as most are."""
    return stem, primary, place, _SINGLE | primary << _PRIMARY_SHIFT, place.to_bytes(3, "little")


def read_pieces(h: int, content: bytes) -> list[Piece]:
    """Take the lists out of a block; ``h`` is its own hash."""
    begin = h >> STEM_SHIFT
    return [
        (begin + offset, head >> _PRIMARY_SHIFT, int.from_bytes(written[:3], "little"), head, written)
        for offset, head, written in split_block(content)
    ]


def unite(pieces: Iterable[Piece], doubtful: Set[int]) -> Iterator[Piece]:
    """Make one list, or a few long ones, of those that have the same stem.

    Args:
        pieces: In order.
        doubtful: Stems whose lists may have the same places, or as related what is primary.
    """
    for stem, group in groupby(pieces, _stem):
        same = list(group)
        if len(same) == 1:
            yield same[0]
        elif stem in doubtful:
            yield from _unite_doubtful(same)
        else:
            for (_, primary), run in groupby(same, _stem_and_primary):
                yield from _join_runs(stem, primary, list(run))


def _join_runs(stem: int, primary: int, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Join short lists, each of which ends before the next begins."""
    if len(pieces) == 1:
        yield pieces[0]
        return
    short: list[int] = []
    for piece in pieces:
        head, content = piece[3:]
        if is_alone(head) and (is_map(head) or len(content) > _LONG_BYTES):
            yield from write_pieces(stem, primary, short)
            short = []
            yield piece
        else:
            short += read_places(head, content)
    yield from write_pieces(stem, primary, short)


def _unite_doubtful(pieces: Sequence[Piece]) -> Iterator[Piece]:
    found: tuple[set[int], set[int]] = (set(), set())
    for _, primary, _, head, content in pieces:
        found[primary].update(read_places(head, content))
    found[0].difference_update(found[1])
    stem = pieces[0][0]
    return chain.from_iterable(write_pieces(stem, primary, sorted(found[primary])) for primary in (0, 1))


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

    def add(self, pieces: Iterable[Piece]) -> list[Block]:
        """Return the blocks that are full."""
        blocks: list[Block] = []
        run, size = self._run, self._bytes
        for piece in pieces:
            added = SHARED_BYTES + len(piece[4])
            if run and (size + added > _MOST_BYTES or not _may_share(run, piece)):
                blocks.append(self._to_block(run))
                run, size = [], 0
            run.append(piece)
            size += added
        self._run, self._bytes = run, size
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


def _may_share(run: Sequence[Piece], piece: Piece) -> bool:
    return (
        not is_alone(piece[3])
        and not is_alone(run[0][3])
        and len(run) < _MOST_LISTS
        and piece[0] - run[0][0] <= LARGEST_OFFSET
    )
