"""Who is one person: links in a fixed order, pairs held apart."""

import random

from hypothesis import given
from hypothesis import strategies as st

from lrs.learners.clusters import Edge, Ground, find_clusters, make_edge, make_pair

NAMES = st.sampled_from("abcdefgh")
PAIRS = st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] != pair[1])
EDGES = st.lists(st.tuples(st.sampled_from(Ground), PAIRS).map(lambda one: make_edge(one[0], *one[1])))
APART = st.lists(PAIRS.map(lambda pair: make_pair(*pair)), max_size=6)


def sets(*texts: str) -> list[frozenset[str]]:
    return [frozenset(text) for text in texts]


def test_links_reach_through_others() -> None:
    edges = [make_edge(Ground.HASH, "c", "b"), make_edge(Ground.ROSTER, "a", "b")]
    assert find_clusters("d", edges) == sets("abc", "d")


def test_the_weaker_link_is_left_out_when_it_would_join_what_is_held_apart() -> None:
    edges = [make_edge(Ground.HASH, "a", "b"), make_edge(Ground.PERSON, "b", "c")]
    assert find_clusters("", edges, [("a", "c")]) == sets("a", "bc")


def test_pair_that_is_held_apart_stays_apart_through_long_ways() -> None:
    edges = [make_edge(Ground.ROSTER, one, other) for one, other in ("ab", "bc", "cd", "de")]
    clusters = find_clusters("", edges, [("a", "e")])
    assert clusters == sets("abcd", "e")


@given(EDGES, APART, st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order_of_facts(
    edges: list[Edge], apart: list[tuple[str, str]], shuffle: random.Random
) -> None:
    expected = find_clusters("", edges, apart)
    for facts in (edges, apart):
        shuffle.shuffle(facts)
    assert find_clusters("", edges + edges[:2], apart) == expected


@given(EDGES, APART)
def test_each_identifier_is_in_one_cluster_and_no_pair_that_is_apart_is(
    edges: list[Edge], apart: list[tuple[str, str]]
) -> None:
    clusters = find_clusters("abcdefgh", edges, apart)
    assert sorted(name for cluster in clusters for name in cluster) == list("abcdefgh")
    assert not any({*pair} <= cluster for pair in apart for cluster in clusters)


@given(EDGES)
def test_clusters_are_what_links_reach_when_nothing_is_held_apart(edges: list[Edge]) -> None:
    reached = {name: {name} for name in "abcdefgh"}
    for _ in reached:
        for edge in edges:
            both = reached[edge.one] | reached[edge.other]
            for name in both:
                reached[name] = both
    expected = {frozenset(group) for group in reached.values()}
    assert set(find_clusters("abcdefgh", edges)) == expected


@given(EDGES, APART, PAIRS)
def test_merge_then_split_is_identity(
    edges: list[Edge], apart: list[tuple[str, str]], pair: tuple[str, str]
) -> None:
    before = find_clusters("abcdefgh", edges, apart)
    if any({*pair} <= cluster for cluster in before):
        return
    assert find_clusters("abcdefgh", edges, [*apart, make_pair(*pair)]) == before


@given(EDGES, APART)
def test_a_part_alone_gives_what_the_whole_gives(edges: list[Edge], apart: list[tuple[str, str]]) -> None:
    """Who is touched is worked out from what links reach, not from everything."""
    whole = find_clusters("abcdefgh", edges, apart)
    reach = next(group for group in find_clusters("abcdefgh", edges) if "a" in group)
    inner = [edge for edge in edges if edge.one in reach]
    part = find_clusters(reach, inner, [pair for pair in apart if {*pair} <= reach])
    assert part == [cluster for cluster in whole if cluster <= reach]
