"""What a statement is found by, as 64-bit numbers. Both engines keep these, never the text."""

import hashlib
from functools import lru_cache

from lrs.access.handles import InstitutionId
from lrs.xapi.ports import FactKind

_REMEMBERED = 65_536
_LONGEST_REMEMBERED = 256
"""So many hashes of so long values are kept in memory: some 30 MB, whatever is sent."""


def term_hash(key: bytes, institution_id: InstitutionId, kind: FactKind, value: str) -> int:
    """Hash a term of an institution: ``kind << 59 | keyed blake2b >> 5``; fits a signed 64-bit integer.

    Two terms may collide, so whatever is found by a hash is compared with what was asked.
    """
    if len(value) > _LONGEST_REMEMBERED:
        return _hash(key, institution_id, kind, value)
    return _remembered(key, institution_id, kind, value)


def _hash(key: bytes, institution_id: InstitutionId, kind: FactKind, value: str) -> int:
    text = f"{institution_id}\0{value}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8, key=key, person=bytes([kind])).digest()
    return kind << 59 | int.from_bytes(digest, "big") >> 5


_remembered = lru_cache(maxsize=_REMEMBERED)(_hash)
