"""What both engines do alike with State, Activity Profile and Agent Profile documents.

Spec: xAPI 1.0.3 Communication 2.2 and 3.1.
"""

import hashlib
import json
from collections.abc import Iterable

from lrs.access.handles import InstitutionId
from lrs.errors import TooLarge
from lrs.xapi.ports.documents import Document, DocumentContent, DocumentKey, DocumentList, DocumentSet

LARGEST_CONTENT_BYTES = 15_000_000
"""What one document may hold; on MongoDB it must fit, with its key, into 16 MiB."""


class DocumentHashes:
    """Short keys for long ones: keyed hashes of 128 bits, which nobody can make collide.

    An activity's IRI and an agent's key may be kilobytes long, and would stand in the index
    once for each document; so the index holds these, and the row the text.

    Args:
        instance_key: The store's.
        institution_id: Whose documents: part of every hash, so that no institution's key
            ever finds another's document.
    """

    def __init__(self, instance_key: bytes, institution_id: InstitutionId) -> None:
        """Keep what hashes depend on."""
        self._key = instance_key
        self._institution_id = institution_id

    def of_set(self, about: DocumentSet | DocumentKey) -> bytes:
        """Hash what a set's documents are about, whatever their registration."""
        return self._hash(int(about.kind), about.activity, about.agent)

    def of_name(self, key: DocumentKey) -> bytes:
        """Hash what tells a document from the others of its set."""
        return self._hash(key.registration, key.document_id)

    def _hash(self, *parts: int | str | None) -> bytes:
        text = json.dumps([self._institution_id, *parts]).encode()
        return hashlib.blake2b(text, digest_size=16, key=self._key, person=b"document").digest()


def next_document(before: Document | None, content: DocumentContent, now_us: int) -> Document:
    """Return what follows on a document, or on nothing.

    Args:
        before: What is there.
        content: What shall be there.
        now_us: The clock; where it stands or was set back, the change is a microsecond
            later than the one before it.

    Raises:
        TooLarge: It is more than a document may hold.

    Spec: xAPI 1.0.3 Communication 3.1 (the ETag is the SHA-1 of the content, in hex).
    """
    size = len(content.content)
    if size > LARGEST_CONTENT_BYTES:
        raise TooLarge(f"A document may hold {LARGEST_CONTENT_BYTES} bytes; this one has {size}.")
    updated_at_us = now_us if before is None else max(now_us, before.updated_at_us + 1)
    etag = hashlib.sha1(content.content, usedforsecurity=False).hexdigest()
    return Document(content.content_type, content.content, etag, updated_at_us)


def to_document_list(found: Iterable[tuple[str, int]]) -> DocumentList:
    """Make a list of documents from their ids and when each was changed; of an id there may be several."""
    documents = list(found)
    ids = sorted({id_ for id_, _ in documents})
    return DocumentList(ids, max((updated_at_us for _, updated_at_us in documents), default=None))
