"""What a new version adds for statements that were there before: in pieces, beside the writers.

A migration that has something to fill notes, in its own transaction, down to which position
that is still to be done (``meta``, ``fill:<version>``). Every process that finds such a note
does pieces until there is none. A piece reads the note, does its work and moves the note in
one transaction: so a crash loses nothing, a piece is never done twice, and two processes
share the work.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import apsw
import orjson

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord, StoreError
from lrs.stores.compression import BodyCodec
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.activities import Definitions
from lrs.stores.sqlite.rows import RowCodec
from lrs.stores.sqlite.writer import Write, Writer
from lrs.traces import trace_of
from lrs.xapi.definitions import definitions_of
from lrs.xapi.ports import FactKind
from lrs.xapi.texts import received_text

log = logging.getLogger(__name__)

PIECE = 256
"""Statements a piece: some ten milliseconds under the write lock."""

_REST_SECONDS = 0.01
_RETRY_SECONDS = 5.0
_MARK = "fill:"

_ROWS = "SELECT seq, tenant, id, dict, body FROM stmt WHERE seq <= ? ORDER BY seq DESC LIMIT ?"


_Row = tuple[int, int, bytes, int, bytes]


class Owner(NamedTuple):
    """One institution, as a piece needs it."""

    tenant: int
    codec: RowCodec
    definitions: Definitions


Bodies = list[bytes]
"""Of an institution's statements in a piece, as received, the newest first."""

Fill = Callable[[Write, Owner, Bodies], None]
"""Does one institution's part of a piece."""


def begin_fill(database: apsw.Connection, version: int) -> None:
    """Note that what this version adds is to be filled; inside the migration's transaction."""
    last = sql.value(database, "SELECT coalesce(max(seq), 0) FROM stmt")
    if last:
        database.execute("INSERT INTO meta VALUES (?, ?)", (f"{_MARK}{version}", last))


def pending_fills(database: apsw.Connection) -> dict[int, int]:
    """Return which versions' additions are not filled yet, and down from which position."""
    found = sql.rows(database, "SELECT name, value FROM meta WHERE name GLOB ?", (f"{_MARK}*",))
    return {int(name.removeprefix(_MARK)): position for name, position in found}


class Parts(NamedTuple):
    """What the engine hands to its filler."""

    writer: Writer
    instance_key: bytes
    bodies: BodyCodec
    definitions: Definitions


class Filler:
    """A thread that does pieces until none is left; there is none where nothing is to be done."""

    def __init__(self, parts: Parts, fills: Mapping[int, Fill], pending: bool, piece: int = PIECE) -> None:
        """Start the thread if something is pending.

        Args:
            parts: Of the engine.
            fills: By version.
            pending: Whether a fill was pending when the store was opened.
            piece: Statements a piece.
        """
        self._parts = parts
        self._fills = fills
        self._piece = piece
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="sqlite-filler", daemon=True)
        if pending:
            self._thread.start()

    def close(self) -> None:
        """End the thread; the next process goes on where this one stopped."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _loop(self) -> None:
        log.info("Filling what this version of the store adds; the store is in use meanwhile")
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if not self._parts.writer.run(self._do_piece, self._piece):
                    log.info("What this version of the store adds is filled")
                    return
            except StoreError as error:
                log.warning("Filling will be tried again: %s", error)
                self._stop.wait(_RETRY_SECONDS)
            self._stop.wait(max(_REST_SECONDS, time.monotonic() - began))

    def _do_piece(self, write: Write) -> bool:
        """Do the next piece of the oldest version that is pending; False where none is."""
        pending = pending_fills(write.database)
        if not pending:
            return False
        version = min(pending)
        rows = sql.rows(write.database, _ROWS, (pending[version], self._piece))
        for owner, bodies in self._by_owner(write.database, rows):
            self._fills[version](write, owner, bodies)
        mark = f"{_MARK}{version}"
        if len(rows) < self._piece:
            write.database.execute("DELETE FROM meta WHERE name = ?", (mark,))
        else:
            write.database.execute("UPDATE meta SET value = ? WHERE name = ?", (rows[-1][0] - 1, mark))
        return True

    def _by_owner(self, database: apsw.Connection, rows: Sequence[_Row]) -> list[tuple[Owner, Bodies]]:
        institutions = dict(sql.rows(database, "SELECT number, institution FROM tenants WHERE NOT dropped"))
        found: dict[int, tuple[Owner, Bodies]] = {}
        for seq, tenant, identity, dictionary, blob in rows:
            if tenant not in institutions:
                continue
            if tenant not in found:
                found[tenant] = self._owner(tenant, InstitutionId(institutions[tenant])), []
            owner, bodies = found[tenant]
            try:
                bodies.append(received_text(owner.codec.body(identity, dictionary, blob)))
            except CorruptRecord as error:
                # Not log.exception: a message may quote records.
                log.error("The statement at %d is passed over\n%s", seq, trace_of(error))  # noqa: TRY400
        return list(found.values())

    def _owner(self, tenant: int, institution_id: InstitutionId) -> Owner:
        codec = RowCodec(self._parts.instance_key, institution_id, self._parts.bodies)
        return Owner(tenant, codec, self._parts.definitions)


def fill_definitions(write: Write, owner: Owner, bodies: Bodies) -> None:
    """Merge the definitions that statements give beneath those that came after them."""
    given = [
        (owner.codec.term(FactKind.ACTIVITY, one.activity), one)
        for body in bodies
        for one in reversed(definitions_of(orjson.loads(body)))
    ]
    if given:
        owner.definitions.merge_beneath(write, owner.tenant, given)
