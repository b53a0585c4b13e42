"""One page: which rows to ask MongoDB for, and which of them to believe.

A page reads ``applied`` first and never looks behind it, so it meets whole segments only.
Each row is compared with what was asked before it is served (terms may collide), and the
page is filled up again.

Spec: xAPI 1.0.3 Communication 2.1.3, 2.1.4.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bson import Int64

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.instants import first_segment_at_or_after
from lrs.stores.mongo.keys import INDEX_BITS, first_position_after, statement_key
from lrs.stores.mongo.log import SegmentLog
from lrs.stores.mongo.references import own_facts
from lrs.stores.mongo.segment import Document
from lrs.stores.mongo.terms import MANY_PAIRS, Terms, holds_check, is_paired
from lrs.xapi.ports import MOST_INHERITED_FACTS, MOST_LINKS, Filter, StatementQuery

_COUNT_LIMIT = 1000
_FIELDS = {"q": 1, "s": 1, "v": 1, "z": 1, "b": 1, "c": 1, "ref": 1, "k": 1}


@dataclass(frozen=True, slots=True)
class _Driver:
    """The condition that the index is walked by, and what it stands for.

    Attributes:
        terms: One of these must be there.
        pair: Whether it is a pair of two filters.
    """

    terms: tuple[int, ...]
    pair: bool

    def condition(self) -> object:
        """Return what the field ``k`` must meet."""
        if len(self.terms) == 1:
            return Int64(self.terms[0])
        return {"$in": [Int64(term) for term in self.terms]}


class PageReader:
    """Answers queries of one institution with rows in order."""

    def __init__(self, collections: Collections, institution_id: InstitutionId, terms: Terms) -> None:
        """Keep where everything lies."""
        self._statements = collections.statements
        self._institution_id = institution_id
        self._terms = terms
        self._log = SegmentLog(collections, institution_id)

    def rows(self, query: StatementQuery, wanted: int) -> list[Document]:
        """Return the first rows that meet a query, at most ``wanted``."""
        condition = self._condition(query)
        order = 1 if query.ascending else -1
        terms = [frozenset(self._terms.of_filter(one)) for one in query.filters]
        rows: list[Document] = []
        while condition is not None and len(rows) < wanted:
            asked = wanted - len(rows)
            found = list(self._statements.find(condition, _FIELDS).sort("q", order).limit(asked))
            holding = [row for row in found if all(one.intersection(row["k"]) for one in terms)]
            rows += self._believed(holding, query.filters)
            if len(found) < asked:
                break
            side = "$gt" if query.ascending else "$lt"
            condition["q"] = {**condition["q"], side: Int64(found[-1]["q"])}
        return rows

    def _condition(self, query: StatementQuery) -> Document | None:
        """Return the condition on rows; None where no row can meet it."""
        applied = self._log.applied()
        low, high = self._range(query, applied.n)
        if low + 1 >= high:
            return None
        condition: Document = {
            "t": self._institution_id,
            "q": {"$gt": Int64(low), "$lt": Int64(high)},
            # Not voided by anything that this page may already tell about.
            "v": {"$gte": Int64(first_position_after(applied.n))},
        }
        stored = _stored_range(query)
        if stored:
            condition["s"] = stored
        return {**condition, **self._term_conditions(query.filters)}

    def _range(self, query: StatementQuery, last: int) -> tuple[int, int]:
        """Return the positions between which to look, neither included."""
        low, high = 0, first_position_after(last)
        if query.since_us is not None:
            low = (first_segment_at_or_after(self._log, last, query.since_us + 1) << INDEX_BITS) - 1
        if query.until_us is not None:
            until = first_segment_at_or_after(self._log, last, query.until_us)
            high = min(high, first_position_after(until))
        if query.after is not None and query.ascending:
            low = max(low, query.after)
        if query.after is not None and not query.ascending:
            high = min(high, query.after)
        return low, high

    def _term_conditions(self, filters: Sequence[Filter]) -> Document:
        """Return the conditions on terms, the rarest first: by that the index is walked.

        Behind a pair nothing more is asked of the server: it might walk by that instead.
        """
        if not filters:
            return {}
        drivers = list(self._drivers(filters))
        driver = min(drivers, key=self._count) if len(drivers) > 1 else drivers[0]
        if driver.pair or len(filters) == 1:
            return {"k": driver.condition()}
        singles = [_Driver(self._terms.of_filter(one), pair=False) for one in filters]
        others = [single for single in singles if single != driver]
        return {"$and": [{"k": one.condition()} for one in (driver, *others)]}

    def _drivers(self, filters: Sequence[Filter]) -> Iterator[_Driver]:
        paired = False
        for index, one in enumerate(filters):
            for other in filters[index + 1 :]:
                if is_paired(one.kind, other.kind) and not one.related and not other.related:
                    paired = True
                    (first,), (second,) = self._terms.of_filter(one), self._terms.of_filter(other)
                    yield _Driver((self._terms.pair(first, second), MANY_PAIRS), pair=True)
        if not paired:
            for one in filters:
                yield _Driver(self._terms.of_filter(one), pair=False)

    def _count(self, driver: _Driver) -> int:
        condition: Document = {"t": self._institution_id, "k": driver.condition()}
        return self._statements.count_documents(condition, limit=_COUNT_LIMIT)

    def _believed(self, rows: Sequence[Document], filters: Sequence[Filter]) -> list[Document]:
        """Drop rows that only collide with what was asked: neither they nor their targets hold it."""
        for one in filters:
            wanted = self._terms.checks_of_filter(one)
            held = self._holders(rows, wanted)
            rows = [row for row in rows if row["_id"] in held]
        return list(rows)

    def _holders(self, rows: Sequence[Document], wanted: Sequence[bytes]) -> set[str]:
        """Return the keys of the rows that hold a check, themselves or along their chain."""
        held: set[str] = set()
        # By the key of the link that is looked at: the rows whose chains lead there, and what they may
        # still inherit. A statement that is met again brings nothing new.
        links = {row["_id"]: {row["_id"]: MOST_INHERITED_FACTS + own_facts(row)} for row in rows}
        documents: Sequence[Document] = rows
        for _ in range(MOST_LINKS + 1):
            following: dict[str, dict[str, int]] = {}
            for document in documents:
                facts = own_facts(document)
                rooms = links[document["_id"]].items()
                starts = {start: room - facts for start, room in rooms if start not in held and room >= facts}
                if holds_check(bytes(document["c"]), wanted):
                    held.update(starts)
                elif "ref" in document:
                    target = statement_key(self._institution_id, document["ref"])
                    following.setdefault(target, {}).update(starts)
            links = {target: starts for target, starts in following.items() if starts}
            documents = self._linked(links) if links else []
        return held

    def _linked(self, keys: Iterable[str]) -> list[Document]:
        condition = {"t": self._institution_id, "_id": {"$in": list(keys)}}
        return list(self._statements.find(condition, {"c": 1, "ref": 1}))


def _stored_range(query: StatementQuery) -> Document:
    stored: Document = {}
    if query.since_us is not None:
        stored["$gt"] = Int64(query.since_us)
    if query.until_us is not None:
        stored["$lte"] = Int64(query.until_us)
    return stored
