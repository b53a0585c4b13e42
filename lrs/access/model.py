"""Institutions, clients, keys, scopes and sign-ins as plain values.

Instants are microseconds since the epoch, UTC (``lrs.clock``).
"""

from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, NewType

from lrs.access.handles import InstitutionHandle, InstitutionId

ClientId = NewType("ClientId", str)
KeyId = NewType("KeyId", str)
IssuerId = NewType("IssuerId", str)


class Role(StrEnum):
    """As what a person signs in."""

    ARRIVALS = "arrivals"
    """Somebody of a provider: did our records arrive."""
    REGISTRAR = "registrar"
    """Somebody of a school who makes and compares transcripts."""
    LEARNER = "learner"
    """A learner, who sees everything of their own and nothing of an institution."""


class Scope(StrEnum):
    """What a key may do. All but ``ADMIN`` are the standard's.

    Spec: xAPI 1.0.3 Communication 4.2 (OAuth scopes, used for Basic keys as well).
    """

    ALL = "all"
    ALL_READ = "all/read"
    STATEMENTS_WRITE = "statements/write"
    STATEMENTS_READ = "statements/read"
    STATEMENTS_READ_MINE = "statements/read/mine"
    STATE = "state"
    DEFINE = "define"
    PROFILE = "profile"
    ADMIN = "admin"


class Tolerance(StrEnum):
    """A small known fault of authoring tools that a key may ask to have mended.

    What each does: ``lrs.xapi.tolerance``.
    """

    MBOX_SCHEME = "mbox-scheme"
    TIMESTAMP_FORM = "timestamp-form"
    LANGUAGE_UNDERSCORE = "language-underscore"
    NUMBER_TEXT = "number-text"
    BOOLEAN_TEXT = "boolean-text"
    DURATION_FORM = "duration-form"
    NULL_PROPERTY = "null-property"
    SCORE_ROUNDING = "score-rounding"


@dataclass(frozen=True, slots=True)
class Institution:
    """A tenant: provider, school or college. The name is unique in the instance.

    Attributes:
        statement_quota: How many statements it may hold; 0 for any number.
    """

    id: InstitutionId
    name: str
    created_at_us: int
    statement_quota: int = 0


@dataclass(frozen=True, slots=True)
class Client:
    """A system that an institution lets in; the authority of its statements.

    Attributes:
        authority: The xAPI Agent (JSON text, made once) that stands as ``authority`` in
            every statement of this client. It belongs to the client, not to a key, so
            that keys may be rotated.
    """

    id: ClientId
    institution_id: InstitutionId
    name: str
    authority: str
    created_at_us: int


@dataclass(frozen=True, slots=True)
class Key:
    """A Basic credential. The secret itself is kept nowhere, only its SHA-256.

    Attributes:
        institution_id: None for an administrator's key, which then has no client.
        default_version: ``1.0.3`` or ``2.0.0``: whose form answers a request without a
            version header; None falls back to the server's.
        rate_per_minute: How many requests it may make in a minute; 0 for any number, None
            for as many as the instance's setting says.
        replaced_by: The key that was made when this one was rotated.
        tolerances: Faults of statements that are mended instead of refused.
    """

    id: KeyId
    institution_id: InstitutionId | None
    client_id: ClientId | None
    secret_sha256: bytes
    scopes: frozenset[Scope]
    default_version: str | None
    created_at_us: int
    expires_at_us: int | None = None
    revoked_at_us: int | None = None
    last_used_at_us: int | None = None
    rate_per_minute: int | None = None
    replaced_by: KeyId | None = None
    tolerances: frozenset[Tolerance] = frozenset()


class Unchanged(Enum):
    """What stands for a property that stays as it is; None is a value of most."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What shall be another at a key; named as in Key. Its scopes and its client are what it is."""

    default_version: str | Unchanged | None = UNCHANGED
    expires_at_us: int | Unchanged | None = UNCHANGED
    rate_per_minute: int | Unchanged | None = UNCHANGED
    tolerances: frozenset[Tolerance] | Unchanged = UNCHANGED

    def given(self) -> dict[str, Any]:
        """Return what changes, by the name of the property."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not UNCHANGED}


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with the secret that is shown this once."""

    key: Key
    secret: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A key with its client and institution, as found by one look-up."""

    key: Key
    client: Client | None
    institution: Institution | None


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose signed tokens an institution trusts, for one audience.

    Attributes:
        url: As the claim ``iss`` says it, character by character.
        audience: Must be among the claim ``aud``.
        client_claim: The claim that names the client, whose statements they then are.
        scope_claim: The claim that holds the scopes, as a list or separated by blanks.
        jwks_url: Where its keys are; None where its discovery document says so.
    """

    id: IssuerId
    institution_id: InstitutionId
    url: str
    audience: str
    client_claim: str
    scope_claim: str
    jwks_url: str | None
    created_at_us: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, after the credentials were found good.

    Attributes:
        label: What logs may say: the key's id (never the secret), the client's where a token
            was sent, or ``session``.
        handle: Opens the caller's institution; None for an administrator, and for a learner.
        key_id: None for whoever sent a token or is signed in.
        statement_quota: See Institution.
        tolerances: See Key.
        role: As what a person is signed in; None for systems.
        subject: Which learner that is, by the id of a learner or an identity; None for others.
    """

    label: str
    scopes: frozenset[Scope]
    handle: InstitutionHandle | None
    key_id: KeyId | None
    client: Client | None
    default_version: str | None
    statement_quota: int = 0
    tolerances: frozenset[Tolerance] = frozenset()
    role: Role | None = None
    subject: str | None = None

    @property
    def source(self) -> str | None:
        """Under what its posts are filed: its key, or its client where a token was sent."""
        return self.key_id or (self.client.id if self.client else None)

    def may(self, *any_of: Scope) -> bool:
        """Tell whether one of the scopes is held; ``all`` holds every xAPI scope."""
        return bool(expand_scopes(self.scopes).intersection(any_of))


@dataclass(frozen=True, slots=True)
class SignIn:
    """A link that signs a person in once; the token is kept only as SHA-256.

    Attributes:
        institution_id: Who gave the link.
        role: One of Role.
        subject: See Caller.
    """

    token_sha256: bytes
    institution_id: InstitutionId
    role: str
    created_at_us: int
    expires_at_us: int
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser; the cookie's token is kept only as SHA-256. See SignIn."""

    token_sha256: bytes
    institution_id: InstitutionId
    role: str
    created_at_us: int
    expires_at_us: int
    subject: str | None = None


_READS = frozenset({Scope.ALL_READ, Scope.STATEMENTS_READ, Scope.STATEMENTS_READ_MINE})


@lru_cache(maxsize=1024)
def expand_scopes(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Add what each scope includes: ``all`` every xAPI scope, a read its narrower reads."""
    held = set(scopes)
    if Scope.ALL in held:
        held |= set(Scope) - {Scope.ADMIN}
    if Scope.ALL_READ in held:
        held |= _READS
    if Scope.STATEMENTS_READ in held:
        held.add(Scope.STATEMENTS_READ_MINE)
    return frozenset(held)
