"""A statement as a row: made before the write lock is taken, and read back."""

import hashlib
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from lrs.access.handles import InstitutionId
from lrs.stores.compression import PLAIN, BodyCodec
from lrs.stores.sqlite.facts import Content, cut, encode_facts, split
from lrs.stores.sqlite.identities import leave_out_id, put_back_id
from lrs.stores.terms import term_hash
from lrs.xapi.ports import Fact, FactKind, PreparedStatement, id_bytes
from lrs.xapi.ports.activities import ActivityDefinition


class State(IntEnum):
    """What voiding means for a row. The numbers are stored."""

    PLAIN = 0
    VOIDED = 1
    VOIDING = 2


Posting = tuple[int, int]
"""Hash of a term, and 1 where it is primary, else 0."""


class Row(NamedTuple):
    """A statement prepared for its tables (a tuple, since that is made fastest).

    Attributes:
        id_hash: Under which ``ids`` finds it.
        ref: Id of the statement that it refers to, and ``ref_hash`` its hash.
        definitions: Those that it gives, each behind its activity's hash.
    """

    id: bytes
    id_hash: int
    fingerprint: bytes
    state: State
    ref: bytes | None
    ref_hash: int | None
    dictionary: int
    blob: bytes
    postings: tuple[Posting, ...]
    definitions: tuple[tuple[int, ActivityDefinition], ...]


class RowCodec:
    """Makes rows of one institution, and reads them."""

    def __init__(self, instance_key: bytes, institution_id: InstitutionId, bodies: BodyCodec) -> None:
        """Take what hashes and bodies depend on."""
        self._key = instance_key
        self._institution_id = institution_id
        self._salt = institution_id.encode()
        self._bodies = bodies

    def id_hash(self, statement_id: bytes) -> int:
        """Hash institution and statement id; fits a signed 64-bit integer."""
        digest = hashlib.blake2b(
            self._salt + statement_id, digest_size=8, key=self._key, person=b"id"
        ).digest()
        return int.from_bytes(digest, "big") >> 1

    def term(self, kind: FactKind, value: str) -> int:
        """Hash a term of this institution."""
        return term_hash(self._key, self._institution_id, kind, value)

    def postings(self, facts: Iterable[Fact]) -> tuple[Posting, ...]:
        """Turn facts into what they are found by: each hash once, as primary where it is both."""
        key, institution_id = self._key, self._institution_id
        found: dict[int, int] = {}
        for kind, value, primary in facts:
            h = term_hash(key, institution_id, kind, value)
            if primary or h not in found:
                found[h] = int(primary)
        return tuple(found.items())

    def encode(self, statement: PreparedStatement) -> Row:
        """Make the row: hashes, facts, compression; all that is costly."""
        identity = id_bytes(statement.id)
        ref = None if statement.target is None else id_bytes(statement.target)
        body = leave_out_id(statement.body, identity)
        number, packed = self._bodies.compress(body)
        return Row(
            id=identity,
            id_hash=self.id_hash(identity),
            fingerprint=statement.fingerprint,
            state=State.PLAIN if statement.voids is None else State.VOIDING,
            ref=ref,
            ref_hash=None if ref is None else self.id_hash(ref),
            dictionary=number,
            blob=packed + encode_facts(body, statement.facts),
            postings=self.postings(statement.facts),
            definitions=tuple(
                [(self.term(FactKind.ACTIVITY, one.activity), one) for one in statement.definitions]
            ),
        )

    def body(self, identity: bytes, number: int, blob: bytes) -> bytes:
        """Return the body that was given, of a kept blob."""
        return put_back_id(self._bodies.decompress(number, cut(blob)), identity)

    def split(self, number: int, blob: bytes) -> Content:
        """Return the body, without the statement's id, and the facts of a kept blob."""
        body, words, literals = split(blob)
        return Content(self._bodies.decompress(number, body), words, literals)

    def bodies(self, numbers: Sequence[int], blobs: Sequence[bytes]) -> list[bytes]:
        """Return the bodies alone, without ids, of many blobs, each with the number of its dictionary."""
        if len(set(numbers)) == 1 and numbers[0] != PLAIN:
            # What is compressed knows its own end.
            together = self._bodies.decompress_together(numbers[0], blobs)
            if together is not None:
                return together
        decompress = self._bodies.decompress
        return [decompress(number, cut(blob)) for number, blob in zip(numbers, blobs, strict=True)]
