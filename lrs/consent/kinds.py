"""What this room calls its recorded values."""

CONSENT = "consent"
"""Recorded, in the commons; the subject is ``<identity>/<institution>/<purpose>``."""

DISCLOSURE = "disclosure"
"""Recorded, in the commons; the subject is ``<identity>/<to>/<purpose>/<about>/<day>/<ground>``."""

BASIS = "basis"
"""Recorded, in the institution that may see; the subject is its name."""

AWARD = "award"
"""What awards are recorded as, in the institution that gave them, found by ``identity:<id>``.

The room that gives awards stands above this one and takes the name from here: an institution
that holds nothing of a learner but an award discloses it all the same.
"""
