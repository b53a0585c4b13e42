"""Destinations, deliveries and dead letters, as the port of streams out promises them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import apsw
import orjson

from lrs.access.handles import InstitutionHandle
from lrs.errors import AlreadyExists
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.tenants import refuse_dropped
from lrs.stores.sqlite.writer import Write, Writer
from lrs.stores.streams import (
    delivery_document,
    delivery_from,
    destination_document,
    destination_from,
    letter_document,
    letter_from,
)
from lrs.streams.model import DeadLetter, Delivery, Destination, DestinationId, SealedSecret

_OURS = "SELECT doc FROM destinations WHERE institution = ? AND id = ?"
_LETTERS = "FROM letters WHERE destination = ?1 AND (?2 IS NULL OR statement = ?2)"


class SqliteStreamStore:
    """See lrs.streams.ports.StreamStore."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        """Take the engine's parts."""
        self._readers = readers
        self._writer = writer

    def add_destination(
        self, handle: InstitutionHandle, destination: Destination, delivery: Delivery
    ) -> None:
        """Keep a new destination, with where it begins."""
        institution = handle.institution_id

        def work(write: Write) -> None:
            refuse_dropped(write.database, institution)
            taken = "SELECT 1 FROM destinations WHERE institution = ? AND name = ?"
            if sql.row(write.database, taken, (institution, destination.name)):
                raise AlreadyExists(f"The institution has a destination named {destination.name!r} already.")
            values = (destination.id, institution, destination.name, _text(destination_document(destination)))
            write.database.execute("INSERT INTO destinations VALUES (?, ?, ?, ?)", values)
            first = (destination.id, delivery.epoch, _text(delivery_document(delivery)))
            write.database.execute("INSERT INTO deliveries VALUES (?, ?, ?)", first)

        self._writer.run(work)

    def list_destinations(self, handle: InstitutionHandle) -> Sequence[Destination]:
        """Return the institution's destinations by name."""
        query = "SELECT doc FROM destinations WHERE institution = ? ORDER BY name"
        return [destination_from(doc) for doc in self._docs(query, (handle.institution_id,))]

    def find_destination(
        self, handle: InstitutionHandle, destination_id: DestinationId
    ) -> Destination | None:
        """Return a destination of the institution, or None."""
        found = self._docs(_OURS, (handle.institution_id, destination_id))
        return destination_from(found[0]) if found else None

    def put_secrets(
        self, handle: InstitutionHandle, destination_id: DestinationId, secrets: tuple[SealedSecret, ...]
    ) -> bool:
        """Replace a destination's secrets; False when the institution has no such destination."""

        def work(write: Write) -> bool:
            row = sql.row(write.database, _OURS, (handle.institution_id, destination_id))
            if row is None:
                return False
            changed = replace(destination_from(orjson.loads(row[0])), secrets=secrets)
            update = "UPDATE destinations SET doc = ? WHERE id = ?"
            write.database.execute(update, (_text(destination_document(changed)), destination_id))
            return True

        return self._writer.run(work)

    def remove_destination(self, handle: InstitutionHandle, destination_id: DestinationId) -> bool:
        """Forget a destination, its delivery and its letters; False when there is none."""

        def work(write: Write) -> bool:
            if sql.row(write.database, _OURS, (handle.institution_id, destination_id)) is None:
                return False
            for delete in (
                "DELETE FROM letters WHERE destination = ?",
                "DELETE FROM deliveries WHERE destination = ?",
                "DELETE FROM destinations WHERE id = ?",
            ):
                write.database.execute(delete, (destination_id,))
            return True

        return self._writer.run(work)

    def list_letters(self, destination_id: DestinationId, limit: int) -> Sequence[DeadLetter]:
        """Return the dead letters of a destination in the order of the log."""
        query = "SELECT doc FROM letters WHERE destination = ? ORDER BY position LIMIT ?"
        return [letter_from(doc) for doc in self._docs(query, (destination_id, limit))]

    def count_letters(self, destination_id: DestinationId) -> int:
        """Return how many dead letters a destination has."""
        with translated():
            count = "SELECT count(*) FROM letters WHERE destination = ?"
            return int(sql.value(self._readers.get(), count, (destination_id,)))

    def ask_replay(self, destination_id: DestinationId, statement_id: str | None, at_us: int) -> int:
        """Ask that a letter, or all of a destination, be sent again; how many there were."""

        def work(write: Write) -> int:
            found = sql.rows(write.database, f"SELECT doc {_LETTERS}", (destination_id, statement_id))
            for (text,) in found:
                _put_letter(write.database, replace(letter_from(orjson.loads(text)), asked_at_us=at_us))
            return len(found)

        return self._writer.run(work)

    def drop_letters(self, destination_id: DestinationId, statement_id: str | None) -> int:
        """Forget a letter, or all of a destination; how many there were."""

        def work(write: Write) -> int:
            write.database.execute(f"DELETE {_LETTERS}", (destination_id, statement_id))
            return int(write.database.changes())

        return self._writer.run(work)

    def list_all(self) -> Sequence[Destination]:
        """Return the destinations of every institution, by id."""
        return [destination_from(doc) for doc in self._docs("SELECT doc FROM destinations ORDER BY id")]

    def find_delivery(self, destination_id: DestinationId) -> Delivery | None:
        """Return how far a destination has been served, or None when there is no such destination."""
        found = self._docs("SELECT doc FROM deliveries WHERE destination = ?", (destination_id,))
        return delivery_from(found[0]) if found else None

    def begin_delivery(self, destination_id: DestinationId, epoch: int) -> Delivery | None:
        """Go on where the last one ended, and let nobody with a lower epoch write from now on."""

        def change(kept: Delivery) -> Delivery:
            return replace(kept, epoch=epoch)

        return self._change(destination_id, epoch, change)

    def save_delivery(self, delivery: Delivery, letter: DeadLetter | None = None) -> bool:
        """Write how far a destination has been served, with the letter that came of it."""

        def change(_kept: Delivery) -> Delivery:
            return delivery

        return self._change(delivery.destination_id, delivery.epoch, change, letter) is not None

    def _change(
        self,
        destination_id: DestinationId,
        epoch: int,
        change: Callable[[Delivery], Delivery],
        letter: DeadLetter | None = None,
    ) -> Delivery | None:
        def work(write: Write) -> Delivery | None:
            query = "SELECT doc FROM deliveries WHERE destination = ? AND epoch <= ?"
            row = sql.row(write.database, query, (destination_id, epoch))
            if row is None:
                return None
            changed = change(delivery_from(orjson.loads(row[0])))
            update = "UPDATE deliveries SET epoch = ?, doc = ? WHERE destination = ?"
            text = _text(delivery_document(changed))
            write.database.execute(update, (changed.epoch, text, destination_id))
            if letter is not None:
                _put_letter(write.database, letter)
            return changed

        return self._writer.run(work)

    def list_asked(self, destination_id: DestinationId, limit: int) -> Sequence[DeadLetter]:
        """Return the letters that are to be sent again, in the order of the log."""
        query = "SELECT doc FROM letters WHERE destination = ? AND asked > 0 ORDER BY position LIMIT ?"
        return [letter_from(doc) for doc in self._docs(query, (destination_id, limit))]

    def settle_letter(self, letter: DeadLetter, *, sent: bool) -> None:
        """Forget a letter that was sent; keep one that was not as it is given, if it is still there."""
        key = (letter.destination_id, letter.statement_id)

        def work(write: Write) -> None:
            write.database.execute("DELETE FROM letters WHERE destination = ? AND statement = ?", key)
            if not sent and write.database.changes():
                _put_letter(write.database, letter)

        self._writer.run(work)

    def _docs(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with translated():
            return [orjson.loads(text) for (text,) in sql.rows(self._readers.get(), query, values)]


def _put_letter(database: apsw.Connection, letter: DeadLetter) -> None:
    values = (
        letter.destination_id,
        letter.statement_id,
        letter.position,
        letter.asked_at_us,
        _text(letter_document(letter)),
    )
    database.execute("INSERT OR REPLACE INTO letters VALUES (?, ?, ?, ?, ?)", values)


def _text(document: dict[str, Any]) -> str:
    return orjson.dumps(document).decode()
