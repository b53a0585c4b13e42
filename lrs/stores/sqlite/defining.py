"""Merges what new statements define: as much as one transaction should at once, the rest in pieces behind it.

To merge a definition costs about as much as its activity's merged one is long, and a statement may
give any number, each of an activity of which much is known. So one transaction merges some
megabytes. Where there is more, it notes (``meta``, ``define:<institution's number>``) the first
definition that is not merged: the position of its statement, and how many of that statement's come
before it. The rest is read again from the statements, in the order of the log, a piece a
transaction, by whoever brought most of it, before that one is answered.

While there is a note, those who write leave all that they define to it, and are answered at once: so
what comes later still wins, whatever is written meanwhile. The note is written in the transaction of the
statements that it is about, and moves in that of the definitions that it passes: a process that dies loses
nothing and merges nothing twice. Who maintains the store takes up a note that does not move.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import apsw
import orjson

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.activities import Given
from lrs.stores.sqlite.writer import LATE_POSTINGS, Piece, Write, Writer
from lrs.stores.sqlite.writing import Place, Placed
from lrs.traces import trace_of
from lrs.xapi.definitions import definitions_of
from lrs.xapi.marks import is_undefining
from lrs.xapi.ports import FactKind
from lrs.xapi.texts import served_text

MOST_BYTES = 2 << 20
"""So much is read to be merged in one transaction: some tenths of a second. The last part may pass it."""

_NOTE = "define:"
_OF_ONE = 24
"""Bits of a note's number that say how many definitions of the statement are merged."""

_STATEMENTS = 512
_PATIENCE_SECONDS = 10.0
_FIND = "SELECT value FROM meta WHERE name = ?"
_TENANT = "SELECT number FROM tenants WHERE institution = ? AND NOT dropped"
_ROWS = "SELECT seq, id, stored, dict, body FROM stmt WHERE tenant = ? AND seq >= ? ORDER BY seq"
_NOTES = "SELECT name, value FROM meta WHERE name GLOB ?"
_DROP = "DELETE FROM meta WHERE name = ?"

log = logging.getLogger(__name__)


class _Defined(NamedTuple):
    """A definition that a statement gives, and the note that says that it comes next."""

    note: int
    given: Given


def define(write: Write, tenant: int, place: Place, placed: Sequence[Placed]) -> bool:
    """Merge what new statements define, in their transaction; tell whether some of it had to be left."""
    given = [one for _, _, row in placed for one in row.definitions]
    if not given or sql.value(write.database, _FIND, (f"{_NOTE}{tenant}",)) is not None:
        return False
    merged = place.definitions.merge(write, tenant, given, MOST_BYTES)
    if merged == len(given):
        return False
    notes = (seq << _OF_ONE | number for seq, _, row in placed for number in range(len(row.definitions)))
    note = next(islice(notes, merged, None))
    write.database.execute("INSERT INTO meta VALUES (?, ?)", (f"{_NOTE}{tenant}", note))
    return True


def finish_definitions(writer: Writer, place: Place) -> None:
    """Merge all that was left of an institution, a piece a transaction; others write in between.

    Raises:
        StoreUnavailable: A piece could not be begun; the note of what is left is kept.
    """
    writer.run_in_pieces(_piece(place), LATE_POSTINGS)


def _piece(place: Place) -> Piece:
    def merge(write: Write) -> Piece | None:
        return merge if _merge_some(write, place) else None

    return merge


def _merge_some(write: Write, place: Place) -> bool:
    """Merge some of what was left, and move the note; False when that was all."""
    tenant = sql.value(write.database, _TENANT, (place.tenants.institution_id,))
    name = f"{_NOTE}{tenant}"
    note = sql.value(write.database, _FIND, (name,))
    if note is None:
        return False
    defined, behind = _read_some(write.database, tenant, place, note)
    merged = place.definitions.merge(write, tenant, [one.given for one in defined], MOST_BYTES)
    after = defined[merged].note if merged < len(defined) else behind
    if after is None:
        write.database.execute(_DROP, (name,))
    else:
        write.database.execute("UPDATE meta SET value = ? WHERE name = ?", (after, name))
    return after is not None


def _read_some(
    database: apsw.Connection, tenant: int, place: Place, note: int
) -> tuple[list[_Defined], int | None]:
    """Return what follows a note, as far as one piece reads, and what to note behind it; None at the end."""
    found: list[_Defined] = []
    read = size = 0
    for seq, identity, stored, *packed in database.execute(_ROWS, (tenant, note >> _OF_ONE)):
        if read == _STATEMENTS or size >= MOST_BYTES:
            return found, seq << _OF_ONE
        body = _read_body(place, seq, identity, packed)
        found += [one for one in _defined(place, seq, stored, body) if one.note >= note]
        read, size = read + 1, size + len(body)
    return found, None


def _read_body(place: Place, seq: int, identity: bytes, packed: Sequence[Any]) -> bytes:
    try:
        return place.codec.body(identity, *packed)
    except CorruptRecord as error:
        # Not log.exception: a message may quote records.
        log.error("The statement at %d is passed over\n%s", seq, trace_of(error))  # noqa: TRY400
        return b""


def _defined(place: Place, seq: int, stored: int, body: bytes) -> Iterator[_Defined]:
    if not body or is_undefining(body):
        return
    for number, one in enumerate(definitions_of(orjson.loads(served_text(body, stored)))):
        given = (place.codec.term(FactKind.ACTIVITY, one.activity), one)
        yield _Defined(seq << _OF_ONE | number, given)


class LeftDefinitions:
    """Merges what a process that died, or gave up, has left; for the one that maintains the store.

    Args:
        writer: Every piece goes through it.
        make_place: Says where an institution's statements are written.
        patience_seconds: How long whoever left a note is given to move it.
    """

    def __init__(
        self,
        writer: Writer,
        make_place: Callable[[InstitutionId], Place],
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """Begin without having seen a note."""
        self._writer = writer
        self._make_place = make_place
        self._patience_seconds = patience_seconds
        self._seen: Mapping[tuple[str, int], float] = {}

    def look(self, database: apsw.Connection) -> None:
        """Do what has been noted, and has not moved, for long."""
        now = time.monotonic()
        notes: list[Any] = sql.rows(database, _NOTES, (f"{_NOTE}*",))
        self._seen = {note: self._seen.get(note, now) for note in notes}
        for (name, _), since in self._seen.items():
            if now - since >= self._patience_seconds:
                self._finish(database, int(name.removeprefix(_NOTE)))

    def _finish(self, database: apsw.Connection, tenant: int) -> None:
        query = "SELECT institution FROM tenants WHERE number = ? AND NOT dropped"
        institution = sql.value(database, query, (tenant,))
        if institution is None:
            self._writer.run(lambda write: sql.rows(write.database, _DROP, (f"{_NOTE}{tenant}",)))
        else:
            finish_definitions(self._writer, self._make_place(InstitutionId(institution)))
