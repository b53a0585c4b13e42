"""How statements are named: by their ids, and by their places in the log."""

from typing import NewType

StatementId = NewType("StatementId", str)
Position = NewType("Position", int)
"""Place of a statement in its institution's log: positive, ever rising, with gaps. 0 is
before everything. Only the engine that gave it knows how to read it."""


def id_bytes(statement_id: StatementId) -> bytes:
    """Turn an id into its sixteen bytes."""
    return bytes.fromhex(statement_id.replace("-", ""))


def id_text(identity: bytes) -> StatementId:
    """Write sixteen bytes as lower-case UUID text."""
    h = identity.hex()
    return StatementId(f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}")
