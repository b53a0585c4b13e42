"""Looking at everything in the database: is the log whole, and is what pages read from what it says.

Everything is looked at as far as ``applied`` goes when the check of an institution begins;
what is being written meanwhile is left to the next check.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.ports import AccessStore
from lrs.errors import CorruptRecord, StoreError, StoreUnavailable
from lrs.stores.checking import (
    iter_access_faults,
    iter_attachment_faults,
    iter_definition_faults,
    iter_document_faults,
    iter_entry_faults,
    iter_orphan_faults,
    where,
)
from lrs.stores.definitions import unpack_definition
from lrs.stores.mongo.activities import activity_key
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.gone import has_anything
from lrs.stores.mongo.history import is_recorded, segment_in
from lrs.stores.mongo.keys import dense_key, number_of, position_of, statement_key
from lrs.stores.mongo.log import Applied, SegmentLog
from lrs.stores.mongo.recorded_checks import RecordedCheck
from lrs.stores.mongo.segment import Document, Segment
from lrs.stores.mongo.statement_checks import StatementCheck, Voidings
from lrs.stores.moving import UNREADABLE, Fault, Looked
from lrs.tables.recorded import COMMONS
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.attachments import AttachmentContent

if TYPE_CHECKING:
    from lrs.stores.mongo.records import MongoRecordStores

_STEP = 16
_ALL = 1 << 31
_COPIED = ("fp", "c", "z", "b")

Faults = Iterator[Fault | Looked]


class StoreCheck:
    """Checks a whole database."""

    def __init__(self, collections: Collections, records: "MongoRecordStores", access: AccessStore) -> None:
        """Take the parts of the store."""
        self._collections = collections
        self._records = records
        self._access = access

    def run(self) -> Faults:
        """Look at one part after the other; where one cannot be read to its end, go on with the next."""
        yield from self._guarded("access", lambda: iter_access_faults(self._access))
        yield from self._guarded("institutions", self._institutions)

    def _institutions(self) -> Faults:
        yield from iter_orphan_faults(self._access, self._owned())
        with translated():
            found = {InstitutionId(one["_id"]): "dropped" in one for one in self._collections.applied.find()}
        made = {one.id for one in self._access.list_institutions()}
        for one in (one for one, dropped in found.items() if dropped):
            yield from self._guarded(where(one, "removal"), lambda: self._check_gone(one, one in made))  # noqa: B023 - called at once
        kept = {one for one, dropped in found.items() if not dropped} | made | {COMMONS.institution_id}
        for one in sorted(kept):
            yield from self._guarded(where(one, "applied"), lambda: self._institution(one))  # noqa: B023 - as above

    def _institution(self, institution_id: InstitutionId) -> Faults:
        check = _InstitutionCheck(self._collections, self._records, institution_id)
        for name, part in check.parts():
            yield from self._guarded(where(institution_id, name), part)

    def _owned(self) -> list[tuple[InstitutionId, str]]:
        """Return what names an institution: what was taken away or is everybody's does not count."""
        all_ = self._collections
        own = "institution_id"
        places = [("client", all_.clients, own), ("key", all_.keys, own), ("issuer", all_.issuers, own)]
        places += [("destination", all_.destinations, "institution")]
        found = [
            (InstitutionId(one[field]), f"{what} {one['_id']}")
            for what, collection, field in places
            for one in collection.find({field: {"$ne": None}}, {field: 1})
        ]
        kept = all_.applied.find({"dropped": {"$exists": False}}, {"_id": 1})
        held = {InstitutionId(one["_id"]) for one in kept} - {COMMONS.institution_id}
        return found + [(one, "records") for one in sorted(held)]

    def _check_gone(self, institution_id: InstitutionId, unfinished: bool) -> Faults:
        """See that of an institution that was taken away nothing is left."""
        if unfinished or has_anything(self._collections, institution_id):
            what = "It was to be taken away, and not all of it is gone; repeat that."
            yield Fault("institution", institution_id, what)

    def _guarded(self, name: str, part: Callable[[], Faults]) -> Faults:
        """Let a part that cannot be read be one fault; a database that is away ends the check."""
        try:
            with translated():
                yield from part()
        except StoreUnavailable:
            raise
        except StoreError as error:
            yield Fault("unreadable", name, error.detail)
        except UNREADABLE as error:
            yield Fault("unreadable", name, f"It cannot be read to its end: {error!r}")


class _InstitutionCheck:
    """Checks one institution."""

    def __init__(
        self, collections: Collections, records: "MongoRecordStores", institution_id: InstitutionId
    ) -> None:
        self._collections = collections
        self._records = records
        self._id = institution_id
        self._handle = InstitutionHandle(institution_id)
        self._log = SegmentLog(collections, institution_id)
        with translated():
            self._applied = self._log.applied()
        self._voidings = Voidings(collections, institution_id, self._applied.n)

    def parts(self) -> list[tuple[str, Callable[[], Faults]]]:
        """Return what to look at, by name."""
        statements = StatementCheck(self._collections, self._records, self._handle, self._voidings)
        return [
            ("log", self._check_log),
            ("statements", lambda: statements.run(self._applied)),
            ("history", self._check_history),
            ("recorded values", RecordedCheck(self._collections, self._id).run),
            ("documents", self._check_documents),
            ("attachments", self._check_attachments),
            ("activities", self._check_activities),
            ("refusals", self._check_refusals),
        ]

    def _check_log(self) -> Faults:
        """See that segments are dense, rise, add up, stand in the projection, and reach to ``applied``."""
        before = Applied(0, 0, refers=False)
        while segments := self._log.read(range(before.n + 1, before.n + 1 + _STEP)):
            for segment in segments:
                yield from self._segment(segment, before)
                before = Applied(segment.n, segment.at_us, before.refers, segment.total)
            yield from self._projection([one for one in segments if one.n <= self._applied.n])
        beyond = {"_id": {"$gt": dense_key(self._id, before.n), "$lt": f"{self._id};"}}
        behind = self._collections.log.find_one(beyond, {"_id": 1})
        # A segment written since the last look is right behind; anything further leaves a gap.
        if behind is not None and number_of(behind["_id"]) > before.n + 1:
            yield Fault("log", where(self._id, "log"), f"Segment {before.n + 1} is missing.")
        if self._applied.n > before.n:
            what = f"It says that segment {self._applied.n} is visible; the log ends at {before.n}."
            yield Fault("applied", where(self._id, "applied"), what)

    def _segment(self, segment: Segment, before: Applied) -> Faults:
        here = where(self._id, f"segment {segment.n}")
        first = segment.stored_at_us(0) if segment.entries else segment.at_us
        if first <= before.at_us:
            yield Fault("order", here, "It is stored at or before the segment in front of it.")
        if not segment.thinned and segment.total != before.total + len(segment.entries):
            yield Fault("total", here, f"It counts {segment.total} statements, not those up to it.")
        mine = (segment.at_us, segment.total)
        if segment.n == self._applied.n and mine != (self._applied.at_us, self._applied.total):
            yield Fault("applied", where(self._id, "applied"), "It does not agree with its segment.")

    def _projection(self, segments: list[Segment]) -> Faults:
        """See that each entry of the log stands among the statements as it should."""
        keys = [statement_key(self._id, entry.id) for segment in segments for entry in segment.entries]
        asked = {"t": self._id, "_id": {"$in": keys}}
        rows = {row["_id"]: row for row in self._collections.statements.find(asked)}
        for segment in segments:
            for index, entry in enumerate(segment.entries):
                row = rows.get(statement_key(self._id, entry.id))
                if row is None:
                    yield Fault("projection", where(self._id, entry.id), "The log has it, the pages do not.")
                elif not self._is_projected(segment, index, row):
                    yield Fault("projection", where(self._id, entry.id), "It is not what the log says.")

    def _is_projected(self, segment: Segment, index: int, row: Document) -> bool:
        entry = segment.entries[index]
        said = entry.to_document()
        return (
            row["q"] == position_of(segment.n, index)
            and row["s"] == segment.stored_at_us(index)
            and all(row[name] == said[name] for name in _COPIED)
            and set(said["k"]) <= set(row["k"])
            and (row.get("ref"), row.get("x", False)) == (entry.target, entry.voids)
        )

    def _check_history(self) -> Faults:
        """See that the history is dense, and has one entry for each voiding statement."""
        expected = self._voidings.by_source()
        mine = {"_id": {"$gt": f"{self._id}:", "$lt": f"{self._id};"}}
        for number, row in enumerate(self._collections.history.find(mine).sort("_id", 1), 1):
            here = where(self._id, f"history {number_of(row['_id'])}")
            if number_of(row["_id"]) != number:
                yield Fault("history", here, f"Entry {number} is missing in front of it.")
                return
            yield from iter_entry_faults(self._id, number, row["before"], row["after"])
            if is_recorded(row):
                continue
            if segment_in(row) > self._applied.n:
                break
            if row["kind"] == "statement.voided" and expected.pop(row["src"], None) != _said(row):
                what = f"No statement voids {row['subject']} as this entry says."
                yield Fault("history", here, what)
        for target, by, _ in expected.values():
            yield Fault(
                "history", where(self._id, by), f"It voids {target}, and the history does not say so."
            )

    def _check_refusals(self) -> Faults:
        """See that those can be read that are shown."""
        self._records.arrivals(self._handle).list_refusals(None, _ALL)
        yield from ()

    def _check_documents(self) -> Faults:
        store = self._records.documents(self._handle)
        for row, key, document in store.iter_documents():
            in_place = store.row_id(key) == row["_id"]
            yield from iter_document_faults(self._id, key, document, in_place)

    def _check_attachments(self) -> Faults:
        store = self._records.attachments(self._handle)
        mine = {"_id": {"$gt": f"{self._id}:", "$lt": f"{self._id};"}, "n": {"$gte": 1}}
        for head in self._collections.attachments.find(mine, {"sha2": 1}):
            try:
                content = store.find_attachments([head["sha2"]])[head["sha2"]]
            except CorruptRecord as error:
                yield Fault("attachment", where(self._id, f"attachment {head['sha2']}"), error.detail)
                continue
            yield from iter_attachment_faults(self._id, AttachmentContent(head["sha2"], content))

    def _check_activities(self) -> Faults:
        mine = {"_id": {"$gt": f"{self._id}:", "$lt": f"{self._id};"}}
        for row in self._collections.activities.find(mine):
            try:
                activity, text = unpack_definition(row["z"], bytes(row["b"]), self._records.codec)
            except (CorruptRecord, UnicodeDecodeError) as error:
                yield Fault("definition", where(self._id, row["_id"]), str(error))
                continue
            yield from iter_definition_faults(self._id, ActivityDefinition(activity, text))
            if activity_key(self._id, activity) != row["_id"]:
                here = where(self._id, f"activity {activity}")
                yield Fault("definition", here, "It lies under the key of another activity.")


def _said(row: Document) -> tuple[Any, ...]:
    after = msgspec.json.decode(row["after"] or "{}", type=dict[str, Any])
    return (row["subject"], after.get("by"), row["at"])
