"""How keys and positions are written.

A position is ``segment << 12 | index``: a segment holds at most 4,096 statements. Keys are
zero-padded text, so that they sort, and shard by range, as their numbers do.
"""

import hashlib

from lrs.access.handles import InstitutionId
from lrs.xapi.ports import Position, StatementId

INDEX_BITS = 12
LARGEST_GROUP = 1 << INDEX_BITS
NEVER = 1 << 62
"""Later than every position: what ``v`` holds while a statement is not voided."""


def dense_key(institution_id: InstitutionId, number: int) -> str:
    """Key of an entry of a dense log: of segments, or of the history."""
    return f"{institution_id}:{number:016d}"


def number_of(key: str) -> int:
    """Return the number in a dense key."""
    return int(key[-16:])


def statement_key(institution_id: InstitutionId, statement_id: str) -> str:
    """Key of a statement; two hash characters stand before the id.

    They spread ids that clients make in order of time over the shards of a cluster.
    """
    spread = hashlib.blake2b(statement_id.encode(), digest_size=1).hexdigest()
    return f"{institution_id}:{spread}{statement_id}"


def statement_id_of(key: str) -> StatementId:
    """Return the statement id in a statement's key."""
    return StatementId(key[key.index(":") + 3 :])


def position_of(segment: int, index: int) -> Position:
    """Position of an entry of a segment."""
    return Position(segment << INDEX_BITS | index)


def segment_of(position: int) -> int:
    """Return the segment that a position lies in."""
    return position >> INDEX_BITS


def first_position_after(segment: int) -> int:
    """Return the bound below which lie exactly the positions of segments up to this one."""
    return (segment + 1) << INDEX_BITS
