"""Whose tokens an institution trusts, as use cases."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lrs.access.model import Issuer, IssuerId
from lrs.access.ports import AccessStore
from lrs.access.service import AccessService
from lrs.errors import InvalidRequest, NotFound, OutboundRefused
from lrs.outbound.guard import split_url

_MOST_CHARACTERS = 500
_MOST_ISSUER_CHARACTERS = 120
_CLAIM = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")


@dataclass(frozen=True, slots=True)
class IssuerWish:
    """Whom to trust; see Issuer."""

    url: str
    audience: str
    client_claim: str = "azp"
    scope_claim: str = "scope"
    jwks_url: str | None = None


class IssuerService:
    """Makes, lists and ends trust in issuers.

    Args:
        access: Knows the institutions, and makes ids.
        store: Keeps the issuers.
    """

    def __init__(self, access: AccessService, store: AccessStore) -> None:
        """Keep what was handed in."""
        self._access = access
        self._store = store

    def add(self, institution_name: str, wish: IssuerWish) -> Issuer:
        """Let an institution trust an issuer's tokens for an audience.

        Nothing is asked of the issuer yet.

        Raises:
            InvalidRequest: A URL, the audience or the name of a claim is none.
            NotFound: There is no institution of that name.
            AlreadyExists: Some institution trusts that issuer with that audience already.
        """
        _check(wish)
        made = Issuer(
            IssuerId(self._access.new_id(10)),
            self._access.get_institution_named(institution_name).id,
            wish.url,
            wish.audience,
            wish.client_claim,
            wish.scope_claim,
            wish.jwks_url,
            self._access.now(),
        )
        self._store.add_issuer(made)
        return made

    def list(self, institution_name: str | None) -> Sequence[Issuer]:
        """Return the institution's issuers, oldest first; without a name, those of all.

        Raises:
            NotFound: There is no institution of that name.
        """
        if institution_name is None:
            return self._store.list_issuers(None)
        return self._store.list_issuers(self._access.get_institution_named(institution_name).id)

    def remove(self, issuer_id: str) -> None:
        """Trust an issuer no more, in every process, at once.

        Raises:
            NotFound: There is none of that id.
        """
        if not self._store.remove_issuer(IssuerId(issuer_id)):
            raise NotFound("There is no such issuer.")


def _check(wish: IssuerWish) -> None:
    if len(wish.url) > _MOST_ISSUER_CHARACTERS:
        raise InvalidRequest(f"The issuer must have at most {_MOST_ISSUER_CHARACTERS} characters.")
    _check_url("issuer", wish.url)
    if urlsplit(wish.url).query or "#" in wish.url:
        raise InvalidRequest("The issuer must have no query and no fragment.")
    if wish.jwks_url is not None:
        _check_url("address of the keys", wish.jwks_url)
    if not 0 < len(wish.audience) <= _MOST_CHARACTERS or not wish.audience.isprintable():
        raise InvalidRequest(f"The audience must have 1 to {_MOST_CHARACTERS} printable characters.")
    for claim in (wish.client_claim, wish.scope_claim):
        if not _CLAIM.fullmatch(claim):
            raise InvalidRequest("A claim's name must be of letters, digits and _.:/-.")


def _check_url(what: str, url: str) -> None:
    """Take https, and http only on this machine, where nobody listens in between.

    Whether the host may be reached is the guard's to say, each time that it is asked.
    """
    try:
        scheme, host, _port, _rest = split_url(url)
    except OutboundRefused as error:
        raise InvalidRequest(f"The {what} is no address: {error.detail}") from error
    if len(url) > _MOST_CHARACTERS or (scheme == "http" and host not in {"127.0.0.1", "::1", "localhost"}):
        raise InvalidRequest(f"The {what} must be https, with at most {_MOST_CHARACTERS} characters.")
