"""Keys: made for a client or an administrator, rotated, changed, revoked.

Secrets are 256 random bits; only their SHA-256 is kept and looked up at each request, so a
revoked key stops at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from lrs.access.handles import InstitutionId
from lrs.access.model import Client, Key, KeyChange, KeyId, NewKey
from lrs.access.ports import AccessStore
from lrs.access.rules import KeyWish, check_change, check_rotatable, sha256
from lrs.clock import Clock
from lrs.errors import NotFound


class Keys:
    """The keys of one instance.

    Args:
        store: Keeps them.
        clock: Now.
        new_id: Makes an id of so many characters.
        new_token: Gives 256 random bits as text.
    """

    def __init__(
        self,
        store: AccessStore,
        clock: Clock,
        new_id: Callable[[int], str],
        new_token: Callable[[], str],
    ) -> None:
        """Keep what was handed in."""
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._new_token = new_token

    def add(self, client: Client | None, wish: KeyWish) -> NewKey:
        """Make a key as it was wished for (``check_wish``); no client makes it an administrator's."""
        secret = self._new_token()
        key = Key(
            id=KeyId(self._new_id(12)),
            institution_id=client.institution_id if client else None,
            client_id=client.id if client else None,
            secret_sha256=sha256(secret),
            scopes=frozenset(wish.scopes),
            default_version=wish.default_version,
            created_at_us=self._clock(),
            expires_at_us=wish.expires_at_us,
            rate_per_minute=wish.rate_per_minute,
            tolerances=frozenset(wish.tolerances),
        )
        self._store.add_key(key)
        return NewKey(key, secret)

    def rotate(self, key_id: str, overlap_us: int) -> NewKey:
        """Make a key's successor, and let the key itself end after an overlap.

        The successor has the same client, scopes, default version, rate and tolerances; if the key was
        made to last for a time, it lasts as long, from now.

        Args:
            key_id: The key.
            overlap_us: For so long both are good; 0 ends the old one at once.

        Raises:
            NotFound: There is no such key.
            Conflict: It is revoked, expired, or was rotated already.
        """
        old, now = self._get(key_id), self._clock()
        check_rotatable(old, now)
        secret = self._new_token()
        successor = replace(
            old,
            id=KeyId(self._new_id(12)),
            secret_sha256=sha256(secret),
            created_at_us=now,
            expires_at_us=now + old.expires_at_us - old.created_at_us if old.expires_at_us else None,
            last_used_at_us=None,
        )
        self._store.rotate_key(old.id, successor, now + overlap_us)
        return NewKey(successor, secret)

    def change(self, key_id: str, change: KeyChange) -> Key:
        """Change what is given of a key; in force in every process from the next request on.

        Raises:
            NotFound: There is no such key.
            Conflict: It is revoked, expired, or was rotated.
            InvalidRequest: Nothing is given, or it is not what a key could have been made with.
        """
        check_change(self._get(key_id), change, self._clock())
        self._store.change_key(KeyId(key_id), change)
        return self._get(key_id)

    def list(self, institution_id: str | None) -> Sequence[Key]:
        """Return the institution's keys, oldest first; None gives the administrators'."""
        return self._store.list_keys(None if institution_id is None else InstitutionId(institution_id))

    def find(self, key_id: str) -> Key | None:
        """Return a key, whatever its state, or None."""
        found = self._store.find_credential(KeyId(key_id))
        return found.key if found else None

    def _get(self, key_id: str) -> Key:
        found = self.find(key_id)
        if found is None:
            raise NotFound("There is no such key.")
        return found

    def revoke(self, key_id: str) -> None:
        """Stop a key at once, in every process; doing it twice changes nothing.

        Raises:
            NotFound: There is none of that id.
        """
        if not self._store.revoke_key(KeyId(key_id), self._clock()):
            raise NotFound("There is no such key.")
