"""What streams out needs kept. Both engines implement it; one contract suite checks both."""

from collections.abc import Sequence
from typing import Protocol

from lrs.access.handles import InstitutionHandle
from lrs.streams.model import DeadLetter, Delivery, Destination, DestinationId, SealedSecret


class StreamStore(Protocol):
    """Destinations, deliveries and dead letters.

    What takes a handle sees the destinations of its institution and no other; the rest is for
    the job that serves them all, and shows nothing to anyone. Every method is one atomic step,
    durable when it returns. All raise StoreUnavailable when the store is away.
    """

    def add_destination(
        self, handle: InstitutionHandle, destination: Destination, delivery: Delivery
    ) -> None:
        """Keep a new destination, with where it begins.

        Raises:
            AlreadyExists: The institution has one of that name.
        """
        ...

    def list_destinations(self, handle: InstitutionHandle) -> Sequence[Destination]:
        """Return the institution's destinations by name."""
        ...

    def find_destination(
        self, handle: InstitutionHandle, destination_id: DestinationId
    ) -> Destination | None:
        """Return a destination of the institution, or None."""
        ...

    def put_secrets(
        self, handle: InstitutionHandle, destination_id: DestinationId, secrets: tuple[SealedSecret, ...]
    ) -> bool:
        """Replace a destination's secrets; False when the institution has no such destination."""
        ...

    def remove_destination(self, handle: InstitutionHandle, destination_id: DestinationId) -> bool:
        """Forget a destination, its delivery and its letters; False when there is none."""
        ...

    def list_letters(self, destination_id: DestinationId, limit: int) -> Sequence[DeadLetter]:
        """Return the dead letters of a destination in the order of the log."""
        ...

    def count_letters(self, destination_id: DestinationId) -> int:
        """Return how many dead letters a destination has."""
        ...

    def ask_replay(self, destination_id: DestinationId, statement_id: str | None, at_us: int) -> int:
        """Ask that a letter, or all of a destination, be sent again; how many there were."""
        ...

    def drop_letters(self, destination_id: DestinationId, statement_id: str | None) -> int:
        """Forget a letter, or all of a destination; how many there were."""
        ...

    def list_all(self) -> Sequence[Destination]:
        """Return the destinations of every institution, by id (the job)."""
        ...

    def find_delivery(self, destination_id: DestinationId) -> Delivery | None:
        """Return how far a destination has been served, or None when there is no such destination."""
        ...

    def begin_delivery(self, destination_id: DestinationId, epoch: int) -> Delivery | None:
        """Go on where the last one ended, and let nobody with a lower epoch write from now on.

        Returns:
            The delivery, or None: there is no such destination, or a higher epoch has begun.
        """
        ...

    def save_delivery(self, delivery: Delivery, letter: DeadLetter | None = None) -> bool:
        """Write how far a destination has been served, with the letter that came of it.

        The letter is not lost where the delivery is written; where both are not, nothing is.

        Returns:
            False, and nothing is written, when a higher epoch has begun, or the destination is gone.
        """
        ...

    def list_asked(self, destination_id: DestinationId, limit: int) -> Sequence[DeadLetter]:
        """Return the letters that are to be sent again, in the order of the log."""
        ...

    def settle_letter(self, letter: DeadLetter, *, sent: bool) -> None:
        """Forget a letter that was sent; keep one that was not as it is given, if it is still there."""
        ...
