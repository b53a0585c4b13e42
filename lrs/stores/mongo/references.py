"""What statements do to each other: facts that flow along StatementRefs, and voiding.

Whoever projects segment n does this in order of n, may do it twice, and may do it beside
another who does the same: facts are only ever added (``$addToSet``), and ``v``, the
position of the first statement that voids this one, is only ever lowered (``$min``).

Each statement that refers inherits when it arrives, and again when one arrives that it
refers to, directly or not: always from its whole chain, within the port's bounds.

Spec: xAPI 1.0.3 Communication 2.1.4 (references), Data 2.3.2 (voiding).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from bson import Int64

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.keys import statement_id_of, statement_key
from lrs.stores.mongo.segment import Document, Segment
from lrs.stores.mongo.terms import CHECK_BYTES, Terms, heritable
from lrs.xapi.ports import MOST_INHERITED_FACTS, MOST_LINKS

T = TypeVar("T")
_AT_ONCE = 256
"""Statements that are read and written together: with all that they inherit some megabytes."""

_FIELDS = {"k": 1, "q": 1, "ref": 1, "x": 1, "c": 1}


@dataclass(slots=True)
class _Node:
    """A statement as far as references go.

    Attributes:
        own: The terms of its own facts; ``terms`` are all that it is found by.
    """

    id: str
    position: int
    terms: set[int]
    own: Sequence[int]
    target: str | None
    voids: bool


@dataclass(slots=True)
class _Walk:
    """How far the chain of a statement was followed, and what was gathered on the way."""

    node: _Node
    link: str | None
    room: int = MOST_INHERITED_FACTS
    seen: set[str] = field(default_factory=set)
    gathered: set[int] = field(default_factory=set)

    def take(self, link: _Node | None) -> None:
        """Inherit from the next link, or end."""
        self.link = None
        if link is None or link.id in self.seen or len(link.own) > self.room:
            return
        self.room -= len(link.own)
        self.seen.add(link.id)
        self.gathered.update(heritable(link.own))
        self.link = link.target


class References:
    """Spreads facts and voidings from the statements of a segment."""

    def __init__(self, collections: Collections, institution_id: InstitutionId, terms: Terms) -> None:
        """Keep where the statements lie."""
        self._statements = collections.statements
        self._institution_id = institution_id
        self._terms = terms

    def spread(self, segment: Segment) -> None:
        """Bring references and voidings up to date with a segment whose statements stand there."""
        arrived = {entry.id for entry in segment.entries}
        referring = [entry.id for entry in segment.entries if entry.target is not None]
        for some in _cut(referring):
            nodes = list(self._load(some).values())
            self._void(nodes)
            self._inherit(nodes)
        nearer: Collection[str] = arrived
        for distance in range(MOST_LINKS):
            nearer = self._hand_on(nearer, arrived, is_direct=distance == 0)

    def _hand_on(self, targets: Collection[str], arrived: Collection[str], is_direct: bool) -> list[str]:
        """Let those that refer to statements inherit, and return them.

        Who arrived in the same segment has inherited, and whoever refers to it will.
        """
        handed: list[str] = []
        for some in _cut(targets):
            condition = {"t": self._institution_id, "ref": {"$in": list(some)}}
            found = (_node_from(document) for document in self._statements.find(condition, _FIELDS))
            for nodes in _cut(node for node in found if node.id not in arrived):
                if is_direct:
                    self._void(nodes)
                self._inherit(nodes)
                handed += [node.id for node in nodes]
        return handed

    def _inherit(self, nodes: Sequence[_Node]) -> None:
        walks = [_Walk(node, node.target, seen={node.id}) for node in nodes]
        for _ in range(MOST_LINKS):
            links = self._load({walk.link for walk in walks if walk.link is not None})
            if not links:
                break
            for walk in walks:
                if walk.link is not None:
                    walk.take(links.get(walk.link))
        for walk in walks:
            self._write(walk)

    def _write(self, walk: _Walk) -> None:
        missing = walk.gathered - walk.node.terms
        if missing:
            pairs = self._terms.pairs(walk.node.terms | missing)
            added = [Int64(term) for term in (*sorted(missing), *pairs)]
            self._statements.update_one(self._key(walk.node.id), {"$addToSet": {"k": {"$each": added}}})

    def _void(self, nodes: Sequence[_Node]) -> None:
        """Void what statements are to void, where it is there and voids none itself."""
        voidings = [(node, node.target) for node in nodes if node.voids and node.target is not None]
        targets = self._load({target for _, target in voidings})
        for node, target in voidings:
            if target in targets and not targets[target].voids:
                self._statements.update_one(self._key(target), {"$min": {"v": Int64(node.position)}})

    def _key(self, statement_id: str) -> Document:
        return {"t": self._institution_id, "_id": statement_key(self._institution_id, statement_id)}

    def _load(self, ids: Collection[str]) -> Mapping[str, _Node]:
        keys = [statement_key(self._institution_id, one) for one in ids]
        if not keys:
            return {}
        found = self._statements.find({"t": self._institution_id, "_id": {"$in": keys}}, _FIELDS)
        nodes = (_node_from(document) for document in found)
        return {node.id: node for node in nodes}


def _cut(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def own_facts(document: Document) -> int:
    """Return how many facts of its own a statement has: each has a check, and its term stands in front."""
    return len(document["c"]) // CHECK_BYTES


def _node_from(document: Document) -> _Node:
    terms = document["k"]
    return _Node(
        statement_id_of(document["_id"]),
        document["q"],
        set(terms),
        terms[: own_facts(document)],
        document.get("ref"),
        document.get("x", False),
    )
