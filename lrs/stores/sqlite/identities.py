"""A statement's own id, left out of the body that is kept: its row has the sixteen bytes anyway.

Written as text, random digits, it would be a sixth of a compressed body. So wherever it stands in a body
as its row would write it, lower case, as many bytes of filler are kept in its place; they come to nothing
when they are compressed. What is read gets the id put back. An id that is written otherwise stays.

A body is UTF-8 behind a head of few bytes (``lrs.xapi.texts``), so filler never stands there by itself; and
since it is as long as the id, one search finds and replaces it. Bodies that were kept before are whole,
and come back as they are.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat

from lrs.errors import CorruptRecord
from lrs.xapi.ports import id_text

FILLER = b"\xff" * 36
"""No UTF-8 text holds this byte. Stored: never change it."""

_GROUPS = ((4, 40), (28, 39), (32, 38))
"""Where, in groups of four digits, each with a hyphen behind, an id has none: place, and bytes an id."""

_EACH = len(FILLER) + 1


def leave_out_id(body: bytes, identity: bytes) -> bytes:
    """Return a body as it is kept: whole where its id could not be put back in the same places.

    Raises:
        CorruptRecord: It holds filler, which no UTF-8 does, and would not come back as it is.
    """
    text = id_text(identity).encode()
    kept = body.replace(text, FILLER)
    if kept.replace(FILLER, text) == body:
        return kept
    if FILLER in body:
        raise CorruptRecord(f"The body of statement {text.decode()} is no UTF-8 text.")
    return body


def put_back_id(body: bytes, identity: bytes) -> bytes:
    """Return the body that was given."""
    return body.replace(FILLER, id_text(identity).encode())


def put_back_ids(bodies: Sequence[bytes], identities: Iterable[bytes]) -> list[bytes]:
    """Return many bodies that were given, each with its identity at the same place."""
    return list(map(bytes.replace, bodies, repeat(FILLER), _id_texts(identities)))


def _id_texts(identities: Iterable[bytes]) -> tuple[bytes, ...]:
    """Write many ids, all at once: one by one it would take three times as long."""
    text = bytearray(b"".join(identities).hex("-", 2).encode() + b"-")
    for place, each in _GROUPS:
        del text[place::each]
    return _texts_of(len(text) // _EACH).unpack_from(text)


@lru_cache(maxsize=1024)
def _texts_of(count: int) -> struct.Struct:
    """Return what takes so many ids apart that have a byte behind each."""
    return struct.Struct("36sx" * count)
