"""What is checked before anybody is let in: names, scopes, wishes for a key, credentials.

Pure: no store, no clock. Secrets are compared by SHA-256, in constant time.
"""

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from lrs.access.model import Caller, Credential, Key, KeyChange, Scope, Tolerance
from lrs.errors import Conflict, InvalidRequest, NotPermitted, Unauthenticated

MAX_NAME = 200
MAX_RATE = 1_000_000
MAX_QUOTA = 10**15
MAX_OVERLAP_HOURS = 24 * 365
EXPIRY_WARNING_US = 14 * 86_400_000_000
"""For so long before its end a key is called ending."""

VERSIONS = ("1.0.3", "2.0.0")


_NOT_IN_NAMES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINED = re.compile("([\u0600-\u0dff])[\u200c\u200d](?=[\u0600-\u0dff])")
"""A letter or sign of the scripts from Arabic to Sinhala, and a joiner between it and the next."""


class KeyState(StrEnum):
    """How a key stands at a moment. ``ENDING`` is good, and expires within 14 days."""

    GOOD = "good"
    ENDING = "ending"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What a new key shall be.

    Attributes:
        default_version: See Key.
        expires_at_us: None for a key that lasts until it is revoked.
        rate_per_minute: See Key.
        tolerances: See Key.
    """

    scopes: Collection[Scope]
    default_version: str | None = None
    expires_at_us: int | None = None
    rate_per_minute: int | None = None
    tolerances: Collection[Tolerance] = ()


def clean_name(name: str) -> str:
    """Trim a name and check it.

    Raises:
        InvalidRequest: It is empty, longer than 200 characters, or holds control,
            private, unpaired or format characters (which turn the direction of what stands
            beside them, or are not seen), but for the joiners that Persian and Indic
            scripts write with.
    """
    trimmed = unicodedata.normalize("NFC", name).strip()
    if not trimmed or len(trimmed) > MAX_NAME:
        raise InvalidRequest(f"A name must have 1 to {MAX_NAME} characters.")
    if has_hidden(trimmed):
        raise InvalidRequest("A name must not hold control or invisible characters or line breaks.")
    return trimmed


def has_hidden(text: str) -> bool:
    """Tell whether a text holds what nobody sees: see ``clean_name``."""
    return any(unicodedata.category(char) in _NOT_IN_NAMES for char in _JOINED.sub(r"\1", text))


def parse_scopes(names: Collection[str]) -> frozenset[Scope]:
    """Read the names of scopes.

    Raises:
        InvalidRequest: One is unknown.
    """
    known = {scope.value: scope for scope in Scope}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidRequest(f"Unknown scope {unknown[0]!r}; known are {', '.join(known)}.")
    return frozenset(known[name] for name in names)


def parse_tolerances(names: Collection[str]) -> frozenset[Tolerance]:
    """Read the names of tolerances.

    Raises:
        InvalidRequest: One is unknown.
    """
    known = {tolerance.value: tolerance for tolerance in Tolerance}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidRequest(f"Unknown tolerance {unknown[0]!r}; known are {', '.join(known)}.")
    return frozenset(known[name] for name in names)


def require(caller: Caller, *any_of: Scope) -> None:
    """Let a caller on who holds one of the scopes.

    Raises:
        NotPermitted: None of them is held.
    """
    if not caller.may(*any_of):
        raise NotPermitted(f"This needs a key with scope {' or '.join(any_of)}.")


def check_wish(wish: KeyWish, *, for_institution: bool, now: int) -> None:
    """Check what a new key shall be.

    Raises:
        InvalidRequest: No scope, administrator and institution mixed, an unknown version,
            or an end that has passed.
    """
    if not wish.scopes:
        raise InvalidRequest("A key needs at least one scope.")
    is_admin = set(wish.scopes) == {Scope.ADMIN}
    if is_admin == for_institution or (Scope.ADMIN in wish.scopes and not is_admin):
        raise InvalidRequest(
            "An administrator's key has the scope admin alone and no institution;"
            " every other key belongs to an institution."
        )
    if wish.tolerances and is_admin:
        raise InvalidRequest("An administrator's key sends no statements, so it tolerates nothing.")
    if wish.default_version is not None and wish.default_version not in VERSIONS:
        raise InvalidRequest(f"The default version must be one of {', '.join(VERSIONS)}.")
    if wish.expires_at_us is not None and wish.expires_at_us <= now:
        raise InvalidRequest("A key must expire in the future.")
    if wish.rate_per_minute is not None and not 0 <= wish.rate_per_minute <= MAX_RATE:
        raise InvalidRequest(f"The requests a minute must be 0 (no limit) to {MAX_RATE}.")


def state_of(key: Key, now: int) -> KeyState:
    """Return how a key stands."""
    if key.revoked_at_us is not None:
        return KeyState.REVOKED
    if key.expires_at_us is None or key.expires_at_us > now + EXPIRY_WARNING_US:
        return KeyState.GOOD
    return KeyState.ENDING if key.expires_at_us > now else KeyState.EXPIRED


def check_rotatable(key: Key, now: int) -> None:
    """Let only a key be rotated that is good and has no successor.

    Raises:
        Conflict: Saying which, and what to do.
    """
    if key.replaced_by is not None:
        raise Conflict(f"This key was rotated already; rotate its successor, {key.replaced_by}.")
    _check_good(key, now)


def check_change(key: Key, change: KeyChange, now: int) -> None:
    """Let a key be changed that is good and has no successor, into what could have been made.

    Raises:
        Conflict: It has one, is revoked or has expired; saying which, and what to do.
        InvalidRequest: Nothing is to be changed, or as for check_wish.
    """
    if not change.given():
        raise InvalidRequest("Say what of the key shall be changed.")
    if key.replaced_by is not None:
        raise Conflict(f"This key was rotated; change its successor, {key.replaced_by}.")
    _check_good(key, now)
    then = replace(key, **change.given())
    wish = KeyWish(
        then.scopes, then.default_version, then.expires_at_us, then.rate_per_minute, then.tolerances
    )
    check_wish(wish, for_institution=key.institution_id is not None, now=now)


def _check_good(key: Key, now: int) -> None:
    state = state_of(key, now)
    if state in {KeyState.EXPIRED, KeyState.REVOKED}:
        raise Conflict(f"This key is {state}; make a new one.")


def check_quota(statements: int) -> None:
    """Check how many statements an institution shall be allowed to hold.

    Raises:
        InvalidRequest: It is no number of statements.
    """
    if not 0 <= statements <= MAX_QUOTA:
        raise InvalidRequest(f"A quota must be 0 (no limit) to {MAX_QUOTA} statements.")


def read_basic(header: str | None) -> tuple[str, str]:
    """Take Basic credentials apart.

    Raises:
        Unauthenticated: Missing, another scheme, not base64, not UTF-8, or without colon.

    Spec: RFC 7617 2; xAPI 1.0.3 Communication 4.0.
    """
    if header is None:
        raise Unauthenticated(
            "Send the key and its secret as Basic credentials, in one Authorization header."
        )
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Unauthenticated("The Authorization header must begin with Basic or Bearer, and a space.")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unauthenticated("The Basic credentials are not base64 of UTF-8 text.") from error
    key_id, colon, secret = text.partition(":")
    if not colon or not key_id:
        raise Unauthenticated("The Basic credentials are not a key and a secret with a colon between.")
    return key_id, secret


def check_credential(credential: Credential | None, secret: str, now: int) -> Credential:
    """Return the credential if the secret is its own and it is still good.

    An unknown key and a wrong secret take the same path, so that neither time nor text
    tells one from the other.

    Raises:
        Unauthenticated: Unknown, wrong, revoked or expired.
    """
    kept = credential.key.secret_sha256 if credential else bytes(32)
    if not hmac.compare_digest(kept, sha256(secret)) or credential is None:
        raise Unauthenticated("There is no such key, or its secret is another.")
    key = credential.key
    if key.revoked_at_us is not None:
        raise Unauthenticated("This key has been revoked; ask for a new one.")
    if key.expires_at_us is not None and key.expires_at_us <= now:
        raise Unauthenticated("This key has expired; ask for a new one.")
    return credential


def sha256(text: str) -> bytes:
    """Return the digest under which a secret or token is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
