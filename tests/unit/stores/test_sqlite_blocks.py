"""Postings that are written as blocks are read back, whole, by key and by hash."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.stores.sqlite.blocks import (
    MOST_PLACES,
    Block,
    Key,
    count_places,
    cut_into_blocks,
    find_among,
    find_places,
    offset_of,
    read_block,
    take_out,
)

LO = 262_144 * 3

HASHES = st.one_of(
    # Far from each other, side by side, and alike but for the bits that are not kept.
    st.integers(0, (1 << 63) - 1),
    st.integers(0, 40).map(lambda n: (3 << 59) + (n << 23)),
    st.integers(0, 40).map(lambda n: (3 << 59) + n),
)
PLACES = st.one_of(
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
LOTS = st.dictionaries(st.tuples(HASHES, st.integers(0, 1)), PLACES, min_size=1, max_size=15)


def to_postings(lists: dict[tuple[int, int], set[int]]) -> list[Key]:
    return sorted((h, primary, LO + at) for (h, primary), places in lists.items() for at in places)


def cut_in_slices(postings: list[Key], most: int) -> list[Block]:
    """Cut as the merging does: what a slice leaves out begins the next one."""
    blocks: list[Block] = []
    begin = 0
    while begin < len(postings):
        some = postings[begin : begin + most]
        made, done = cut_into_blocks(LO, some, is_end=len(some) < most)
        assert 0 < done <= len(some)
        blocks += made
        begin += done
    return blocks


@given(LOTS, st.sampled_from([1, 2, 7, 100, 1000, 100_000]))
def test_all_postings_are_read_back_in_order(lists, most):
    postings = to_postings(lists)
    blocks = cut_in_slices(postings, most)
    keys = [block[:3] for block in blocks]
    assert keys == sorted(set(keys))
    assert set(keys) <= set(postings)
    read = [
        ((block.h >> 23) + one.offset, one.primary, LO + at)
        for block in blocks
        for one in read_block(block.content)
        for at in one.places
    ]
    assert read == [(h >> 23, primary, seq) for h, primary, seq in postings]
    assert sum(count_places(block.content) for block in blocks) == len(postings)


@given(LOTS, st.sampled_from([7, 1000]))
def test_a_hash_is_found_in_the_blocks_that_begin_with_it_and_in_the_one_before(lists, most):
    blocks = cut_in_slices(to_postings(lists), most)
    for (h, primary), places in lists.items():
        own = [block for block in blocks if block[:2] == (h, primary)]
        before = [block for block in blocks if block[:2] < (h, primary)][-1:]
        found = [find_places(one.content, offset_of(h, one.h), primary, LO) for one in before + own]
        alike = [more for (other, also), more in lists.items() if (other >> 23, also) == (h >> 23, primary)]
        together = set(itertools.chain.from_iterable(found))
        assert {LO + at for at in places} <= together <= {LO + at for at in set().union(*alike)}
        assert all(one == sorted(set(one)) for one in found)
        wanted = sorted({LO + at + off for at in list(places)[:50] for off in (-1, 0, 9) if at + off >= 0})
        for one, held in zip(before + own, found, strict=True):
            among = find_among(one.content, offset_of(h, one.h), primary, LO, wanted)
            assert among == [seq for seq in wanted if seq in set(held)]
        for block in blocks:
            if block[:2] > (h, primary) and block.h >> 23 != h >> 23:
                assert find_places(block.content, offset_of(h, block.h), primary) == []


@given(LOTS, st.randoms(use_true_random=False), st.sampled_from([0.1, 0.5, 0.95]))
def test_places_that_are_taken_out_are_gone_and_the_others_stay(lists, rng, share):
    for block in cut_in_slices(to_postings(lists), 1000):
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
    common = [(5, 1, LO + at) for at in range(0, 3 * 10 * MOST_PLACES, 3)]
    rare = [(n << 40, 1, LO + n) for n in range(1000)]
    blocks, done = cut_into_blocks(LO, sorted(common + rare), is_end=True)
    assert done == len(common) + len(rare)
    assert [block.first - LO for block in blocks if block.h == 5] == list(range(0, 7680, 3 * MOST_PLACES))
    assert all(len(block.content) < 3 + 2 + MOST_PLACES for block in blocks if block.h == 5)
    assert sum(len(block.content) for block in blocks if block.h != 5) < 9 * len(rare)


@pytest.mark.parametrize("offset", [-1, 1, 1 << 32, 1 << 40])
def test_nothing_is_found_of_a_hash_that_a_block_cannot_hold(offset):
    for count in (1, 100):
        (block,), _ = cut_into_blocks(LO, [(7 << 40, 1, LO + n) for n in range(count)], is_end=True)
        assert find_places(block.content, offset, 1) == []
        assert find_places(block.content, 0, 0) == []
        assert find_places(block.content, 0, 1) == list(range(count))
