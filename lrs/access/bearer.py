"""The second way in: tokens that an issuer signed whom an institution trusts.

Spec: RFC 6750 (bearer tokens), OpenID Connect Core 3.1.3.7, xAPI 1.0.3 Communication 4.0.
"""

from dataclasses import dataclass

from lrs.access.keysets import KeySets
from lrs.access.model import Issuer, Scope
from lrs.access.ports import AccessStore
from lrs.access.tokens import (
    Unverified,
    check_claims,
    read_client_name,
    read_scopes,
    read_unverified,
    refuse,
    verify,
)
from lrs.clock import Clock


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a good token is of, and what it may do."""

    issuer: Issuer
    client_name: str
    scopes: frozenset[Scope]


class BearerTokens:
    """Finds out whom a token is of.

    Args:
        store: Knows whom the institutions trust.
        keys: Finds the issuers' keys.
        clock: Now.
    """

    def __init__(self, store: AccessStore, keys: KeySets, clock: Clock) -> None:
        """Keep what was handed in."""
        self._store = store
        self._keys = keys
        self._clock = clock

    def identify(self, token: str) -> Bearer:
        """Check a token and read whom it is of.

        Nothing is fetched for an issuer whom nobody trusts.

        Raises:
            Unauthenticated: It is malformed, untrusted, wrongly signed, expired, for another.
            OutboundUnavailable: The issuer's keys are not known and cannot be fetched now.
        """
        seen = read_unverified(token)
        issuer = self._find_issuer(seen)
        key = self._keys.find(issuer, seen.key_id, seen.algorithm)
        if key is None:
            refuse("The token is signed with a key that is not its issuer's.")
        claims = verify(seen, key)
        check_claims(claims, issuer, self._clock())
        return Bearer(issuer, read_client_name(claims, issuer), read_scopes(claims, issuer))

    def _find_issuer(self, seen: Unverified) -> Issuer:
        trusted = self._store.find_issuers(seen.issuer)
        meant = [one for one in trusted if one.audience in seen.audiences]
        if not meant:
            refuse("The token is of an issuer, or for an audience, that is not trusted here.")
        if len(meant) > 1:
            refuse("The token is meant for several audiences here; ask for one that names one.")
        return meant[0]
