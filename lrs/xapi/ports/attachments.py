"""What attachments need kept: bytes by their hash.

They are written with the statements that name them: ``Batch.attachments``.

Spec: xAPI 1.0.3 Data 2.4.11.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AttachmentContent:
    """An attachment's bytes.

    Attributes:
        sha2: Their hash as sent in the statement: lower-case hex of SHA-224, 256, 384 or 512.
    """

    sha2: str
    content: bytes


class AttachmentStore(Protocol):
    """The attachments of one institution. All methods raise StoreUnavailable when the store is away."""

    def find_attachments(self, hashes: Collection[str]) -> Mapping[str, bytes]:
        """Return the bytes of those hashes that are kept; the others are left out."""
        ...
