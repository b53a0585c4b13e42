"""Activity definitions: given in the log, merged by the projector, in order of segments.

``activities {_id: "<t>:<hash of the IRI>", t, n, z, b}``: IRI and merged definition,
compressed; ``n`` is the segment that changed it last, and its fence. A segment is merged
into what an earlier one left, by a compare-and-set on ``n`` and ``b``; where ``n`` has come as far as
the segment, that was done before. So projecting a segment again, late, or beside another
process changes nothing, since nobody projects a segment before all earlier ones are.

Most definitions change nothing: they are *contained* in the merged one. Each projector
remembers which are, so that such a definition costs a look into a dictionary. What it
remembers is what holds after the last segment that it has seen; that depends on the log
alone. It saw every segment up to there, also those that others projected, of which it
forgets the activities; where it missed one it forgets everything.
"""

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from bson import Int64
from pymongo.errors import BulkWriteError, DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.stores.compression import BodyCodec
from lrs.stores.definitions import (
    LARGEST_REMEMBERED_BYTES,
    MOST_REMEMBERED_ACTIVITIES,
    MOST_REMEMBERED_OF_ONE,
    merge_all,
    pack_definition,
    unpack_definition,
)
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import only_duplicates, translated
from lrs.stores.mongo.segment import Document, Entry, PackedDefinitions, Segment
from lrs.xapi.ports.activities import ActivityDefinition

_Given = dict[str, list[bytes]]
"""By activity, the definitions that a segment gives, in order."""

_decode = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode


def activity_key(institution_id: InstitutionId, activity: str) -> str:
    """Key of an activity; its IRI may be longer than a key should be."""
    digest = hashlib.blake2b(activity.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return f"{institution_id}:{digest}"


def pack_definitions(definitions: Iterable[ActivityDefinition], codec: BodyCodec) -> PackedDefinitions | None:
    """Write what a segment gives; what repeats the one before it is left out."""
    last: dict[str, bytes] = {}
    given: list[ActivityDefinition] = []
    for one in definitions:
        if last.get(one.activity) != one.definition:
            last[one.activity] = one.definition
            given.append(one)
    if not given:
        return None
    return codec.compress(msgspec.msgpack.encode([(one.activity, one.definition) for one in given]))


class Remembered:
    """Which definitions are contained in the merged ones, after the last segment seen."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._seen = 0
        self._contained: dict[str, set[bytes]] = {}

    def begin(self, segment: Segment) -> None:
        """Forget everything unless this segment is the next one."""
        if segment.n != self._seen + 1:
            self._contained.clear()

    def end(self, segment: Segment) -> None:
        """Note that a segment was seen."""
        self._seen = segment.n

    def pass_over(self, segment: Segment, given: Iterable[str]) -> None:
        """Forget what a segment may have changed that somebody else projected."""
        if segment.n <= self._seen:
            return
        self.begin(segment)
        if segment.thinned:
            self._contained.clear()
        for activity in given:
            self.forget(activity)
        self.end(segment)

    def forget(self, activity: str) -> None:
        """Forget an activity that somebody else may have changed."""
        self._contained.pop(activity, None)

    def are_contained(self, activity: str, definitions: Sequence[bytes]) -> bool:
        """Tell whether merging would surely change nothing."""
        return self._contained.get(activity, set()).issuperset(definitions)

    def note(self, activity: str, definition: bytes, *, changed: bool) -> None:
        """Remember that a definition is contained; if the merged one was changed, it alone."""
        if changed:
            self.forget(activity)
        if len(definition) > LARGEST_REMEMBERED_BYTES:
            return
        known = self._contained.setdefault(activity, set())
        if len(known) >= MOST_REMEMBERED_OF_ONE:
            known.clear()
        known.add(definition)
        if len(self._contained) > MOST_REMEMBERED_ACTIVITIES:
            del self._contained[next(iter(self._contained))]


class Definitions:
    """Merges what segments give; one for each projector.

    Args:
        collections: Where they lie.
        institution_id: Whose.
        codec: Compresses.
    """

    def __init__(self, collections: Collections, institution_id: InstitutionId, codec: BodyCodec) -> None:
        """Remember nothing."""
        self._activities = collections.activities
        self._institution_id = institution_id
        self._codec = codec
        self._remembered = Remembered()
        self._lock = threading.Lock()

    def pack(self, entries: Iterable[Entry]) -> PackedDefinitions | None:
        """Write what the new statements of a segment give."""
        return pack_definitions((one for entry in entries for one in entry.definitions), self._codec)

    def project(self, segment: Segment) -> None:
        """Merge what a segment gives; safe to repeat."""
        with self._lock:
            self._remembered.begin(segment)
            given = {
                activity: definitions
                for activity, definitions in self._given(segment).items()
                if not self._remembered.are_contained(activity, definitions)
            }
            if given:
                self._merge(segment.n, given)
            self._remembered.end(segment)

    def pass_over(self, segment: Segment) -> None:
        """Take note of a segment that somebody else has projected."""
        with self._lock:
            self._remembered.pass_over(segment, self._given(segment))

    def _given(self, segment: Segment) -> _Given:
        given: _Given = {}
        if segment.definitions is not None:
            for activity, definition in _decode(self._codec.decompress(*segment.definitions)):
                given.setdefault(activity, []).append(definition)
        return given

    def _merge(self, n: int, given: _Given) -> None:
        keys = {activity_key(self._institution_id, activity): activity for activity in given}
        rows = {row["_id"]: row for row in self._activities.find({"_id": {"$in": list(keys)}})}
        missing = {activity: given[activity] for key, activity in keys.items() if key not in rows}
        if missing and self._insert(n, missing):
            keys = {key: activity for key, activity in keys.items() if activity not in missing}
        for key, activity in keys.items():
            self._merge_one(n, activity, given[activity], rows.get(key))

    def _insert(self, n: int, given: _Given) -> bool:
        """Insert what is met for the first time; False where some of it was there by now."""
        merged = {activity: merge_all(None, given[activity]) for activity in given}
        documents = [self._document(n, activity, text) for activity, text in merged.items() if text]
        try:
            if documents:
                self._activities.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            return False
        for activity, definitions in given.items():
            self._remembered.note(activity, definitions[-1], changed=True)
        return True

    def _merge_one(self, n: int, activity: str, definitions: Sequence[bytes], row: Document | None) -> None:
        """Merge into what is there, unless this segment or a later one has been."""
        while row is None or row["n"] < n:
            before = None if row is None else unpack_definition(row["z"], bytes(row["b"]), self._codec)[1]
            after = merge_all(before, definitions)
            if after in (before, None) or self._replace(row, self._document(n, activity, after or b"")):
                self._remembered.note(activity, definitions[-1], changed=after != before)
                return
            row = self._activities.find_one({"_id": activity_key(self._institution_id, activity)})
        self._remembered.forget(activity)

    def put_beneath(self, activity: str, older: Sequence[bytes]) -> bool:
        """Merge older definitions, newest first, beneath what is there; False where it changed meanwhile."""
        row = self._activities.find_one({"_id": activity_key(self._institution_id, activity)})
        before = None if row is None else unpack_definition(row["z"], bytes(row["b"]), self._codec)[1]
        text = before
        for definition in older:
            text = merge_all(definition, () if text is None else (text,))
        if text in (before, None):
            return True
        return self._replace(row, self._document(0 if row is None else row["n"], activity, text or b""))

    def _replace(self, old: Document | None, new: Document) -> bool:
        if old is not None:
            fence = {"_id": old["_id"], "n": old["n"], "b": old["b"]}
            return self._activities.replace_one(fence, new).matched_count == 1
        try:
            self._activities.insert_one(new)
        except DuplicateKeyError:
            return False
        return True

    def _document(self, n: int, activity: str, text: bytes) -> Document:
        number, blob = pack_definition(activity, text, self._codec)
        key = activity_key(self._institution_id, activity)
        return {"_id": key, "t": self._institution_id, "n": Int64(n), "z": number, "b": blob}


def merge_beneath(
    collections: Collections,
    institution_id: InstitutionId,
    codec: BodyCodec,
    given: Mapping[str, Sequence[bytes]],
) -> None:
    """Merge definitions that are older than all that is there, given newest first; safe to repeat.

    What projectors remember as contained stays contained: later words still stand on top.
    """
    definitions = Definitions(collections, institution_id, codec)
    for activity, older in given.items():
        while not definitions.put_beneath(activity, older):
            pass


class MongoActivityStore:
    """See lrs.xapi.ports.activities.ActivityStore."""

    def __init__(self, collections: Collections, institution_id: InstitutionId, codec: BodyCodec) -> None:
        """Keep where they lie."""
        self._activities = collections.activities
        self._institution_id = institution_id
        self._codec = codec

    @translated()
    def find_definition(self, activity: str) -> bytes | None:
        """Return the merged definition as JSON text; None where none was ever given."""
        row = self._activities.find_one({"_id": activity_key(self._institution_id, activity)})
        return None if row is None else unpack_definition(row["z"], bytes(row["b"]), self._codec)[1]
