"""Attachments by institution and hash.

``attachments {_id: "<t>:<sha2>", t, sha2, z, n, b}``; what is larger than one document may
be goes on in ``{_id: "<t>:<sha2>:<i>", t, b}``, i from 1 to n - 1, written before the
first, so that where the first is found, all are there.

They are written, and acknowledged by a majority, *before* the segment of the batch that
names them. So whoever finds a statement finds its attachments. Those of a batch that was
refused, or whose writer died, stay: nobody asks for them, and a batch that names the same
bytes finds them there.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from pymongo.errors import DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.compression import PLAIN, BodyCodec
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.segment import Document
from lrs.xapi.ports.attachments import AttachmentContent

CHUNK_BYTES = 8_000_000
"""Half of what a document may hold."""


class MongoAttachmentStore:
    """See lrs.xapi.ports.attachments.AttachmentStore; also takes what a batch brings.

    Args:
        collections: Where they lie.
        institution_id: Whose.
        codec: Compresses contents, where that helps.
        busy_seconds: How long keeping may take.
    """

    def __init__(
        self, collections: Collections, institution_id: InstitutionId, codec: BodyCodec, busy_seconds: float
    ) -> None:
        """Keep the parts."""
        self._attachments = collections.attachments
        self._institution_id = institution_id
        self._codec = codec
        self._busy_seconds = busy_seconds

    @translated()
    def find_attachments(self, hashes: Collection[str]) -> Mapping[str, bytes]:
        """Return the bytes of those hashes that are kept."""
        if not hashes:
            return {}
        keys = sorted({self._key(sha2) for sha2 in hashes})
        heads = self._attachments.find({"_id": {"$in": keys}, "n": {"$gte": 1}})
        return {head["sha2"]: self._content(head) for head in heads}

    @translated()
    def put(self, attachments: Sequence[AttachmentContent]) -> None:
        """Keep what is not there yet, durable when it returns.

        Raises:
            StoreUnavailable: Patience ended; what was kept so far stays.
        """
        patience = Patience(self._busy_seconds)
        keys = [self._key(one.sha2) for one in attachments]
        asked = {"_id": {"$in": keys}}
        found = patience.until_answered(lambda: list(self._attachments.find(asked, {"_id": 1})))
        there = {document["_id"] for document in found}
        for key, one in zip(keys, attachments, strict=True):
            if key not in there:
                for document in self._documents(key, one):
                    patience.until_answered(lambda: self._insert(document))  # noqa: B023 - called at once

    def _key(self, sha2: str) -> str:
        return f"{self._institution_id}:{sha2}"

    def _documents(self, key: str, attachment: AttachmentContent) -> Iterator[Document]:
        """Give what must be written, the first part last."""
        number, blob = self._codec.compress(attachment.content)
        if len(blob) > CHUNK_BYTES:
            # Two versions of the compressor may write different bytes: parts of both must not mix.
            number, blob = PLAIN, attachment.content
        parts = range(CHUNK_BYTES, len(blob), CHUNK_BYTES)
        for index, start in enumerate(parts, 1):
            yield {
                "_id": f"{key}:{index}",
                "t": self._institution_id,
                "b": blob[start : start + CHUNK_BYTES],
            }
        yield {
            "_id": key,
            "t": self._institution_id,
            "sha2": attachment.sha2,
            "z": number,
            "n": len(parts) + 1,
            "b": blob[:CHUNK_BYTES],
        }

    def _insert(self, document: Document) -> None:
        try:
            self._attachments.insert_one(document)
        except DuplicateKeyError:
            return  # Another batch brought the same bytes, or the first answer was lost.

    def _content(self, head: Document) -> bytes:
        parts = [bytes(head["b"])]
        for index in range(1, head["n"]):
            part = self._attachments.find_one({"_id": f"{head['_id']}:{index}"})
            if part is None:
                raise CorruptRecord(f"Part {index} of attachment {head['sha2']} is missing.")
            parts.append(bytes(part["b"]))
        return self._codec.decompress(head["z"], b"".join(parts))
