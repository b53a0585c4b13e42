"""The mark of an institution that was taken away, and the end of what comes late.

``applied {_id: t, dropped: true}``. It is set before anything is removed. Whoever wrote
something of the institution where no log stands in the way (a document, a note, what a
segment brought) looks for the mark *behind* the write: either the write came before the
removal, which takes it along, or the look finds the mark, and what was written is removed.

Its segments and its entries of the history stay, emptied: a writer that still knows the end
as it was would otherwise succeed there.
"""

from collections.abc import Sequence
from typing import Any

from bson import Int64
from pymongo.collection import Collection

from lrs.access.handles import InstitutionId
from lrs.errors import NotFound
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.segment import Document

OF_SEGMENT = ("e", "r", "d", "s")
OF_ENTRY = ("kind", "subject", "before", "after", "at", "p", "v", "k")

_AT_ONCE = 500

_BY_INSTITUTION = ("statements", "receipts", "refusals")
_BY_KEY = ("documents", "attachments", "activities", "recorded")


def keys_of(institution_id: InstitutionId) -> Document:
    """Return the range of the keys that begin with an institution."""
    return {"$gt": f"{institution_id}:", "$lt": f"{institution_id};"}


def mark_dropped(collections: Collections, institution_id: InstitutionId) -> None:
    """Let nobody write to an institution from now on."""
    nothing = {"n": Int64(0), "at": Int64(0), "refs": 0}
    change = {"$set": {"dropped": True, "total": Int64(0)}, "$setOnInsert": nothing}
    collections.applied.update_one({"_id": institution_id}, change, upsert=True)
    change = {"$set": {"dropped": True}, "$setOnInsert": {"m": Int64(0)}}
    collections.projections.update_one({"_id": institution_id}, change, upsert=True)


def remove_late(collections: Collections, institution_id: InstitutionId) -> bool:
    """Remove what came to an institution after it was taken away; False where it was not."""
    if collections.applied.find_one({"_id": institution_id, "dropped": True}, {"_id": 1}) is None:
        return False
    sweep(collections, institution_id)
    return True


def check_kept(collections: Collections, institution_id: InstitutionId) -> None:
    """See, behind a write, that the institution is still there.

    Raises:
        NotFound: It was taken away, and so was what was written.
    """
    if remove_late(collections, institution_id):
        raise NotFound("There is no such institution.")


def has_anything(collections: Collections, institution_id: InstitutionId) -> bool:
    """Tell whether something lies there that ``sweep`` would remove."""
    found = [collections.destinations.find_one({"institution": institution_id}, {"_id": 1})]
    found += [
        getattr(collections, name).find_one({"t": institution_id}, {"_id": 1}) for name in _BY_INSTITUTION
    ]
    within = {"_id": keys_of(institution_id)}
    found += [getattr(collections, name).find_one(within, {"_id": 1}) for name in _BY_KEY]
    for collection, fields in ((collections.log, OF_SEGMENT), (collections.history, OF_ENTRY)):
        found.append(collection.find_one({**within, fields[0]: {"$exists": True}}, {"_id": 1}))
    return any(one is not None for one in found)


def sweep(collections: Collections, institution_id: InstitutionId) -> None:
    """Remove everything of an institution but what the access room keeps; empty both its logs."""
    mine = {"institution": institution_id}
    within = {"_id": keys_of(institution_id)}
    ids = [one["_id"] for one in collections.destinations.find(mine, {"_id": 1})]
    collections.deliveries.delete_many({"_id": {"$in": ids}})
    _remove(collections.letters, {"destination": {"$in": ids}})
    collections.destinations.delete_many(mine)
    for name in _BY_INSTITUTION:
        _remove(getattr(collections, name), {"t": institution_id, **within})
    for name in _BY_KEY:
        _remove(getattr(collections, name), within)
    for collection, fields in ((collections.log, OF_SEGMENT), (collections.history, OF_ENTRY)):
        _empty(collection, within, fields)


def _remove(collection: Collection[Document], asked: Document) -> None:
    """Delete documents, some at a time, so that nobody waits long."""
    while keys := _some_keys(collection, asked):
        collection.delete_many({"_id": {"$in": keys}})


def _empty(collection: Collection[Document], within: Document, fields: Sequence[str]) -> None:
    """Take fields from documents, some at a time."""
    full = {**within, fields[0]: {"$exists": True}}
    nothing = {"$unset": dict.fromkeys(fields, "")}
    while keys := _some_keys(collection, full):
        collection.update_many({"_id": {"$in": keys}}, nothing)
        full["_id"] = {**within["_id"], "$gt": keys[-1]}


def _some_keys(collection: Collection[Document], asked: Document) -> list[Any]:
    found = collection.find(asked, {"_id": 1}).sort("_id", 1).limit(_AT_ONCE)
    return [one["_id"] for one in found]
