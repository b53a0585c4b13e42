"""What a new version adds for statements that were there before: in pieces, beside the writers.

``meta {_id: "fill:<t>", q}`` says down to which position that is still to be done in an
institution. Every process that finds such a note does pieces, newest first, until there is
none. A piece may be done again, and by several at once: what an older statement says of an
activity goes beneath what is there, where a second time changes nothing.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

import orjson
from bson import Int64

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord, StoreError
from lrs.stores.compression import BodyCodec
from lrs.stores.mongo.activities import merge_beneath
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.gone import remove_late
from lrs.stores.mongo.migrations import FILL
from lrs.stores.mongo.segment import Document
from lrs.traces import trace_of
from lrs.xapi.definitions import definitions_of
from lrs.xapi.texts import received_text

log = logging.getLogger(__name__)

PIECE = 256
_REST_SECONDS = 0.01
_RETRY_SECONDS = 5.0


class Filler:
    """A thread that does pieces until none is left; there is none where nothing is to be done.

    Args:
        collections: Of the store.
        codec: Opens bodies, and packs definitions.
        piece: Statements a piece.
    """

    def __init__(self, collections: Collections, codec: BodyCodec, piece: int = PIECE) -> None:
        """Start the thread if something is to be done."""
        self._collections = collections
        self._codec = codec
        self._piece = piece
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="lrs-mongo-filler", daemon=True)
        if self._find_note() is not None:
            self._thread.start()

    def close(self) -> None:
        """End the thread; the next process goes on where this one stopped."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _find_note(self) -> Document | None:
        return self._collections.meta.find_one({"_id": {"$gte": FILL, "$lt": f"{FILL}~"}})

    def _loop(self) -> None:
        log.info("Filling what this version of the store adds; the store is in use meanwhile")
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if not self._do_piece():
                    log.info("What this version of the store adds is filled")
                    return
            except StoreError as error:
                log.warning("Filling will be tried again: %s", error)
                self._stop.wait(_RETRY_SECONDS)
            self._stop.wait(max(_REST_SECONDS, time.monotonic() - began))

    @translated()
    def _do_piece(self) -> bool:
        """Do the next piece of one institution; False where none is left."""
        note = self._find_note()
        if note is None:
            return False
        institution_id = InstitutionId(note["_id"].removeprefix(FILL))
        behind = {"t": institution_id, "q": {"$lt": note["q"]}}
        found = self._collections.statements.find(behind, {"q": 1, "z": 1, "b": 1})
        rows = list(found.sort("q", -1).limit(self._piece))
        given: defaultdict[str, list[bytes]] = defaultdict(list)
        for activity, definition in self._iter_given(rows):
            given[activity].append(definition)
        merge_beneath(self._collections, institution_id, self._codec, given)
        remove_late(self._collections, institution_id)
        if len(rows) < self._piece:
            self._collections.meta.delete_one({"_id": note["_id"]})
        else:
            change = {"$set": {"q": Int64(rows[-1]["q"])}}
            self._collections.meta.update_one({"_id": note["_id"], "q": note["q"]}, change)
        return True

    def _iter_given(self, rows: Sequence[Document]) -> Iterator[tuple[str, bytes]]:
        """Yield what statements say of activities, newest first."""
        for row in rows:
            try:
                body = received_text(self._codec.decompress(row["z"], bytes(row["b"])))
            except CorruptRecord as error:
                # Not log.exception: a message may quote records.
                log.error("The statement at %d is passed over\n%s", row["q"], trace_of(error))  # noqa: TRY400
                continue
            for one in reversed(definitions_of(orjson.loads(body))):
                yield one.activity, one.definition
