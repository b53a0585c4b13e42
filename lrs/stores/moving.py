"""What an engine gives to a backup and takes from a restore, and what it tells a check.

Statements travel as they were kept, but for what the body says itself: that is made again
(``to_prepared``), under the keyed hashes of the store that they come into.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import orjson

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.recorded import KeptEntry, KeptValue
from lrs.xapi.facts import facts_of, is_voiding, target_of
from lrs.xapi.ports import FactKind, HistoryEntry, PreparedStatement, StatementId
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.arrivals import Receipt
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentKey
from lrs.xapi.texts import served_text

NO_CLIENT = ""
UNREADABLE: tuple[type[Exception], ...] = (
    AttributeError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
"""What reading ends in where something kept is not what was written."""


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """A statement as it lies in a store.

    Attributes:
        fingerprint: Or its beginning, as much as the engine keeps.
        client: Who wrote it; None where it is found by no client.
    """

    institution_id: InstitutionId
    id: StatementId
    stored_at_us: int
    fingerprint: bytes
    client: str | None
    body: bytes


def to_prepared(kept: KeptStatement) -> PreparedStatement:
    """Make everything again that a store derives from a kept statement.

    Raises:
        CorruptRecord: The body is no statement.
    """
    try:
        value = orjson.loads(served_text(kept.body, kept.stored_at_us))
        facts = facts_of(value, value["authority"], kept.client or NO_CLIENT)
        target = target_of(value)
        voids = target if is_voiding(value) else None
    except UNREADABLE as error:
        raise CorruptRecord(f"The body of statement {kept.id} cannot be read ({error!r}).") from error
    if kept.client is None:
        facts = tuple(fact for fact in facts if fact.kind is not FactKind.CLIENT)
    return PreparedStatement(kept.id, kept.fingerprint, facts, kept.body, target, voids)


class Dump(Protocol):
    """Everything in a store but what the access room keeps, as of one moment; see docs/backup.md.

    Nothing is held in memory but what is being read.
    """

    def count_statements(self) -> dict[InstitutionId, int]:
        """Return how many statements each institution has that has any."""
        ...

    def iter_statements(self) -> Iterator[KeptStatement]:
        """Yield all statements in order of ``stored``; within an institution that is the log's order."""
        ...

    def iter_history(self, institution_id: InstitutionId) -> Iterator[HistoryEntry]:
        """Yield what statements left in the history (``statement.voided``), in order."""
        ...

    def iter_recorded(self, institution_id: InstitutionId) -> Iterator[KeptValue]:
        """Yield recorded values and bookkeeping by kind, then subject; also of the commons."""
        ...

    def iter_entries(self, institution_id: InstitutionId) -> Iterator[KeptEntry]:
        """Yield the rest of the history, that of recorded values, in order; also of the commons."""
        ...

    def iter_attachments(self, institution_id: InstitutionId) -> Iterator[AttachmentContent]:
        """Yield attachments."""
        ...

    def iter_documents(self, institution_id: InstitutionId) -> Iterator[tuple[DocumentKey, Document]]:
        """Yield documents."""
        ...

    def iter_definitions(self, institution_id: InstitutionId) -> Iterator[ActivityDefinition]:
        """Yield merged activity definitions, each activity once."""
        ...


class Load(Protocol):
    """Fills an empty store; until ``finish`` it serves nobody.

    Every method raises Conflict where another process writes to the store meanwhile.
    """

    def add_statements(self, statements: Sequence[tuple[KeptStatement, PreparedStatement]]) -> None:
        """Keep statements behind all that were kept before, with the ``stored`` that they have.

        Voidings, references and the history come about as when they were first written.

        Args:
            statements: In order of ``stored``, also with those before; each with what is
                derived from it.
        """
        ...

    def add_attachments(
        self, institution_id: InstitutionId, attachments: Sequence[AttachmentContent]
    ) -> None:
        """Keep attachments."""
        ...

    def add_documents(
        self, institution_id: InstitutionId, documents: Sequence[tuple[DocumentKey, Document]]
    ) -> None:
        """Keep documents with the ETag and the moment of change that they have."""
        ...

    def add_definitions(
        self, institution_id: InstitutionId, definitions: Sequence[ActivityDefinition]
    ) -> None:
        """Keep merged definitions."""
        ...

    def add_recorded(self, institution_id: InstitutionId, values: Sequence[KeptValue]) -> None:
        """Keep recorded values and bookkeeping as they are, without an entry in the history."""
        ...

    def add_entries(self, institution_id: InstitutionId, entries: Sequence[KeptEntry]) -> None:
        """Append entries to the history, behind what statements left there."""
        ...

    def add_receipts(self, institution_id: InstitutionId, receipts: Sequence[Receipt]) -> None:
        """Keep receipts, oldest first."""
        ...

    def finish(self) -> None:
        """Declare the store whole: from here on it may be served."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with what is kept.

    Attributes:
        kind: Short stable name, such as ``body`` or ``posting``.
        where: Which record: an institution and an id, or the name of a table.
        what: What is wrong, in a sentence.
    """

    kind: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a check has come: so many more statements were looked at."""

    statements: int
