"""What the access room needs kept. Both engines implement it; one contract suite checks both."""

from collections.abc import Sequence
from typing import Protocol

from lrs.access.handles import InstitutionId
from lrs.access.model import (
    Client,
    ClientId,
    Credential,
    Institution,
    Issuer,
    IssuerId,
    Key,
    KeyChange,
    KeyId,
    Session,
    SignIn,
)


class AccessStore(Protocol):
    """Institutions, clients, keys, issuers, sign-in links and sessions of the whole instance.

    Every method is one atomic step, durable when it returns, visible at once to every
    process on the same store. All raise StoreUnavailable when the store is away.
    """

    def add_institution(self, institution: Institution) -> None:
        """Keep a new institution.

        Raises:
            AlreadyExists: The id or the name is taken.
        """
        ...

    def find_institution(self, institution_id: InstitutionId) -> Institution | None:
        """Return the institution of that id, or None."""
        ...

    def find_institution_named(self, name: str) -> Institution | None:
        """Return the institution of exactly that name, or None."""
        ...

    def list_institutions(self) -> Sequence[Institution]:
        """Return all institutions by name; empty when there is none."""
        ...

    def set_statement_quota(self, institution_id: InstitutionId, statements: int) -> bool:
        """Say how many statements an institution may hold, 0 for any number; False when it is unknown.

        Every credential found afterwards carries it.
        """
        ...

    def add_client(self, client: Client) -> None:
        """Keep a new client.

        Raises:
            AlreadyExists: The id is taken, or the institution has a client of that name.
            NotFound: There is no such institution.
        """
        ...

    def find_client(self, client_id: ClientId) -> Client | None:
        """Return the client of that id, or None."""
        ...

    def find_client_named(self, institution_id: InstitutionId, name: str) -> Client | None:
        """Return the institution's client of exactly that name, or None."""
        ...

    def list_clients(self, institution_id: InstitutionId) -> Sequence[Client]:
        """Return the institution's clients by name; empty when there is none."""
        ...

    def add_key(self, key: Key) -> None:
        """Keep a new key.

        Raises:
            AlreadyExists: The id is taken.
            NotFound: Its client is unknown or of another institution.
        """
        ...

    def find_credential(self, key_id: KeyId) -> Credential | None:
        """Return a key with its client and institution, whatever its state, or None.

        This is asked at each request: one indexed look-up, nothing cached for longer
        than the store can vouch for (a revoked key must stop at once, in every process).
        """
        ...

    def list_keys(self, institution_id: InstitutionId | None) -> Sequence[Key]:
        """Return the institution's keys, oldest first; None gives the administrators'."""
        ...

    def rotate_key(self, key_id: KeyId, successor: Key, expires_at_us: int) -> None:
        """Keep a key's successor and let the key itself end, at the latest, at that moment.

        Of several who rotate one key at once, one succeeds; the successors of the others
        are never good. An end that was nearer already stays.

        Raises:
            NotFound: There is no such key.
            Conflict: It has been revoked, or has a successor already.
            AlreadyExists: The successor's id is taken.
        """
        ...

    def change_key(self, key_id: KeyId, change: KeyChange) -> None:
        """Change what is given of a key; every credential found afterwards carries it.

        Raises:
            NotFound: There is no such key.
            Conflict: It has been revoked, or has a successor.
        """
        ...

    def revoke_key(self, key_id: KeyId, at_us: int) -> bool:
        """Mark a key revoked; False when it is unknown. The first moment stays."""
        ...

    def note_key_used(self, key_id: KeyId, at_us: int) -> None:
        """Raise the moment of last use (callers do this at most once a minute a key)."""
        ...

    def add_issuer(self, issuer: Issuer) -> None:
        """Keep an issuer whose tokens are trusted.

        Raises:
            AlreadyExists: The id is taken, or the URL together with the audience: a token
                must lead to one institution.
            NotFound: There is no such institution.
        """
        ...

    def find_issuers(self, url: str) -> Sequence[Issuer]:
        """Return the issuers of exactly that URL, by audience; empty when there is none.

        This is asked at each request that carries a token: one indexed look-up, and an
        issuer that was removed is not found at once, in every process.
        """
        ...

    def list_issuers(self, institution_id: InstitutionId | None) -> Sequence[Issuer]:
        """Return the institution's issuers, oldest first; None gives those of all."""
        ...

    def remove_issuer(self, issuer_id: IssuerId) -> bool:
        """Forget an issuer; False when it is unknown."""
        ...

    def add_sign_in(self, sign_in: SignIn) -> None:
        """Keep a sign-in link."""
        ...

    def take_sign_in(self, token_sha256: bytes, at_us: int) -> SignIn | None:
        """Use up a sign-in link: the first taker before its expiry gets it, others None."""
        ...

    def add_session(self, session: Session) -> None:
        """Keep a session; sessions expired at its creation are dropped on the way."""
        ...

    def find_session(self, token_sha256: bytes, at_us: int) -> Session | None:
        """Return the session if it has not expired at that moment, else None."""
        ...

    def end_session(self, token_sha256: bytes) -> None:
        """Forget a session; nothing happens when it is unknown."""
        ...
