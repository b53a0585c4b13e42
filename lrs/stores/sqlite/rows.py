"""A statement as a row: made before the write lock is taken, and read back.

The row keeps the statement's own facts as text behind its body, in one compressed blob:
their values stand in the body as well, so they cost little. With them a served row can be
compared with what was asked (hashes may collide), and facts can be handed on to referring
statements, although a body means nothing to the engine.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.compression import BodyCodec
from lrs.stores.terms import term_hash
from lrs.xapi.ports import Fact, FactKind, Filter, PreparedStatement, StatementId

_MARK = b"\xff"
"""Begins each fact and ends the last; no UTF-8 text holds this byte."""

_PRIMARY, _RELATED = b"p", b"r"
_LENGTH_BYTES = 4


class State(IntEnum):
    """What voiding means for a row. The numbers are stored."""

    PLAIN = 0
    VOIDED = 1
    VOIDING = 2


Posting = tuple[int, int]
"""Hash of a term, and 1 where it is primary, else 0."""


@dataclass(frozen=True, slots=True)
class Row:
    """A statement prepared for its tables.

    Attributes:
        id_hash: Under which ``ids`` finds it.
        ref: Id of the statement that it refers to, and ``ref_hash`` its hash.
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
        """Turn facts into what they are found by."""
        return tuple((self.term(fact.kind, fact.value), int(fact.primary)) for fact in facts)

    def encode(self, statement: PreparedStatement) -> Row:
        """Make the row: hashes, facts, compression; all that is costly."""
        identity = id_bytes(statement.id)
        ref = None if statement.target is None else id_bytes(statement.target)
        number, blob = self._bodies.compress(_join(statement.body, statement.facts))
        return Row(
            id=identity,
            id_hash=self.id_hash(identity),
            fingerprint=statement.fingerprint,
            state=State.PLAIN if statement.voids is None else State.VOIDING,
            ref=ref,
            ref_hash=None if ref is None else self.id_hash(ref),
            dictionary=number,
            blob=blob,
            postings=self.postings(statement.facts),
        )

    def split(self, number: int, blob: bytes) -> tuple[bytes, bytes]:
        """Return the body and the encoded facts of a kept blob."""
        content = self._bodies.decompress(number, blob)
        end = len(content) - _LENGTH_BYTES
        start = end - int.from_bytes(content[end:], "big")
        if end < 0 or start < 0:
            raise CorruptRecord("A kept statement is cut short.")
        return content[:start], content[start:end]


def _join(body: bytes, facts: Iterable[Fact]) -> bytes:
    encoded = b"".join(_encode_fact(fact.kind, fact.value, primary=fact.primary) for fact in facts) + _MARK
    return b"".join((body, encoded, len(encoded).to_bytes(_LENGTH_BYTES, "big")))


def _encode_fact(kind: FactKind, value: str, *, primary: bool) -> bytes:
    flag = _PRIMARY if primary else _RELATED
    return b"".join((_MARK, b"%x" % kind, flag, value.encode("utf-8", "surrogatepass")))


def decode_facts(encoded: bytes) -> tuple[Fact, ...]:
    """Read facts back, in the order given."""
    return tuple(
        Fact(FactKind(int(part[:1], 16)), part[2:].decode("utf-8", "surrogatepass"), part[1:2] == _PRIMARY)
        for part in encoded.split(_MARK)[1:-1]
    )


class FilterCheck:
    """Tells whether encoded facts really meet a filter; made once for a page."""

    def __init__(self, condition: Filter) -> None:
        """Encode what is looked for."""
        flags = (True, False) if condition.related else (True,)
        self._needles = [
            _encode_fact(condition.kind, condition.value, primary=primary) + _MARK for primary in flags
        ]

    def holds(self, encoded: bytes) -> bool:
        """Look for the fact."""
        return any(needle in encoded for needle in self._needles)


def id_bytes(statement_id: StatementId) -> bytes:
    """Turn an id into its sixteen bytes."""
    return bytes.fromhex(statement_id.replace("-", ""))


def id_text(identity: bytes) -> StatementId:
    """Write sixteen bytes as lower-case UUID text."""
    h = identity.hex()
    return StatementId(f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}")
