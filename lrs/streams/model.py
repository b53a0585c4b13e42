"""Destinations, how far each has been served, and what it refused for good; plain values.

Instants are microseconds since the epoch, UTC. A position is that of the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from lrs.access.handles import InstitutionId
from lrs.errors import InvalidRequest
from lrs.xapi.log import StatementFilter

DestinationId = NewType("DestinationId", str)

MAX_DESTINATIONS = 50
"""Of one institution."""
MAX_LETTERS = 10_000
"""Of one destination; with so many it rests until they are sent again or dropped."""
TRIES = 3
"""How often one statement is offered that is refused for what it is."""
MAX_OVERLAP_HOURS = 24 * 30


class Kind(StrEnum):
    """How statements are handed over."""

    FORWARD = "forward"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret, encrypted; ``expires_at_us`` is None for the one that lasts."""

    sealed: str
    expires_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an institution's statements are sent.

    Attributes:
        name: Unique in the institution.
        url: ``forward``: the other store's endpoint, without ``/statements``; ``webhook``: as
            it is called.
        secrets: Newest first; ``forward``: ``KEY:SECRET`` of the other store; ``webhook``: what
            its signatures are made with.
    """

    id: DestinationId
    institution_id: InstitutionId
    name: str
    kind: Kind
    url: str
    wanted: StatementFilter
    secrets: tuple[SealedSecret, ...]
    created_at_us: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a destination has been served.

    Attributes:
        epoch: Of the lease under which this was written.
        position: Everything up to here is settled: sent, left out, or a dead letter.
        attempt: How often what follows has failed; 0 while all is well.
        refusals: How often the statement that follows was refused for what it is.
        batch_limit: So many statements go into the next request; 0 for as many as usual.
        next_try_us: Nothing is sent before.
        reason: Why the last attempt failed; empty while all is well.
        sent: Statements that were sent.
        sent_at_us: When the last of them was; 0 for never.
    """

    destination_id: DestinationId
    position: int
    epoch: int = 0
    attempt: int = 0
    refusals: int = 0
    batch_limit: int = 0
    next_try_us: int = 0
    reason: str = ""
    sent: int = 0
    sent_at_us: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A statement that a destination refused for good; the statement itself stays in the log.

    Attributes:
        status: The HTTP status of the refusal.
        tries: How often it was offered.
        asked_at_us: When somebody asked that it be sent again; 0 for not.
    """

    destination_id: DestinationId
    statement_id: str
    position: int
    status: int
    reason: str
    tries: int
    at_us: int
    asked_at_us: int = 0


@dataclass(frozen=True, slots=True)
class DestinationView:
    """A destination with how it stands."""

    destination: Destination
    delivery: Delivery
    letters: int


def live_secrets(secrets: Sequence[SealedSecret], now_us: int) -> tuple[SealedSecret, ...]:
    """Return the secrets that are good at a moment, newest first."""
    return tuple(one for one in secrets if one.expires_at_us is None or one.expires_at_us > now_us)


def check_credentials(text: str) -> bytes:
    """Check the credentials of a ``forward``: ``KEY:SECRET`` in one line.

    Raises:
        InvalidRequest: They are not of that form.
    """
    clean = text.strip()
    if ":" not in clean or not clean.isprintable():
        raise InvalidRequest("The credentials of a forward are KEY:SECRET of the other record store.")
    return clean.encode()
