"""Letting in: institutions and clients as use cases; ``keys`` has keys, ``sign_ins`` links and sessions.

Names come from people: they are trimmed and checked here.
"""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from lrs.access.bearer import BearerTokens
from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.keys import Keys
from lrs.access.model import (
    Caller,
    Client,
    ClientId,
    Credential,
    Institution,
    Key,
    KeyId,
    NewKey,
    Role,
    Scope,
    Tolerance,
)
from lrs.access.ports import AccessStore
from lrs.access.rates import RateLimiter
from lrs.access.rules import (
    KeyWish,
    check_credential,
    check_quota,
    check_wish,
    clean_name,
    read_basic,
)
from lrs.access.sign_ins import SignIns
from lrs.clock import Clock
from lrs.errors import AlreadyExists, NotFound, StoreUnavailable, Unauthenticated

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND


class AccessService:
    """Who may do what, on one instance.

    Args:
        store: Keeps what is made here.
        clock: Now, in microseconds.
        random_bytes: Gives so many unpredictable bytes.
        public_url: The address that clients use; it stands in authorities.
        rates: Counts requests; without it there is no limit.
        tokens: Finds out whom a token is of; without it none is taken.

    Attributes:
        keys: The keys that there are.
    """

    def __init__(
        self,
        store: AccessStore,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        public_url: str,
        rates: RateLimiter | None = None,
        tokens: BearerTokens | None = None,
    ) -> None:
        """Keep what was handed in."""
        self._tokens = tokens
        self._rates = rates or RateLimiter(clock)
        self._store = store
        self._clock = clock
        self._random_bytes = random_bytes
        self._public_url = public_url.rstrip("/")
        self._sign_ins = SignIns(store, clock, self.new_token)
        self.keys = Keys(store, clock, self.new_id, self.new_token)

    @property
    def origin(self) -> str:
        """Where the browser says that our own pages are: scheme and host of the public address."""
        parts = urlsplit(self._public_url)
        return f"{parts.scheme}://{parts.netloc}"

    def now(self) -> int:
        """Give the moment that answers speak from."""
        return self._clock()

    # Callers

    def authenticate(self, authorization_header: str | None) -> Caller:
        """Find out whose Basic credentials, or whose token, this is.

        Raises:
            Unauthenticated: Missing, malformed, unknown, wrong, expired or revoked. The
                answer does not tell an unknown key from a wrong secret.
            RateLimited: The key has made too many requests; nothing was written for this one.
            OutboundUnavailable: A token's issuer cannot be asked for its keys now.

        Spec: xAPI 1.0.3 Communication 4.0; RFC 6750 2.1.
        """
        scheme, _, token = (authorization_header or "").partition(" ")
        if scheme.lower() == "bearer":
            return self._authenticate_token(token.strip())
        key_id, secret = read_basic(authorization_header)
        credential = self._store.find_credential(KeyId(key_id))
        now = self._clock()
        good = check_credential(credential, secret, now)
        self._rates.take(good.key.id, good.key.rate_per_minute)
        self._note_used(good.key, now)
        return _to_caller(good)

    def _authenticate_token(self, token: str) -> Caller:
        """Let in whom an institution's issuer vouches for; its client is made when it first comes."""
        if self._tokens is None:
            raise Unauthenticated("Tokens are not taken here.")
        bearer = self._tokens.identify(token)
        institution = self.get_institution(bearer.issuer.institution_id)
        client = self.ensure_client(institution.id, bearer.client_name)
        self._rates.take(KeyId(client.id), None)
        handle = InstitutionHandle(institution.id)
        return Caller(client.id, bearer.scopes, handle, None, client, None, institution.statement_quota)

    def _note_used(self, key: Key, now: int) -> None:
        """Note it at most once a minute; a store that takes no writes just now is still read from."""
        if key.last_used_at_us is None or now - key.last_used_at_us >= _MINUTE:
            with suppress(StoreUnavailable):
                self._store.note_key_used(key.id, now)

    # Institutions

    def create_institution(self, name: str) -> Institution:
        """Make an institution.

        Raises:
            InvalidRequest: The name is empty, too long or holds control characters.
            AlreadyExists: The name is taken.
        """
        made = Institution(InstitutionId(self.new_id(10)), clean_name(name), self._clock())
        self._store.add_institution(made)
        return made

    def ensure_institution(self, name: str) -> Institution:
        """Return the institution of that name, made where it is missing; safe in a race."""
        wanted = clean_name(name)
        found = self._store.find_institution_named(wanted)
        if found is not None:
            return found
        try:
            return self.create_institution(wanted)
        except AlreadyExists:
            return self.get_institution_named(wanted)

    def get_institution_named(self, name: str) -> Institution:
        """Return the institution of that name.

        Raises:
            NotFound: There is none.
        """
        found = self._store.find_institution_named(clean_name(name))
        if found is None:
            raise NotFound("There is no institution of that name.")
        return found

    def get_institution(self, institution_id: str) -> Institution:
        """Return the institution of that id.

        Raises:
            NotFound: There is none.
        """
        found = self._store.find_institution(InstitutionId(institution_id))
        if found is None:
            raise NotFound("There is no such institution.")
        return found

    def list_institutions(self) -> Sequence[Institution]:
        """Return all institutions, by name."""
        return self._store.list_institutions()

    def set_statement_quota(self, institution_id: str, statements: int) -> Institution:
        """Say how many statements an institution may hold; 0 for any number.

        Raises:
            NotFound: There is no such institution.
            InvalidRequest: It is no number of statements.
        """
        check_quota(statements)
        if not self._store.set_statement_quota(InstitutionId(institution_id), statements):
            raise NotFound("There is no such institution.")
        return self.get_institution(institution_id)

    def handle_for_institution_named(self, name: str) -> InstitutionHandle:
        """Open an institution for an administrative command that named it.

        Raises:
            NotFound: There is none of that name.
        """
        return InstitutionHandle(self.get_institution_named(name).id)

    # Clients

    def create_client(self, institution_id: InstitutionId, name: str) -> Client:
        """Let in a system; its authority is made here, once.

        Raises:
            InvalidRequest: The name is not one.
            AlreadyExists: The institution has a client of that name.
            NotFound: There is no such institution.

        Spec: xAPI 1.0.3 Data 2.4.9.
        """
        client_id, wanted = ClientId(self.new_id(10)), clean_name(name)
        authority = {
            "objectType": "Agent",
            "name": wanted,
            "account": {
                "homePage": f"{self._public_url}/institutions/{institution_id}",
                "name": client_id,
            },
        }
        text = json.dumps(authority, ensure_ascii=False, separators=(",", ":"))
        client = Client(client_id, institution_id, wanted, text, self._clock())
        self._store.add_client(client)
        return client

    def ensure_client(self, institution_id: InstitutionId, name: str) -> Client:
        """Return the institution's client of that name, made where it is missing; safe in a race."""
        wanted = clean_name(name)
        found = self._store.find_client_named(institution_id, wanted)
        if found is not None:
            return found
        try:
            return self.create_client(institution_id, wanted)
        except AlreadyExists:
            made = self._store.find_client_named(institution_id, wanted)
            if made is None:
                raise
            return made

    def find_client(self, client_id: str) -> Client | None:
        """Return the client of that id, or None."""
        return self._store.find_client(ClientId(client_id))

    def client_names(self, institution_id: InstitutionId) -> dict[ClientId, str]:
        """Return the name of each of the institution's clients by its id."""
        return {client.id: client.name for client in self._store.list_clients(institution_id)}

    # Keys

    def create_key(  # noqa: PLR0913, PLR0917 - each is a property of the key
        self,
        institution_name: str | None,
        client_name: str | None,
        scopes: Collection[Scope],
        default_version: str | None = None,
        expires_at_us: int | None = None,
        rate_per_minute: int | None = None,
        tolerances: Collection[Tolerance] = (),
    ) -> NewKey:
        """Make a key, and its institution and client where they are missing.

        Args:
            institution_name: None for an administrator's key.
            client_name: None for the client that bears the institution's own name.
            scopes: What it may do; ``admin`` alone for an administrator.
            default_version: See Key.
            expires_at_us: None for a key that lasts until it is revoked.
            rate_per_minute: See Key.
            tolerances: See Key.

        Raises:
            InvalidRequest: A name, the scopes, the version or the end is wrong, or
                administrator and institution are mixed in one key.
        """
        wish = KeyWish(scopes, default_version, expires_at_us, rate_per_minute, tolerances)
        check_wish(wish, for_institution=institution_name is not None, now=self._clock())
        if institution_name is None:
            return self.keys.add(None, wish)
        institution = self.ensure_institution(institution_name)
        return self.keys.add(self.ensure_client(institution.id, client_name or institution.name), wish)

    def create_key_for(self, institution_id: str, client_name: str | None, wish: KeyWish) -> NewKey:
        """Make a key for an institution that is there.

        Raises:
            NotFound: There is no such institution.
            InvalidRequest: As for create_key.
        """
        institution = self.get_institution(institution_id)
        check_wish(wish, for_institution=True, now=self._clock())
        return self.keys.add(self.ensure_client(institution.id, client_name or institution.name), wish)

    def create_administrator_key(self) -> NewKey:
        """Make a key that makes institutions and keys, and reads no records."""
        return self.create_key(None, None, [Scope.ADMIN])

    # People who sign in

    def create_sign_in(
        self, institution_name: str, role: str = Role.ARRIVALS, subject: str | None = None
    ) -> str:
        """Make the token of a link that signs a person in: one day, one use.

        Raises:
            NotFound: There is no institution of that name.
            InvalidRequest: As ``SignIns.create`` says.
        """
        return self._sign_ins.create(self.get_institution_named(institution_name).id, role, subject)

    def take_sign_in(self, token: str) -> str:
        """Use up a sign-in link, as ``SignIns.take`` does; return the session's token."""
        return self._sign_ins.take(token)

    def find_session(self, token: str) -> Caller | None:
        """Return who a session's token stands for, or None where it is unknown or expired."""
        return self._sign_ins.find(token)

    def end_session(self, token: str) -> None:
        """Sign a browser out; nothing happens when the token is unknown."""
        self._sign_ins.end(token)

    # Ids and tokens

    def new_id(self, length: int) -> str:
        """Make an id in Crockford's base 32: no i, l, o, u; read out without mistakes."""
        return "".join(_ALPHABET[byte & 31] for byte in self._random_bytes(length))

    def new_token(self) -> str:
        """Make 256 random bits as text that fits a URL, a cookie, and a command's argument anywhere in it.

        Base 64 would be shorter, but one in 64 such secrets begins with a dash, which commands
        take for an option.
        """
        return self._random_bytes(32).hex()


def _to_caller(credential: Credential) -> Caller:
    key = credential.key
    handle = InstitutionHandle(key.institution_id) if key.institution_id is not None else None
    quota = credential.institution.statement_quota if credential.institution else 0
    return Caller(
        key.id, key.scopes, handle, key.id, credential.client, key.default_version, quota, key.tolerances
    )
