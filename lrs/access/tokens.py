"""Signed tokens: what is read from one before it is trusted, its signature, and its claims.

Pure: no store, no clock, nothing fetched.

Spec: RFC 7519 (JWT), RFC 7515 (JWS), RFC 8725 (best practices), RFC 9068 (access tokens).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from lrs.access.model import Issuer, Scope
from lrs.access.rules import clean_name
from lrs.errors import InvalidRequest, Unauthenticated

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""How tokens may be signed: with an issuer's private key only. None is none, and HS is a shared secret."""

LEEWAY_US = 60_000_000
"""So far may the issuer's clock be from ours."""

MAX_TOKEN_CHARACTERS = 16_384
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192
_PUBLIC_MEMBERS = ("kty", "kid", "use", "alg", "n", "e", "crv", "x", "y")
_SECOND_US = 1_000_000
_FAR_SECONDS = 1e12

PublicKey = RSAKey | ECKey
Claims = Mapping[str, Any]


class _Registry(jws.JWSRegistry):
    max_header_length = MAX_TOKEN_CHARACTERS


_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Unverified:
    """A token before its signature was checked: what is needed to find the key, and the rest."""

    algorithm: str
    key_id: str | None
    issuer: str
    audiences: frozenset[str]
    claims: Claims
    signed: jws.CompactSignature


def refuse(detail: str, cause: Exception | None = None) -> NoReturn:
    """Refuse a token.

    Args:
        detail: Why; plain ASCII without quotes, as it also goes into a header (RFC 6750 3).
        cause: What showed it.

    Raises:
        Unauthenticated: Always.
    """
    raise Unauthenticated(detail, token_refused=True) from cause


def read_unverified(token: str) -> Unverified:
    """Read what is needed to find the key of a token.

    Raises:
        Unauthenticated: It is no signed JWT, or of a kind that is not taken.
    """
    if not token.isascii() or len(token) > MAX_TOKEN_CHARACTERS:
        refuse("The token is no signed JWT.")
    try:
        signed = jws.extract_compact(token.encode(), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as error:
        refuse("The token is no signed JWT.", error)
    header, claims = signed.headers(), _read_claims(signed.payload)
    algorithm, key_id, issuer = header.get("alg"), header.get("kid"), claims.get("iss")
    if algorithm not in ALGORITHMS:
        refuse("The token is signed in a way that is not taken here.")
    if "crit" in header or not isinstance(key_id, str | None):
        refuse("The token has a header that is not understood here.")
    if not isinstance(issuer, str):
        refuse("The token does not name its issuer.")
    return Unverified(str(algorithm), key_id, issuer, _audiences(claims), claims, signed)


def _audiences(claims: Claims) -> frozenset[str]:
    found = claims.get("aud")
    several = found if isinstance(found, list) else [found]
    return frozenset(one for one in several if isinstance(one, str))


def _read_claims(payload: bytes) -> Claims:
    try:
        claims = json.loads(payload, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        refuse("The token holds no claims.", error)
    if not isinstance(claims, dict):
        refuse("The token holds no claims.")
    return claims


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("duplicate claim")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def read_keys(document: Any) -> Sequence[PublicKey]:
    """Read the keys of an issuer that may sign; every other one is left out.

    Args:
        document: A JWK Set, parsed.

    Raises:
        ValueError: It is none.

    Spec: RFC 7517 5.
    """
    found = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise ValueError("no JWK Set")  # noqa: TRY004 - of what was read, not of the call
    read = (_read_key(one) for one in found[:100] if isinstance(one, dict))
    return [key for key in read if key is not None]


def _read_key(jwk: dict[str, Any]) -> PublicKey | None:
    """Read one key; None where it is of another kind, for another use, malformed or too weak."""
    public: dict[str, Any] = {name: jwk[name] for name in _PUBLIC_MEMBERS if name in jwk}
    kind = public.get("kty")
    if not all(isinstance(value, str) for value in public.values()) or kind not in {"RSA", "EC"}:
        return None
    try:
        key = RSAKey.import_key(public) if kind == "RSA" else ECKey.import_key(public)
        bits = key.public_key.key_size
    except (JoseError, ValueError, KeyError):
        return None
    if isinstance(key, RSAKey) and not _MIN_RSA_BITS <= bits <= _MAX_RSA_BITS:
        return None
    return key if key.get("use") in {None, "sig"} else None


def find_key(keys: Sequence[PublicKey], key_id: str | None, algorithm: str) -> PublicKey | None:
    """Return the key that a token names, or the only one that fits where it names none."""
    fitting = [key for key in keys if _fits(key, algorithm)]
    if key_id is not None:
        return next((key for key in fitting if key.kid == key_id), None)
    return fitting[0] if len(fitting) == 1 else None


def _fits(key: PublicKey, algorithm: str) -> bool:
    try:
        _REGISTRY.get_alg(algorithm).check_key(key)
    except JoseError:
        return False
    return True


def verify(seen: Unverified, key: PublicKey) -> Claims:
    """Return a token's claims once its signature is found good.

    Raises:
        Unauthenticated: It is not.
    """
    try:
        good = jws.validate_compact(seen.signed, key, registry=_REGISTRY)
    except (JoseError, ValueError) as error:
        refuse("The token is not signed by its issuer.", error)
    if not good:
        refuse("The token is not signed by its issuer.")
    return seen.claims


def check_claims(claims: Claims, issuer: Issuer, now_us: int) -> None:
    """Check whom a token is of, for whom and when it is good.

    Raises:
        Unauthenticated: It is another's, for another, or not good now.

    Spec: RFC 7519 4.1.
    """
    if claims.get("iss") != issuer.url or issuer.audience not in _audiences(claims):
        refuse("The token is not meant for this institution.")
    if _moment(claims, "exp") + LEEWAY_US <= now_us:
        refuse("The token has expired.")
    if "nbf" in claims and _moment(claims, "nbf") - LEEWAY_US > now_us:
        refuse("The token is not good yet.")


def _moment(claims: Claims, name: str) -> int:
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        refuse(f"The token has no claim {name} that is a number.")
    if not -_FAR_SECONDS < seconds < _FAR_SECONDS:
        refuse(f"The token has no claim {name} that is a moment.")
    return int(seconds * _SECOND_US)


def read_client_name(claims: Claims, issuer: Issuer) -> str:
    """Return the name of the client that a token is of: what the claim says, and who said it.

    The issuer stands in it so that no token can take the name of a client that has keys, or
    of another issuer's.

    Raises:
        Unauthenticated: The claim is missing, or no name.
    """
    said = claims.get(issuer.client_claim)
    if not isinstance(said, str) or not said:
        refuse(f"The token has no claim {issuer.client_claim} that names its client.")
    name = f"{said} ({issuer.url.partition('://')[2]})"
    try:
        clean = clean_name(name)
    except InvalidRequest as error:
        refuse(f"The claim {issuer.client_claim} is no name of a client.", error)
    if clean != name or said != said.strip():
        refuse(f"The claim {issuer.client_claim} is no name of a client.")
    return name


def read_scopes(claims: Claims, issuer: Issuer) -> frozenset[Scope]:
    """Return the xAPI scopes that a token grants; what is no such scope counts for nothing.

    ``admin`` is none. In a token with the scope ``openid``, ``profile`` is OpenID's (a
    person's profile) and not xAPI's.

    Spec: xAPI 1.0.3 Communication 4.2; OpenID Connect Core 5.4.
    """
    said = claims.get(issuer.scope_claim)
    names = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
    granted = {one for one in names if isinstance(one, str)}
    if "openid" in granted:
        granted.discard(Scope.PROFILE)
    return frozenset(scope for scope in Scope if scope in granted and scope is not Scope.ADMIN)
