"""Postings that are written as blocks are read back, whole, by key and by hash."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.stores.sqlite.blocks import (
    MOST_PLACES,
    PLACES,
    count_places,
    find_among,
    find_places,
    offset_of,
    read_block,
    take_out,
)
from lrs.stores.sqlite.packing import Block, Packer, Piece, read_pieces, unite, write_pieces

BASE = PLACES * 3

STEMS = st.one_of(
    # Far from each other, and side by side.
    st.integers(0, (1 << 40) - 1),
    st.integers(0, 40).map(lambda n: (3 << 36) + n),
)
PLACE_SETS = st.one_of(
    st.sets(st.integers(0, 262_143), min_size=1, max_size=5),
    st.sets(st.integers(0, 300), min_size=1, max_size=80),
    st.builds(
        lambda first, step, count: set(range(first, first + step * count, step)),
        st.integers(0, 100_000),
        st.sampled_from([1, 2, 255, 256, 257]),
        st.integers(1, 600),
    ),
    st.sets(st.sampled_from([0, 255, 256, 65_535, 65_536, 131_072, 200_000, (1 << 24) - 1]), min_size=1),
)
LOTS = st.dictionaries(st.tuples(STEMS, st.integers(0, 1)), PLACE_SETS, min_size=1, max_size=15)


Postings = dict[tuple[int, int], set[int]]


def to_keys(lists: Postings) -> list[tuple[int, int, int]]:
    return sorted(
        (stem << 23, primary, BASE + at) for (stem, primary), places in lists.items() for at in places
    )


def pieces_of(lists: Postings) -> list[Piece]:
    return [
        piece
        for (stem, primary), places in sorted(lists.items())
        for piece in write_pieces(stem, primary, sorted(places))
    ]


def pack(pieces: list[Piece], most: int = 1000) -> list[Block]:
    """Pack as the merging does, some at a time."""
    packer = Packer(BASE)
    blocks = [
        block for begin in range(0, len(pieces), most) for block in packer.add(pieces[begin : begin + most])
    ]
    return blocks + packer.finish()


def read(blocks: list[Block]) -> list[tuple[int, int, int]]:
    return [
        ((block.h >> 23) + one.offset << 23, one.primary, BASE + at)
        for block in blocks
        for one in read_block(block.content)
        for at in one.places
    ]


@given(LOTS, st.sampled_from([1, 2, 7, 1000]))
def test_all_postings_are_read_back_in_order(lists, most):
    blocks = pack(pieces_of(lists), most)
    keys = [block[:3] for block in blocks]
    assert keys == sorted(set(keys))
    assert set(keys) <= set(to_keys(lists))
    assert read(blocks) == to_keys(lists)
    assert sum(count_places(block.content) for block in blocks) == len(to_keys(lists))
    assert blocks == pack(pieces_of(lists))


@given(LOTS, st.sampled_from([7, 1000]))
def test_a_hash_is_found_in_the_blocks_that_begin_with_it_and_in_the_one_before(lists, most):
    blocks = pack(pieces_of(lists), most)
    for (stem, primary), places in lists.items():
        h = (stem << 23) + 4711
        own = [block for block in blocks if block[:2] == (stem << 23, primary)]
        before = [block for block in blocks if block[:2] < (stem << 23, primary)][-1:]
        found = [find_places(one.content, offset_of(h, one.h), primary, BASE) for one in before + own]
        assert list(itertools.chain.from_iterable(found)) == sorted(BASE + at for at in places)
        wanted = sorted({BASE + at + off for at in list(places)[:50] for off in (-1, 0, 9) if at + off >= 0})
        for one, held in zip(before + own, found, strict=True):
            among = find_among(one.content, offset_of(h, one.h), primary, BASE, wanted)
            assert among == [seq for seq in wanted if seq in set(held)]
        for block in blocks:
            if block[:2] > (stem << 23, primary) and block.h >> 23 != stem:
                assert find_places(block.content, offset_of(h, block.h), primary) == []


def cut(lists: Postings, bounds: list[int]) -> list[Postings]:
    """Share places out among smaller lots, by position."""
    edges = [0, *sorted(bounds), PLACES]
    return [
        {key: some for key, places in lists.items() if (some := {at for at in places if low <= at < high})}
        for low, high in itertools.pairwise(edges)
    ]


@given(LOTS, st.lists(st.integers(0, 400_000), max_size=4))
def test_lists_of_smaller_lots_are_joined(lists, bounds):
    read_again = [
        piece
        for one in cut(lists, bounds)
        for block in pack(pieces_of(one))
        for piece in read_pieces(block.h, block.content)
    ]
    blocks = pack(unite(sorted(read_again), set()))
    assert read(blocks) == to_keys(lists)
    keys = [block[:3] for block in blocks]
    assert keys == sorted(set(keys))


@given(LOTS, LOTS)
def test_of_lists_that_say_the_same_each_posting_is_kept_once_and_as_primary(lists, late):
    lists = {
        (stem, primary): places
        for (stem, primary), places in lists.items()
        if (stem, 1 - primary) not in lists
    }
    late = {
        (stem, primary): places for (stem, primary), places in late.items() if (stem, 1 - primary) not in late
    }
    pieces = sorted(pieces_of(lists) + pieces_of(late))
    blocks = pack(unite(pieces, {stem for stem, _ in late}))
    both = {key: lists.get(key, set()) | late.get(key, set()) for key in lists.keys() | late.keys()}
    expected = {
        (stem, primary): places - (both.get((stem, 1), set()) if not primary else set())
        for (stem, primary), places in both.items()
    }
    assert read(blocks) == to_keys(expected)


@given(LOTS, st.randoms(use_true_random=False), st.sampled_from([0.1, 0.5, 0.95]))
def test_places_that_are_taken_out_are_gone_and_the_others_stay(lists, rng, share):
    for block in pack(pieces_of(lists)):
        whole = read_block(block.content)
        gone = {
            one.offset: {at for other in whole for at in other.places if rng.random() < share}
            for one in whole
            if rng.random() < share
        }
        kept = [
            one._replace(places=[at for at in one.places if at not in gone.get(one.offset, ())])
            for one in whole
        ]
        left = take_out(block.content, gone)
        assert (read_block(left) if left else []) == [one for one in kept if one.places]
        assert take_out(block.content, {}) == block.content


def test_common_hash_is_cut_into_pieces_and_a_rare_one_takes_few_bytes():
    common = set(range(0, 3 * 10 * MOST_PLACES, 3))
    blocks = pack(pieces_of({(5, 1): common, **{(n << 17, 1): {n} for n in range(1000)}}))
    alone = [block for block in blocks if block.h >> 23 == 5]
    assert [block.first - BASE for block in alone] == list(range(0, 7680, 3 * MOST_PLACES))
    assert all(len(block.content) < 3 + 2 + MOST_PLACES for block in alone)
    assert sum(len(block.content) for block in blocks if block not in alone) < 9 * 1000


def test_long_list_stays_as_it_is_when_lots_are_merged_and_short_ones_become_a_long_one():
    pieces = [
        piece
        for begin in range(0, 4000, 1000)
        for stem, step, count in ((5, 3, 300), (9, 20, 40))
        for piece in write_pieces(stem, 1, range(begin, begin + step * count, step))
    ]
    united = unite(sorted(pieces), set())
    assert [piece[2] for piece in united if piece[0] == 5] == [0, 768, 1000, 1768, 2000, 2768, 3000, 3768]
    assert [piece[2] for piece in united if piece[0] == 9] == [0]
    assert {id(piece) for piece in united if piece[0] == 5} <= {id(piece) for piece in pieces}


@pytest.mark.parametrize("offset", [-1, 1, 1 << 32, 1 << 40])
def test_nothing_is_found_of_a_hash_that_a_block_cannot_hold(offset):
    for count in (1, 100):
        (block,) = pack(pieces_of({(7 << 17, 1): set(range(count))}))
        assert find_places(block.content, offset, 1) == []
        assert find_places(block.content, 0, 0) == []
        assert find_places(block.content, 0, 1) == list(range(count))
