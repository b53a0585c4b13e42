"""The records of an archive: what stands in its frames. See docs/backup.md."""

import hashlib
from dataclasses import dataclass
from typing import Any

from lrs.access.handles import InstitutionId
from lrs.access.model import Client, Institution, Issuer, Key
from lrs.xapi.ports import StatementId
from lrs.xapi.ports.arrivals import Receipt, Refusal

FORMAT = "lrs-backup"
VERSION = 3
"""Since 2 there are recorded values and their entries; since 3 a fingerprint is its beginning, which every
engine keeps. A reader takes what is not newer than this."""

TRAILER = 255
START = hashlib.sha256(b"lrs-backup").digest()
"""Link 0 of every chain."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands first.

    Attributes:
        program: Version of the program that wrote it.
        engine: ``sqlite`` or ``mongo``; says where it came from, nothing depends on it.
        statements: How many follow, by institution.
    """

    made_at_us: int
    program: str
    engine: str
    statements: dict[InstitutionId, int]
    format: str = FORMAT
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """A statement; its body follows as content.

    Attributes:
        position: Its place in its institution's log, counted from 1 without gaps: the
            engines' own positions mean nothing to each other.
        client: Who wrote it; all else that it is found by stands in the body.
    """

    institution: InstitutionId
    position: int
    id: StatementId
    stored_at_us: int
    fingerprint: bytes
    client: str | None
    sha256: bytes


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """An entry of the history that came about with a statement."""

    institution: InstitutionId
    kind: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    at_us: int


@dataclass(frozen=True, slots=True)
class AttachmentRecord:
    """An attachment; its bytes follow as content."""

    institution: InstitutionId
    sha2: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A State, Activity Profile or Agent Profile document; what it holds follows as content."""

    institution: InstitutionId
    kind: int
    document_id: str
    activity: str
    agent: str
    registration: str | None
    content_type: str
    etag: str
    updated_at_us: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class DefinitionRecord:
    """The merged definition of an activity; its JSON text follows as content."""

    institution: InstitutionId
    activity: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class RecordedRecord:
    """A recorded value; what it is, and by which terms it is found, follows as content.

    Attributes:
        institution: Or ``commons``.
        version: How often it was changed; 0 for bookkeeping.
    """

    institution: InstitutionId
    kind: str
    subject: str
    version: int
    at_us: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """An entry of the history of recorded values; what was before and after follows as content."""

    institution: InstitutionId
    kind: str
    subject: str
    at_us: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """A receipt; those of a source stand in order, oldest first."""

    institution: InstitutionId
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class RefusalRecord:
    """A refusal; those of a source stand in order, oldest first."""

    institution: InstitutionId
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Log:
    """How many statements an institution has, and where the digest chain over them ends."""

    statements: int = 0
    chain: bytes = START


@dataclass(frozen=True, slots=True)
class Trailer:
    """What stands last.

    Attributes:
        records: How many there are of each kind.
        logs: By institution.
        digest: SHA-256 over every frame before it but content.
    """

    records: dict[str, int]
    logs: dict[InstitutionId, Log]
    digest: bytes


WithContent = (
    StatementRecord | AttachmentRecord | DocumentRecord | DefinitionRecord | RecordedRecord | EntryRecord
)
Record = (
    WithContent
    | Header
    | Institution
    | Client
    | Issuer
    | Key
    | HistoryRecord
    | ReceiptRecord
    | RefusalRecord
    | Trailer
)

KINDS: dict[int, tuple[str, type[Any]]] = {
    1: ("header", Header),
    2: ("institutions", Institution),
    3: ("clients", Client),
    4: ("keys", Key),
    5: ("statements", StatementRecord),
    6: ("history", HistoryRecord),
    7: ("attachments", AttachmentRecord),
    8: ("documents", DocumentRecord),
    9: ("definitions", DefinitionRecord),
    10: ("receipts", ReceiptRecord),
    11: ("refusals", RefusalRecord),
    12: ("issuers", Issuer),
    13: ("recorded", RecordedRecord),
    14: ("entries", EntryRecord),
    TRAILER: ("trailer", Trailer),
}
"""Number, name and shape of each record. The numbers stand in archives: never reuse one."""
