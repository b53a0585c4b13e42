"""Identifiers as text, their ids, and what a person writes who means one.

The text of an identifier is that of ``lrs.xapi.facts.agent_key``: the kind, a space, the rest.

Spec: xAPI 1.0.3 Data 2.4.2.3
"""

import hashlib
import hmac
import re

from lrs.learners.handles import IdentityId
from lrs.xapi.scalars import is_iri, is_mailto, is_sha1

SALT_BYTES = 32
"""How long the salt is that makes ids of identifiers."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 12
_ID = re.compile(rf"[{_ALPHABET}]{{{_LENGTH}}}")
_MBOX = "mbox "

HASHED = "mbox_sha1sum "
"""How the identifier of a mailbox's SHA-1 begins."""


def identity_of(identifier: str, salt: bytes) -> IdentityId:
    """Return the id of an identifier: 60 bits of HMAC-SHA-256, so that it tells nobody an address."""
    digest = hmac.digest(salt, identifier.encode("utf-8", "surrogatepass"), "sha256")
    number = int.from_bytes(digest[:8], "big") >> 4
    return IdentityId("".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)))


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an identity's or a learner's id."""
    return _ID.fullmatch(text) is not None


def sha1_of(identifier: str) -> str | None:
    """Return the identifier of a mailbox's SHA-1, None for what is no mailbox.

    Spec: xAPI 1.0.3 Data 2.4.2.3 (mbox_sha1sum: of the whole ``mailto:`` IRI)
    """
    if not identifier.startswith(_MBOX):
        return None
    digest = hashlib.sha1(identifier[len(_MBOX) :].encode(), usedforsecurity=False).hexdigest()
    return HASHED + digest


def mailbox_of(email: str) -> str | None:
    """Return the identifier of an e-mail address, with or without ``mailto:``; None where it is none."""
    iri = email if email.startswith("mailto:") else f"mailto:{email}"
    return _MBOX + iri if is_mailto(iri) else None


def account_of(home_page: str, name: str) -> str | None:
    """Return the identifier of an account, None where it can be none."""
    return f"account {home_page} {name}" if name and is_iri(home_page) else None


def parse_identifier(text: str) -> str | None:
    """Read what a person writes for an identifier; None where it is none.

    Taken are an identifier's own text, ``mailto:…``, the 40 digits of a mailbox's SHA-1,
    ``HOMEPAGE NAME`` for an account, and any other IRI as an OpenID.
    """
    text = text.strip()
    kind, _, rest = text.partition(" ")
    if kind in {"mbox", "mbox_sha1sum", "openid", "account"} and rest:
        return _checked(kind, rest)
    if text.startswith("mailto:"):
        return mailbox_of(text)
    if is_sha1(text):
        return HASHED + text.lower()
    if rest:
        return account_of(kind, rest)
    return f"openid {text}" if is_iri(text) else None


def _checked(kind: str, rest: str) -> str | None:
    if kind == "mbox":
        return mailbox_of(rest) if rest.startswith("mailto:") else None
    if kind == "mbox_sha1sum":
        return HASHED + rest.lower() if is_sha1(rest) else None
    if kind == "openid":
        return f"openid {rest}" if is_iri(rest) else None
    home_page, _, name = rest.partition(" ")
    return account_of(home_page, name)


def shown(identifier: str) -> str:
    """Write an identifier as a person knows it: without the word for its kind.

    ``parse_identifier`` reads it again, but for an OpenID that begins with ``mailto:``.
    """
    return identifier.partition(" ")[2]
