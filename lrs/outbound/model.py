"""What another system answered, and how much of its answer is waited for."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of another system.

    Attributes:
        headers: By name in any case.
        body: Unpacked.
        url: Whose answer it is, after redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class OutboundLimits:
    """How long is waited for another system, and how much is taken from it.

    Attributes:
        connect_seconds: For a connection to one address, with TLS.
        read_seconds: For each read that brings nothing.
        total_seconds: For everything, redirects included; the resolver's own time apart.
        max_bytes: Of the body, unpacked.
        max_redirects: So many are followed.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    total_seconds: float = 60.0
    max_bytes: int = 16 * 1024 * 1024
    max_redirects: int = 3
