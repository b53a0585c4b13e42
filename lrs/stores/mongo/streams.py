"""Destinations, deliveries and dead letters, as the port of streams out promises them.

``destinations {_id, institution, name, doc}``, ``deliveries {_id, epoch, doc}``, ``letters {_id:
destination:statement, destination, position, asked, doc}``. A destination is there while its
delivery is: that is written last and removed first. A letter is written before the delivery
that passes it; a process that dies between the two writes the same letter again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from bson import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from lrs.access.handles import InstitutionHandle
from lrs.errors import AlreadyExists
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.gone import check_kept
from lrs.stores.mongo.segment import Document
from lrs.stores.streams import (
    delivery_document,
    delivery_from,
    destination_document,
    destination_from,
    letter_document,
    letter_from,
    secrets_document,
)
from lrs.streams.model import DeadLetter, Delivery, Destination, DestinationId, SealedSecret


class MongoStreamStore:
    """See lrs.streams.ports.StreamStore."""

    def __init__(self, collections: Collections) -> None:
        """Keep where they lie."""
        self._collections = collections
        self._destinations = collections.destinations
        self._deliveries = collections.deliveries
        self._letters = collections.letters

    @translated()
    def add_destination(
        self, handle: InstitutionHandle, destination: Destination, delivery: Delivery
    ) -> None:
        """Keep a new destination, with where it begins."""
        document = {
            "_id": destination.id,
            "institution": handle.institution_id,
            "name": destination.name,
            "doc": _longs(destination_document(destination)),
        }
        try:
            self._destinations.insert_one(document)
        except DuplicateKeyError as error:
            if self._destinations.find_one({"_id": destination.id}) is None:
                detail = f"The institution has a destination named {destination.name!r} already."
                raise AlreadyExists(detail) from error
        first = {"_id": destination.id, "epoch": delivery.epoch, "doc": _longs(delivery_document(delivery))}
        self._deliveries.replace_one({"_id": destination.id}, first, upsert=True)
        check_kept(self._collections, handle.institution_id)

    @translated()
    def list_destinations(self, handle: InstitutionHandle) -> Sequence[Destination]:
        """Return the institution's destinations by name."""
        found = self._destinations.find({"institution": handle.institution_id}).sort("name", 1)
        return [destination_from(document["doc"]) for document in found]

    @translated()
    def find_destination(
        self, handle: InstitutionHandle, destination_id: DestinationId
    ) -> Destination | None:
        """Return a destination of the institution, or None."""
        found = self._destinations.find_one(_ours(handle, destination_id))
        return None if found is None else destination_from(found["doc"])

    @translated()
    def put_secrets(
        self, handle: InstitutionHandle, destination_id: DestinationId, secrets: tuple[SealedSecret, ...]
    ) -> bool:
        """Replace a destination's secrets; False when the institution has no such destination."""
        change = {"$set": {"doc.secrets": secrets_document(secrets)}}
        found = self._destinations.find_one_and_update(_ours(handle, destination_id), change)
        return found is not None

    @translated()
    def remove_destination(self, handle: InstitutionHandle, destination_id: DestinationId) -> bool:
        """Forget a destination, its delivery and its letters; False when there is none."""
        if self._destinations.find_one(_ours(handle, destination_id)) is None:
            return False
        self._deliveries.delete_one({"_id": destination_id})
        self._letters.delete_many({"destination": destination_id})
        self._destinations.delete_one(_ours(handle, destination_id))
        return True

    @translated()
    def list_letters(self, destination_id: DestinationId, limit: int) -> Sequence[DeadLetter]:
        """Return the dead letters of a destination in the order of the log."""
        return self._list({"destination": destination_id}, limit)

    @translated()
    def count_letters(self, destination_id: DestinationId) -> int:
        """Return how many dead letters a destination has."""
        return self._letters.count_documents({"destination": destination_id})

    @translated()
    def ask_replay(self, destination_id: DestinationId, statement_id: str | None, at_us: int) -> int:
        """Ask that a letter, or all of a destination, be sent again; how many there were."""
        asked = {"$set": {"asked": Int64(at_us), "doc.asked_at_us": Int64(at_us)}}
        return self._letters.update_many(_which(destination_id, statement_id), asked).matched_count

    @translated()
    def drop_letters(self, destination_id: DestinationId, statement_id: str | None) -> int:
        """Forget a letter, or all of a destination; how many there were."""
        return self._letters.delete_many(_which(destination_id, statement_id)).deleted_count

    @translated()
    def list_all(self) -> Sequence[Destination]:
        """Return the destinations of every institution, by id."""
        return [destination_from(document["doc"]) for document in self._destinations.find().sort("_id", 1)]

    @translated()
    def find_delivery(self, destination_id: DestinationId) -> Delivery | None:
        """Return how far a destination has been served, or None when there is no such destination."""
        found = self._deliveries.find_one({"_id": destination_id})
        return None if found is None else delivery_from(found["doc"])

    @translated()
    def begin_delivery(self, destination_id: DestinationId, epoch: int) -> Delivery | None:
        """Go on where the last one ended, and let nobody with a lower epoch write from now on."""
        fence = {"$set": {"epoch": epoch, "doc.epoch": epoch}}
        found = self._deliveries.find_one_and_update(
            {"_id": destination_id, "epoch": {"$lte": epoch}}, fence, return_document=ReturnDocument.AFTER
        )
        return None if found is None else delivery_from(found["doc"])

    @translated()
    def save_delivery(self, delivery: Delivery, letter: DeadLetter | None = None) -> bool:
        """Write how far a destination has been served, with the letter that came of it."""
        ours = {"_id": delivery.destination_id, "epoch": {"$lte": delivery.epoch}}
        if self._deliveries.find_one(ours, {"_id": 1}) is None:
            return False
        if letter is not None:
            self._put(letter)
        change = {"$set": {"epoch": delivery.epoch, "doc": _longs(delivery_document(delivery))}}
        if self._deliveries.find_one_and_update(ours, change) is not None:
            return True
        if self.find_delivery(delivery.destination_id) is None:
            self._letters.delete_many({"destination": delivery.destination_id})
        return False

    @translated()
    def list_asked(self, destination_id: DestinationId, limit: int) -> Sequence[DeadLetter]:
        """Return the letters that are to be sent again, in the order of the log."""
        return self._list({"destination": destination_id, "asked": {"$gt": 0}}, limit)

    @translated()
    def settle_letter(self, letter: DeadLetter, *, sent: bool) -> None:
        """Forget a letter that was sent; keep one that was not as it is given, if it is still there."""
        key = {"_id": _key(letter)}
        if sent:
            self._letters.delete_one(key)
        else:
            self._letters.replace_one(key, _letter_document(letter))

    def _list(self, asked: Document, limit: int) -> Sequence[DeadLetter]:
        found = self._letters.find(asked).sort("position", 1).limit(limit)
        return [letter_from(document["doc"]) for document in found]

    def _put(self, letter: DeadLetter) -> None:
        document = _letter_document(letter)
        _until_met(lambda: self._letters.replace_one({"_id": document["_id"]}, document, upsert=True))


def _until_met(act: Callable[[], object]) -> None:
    """Do an upsert again where two of them met on the first document."""
    while True:
        try:
            act()
        except DuplicateKeyError:
            continue
        return


def _ours(handle: InstitutionHandle, destination_id: DestinationId) -> Document:
    return {"_id": destination_id, "institution": handle.institution_id}


def _which(destination_id: DestinationId, statement_id: str | None) -> Document:
    if statement_id is None:
        return {"destination": destination_id}
    return {"_id": f"{destination_id}:{statement_id}"}


def _key(letter: DeadLetter) -> str:
    return f"{letter.destination_id}:{letter.statement_id}"


def _letter_document(letter: DeadLetter) -> Document:
    return {
        "_id": _key(letter),
        "destination": letter.destination_id,
        "position": Int64(letter.position),
        "asked": Int64(letter.asked_at_us),
        "doc": _longs(letter_document(letter)),
    }


def _longs(document: dict[str, Any]) -> dict[str, Any]:
    """Write positions and instants as 64-bit numbers, whatever their size."""
    return {
        name: Int64(value) if isinstance(value, int) and name.endswith(("_us", "position")) else value
        for name, value in document.items()
    }
