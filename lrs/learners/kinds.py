"""What this room calls its recorded values and derived tables, and what values are found by."""

from collections.abc import Iterable, Sequence

from lrs.learners.identifiers import sha1_of

ROSTER_PERSON = "roster.person"
"""Recorded, in an institution; the subject is ``<roster>/<sourcedId>``."""

LINK = "link"
"""Recorded, in the commons; the subject is both identifiers, sorted, a line break between."""

SHARED = "shared"
"""Recorded, in the commons; the subject is the identifier."""

SALT = "salt"
"""Recorded, in the commons, once."""

IDENTITIES = "identities"
"""Derived; an owner is an identity. Key "": its identifier; an institution: the name as given there."""

MAILBOXES = "mailboxes"
"""Derived; an owner is the identity of a SHA-1, a key that of a mailbox which has it."""

MEMBERS = "members"
"""Derived; an owner is an identity; the one row says whose it is."""

LEARNERS = "learners"
"""Derived; an owner is a learner; one row."""

PLACES = "places"
"""Derived; an owner is an institution, a key an identity that has acts, or a roster row, there."""


def identifier_terms(identifiers: Iterable[str]) -> Sequence[str]:
    """Return what a value is found by that names identifiers; a mailbox by its SHA-1 too."""
    found: set[str] = set()
    for identifier in identifiers:
        found.add(f"id:{identifier}")
        hashed = sha1_of(identifier)
        if hashed:
            found.add(f"id:{hashed}")
    return sorted(found)
