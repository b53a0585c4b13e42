"""State, Activity Profile and Agent Profile documents; every change is decided under the write lock."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import apsw

from lrs.stores.compression import BodyCodec
from lrs.stores.documents import DocumentHashes, next_document, to_document_list
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.writer import Write, Writer
from lrs.xapi.ports.documents import Change, Document, DocumentKey, DocumentKind, DocumentList, DocumentSet

_FIND = "SELECT type, etag, updated, dict, content FROM documents WHERE about = ? AND name = ?"
_PUT = (
    "INSERT INTO documents (about, name, tenant, kind, activity, agent, registration, id,"
    " updated, etag, type, dict, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (about, name) DO UPDATE SET updated = excluded.updated, etag = excluded.etag,"
    " type = excluded.type, dict = excluded.dict, content = excluded.content"
)
_ALL = (
    "SELECT about, name, kind, activity, agent, registration, id, updated, etag, type, dict, content"
    " FROM documents WHERE tenant = ? ORDER BY about, name"
)
_DELETE = "DELETE FROM documents WHERE about = ? AND name = ?"
_IN_SET = "about = :about AND (:registration IS NULL OR registration = :registration)"
_LIST = f"SELECT id, updated FROM documents WHERE {_IN_SET} AND (:since IS NULL OR updated > :since)"  # noqa: S608
_DELETE_SET = f"DELETE FROM documents WHERE {_IN_SET}"  # noqa: S608


class DocumentRow(NamedTuple):
    """A document as it lies in its table, with the key of its row."""

    about: bytes
    name: bytes
    key: DocumentKey
    document: Document


def iter_documents(database: apsw.Connection, tenant: int, bodies: BodyCodec) -> Iterator[DocumentRow]:
    """Yield every document of an institution.

    Raises:
        CorruptRecord: A content cannot be read.
    """
    for row in database.execute(_ALL, (tenant,)):
        about, name, kind, activity, agent, registration, id_, *held, number, blob = row
        updated, etag, content_type = held
        key = DocumentKey(DocumentKind(kind), id_, activity, agent, registration)
        document = Document(content_type, bodies.decompress(number, blob), etag, updated)
        yield DocumentRow(about, name, key, document)


class SqliteDocumentStore:
    """See lrs.xapi.ports.documents.DocumentStore.

    Args:
        hashes: Of the institution.
        tenants: Of the institution.
        bodies: Compresses contents, where that helps.
        readers: Connections to read with.
        writer: Every change goes through it.
    """

    def __init__(
        self,
        hashes: DocumentHashes,
        tenants: Tenants,
        bodies: BodyCodec,
        readers: Readers,
        writer: Writer,
    ) -> None:
        """Take the engine's parts."""
        self._hashes = hashes
        self._tenants = tenants
        self._bodies = bodies
        self._readers = readers
        self._writer = writer

    def find_document(self, key: DocumentKey) -> Document | None:
        """Return a document, or None."""
        with translated():
            return self._find(self._readers.get(), self._place(key))

    def change_document(self, key: DocumentKey, change: Change) -> Document | None:
        """Change, make or remove a document, deciding inside the write transaction."""
        place = self._place(key)

        def work(write: Write) -> Document | None:
            before = self._find(write.database, place)
            content = change(before)
            if content is None:
                write.database.execute(_DELETE, place)
                return None
            after = next_document(before, content, write.now_us)
            self._put(write.database, key, place, after)
            return after

        return self._writer.run(work)

    def delete_documents(self, documents: DocumentSet) -> int:
        """Remove every document of a set in one transaction; returns how many there were."""
        condition = self._condition(documents)

        def work(write: Write) -> int:
            write.database.execute(_DELETE_SET, condition)
            return write.database.changes()

        return self._writer.run(work)

    def list_documents(self, documents: DocumentSet, since_us: int | None) -> DocumentList:
        """List a set's documents."""
        condition = {**self._condition(documents), "since": since_us}
        with translated():
            return to_document_list(sql.rows(self._readers.get(), _LIST, condition))

    def keep_documents(self, documents: Sequence[tuple[DocumentKey, Document]]) -> None:
        """Keep documents as they are, ETag and moment of change included; for a restore."""

        def work(write: Write) -> None:
            for key, document in documents:
                self._put(write.database, key, self._place(key), document)

        self._writer.run(work)

    def place_of(self, key: DocumentKey) -> tuple[bytes, bytes]:
        """Return the key of a document's row."""
        return self._place(key)

    def _place(self, key: DocumentKey) -> tuple[bytes, bytes]:
        return self._hashes.of_set(key), self._hashes.of_name(key)

    def _condition(self, documents: DocumentSet) -> dict[str, bytes | str | None]:
        return {"about": self._hashes.of_set(documents), "registration": documents.registration}

    def _find(self, database: apsw.Connection, place: tuple[bytes, bytes]) -> Document | None:
        row = sql.row(database, _FIND, place)
        if row is None:
            return None
        content_type, etag, updated, number, blob = row
        return Document(content_type, self._bodies.decompress(number, blob), etag, updated)

    def _put(
        self, database: apsw.Connection, key: DocumentKey, place: tuple[bytes, bytes], document: Document
    ) -> None:
        number, blob = self._bodies.compress(document.content)
        tenant = self._tenants.find_or_add(database)
        named = (tenant, int(key.kind), key.activity, key.agent, key.registration, key.document_id)
        held = (document.updated_at_us, document.etag, document.content_type, number, blob)
        database.execute(_PUT, (*place, *named, *held))
