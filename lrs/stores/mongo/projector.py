"""Fills what pages are read from, out of the log, in order of segments.

Everything here may be done again, and beside another process that does the same: rows are
inserted with duplicates ignored, references and voidings only grow, a history entry and a
receipt have keys of their own, an activity knows which segment changed it last.
"""

from collections.abc import Iterable, Sequence

from bson import Int64
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.activities import Definitions
from lrs.stores.mongo.arrivals import Receipts
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import only_duplicates
from lrs.stores.mongo.history import Change, History, json_text
from lrs.stores.mongo.keys import NEVER, position_of, statement_key
from lrs.stores.mongo.log import Applied, SegmentLog
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.references import References
from lrs.stores.mongo.segment import Document, Segment
from lrs.stores.mongo.terms import Terms

_STEP = 16


class Projector:
    """Projects the segments of one institution and raises ``applied`` behind itself."""

    def __init__(
        self,
        collections: Collections,
        institution_id: InstitutionId,
        terms: Terms,
        receipts: Receipts,
        definitions: Definitions,
    ) -> None:
        """Keep where everything lies."""
        self._institution_id = institution_id
        self._statements = collections.statements
        self._terms = terms
        self._log = SegmentLog(collections, institution_id)
        self._references = References(collections, institution_id, terms)
        self._history = History(collections, institution_id)
        self._receipts = receipts
        self._definitions = definitions

    @property
    def definitions(self) -> Definitions:
        """What merges activity definitions."""
        return self._definitions

    def catch_up(self, patience: Patience, upto: int | None = None) -> Applied:
        """Project what lies past ``applied``, whoever wrote it; return how far it now goes.

        Args:
            patience: How long to go on trying.
            upto: A segment that is enough; None goes to the end of the log.
        """
        reached = patience.until_answered(self._log.applied_to_write)
        while upto is None or reached.n < upto:
            following = range(reached.n + 1, reached.n + 1 + _STEP)
            segments = patience.until_answered(lambda: self._log.read(following))  # noqa: B023 - called at once
            if not segments:
                break
            reached = self.apply(segments, reached, patience)
        return reached

    def apply(self, segments: Sequence[Segment], before: Applied, patience: Patience) -> Applied:
        """Project segments that follow each other, then raise ``applied`` to the last.

        Args:
            segments: In order, the first no later than right behind ``before``.
            before: Up to here all is known to be visible; what it covers is skipped.
            patience: How long to go on trying.
        """
        reached = before
        for segment in segments:
            if segment.n > reached.n:
                refers = reached.refers or any(entry.target is not None for entry in segment.entries)
                reached = Applied(segment.n, segment.at_us, refers, segment.total)
                patience.until_answered(lambda: self._project(segment, reached.refers, patience))  # noqa: B023 - called at once
            else:
                self._definitions.pass_over(segment)
        if reached.n > before.n:
            patience.until_answered(lambda: self._log.raise_applied(reached))
        return reached

    def _project(self, segment: Segment, refers: bool, patience: Patience) -> None:
        rows = (self._row(segment, index) for index in range(len(segment.entries)))
        insert_missing(self._statements, rows)
        # Where nobody ever referred to a statement there is nobody to look for.
        if refers and segment.entries:
            self._references.spread(segment)
        self._history.record(list(_voidings(segment)), patience)
        self._definitions.project(segment)
        self._receipts.put(segment)

    def _row(self, segment: Segment, index: int) -> Document:
        entry = segment.entries[index]
        terms = [*entry.terms, *self._terms.pairs(entry.terms)]
        row: Document = {
            "_id": statement_key(self._institution_id, entry.id),
            "t": self._institution_id,
            "q": Int64(position_of(segment.n, index)),
            "s": Int64(segment.stored_at_us(index)),
            "fp": entry.fingerprint,
            "k": [Int64(term) for term in terms],
            "c": entry.checks,
            "v": Int64(NEVER),
            "z": entry.dictionary,
            "b": entry.blob,
        }
        if entry.target is not None:
            row |= {"ref": entry.target, "x": entry.voids}
        return row


def insert_missing(collection: Collection[Document], rows: Iterable[Document]) -> None:
    """Insert documents, leaving those whose key is there already."""
    documents = list(rows)
    if not documents:
        return
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise


def _voidings(segment: Segment) -> Iterable[Change]:
    for index, entry in enumerate(segment.entries):
        if entry.voids and entry.target is not None:
            yield Change(
                source=f"{segment.n}.{index}",
                kind="statement.voided",
                subject=entry.target,
                before=None,
                after=json_text({"by": entry.id}),
                at_us=segment.stored_at_us(index),
            )
