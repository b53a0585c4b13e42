"""Receipts and refusals of one institution.

Receipts are projected from the log: a segment says what became of each batch in it, also
of one that brought nothing new. Refusals change nothing that anybody else must see, so
each is one insert. Both are cut by number and age now and then on the way; what is past
the bounds is not shown meanwhile.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Sequence

from bson import Int64
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.errors import Problem
from lrs.stores import StoreOptions
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import only_duplicates, translated
from lrs.stores.mongo.gone import remove_late
from lrs.stores.mongo.keys import position_of
from lrs.stores.mongo.segment import Document, Segment
from lrs.xapi.ports import StatementId
from lrs.xapi.ports.arrivals import Receipt, ReceiptCount, Refusal, RefusalCount

_DAY_US = 86_400_000_000
_CUT_EVERY = 50
_BEFORE_SEGMENTS = 1 << 62
_MOST_PROBLEMS = 20
_LONGEST_MESSAGE = 200


class BoundedPile:
    """Documents ``{t, source, at, o, …}`` of which the latest of each source are kept.

    Args:
        collection: Where they lie.
        institution_id: Whose.
        options: The bounds and the clock.
        order: What newest means: field names, most telling first.
    """

    def __init__(
        self,
        collection: Collection[Document],
        institution_id: InstitutionId,
        options: StoreOptions,
        order: Sequence[str],
    ) -> None:
        """Start counting for the first cut."""
        self._documents = collection
        self._institution_id = institution_id
        self._options = options
        self._order = [(field, -1) for field in order]
        self._added: Counter[str] = Counter()
        self._lock = threading.Lock()

    def latest(self, source: str, limit: int) -> list[Document]:
        """Return the latest documents of a source that are within the bounds, newest first."""
        asked = {"t": self._institution_id, "source": source, "at": {"$gt": self._oldest()}}
        found = self._documents.find(asked).sort(self._order)
        return list(found.limit(min(limit, self._options.arrivals_kept)))

    def latest_of_all(self, limit: int) -> list[Document]:
        """Return the latest documents of all sources, newest first; no more than are kept of one."""
        found = self._documents.find(self._recent()).sort(self._order)
        return list(found.limit(min(limit, self._options.arrivals_kept)))

    def count(self, by: Sequence[str], fields: Sequence[str], sums: Document) -> list[Document]:
        """Count what is shown of every source, by source and day.

        Args:
            by: More fields to tell apart by.
            fields: Those that are needed besides.
            sums: More to make of each group, by name; ``$e`` is the document.

        Returns:
            Documents with the fields counted by, ``day``, ``count``, ``last`` and what ``sums`` names.
        """
        shown = {field: f"${field}" for field in ("at", *by, *fields)}
        day = {"$subtract": ["$e.at", {"$mod": ["$e.at", _DAY_US]}]}
        alike = {"source": "$_id", "day": day} | {field: f"$e.{field}" for field in by}
        groups = self._documents.aggregate(
            [
                {"$match": self._recent()},
                {"$sort": {"source": 1} | dict(self._order)},
                {"$group": {"_id": "$source", "e": {"$push": shown}}},
                {"$project": {"e": {"$slice": ["$e", self._options.arrivals_kept]}}},
                {"$unwind": "$e"},
                {"$group": {"_id": alike, "count": {"$sum": 1}, "last": {"$max": "$e.at"}, **sums}},
            ]
        )
        return [{**one, **one["_id"], "day": one["_id"]["day"] // _DAY_US} for one in groups]

    def _recent(self) -> Document:
        return {"t": self._institution_id, "at": {"$gt": self._oldest()}}

    def note_added(self, source: str) -> None:
        """Count an addition; every fiftieth of a source cuts what is past the bounds."""
        with self._lock:
            self._added[source] += 1
            due = self._added[source] % _CUT_EVERY == 1
        if due:
            self._cut(source)

    def _cut(self, source: str) -> None:
        mine = {"t": self._institution_id, "source": source}
        self._documents.delete_many({**mine, "at": {"$lte": self._oldest()}})
        kept = self._options.arrivals_kept
        beyond = self._documents.find(mine, {"_id": 1}).sort(self._order).skip(kept)
        keys = [document["_id"] for document in beyond]
        if keys:
            self._documents.delete_many({"_id": {"$in": keys}})

    def _oldest(self) -> int:
        return self._options.clock() - self._options.arrivals_days * _DAY_US


class Receipts:
    """The receipts of one institution, as the projector writes them."""

    def __init__(
        self, collections: Collections, institution_id: InstitutionId, options: StoreOptions
    ) -> None:
        """Keep where they lie."""
        self._receipts = collections.receipts
        self._institution_id = institution_id
        self.pile = BoundedPile(collections.receipts, institution_id, options, order=("o",))

    def put(self, segment: Segment) -> None:
        """Write the receipts of a segment; safe to repeat."""
        if not segment.receipts:
            return
        documents: list[Document] = [
            {
                "_id": f"{self._institution_id}:{segment.n}.{index}",
                "t": self._institution_id,
                "source": receipt.source,
                "at": Int64(segment.at_us),
                "o": Int64(position_of(segment.n, index)),
                "stored": receipt.stored,
                "already": receipt.already,
                "first_id": receipt.first_id,
                "corrected": receipt.corrected,
            }
            for index, receipt in enumerate(segment.receipts)
        ]
        try:
            self._receipts.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
        for receipt in segment.receipts:
            self.pile.note_added(receipt.source)

    def keep(self, receipts: Sequence[Receipt], first: int) -> None:
        """Keep receipts of another store as they are, older than all that a segment brings; for a restore.

        Args:
            receipts: Oldest first.
            first: How many were kept so before.
        """
        documents: list[Document] = [
            {
                "_id": f"{self._institution_id}:0.{number}",
                "t": self._institution_id,
                "source": one.source,
                "at": Int64(one.at_us),
                "o": Int64(number - _BEFORE_SEGMENTS),
                "stored": one.stored,
                "already": one.already,
                "first_id": one.first_id,
                "corrected": one.corrected,
            }
            for number, one in enumerate(receipts, first)
        ]
        self._receipts.insert_many(documents, ordered=False)


class MongoArrivalStore:
    """The ArrivalStore of one institution on MongoDB."""

    def __init__(
        self,
        collections: Collections,
        institution_id: InstitutionId,
        options: StoreOptions,
        receipts: Receipts,
    ) -> None:
        """Keep where they lie."""
        self._collections = collections
        self._refusals = collections.refusals
        self._institution_id = institution_id
        self._options = options
        self._receipt_pile = receipts.pile
        self._refusal_pile = BoundedPile(collections.refusals, institution_id, options, order=("at", "o"))
        self._counter = itertools.count()

    @translated()
    def add_refusal(self, refusal: Refusal) -> None:
        """Keep a refusal, durable when it returns."""
        document = _refusal_document(refusal)
        document["_id"] = f"{self._institution_id}:{self._options.random_bytes(12).hex()}"
        document["t"] = self._institution_id
        document["o"] = next(self._counter)
        try:
            self._refusals.insert_one(document)
        except DuplicateKeyError:
            return  # The driver sent it twice because the first answer was lost.
        remove_late(self._collections, self._institution_id)
        self._refusal_pile.note_added(refusal.source)

    @translated()
    def list_receipts(self, source: str, limit: int) -> Sequence[Receipt]:
        """Return the latest receipts of a source, newest first."""
        return [_receipt_from(one) for one in self._receipt_pile.latest(source, limit)]

    @translated()
    def list_refusals(self, source: str | None, limit: int) -> Sequence[Refusal]:
        """Return the latest refusals of a source, or of all, newest first."""
        pile = self._refusal_pile
        found = pile.latest_of_all(limit) if source is None else pile.latest(source, limit)
        return [_refusal_from(document) for document in found]

    @translated()
    def count_receipts(self, after_us: int) -> Sequence[ReceiptCount]:
        """Count the receipts of all sources, by source and day."""
        fields = ("stored", "already", "corrected")
        later = {"$cond": [{"$gt": ["$e.at", after_us]}, 1, 0]}
        sums = {field: {"$sum": f"$e.{field}"} for field in fields} | {"later": {"$sum": later}}
        return [
            ReceiptCount(
                one["source"],
                one["day"],
                one["count"],
                one["stored"],
                one["already"],
                one["corrected"],
                one["last"],
                one["later"],
            )
            for one in self._receipt_pile.count((), fields, sums)
        ]

    @translated()
    def count_refusals(self) -> Sequence[RefusalCount]:
        """Count the refusals of all sources, by what they have in common."""
        return [
            RefusalCount(one["source"], one["day"], one["method"], one["status"], one["count"], one["last"])
            for one in self._refusal_pile.count(("method", "status"), (), {})
        ]


def _receipt_from(document: Document) -> Receipt:
    return Receipt(
        document["source"],
        document["at"],
        document["stored"],
        document["already"],
        StatementId(document["first_id"]),
        document.get("corrected", 0),
    )


_PLAIN = ("source", "error_id", "method", "status", "code", "detail", "problem_count", "body_bytes")


def _refusal_document(refusal: Refusal) -> Document:
    document: Document = {field: getattr(refusal, field) for field in _PLAIN}
    document["at"] = Int64(refusal.at_us)
    document["problems"] = [
        [problem.path, problem.rule, problem.message[:_LONGEST_MESSAGE], problem.spec]
        for problem in refusal.problems[:_MOST_PROBLEMS]
    ]
    return document


def _refusal_from(document: Document) -> Refusal:
    problems = tuple(Problem(*problem) for problem in document["problems"])
    plain = {field: document[field] for field in _PLAIN}
    return Refusal(at_us=document["at"], problems=problems, **plain)
