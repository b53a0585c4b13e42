"""What statements do to each other: facts that flow along StatementRefs, and voiding.

Whoever projects segment n does this in order of n, may do it twice, and may do it beside
another who does the same: facts are only ever added (``$addToSet``), and ``v``, the
position of the first statement that voids this one, is only ever lowered (``$min``).

Spec: xAPI 1.0.3 Communication 2.1.4 (references), Data 2.3.2 (voiding).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bson import Int64

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.keys import statement_id_of, statement_key
from lrs.stores.mongo.segment import Document, Segment
from lrs.stores.mongo.terms import Terms, heritable

MOST_TERMS = 200_000
"""A statement inherits no more than this: its document must stay below 16 MB, or whoever
projects it would fail for ever. Only a chain of statements with crowds in them gets there."""

_FIELDS = {"k": 1, "q": 1, "ref": 1, "x": 1}


@dataclass(slots=True)
class _Node:
    """A statement as far as references go."""

    id: str
    position: int
    terms: set[int]
    target: str | None
    voids: bool


class References:
    """Spreads facts and voidings from the statements of a segment."""

    def __init__(self, collections: Collections, institution_id: InstitutionId, terms: Terms) -> None:
        """Keep where the statements lie."""
        self._statements = collections.statements
        self._institution_id = institution_id
        self._terms = terms

    def spread(self, segment: Segment) -> None:
        """Bring references and voidings up to date with a segment whose statements stand there."""
        referring = [entry.id for entry in segment.entries if entry.target is not None]
        if referring:
            self._pull(referring)
        arrived: Sequence[str] = [entry.id for entry in segment.entries]
        while arrived:
            arrived = self._push(self._load(arrived))

    def _pull(self, ids: Sequence[str]) -> None:
        """Let new statements inherit from, and void, what was there before them."""
        nodes = self._load(ids)
        targets = self._load({node.target for node in nodes.values() if node.target is not None})
        self._relate(nodes.values(), targets)

    def _push(self, targets: Mapping[str, _Node]) -> list[str]:
        """Let those that refer to statements inherit; return those that grew by it.

        Breadth first, and only what grew goes on: in a cycle nothing grows for ever.
        """
        found = self._statements.find({"t": self._institution_id, "ref": {"$in": list(targets)}}, _FIELDS)
        return self._relate([_node_from(document) for document in found], targets)

    def _relate(self, nodes: Iterable[_Node], targets: Mapping[str, _Node]) -> list[str]:
        grown = []
        for node in nodes:
            target = targets.get(node.target or "")
            if target is None:
                continue
            if node.voids and not target.voids:
                self._void(target, node)
            if self._inherit(node, target):
                grown.append(node.id)
        return grown

    def _inherit(self, node: _Node, target: _Node) -> bool:
        room = MOST_TERMS - len(node.terms)
        missing = sorted(set(heritable(target.terms)) - node.terms)[: max(0, room)]
        if not missing:
            return False
        node.terms.update(missing)
        added = [*missing, *self._terms.pairs(node.terms)]
        self._statements.update_one(
            {"t": self._institution_id, "_id": statement_key(self._institution_id, node.id)},
            {"$addToSet": {"k": {"$each": [Int64(term) for term in added]}}},
        )
        return True

    def _void(self, target: _Node, voider: _Node) -> None:
        self._statements.update_one(
            {"t": self._institution_id, "_id": statement_key(self._institution_id, target.id)},
            {"$min": {"v": Int64(voider.position)}},
        )

    def _load(self, ids: Iterable[str]) -> dict[str, _Node]:
        keys = [statement_key(self._institution_id, one) for one in ids]
        found = self._statements.find({"t": self._institution_id, "_id": {"$in": keys}}, _FIELDS)
        nodes = (_node_from(document) for document in found)
        return {node.id: node for node in nodes}


def _node_from(document: Document) -> _Node:
    return _Node(
        statement_id_of(document["_id"]),
        document["q"],
        set(document["k"]),
        document.get("ref"),
        document.get("x", False),
    )
