"""Attachments by institution and hash, written in the transaction of the batch that names them."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import apsw

from lrs.stores.compression import BodyCodec
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.tenants import Tenants
from lrs.xapi.ports.attachments import AttachmentContent

_INSERT = "INSERT OR IGNORE INTO attachments (tenant, sha2, dict, content) VALUES (?, ?, ?, ?)"
_FIND = (
    "SELECT a.sha2, a.dict, a.content FROM carray(?) c"
    " CROSS JOIN attachments a ON a.tenant = ? AND a.sha2 = c.value"
)
_BYTES_A_ROW = 4096


class PackedAttachment(NamedTuple):
    """An attachment ready to be kept: compressed, where that helps, before the write."""

    sha2: str
    dictionary: int
    blob: bytes

    @property
    def weight(self) -> int:
        """About as much work for the writer as how many rows."""
        return 1 + len(self.blob) // _BYTES_A_ROW


def pack_attachments(
    attachments: Sequence[AttachmentContent], bodies: BodyCodec
) -> tuple[PackedAttachment, ...]:
    """Do what is costly about attachments."""
    return tuple(PackedAttachment(one.sha2, *bodies.compress(one.content)) for one in attachments)


def insert_attachments(
    database: apsw.Connection, tenant: int, attachments: Sequence[PackedAttachment]
) -> None:
    """Keep attachments, inside a transaction; what is there stays: its hash says that it is the same."""
    database.executemany(_INSERT, [(tenant, *one) for one in attachments])


class SqliteAttachmentStore:
    """See lrs.xapi.ports.attachments.AttachmentStore."""

    def __init__(self, tenants: Tenants, bodies: BodyCodec, readers: Readers) -> None:
        """Take the engine's parts."""
        self._tenants = tenants
        self._bodies = bodies
        self._readers = readers

    def find_attachments(self, hashes: Collection[str]) -> Mapping[str, bytes]:
        """Return the bytes of those hashes that are kept, all from one query."""
        if not hashes:
            return {}
        with translated():
            database = self._readers.get()
            wanted = apsw.carray(tuple(set(hashes)))
            rows = sql.rows(database, _FIND, (wanted, self._tenants.find(database)))
        return {sha2: self._bodies.decompress(number, blob) for sha2, number, blob in rows}
