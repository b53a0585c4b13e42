"""What the document resources need kept: State, Activity Profile and Agent Profile documents.

Spec: xAPI 1.0.3 Communication 2.2, 2.3, 2.6, 2.7.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class DocumentKind(IntEnum):
    """The three document resources. The numbers are stored; never reuse one."""

    STATE = 1
    ACTIVITY_PROFILE = 2
    AGENT_PROFILE = 3


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """Documents about the same thing: what is listed, and deleted, together.

    Attributes:
        activity: The activity's IRI; empty for agent profiles.
        agent: The agent's key (``lrs.xapi.facts.agent_key``); empty for activity profiles.
        registration: Only documents of this registration (lower case); None: of every
            registration and of none.
    """

    kind: DocumentKind
    activity: str = ""
    agent: str = ""
    registration: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """What one document is found by. ``registration`` None: the document without registration."""

    kind: DocumentKind
    document_id: str
    activity: str = ""
    agent: str = ""
    registration: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """What a document holds: any bytes, and the content type that they were sent with."""

    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A document as kept.

    Attributes:
        etag: SHA-1 of the content as 40 hex digits, without quotes.
        updated_at_us: When it was last changed; later at each change.

    Spec: xAPI 1.0.3 Communication 3.1.
    """

    content_type: str
    content: bytes
    etag: str
    updated_at_us: int


@dataclass(frozen=True, slots=True)
class DocumentList:
    """The documents of a set.

    Attributes:
        ids: Each once, sorted.
        updated_at_us: When the one that was changed last was; None where there is none.

    Spec: xAPI 1.0.3 Communication 2.2 (Last Modified).
    """

    ids: Sequence[str]
    updated_at_us: int | None


Change = Callable[[Document | None], DocumentContent | None]
"""Given what is there now (None: nothing), says what shall be there (None: nothing), or raises an
LrsError, and then nothing changes. Pure, since it may be asked again when a race was lost."""


class DocumentStore(Protocol):
    """The documents of one institution. All methods raise StoreUnavailable when the store is away."""

    def find_document(self, key: DocumentKey) -> Document | None:
        """Return a document, or None."""
        ...

    def change_document(self, key: DocumentKey, change: Change) -> Document | None:
        """Change, make or remove a document, deciding inside the atomic write; durable when it returns.

        Of writers that race, each decides on what the one before it left: no update is
        lost, no two can both find the document missing.

        Returns:
            What is there now, None where nothing is.

        Raises:
            LrsError: Whatever ``change`` raised; nothing was written.
        """
        ...

    def delete_documents(self, documents: DocumentSet) -> int:
        """Remove every document of a set in one atomic step; returns how many there were."""
        ...

    def list_documents(self, documents: DocumentSet, since_us: int | None) -> DocumentList:
        """List a set's documents; only those changed after an instant, where one is given."""
        ...
