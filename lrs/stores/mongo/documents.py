"""State, Activity Profile and Agent Profile documents: one document of the database each.

``documents {_id: "<t>:<about><name>", t, s: "<t>:<about>", kind, activity, agent, reg, id, rev, at,
etag, type, z, b}``. ``rev`` is random and new with every change. A change is a
compare-and-set on it: whoever read an older one changes nothing and decides again, at
once, since somebody else has got ahead. (A number would not do: it begins again when a
document is deleted and made anew.) The threads of a process wait in line for a document
instead of racing for it, so only processes race.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bson import Int64
from pymongo.errors import DuplicateKeyError, PyMongoError

from lrs.access.handles import InstitutionId
from lrs.errors import StoreUnavailable
from lrs.stores import StoreOptions
from lrs.stores.compression import BodyCodec
from lrs.stores.documents import DocumentHashes, next_document, to_document_list
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import AWAY, is_transient, translated
from lrs.stores.mongo.gone import check_kept
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.segment import Document as Fields
from lrs.xapi.ports.documents import Change, Document, DocumentKey, DocumentKind, DocumentList, DocumentSet

_LINES = 64
_REVISION_BYTES = 12


class MongoDocumentStore:
    """See lrs.xapi.ports.documents.DocumentStore; shared by all threads of a process.

    Args:
        collections: Where they lie.
        institution_id: Whose.
        hashes: Of the institution.
        codec: Compresses contents, where that helps.
        options: The clock, random bytes, and how long a change may take.
    """

    def __init__(
        self,
        collections: Collections,
        institution_id: InstitutionId,
        *,
        hashes: DocumentHashes,
        codec: BodyCodec,
        options: StoreOptions,
    ) -> None:
        """Keep the parts."""
        self._collections = collections
        self._documents = collections.documents
        self._institution_id = institution_id
        self._hashes = hashes
        self._codec = codec
        self._options = options
        self._lines = tuple(threading.Lock() for _ in range(_LINES))

    @translated()
    def find_document(self, key: DocumentKey) -> Document | None:
        """Return a document, or None."""
        return self._document(self._documents.find_one({"_id": self._id(key)}))

    @translated()
    def change_document(self, key: DocumentKey, change: Change) -> Document | None:
        """Change, make or remove a document; see the port.

        Raises:
            TooLarge: See lrs.stores.documents.
            StoreUnavailable: Patience ended, or the database's answer to a write was lost
                and it cannot be told any more whether the write took place.
        """
        patience = Patience(self._options.busy_seconds)
        place = self._id(key)
        with self._in_line(place):
            while True:
                row = patience.until_answered(lambda: self._documents.find_one({"_id": place}))
                before = self._document(row)
                content = change(before)
                after = None if content is None else next_document(before, content, self._options.clock())
                if self._replace(row, self._row(key, after), patience):
                    check_kept(self._collections, self._institution_id)
                    return after
                patience.check()

    @translated()
    def delete_documents(self, documents: DocumentSet) -> int:
        """Remove every document of a set; returns how many this removed.

        It is one command, but MongoDB removes one document after the other: who reads
        meanwhile may see a part of the set. A document that is written meanwhile is
        removed or stays, whole. When the answer was lost the command is sent again, and
        what the first one removed is not counted.
        """
        condition = self._in_set(documents)
        patience = Patience(self._options.busy_seconds)
        return patience.until_answered(lambda: self._documents.delete_many(condition)).deleted_count

    @translated()
    def list_documents(self, documents: DocumentSet, since_us: int | None) -> DocumentList:
        """List a set's documents."""
        condition = self._in_set(documents)
        if since_us is not None:
            condition["at"] = {"$gt": Int64(since_us)}
        found = self._documents.find(condition, {"id": 1, "at": 1})
        return to_document_list((row["id"], row["at"]) for row in found)

    @translated()
    def keep_documents(self, documents: Sequence[tuple[DocumentKey, Document]]) -> None:
        """Keep documents as they are, ETag and moment of change included; for a restore."""
        rows = [row for key, document in documents if (row := self._row(key, document)) is not None]
        self._documents.insert_many(rows, ordered=False)

    def iter_documents(self) -> Iterator[tuple[Fields, DocumentKey, Document]]:
        """Yield every document of the institution with its row, each as it is when it is reached.

        Raises:
            CorruptRecord: A content cannot be read.
        """
        mine = {"_id": {"$gt": f"{self._institution_id}:", "$lt": f"{self._institution_id};"}}
        for row in self._documents.find(mine).sort("_id", 1):
            key = DocumentKey(DocumentKind(row["kind"]), row["id"], row["activity"], row["agent"], row["reg"])
            document = self._document(row)
            if document is not None:
                yield row, key, document

    def row_id(self, key: DocumentKey) -> str:
        """Return the key of a document's row."""
        return self._id(key)

    def _id(self, key: DocumentKey) -> str:
        return f"{self._set_id(key)}{self._hashes.of_name(key).hex()}"

    def _set_id(self, about: DocumentSet | DocumentKey) -> str:
        return f"{self._institution_id}:{self._hashes.of_set(about).hex()}"

    def _in_set(self, documents: DocumentSet) -> Fields:
        condition: Fields = {"s": self._set_id(documents)}
        if documents.registration is not None:
            condition["reg"] = documents.registration
        return condition

    @contextmanager
    def _in_line(self, place: str) -> Iterator[None]:
        """Let the threads of this process change a document one after the other."""
        line = self._lines[hash(place) % _LINES]
        if not line.acquire(timeout=self._options.busy_seconds):
            raise StoreUnavailable(AWAY)
        try:
            yield
        finally:
            line.release()

    def _replace(self, old: Fields | None, new: Fields | None, patience: Patience) -> bool:
        """Put a row in the place of another, or of none; False when that one is there no more.

        Where the answer is lost, what is there now tells what happened: the new row, that
        it was written; the old row, that it was not (or not yet), so the same is sent
        again, and at most one of the two finds the old revision.
        """
        doubt: PyMongoError | None = None
        while True:
            try:
                done = self._try_replace(old, new)
            except PyMongoError as error:
                if not is_transient(error):
                    raise
                doubt = error
                patience.rest(error)
            else:
                if done or doubt is None:
                    return done
                return self._was_replaced(new, old, patience, doubt)

    def _try_replace(self, old: Fields | None, new: Fields | None) -> bool:
        if old is None:
            return new is None or self._try_insert(new)
        known = {"_id": old["_id"], "rev": old["rev"]}
        if new is None:
            return self._documents.delete_one(known).deleted_count == 1
        return self._documents.replace_one(known, new).matched_count == 1

    def _try_insert(self, new: Fields) -> bool:
        try:
            self._documents.insert_one(new)
        except DuplicateKeyError:
            return False
        return True

    def _was_replaced(
        self, new: Fields | None, old: Fields | None, patience: Patience, doubt: PyMongoError
    ) -> bool:
        """Tell whether a write whose answer was lost took place, when a repetition found nothing to do."""
        place: Any = (new or old or {})["_id"]
        row = patience.until_answered(lambda: self._documents.find_one({"_id": place}, {"rev": 1}))
        if (row and row["rev"]) == (new and new["rev"]):
            return True
        raise StoreUnavailable(AWAY) from doubt

    def _row(self, key: DocumentKey, document: Document | None) -> Fields | None:
        if document is None:
            return None
        number, blob = self._codec.compress(document.content)
        return {
            "_id": self._id(key),
            "t": self._institution_id,
            "s": self._set_id(key),
            "kind": int(key.kind),
            "activity": key.activity,
            "agent": key.agent,
            "reg": key.registration,
            "id": key.document_id,
            "rev": self._options.random_bytes(_REVISION_BYTES).hex(),
            "at": Int64(document.updated_at_us),
            "etag": document.etag,
            "type": document.content_type,
            "z": number,
            "b": blob,
        }

    def _document(self, row: Fields | None) -> Document | None:
        if row is None:
            return None
        content = self._codec.decompress(row["z"], bytes(row["b"]))
        return Document(row["type"], content, row["etag"], row["at"])
