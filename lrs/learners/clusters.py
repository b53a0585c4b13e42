"""Who is one person: identifiers joined by exact links, with pairs that are held apart. Pure.

Links are taken in a fixed order, whatever the order in which they became known, and one that
would join two that are held apart is left out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple


class Ground(IntEnum):
    """Why two identifiers are one person's; a smaller one is taken first."""

    PERSON = 0
    ROSTER = 1
    HASH = 2


class Edge(NamedTuple):
    """Two identifiers of one person, the smaller first."""

    ground: Ground
    one: str
    other: str


Pair = tuple[str, str]
"""Two identifiers that are not one person's, the smaller first."""


def make_edge(ground: Ground, one: str, other: str) -> Edge:
    """Make an edge, whichever of the two is named first."""
    return Edge(ground, min(one, other), max(one, other))


def make_pair(one: str, other: str) -> Pair:
    """Make a pair, whichever of the two is named first."""
    return (min(one, other), max(one, other))


def find_clusters(
    identifiers: Iterable[str], edges: Iterable[Edge], apart: Iterable[Pair] = ()
) -> Sequence[frozenset[str]]:
    """Join identifiers into persons.

    Args:
        identifiers: All that are to stand in a cluster; those of the edges do anyway.
        edges: In any order, any number of times.
        apart: Pairs that are never in one cluster.

    Returns:
        Clusters in order of their smallest identifier; each identifier is in exactly one.
    """
    known = set(edges)
    union = _Union(apart)
    for name in {*identifiers, *(edge.one for edge in known), *(edge.other for edge in known)}:
        union.add(name)
    for edge in sorted(known):
        union.join(edge.one, edge.other)
    return sorted((frozenset(members) for members in union.clusters()), key=min)


class _Union:
    """Clusters that grow; the smaller is always poured into the larger."""

    def __init__(self, apart: Iterable[Pair]) -> None:
        self._members: dict[str, set[str]] = {}
        self._where: dict[str, str] = {}
        self._enemies: defaultdict[str, set[str]] = defaultdict(set)
        for one, other in apart:
            self._enemies[one].add(other)
            self._enemies[other].add(one)

    def add(self, name: str) -> None:
        self._where[name] = name
        self._members[name] = {name}

    def join(self, one: str, other: str) -> None:
        into, out = self._where[one], self._where[other]
        if len(self._members[into]) < len(self._members[out]):
            into, out = out, into
        if into == out or self._are_apart(self._members[out], into):
            return
        for name in self._members[out]:
            self._where[name] = into
        self._members[into] |= self._members.pop(out)

    def _are_apart(self, members: Collection[str], root: str) -> bool:
        return any(
            self._where.get(enemy) == root for name in members for enemy in self._enemies.get(name, ())
        )

    def clusters(self) -> Collection[set[str]]:
        return self._members.values()
