"""Taking an institution away; see ``gone`` for what keeps late writers out.

Keys go first, then the mark is set, then both logs are closed: a last segment and a last
entry that nobody passes, so that every writer loses its race, reads the mark, and ends.
Only then is everything removed. The institution's own record goes last: a removal that was
broken off is found and repeated.
"""

from bson import Int64
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.gone import keys_of, mark_dropped, sweep
from lrs.stores.mongo.keys import dense_key, number_of
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.segment import Document

_CLOSED = "closed"
_OF_ACCESS = ("keys", "clients", "issuers", "sign_ins", "sessions")
_KNOWN_BY_KEY = ("log", "history", "recorded", "documents", "attachments")


def drop(collections: Collections, institution_id: InstitutionId, patience: Patience) -> None:
    """Take an institution away, or what an earlier removal left; one that is unknown is no error."""
    if not _is_known(collections, institution_id):
        return
    _remove_access(collections, institution_id)
    patience.until_answered(lambda: mark_dropped(collections, institution_id))
    _close(collections.log, institution_id, {"w": _CLOSED}, patience)
    _close(collections.history, institution_id, {"src": _CLOSED, "t": institution_id}, patience)
    sweep(collections, institution_id)
    collections.institutions.delete_one({"_id": institution_id})
    _remove_access(collections, institution_id)


def _is_known(collections: Collections, institution_id: InstitutionId) -> bool:
    by_id = (collections.institutions, collections.applied, collections.projections)
    within = {"_id": keys_of(institution_id)}
    by_key = [getattr(collections, name) for name in _KNOWN_BY_KEY]
    return any(one.find_one({"_id": institution_id}, {"_id": 1}) for one in by_id) or any(
        one.find_one(within, {"_id": 1}) for one in by_key
    )


def _remove_access(collections: Collections, institution_id: InstitutionId) -> None:
    for name in _OF_ACCESS:
        getattr(collections, name).delete_many({"institution_id": institution_id})


def _close(
    log: Collection[Document], institution_id: InstitutionId, last: Document, patience: Patience
) -> None:
    """Put a last document behind all others of a dense log, unless it stands there."""
    within = {"_id": keys_of(institution_id)}
    while True:
        newest = next(iter(log.find(within).sort("_id", -1).limit(1)), None)
        if newest is not None and last.items() <= newest.items():
            return
        number = number_of(newest["_id"]) + 1 if newest else 1
        at_us = newest.get("at", 0) + 1 if newest else 0
        document = {"_id": dense_key(institution_id, number), "at": Int64(at_us), "total": Int64(0)}
        try:
            log.insert_one({**document, **last})
        except DuplicateKeyError:
            patience.rest()
        else:
            return
