"""The segment log of one institution, and how far it has been projected.

Segments are dense: 1, 2, 3 … Whoever inserts segment n+1 has committed; ``_id`` decides
between writers. **A segment is never deleted**: a writer that still knows an old n would
then succeed behind every reader.

``applied {_id: t, n, at, refs, total}`` says that everything up to segment n stands in the
collections that pages are read from. Its numbers are only ever raised, by ``$max``: with
compare-and-set one lost update would hold it still for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bson import Int64
from pymongo.errors import DuplicateKeyError, PyMongoError

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import is_transient
from lrs.stores.mongo.gone import check_kept
from lrs.stores.mongo.keys import dense_key, number_of
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.segment import Segment, segment_from

READ_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Applied:
    """Everything up to a segment is visible.

    Attributes:
        n: The segment; 0 before the first.
        at_us: Its instant.
        refers: Whether some segment up to n held a statement that refers to another.
        total: How many statements the segments up to n hold.
        dropped: The institution was taken away: nothing is visible, and nothing will be.
    """

    n: int
    at_us: int
    refers: bool
    total: int = 0
    dropped: bool = False


class SegmentLog:
    """Reads, extends and follows the log."""

    def __init__(self, collections: Collections, institution_id: InstitutionId) -> None:
        """Keep where it lies."""
        self._collections = collections
        self._log = collections.log
        self._applied = collections.applied
        self._institution_id = institution_id

    def insert(self, segment: Segment, patience: Patience) -> Sequence[Segment]:
        """Try to commit a segment; return nothing when it stands there, else what does, and what is behind.

        When the key is taken, or the outcome is unknown, what stands there is read back:
        our token means done, another's means lost, nothing means the identical document
        again at the same place, never at the next one.

        Raises:
            StoreUnavailable: Patience ended; the segment may still land later.
        """
        document = segment.to_document(self._institution_id)
        while True:
            failure: PyMongoError | None = None
            try:
                self._log.insert_one(document)
            except DuplicateKeyError as error:
                failure = error
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                failure = error
            else:
                return ()
            found = patience.until_answered(lambda: self.read_ahead(segment.n - 1))
            if found:
                return () if found[0].token == segment.token else found
            patience.rest(failure)

    def read(self, numbers: Iterable[int]) -> list[Segment]:
        """Return segments of rising numbers, up to the first that is missing."""
        wanted = list(numbers)
        keys = [dense_key(self._institution_id, n) for n in wanted]
        found = self._log.find({"_id": {"$in": keys}} if len(keys) > 1 else {"_id": keys[0]}).sort("_id", 1)
        segments: list[Segment] = []
        for n, document in zip(wanted, found, strict=False):
            if number_of(document["_id"]) != n:
                break
            segments.append(segment_from(document))
        return segments

    def read_ahead(self, n: int) -> list[Segment]:
        """Return the segments right behind one, at most sixteen."""
        return self.read(range(n + 1, n + 1 + READ_AHEAD))

    def instants(self, numbers: Iterable[int]) -> dict[int, int]:
        """Return the instants of segments."""
        keys = [dense_key(self._institution_id, n) for n in numbers]
        found = self._log.find({"_id": {"$in": keys}}, {"at": 1})
        return {number_of(document["_id"]): document["at"] for document in found}

    def applied(self) -> Applied:
        """Return how far everything is visible."""
        found = self._applied.find_one({"_id": self._institution_id})
        if found is None:
            return Applied(0, 0, refers=False)
        return Applied(found["n"], found["at"], bool(found["refs"]), found["total"], "dropped" in found)

    def applied_to_write(self) -> Applied:
        """Return how far everything is visible, to whoever is about to write.

        Raises:
            NotFound: The institution was taken away.
        """
        applied = self.applied()
        if applied.dropped:
            check_kept(self._collections, self._institution_id)
        return applied

    def raise_applied(self, reached: Applied) -> None:
        """Say that everything up to a segment is visible; never lowers it. Safe to repeat.

        Raises:
            NotFound: The institution was taken away, and so was what the segment brought.
        """
        ours = {"_id": self._institution_id, "dropped": {"$exists": False}}
        numbers = {
            "n": Int64(reached.n),
            "at": Int64(reached.at_us),
            "refs": int(reached.refers),
            "total": Int64(reached.total),
        }
        while True:
            try:
                self._applied.update_one(ours, {"$max": numbers}, upsert=True)
            except DuplicateKeyError:
                # Two upserts met on the first document, and the next try updates it; or it is marked.
                check_kept(self._collections, self._institution_id)
                continue
            return
