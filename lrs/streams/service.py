"""Destinations: make, list, test, rotate, remove; what they refused, and sending it again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lrs.access.handles import InstitutionHandle
from lrs.access.rules import clean_name
from lrs.clock import Clock
from lrs.errors import Conflict, InvalidRequest, NotFound, OutboundRefused
from lrs.outbound.guard import split_url
from lrs.sealing import SecretBox
from lrs.streams.model import (
    MAX_DESTINATIONS,
    DeadLetter,
    Delivery,
    Destination,
    DestinationId,
    DestinationView,
    Kind,
    SealedSecret,
    check_credentials,
    live_secrets,
)
from lrs.streams.ports import StreamStore
from lrs.streams.sending import Sender, Verdict, about
from lrs.streams.signing import make_secret
from lrs.xapi.log import LogReader, StatementFilter

_ID_LENGTH = 10
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new destination shall be.

    Attributes:
        credentials: ``KEY:SECRET`` for a forward; None for a webhook, whose secret is made.
        from_start: Whether the whole log is sent, or only what is stored from now on.
    """

    name: str
    kind: Kind
    url: str
    wanted: StatementFilter
    credentials: str | None = None
    from_start: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """A destination, and the secret that was made for it; None where it was given by the caller."""

    destination: Destination
    secret: str | None


class DestinationService:
    """What administrators, and institutions for themselves, do with destinations.

    Args:
        store: Keeps them.
        reader: Finds the log's end.
        sender: Sends a test.
        box: Seals secrets.
        clock: Now, in microseconds.
        new_id: Gives a short random id of so many characters.
        random_bytes: ``os.urandom`` outside tests.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the room's parts, handed in once
        self,
        store: StreamStore,
        reader: LogReader,
        sender: Sender,
        box: SecretBox,
        clock: Clock,
        new_id: Callable[[int], str],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Keep what was handed in."""
        self._store = store
        self._reader = reader
        self._sender = sender
        self._box = box
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes

    def add(self, handle: InstitutionHandle, wish: Wish) -> Issued:
        """Make a destination; its first statements go out with the job's next run.

        Raises:
            InvalidRequest: The name, the URL or the credentials are not of the right form.
            AlreadyExists: The institution has one of that name.
            Conflict: It has as many as it may have.
            ConfigError: There is no key to encrypt the secret under.
        """
        name = clean_name(wish.name)
        _check_url(wish.url)
        if len(self._store.list_destinations(handle)) >= MAX_DESTINATIONS:
            raise Conflict(f"An institution has at most {MAX_DESTINATIONS} destinations; remove one first.")
        bare = Destination(
            DestinationId(self._new_id(_ID_LENGTH)),
            handle.institution_id,
            name,
            wish.kind,
            wish.url,
            wish.wanted,
            (),
            self._clock(),
        )
        secret, issued = self._secret(wish.kind, wish.credentials)
        made = replace(bare, secrets=(SealedSecret(self._box.seal(secret, about(bare))),))
        begins = 0 if wish.from_start else self._reader.end(handle)
        self._store.add_destination(handle, made, Delivery(made.id, begins))
        return Issued(made, issued)

    def list(self, handle: InstitutionHandle) -> Sequence[DestinationView]:
        """Return the institution's destinations by name, with how each stands."""
        return [self._view(one) for one in self._store.list_destinations(handle)]

    def get(self, handle: InstitutionHandle, destination_id: str) -> DestinationView:
        """Return one destination.

        Raises:
            NotFound: The institution has none of that id.
        """
        return self._view(self._find(handle, destination_id))

    def remove(self, handle: InstitutionHandle, destination_id: str) -> None:
        """Forget a destination; what was not sent yet is not sent.

        Raises:
            NotFound: The institution has none of that id.
        """
        if not self._store.remove_destination(handle, DestinationId(destination_id)):
            raise NotFound("There is no such destination.")

    def rotate(
        self, handle: InstitutionHandle, destination_id: str, overlap_us: int, credentials: str | None = None
    ) -> Issued:
        """Give a destination a new secret.

        A webhook's old one goes on signing beside it during the overlap; a forward's new
        credentials are used at once.

        Raises:
            NotFound: The institution has none of that id.
            InvalidRequest: A forward needs its new credentials; a webhook makes its own.
        """
        destination = self._find(handle, destination_id)
        secret, issued = self._secret(destination.kind, credentials)
        now = self._clock()
        new = SealedSecret(self._box.seal(secret, about(destination)))
        ends = now + (overlap_us if destination.kind is Kind.WEBHOOK else 0)
        old = (
            replace(one, expires_at_us=ends if one.expires_at_us is None else min(one.expires_at_us, ends))
            for one in destination.secrets
        )
        secrets = live_secrets((new, *old), now)
        if not self._store.put_secrets(handle, destination.id, secrets):
            raise NotFound("There is no such destination.")
        return Issued(replace(destination, secrets=secrets), issued)

    def test(self, handle: InstitutionHandle, destination_id: str) -> Verdict:
        """Send a test now, and tell what came of it.

        Raises:
            NotFound: The institution has none of that id.
        """
        return self._sender.send_test(self._find(handle, destination_id))

    def letters(self, handle: InstitutionHandle, destination_id: str, limit: int) -> Sequence[DeadLetter]:
        """Return a destination's dead letters in the order of the log.

        Raises:
            NotFound: The institution has none of that id.
        """
        return self._store.list_letters(self._find(handle, destination_id).id, limit)

    def replay(self, handle: InstitutionHandle, destination_id: str, statement_id: str | None) -> int:
        """Have a dead letter, or all of a destination, sent again by the job's next run.

        Raises:
            NotFound: The institution has no such destination, or that no such letter.
        """
        found = self._find(handle, destination_id)
        count = self._store.ask_replay(found.id, statement_id, self._clock())
        return _some(count, statement_id)

    def drop(self, handle: InstitutionHandle, destination_id: str, statement_id: str | None) -> int:
        """Forget a dead letter, or all of a destination.

        Raises:
            NotFound: The institution has no such destination, or that no such letter.
        """
        found = self._find(handle, destination_id)
        return _some(self._store.drop_letters(found.id, statement_id), statement_id)

    def _find(self, handle: InstitutionHandle, destination_id: str) -> Destination:
        found = self._store.find_destination(handle, DestinationId(destination_id))
        if found is None:
            raise NotFound("There is no such destination.")
        return found

    def _view(self, destination: Destination) -> DestinationView:
        delivery = self._store.find_delivery(destination.id) or Delivery(destination.id, 0)
        return DestinationView(destination, delivery, self._store.count_letters(destination.id))

    def _secret(self, kind: Kind, credentials: str | None) -> tuple[bytes, str | None]:
        """Return a secret to seal, and the same where it was made here and must be shown."""
        if kind is Kind.FORWARD:
            if credentials is None:
                raise InvalidRequest("A forward needs the credentials of the other record store, KEY:SECRET.")
            return check_credentials(credentials), None
        if credentials is not None:
            raise InvalidRequest("A webhook takes no credentials: its secret is made here and shown once.")
        made = make_secret(self._random_bytes(_SECRET_BYTES))
        return made.encode(), made


def _check_url(url: str) -> None:
    try:
        split_url(url)
    except OutboundRefused as error:
        raise InvalidRequest(f"The destination's URL cannot be used. {error.detail}") from error


def _some(count: int, statement_id: str | None) -> int:
    if not count and statement_id is not None:
        raise NotFound("There is no such dead letter.")
    return count
