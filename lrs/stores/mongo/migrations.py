"""How an older database becomes this version's: one step for each, safe to repeat.

A step may be broken off anywhere, done again, and done by several processes at once; its
outcome is the same. Only when it is done is the version raised, by compare-and-set. New
collections and indexes need no step: ``database.py`` makes what is missing at each start.
Append to ``STEPS``; what has been released is never changed. See docs/migrations.md.
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from bson import Int64
from pymongo.collection import Collection

from lrs.stores.mongo.keys import NEVER, dense_key
from lrs.stores.mongo.segment import Document

FILL = "fill:"
"""Begins the notes of ``meta`` that say what is still to be filled in."""

_LOG = logging.getLogger(__name__)

Named = Callable[[str], Collection[Document]]
"""Gives the collection of a name, with the store's concerns."""


class Step(NamedTuple):
    """One step.

    Attributes:
        what: What it adds, for the log.
        run: Repeatable; see the module.
    """

    what: str
    run: Callable[[Named], None]


def _default(collection: Collection[Document], field: str, value: object) -> None:
    """Give a field to the documents that lack it."""
    collection.update_many({field: {"$exists": False}}, {"$set": {field: value}})


def _complete_access(named: Named) -> None:
    """Add what institutions and keys numbered 1 may lack, also in the copies that keys carry."""
    institutions, keys = named("institutions"), named("keys")
    _default(institutions, "quota", Int64(0))
    _default(institutions, "rev", 0)
    _default(keys, "rate", None)
    _default(keys, "replaced_by", None)
    carrying: dict[str, Any] = {"institution._id": {"$exists": True}}
    for field, value in (("institution.quota", Int64(0)), ("institution.rev", 0)):
        keys.update_many({**carrying, field: {"$exists": False}}, {"$set": {field: value}})


def _complete_first_version(named: Named) -> None:
    _complete_access(named)
    _count_statements(named)
    _note_fills(named)


def _note_fills(named: Named) -> None:
    """Note that the definitions that statements give are to be filled in; see ``filling``."""
    for one in named("applied").find({}, {"_id": 1}):
        note = {"$setOnInsert": {"q": Int64(NEVER)}}
        named("meta").update_one({"_id": f"{FILL}{one['_id']}"}, note, upsert=True)


def _count_statements(named: Named) -> None:
    """Write into each segment how many statements there are with it, and how many are visible."""
    log, applied = named("log"), named("applied")
    institution, total = "", 0
    for segment in log.find({}, {"e.id": 1, "total": 1}).sort("_id", 1):
        owner = segment["_id"].rpartition(":")[0]
        total = (total if owner == institution else 0) + len(segment.get("e", ()))
        institution = owner
        if "total" not in segment:
            log.update_one({"_id": segment["_id"]}, {"$set": {"total": Int64(total)}})
    for one in applied.find({"total": {"$exists": False}}):
        last = log.find_one({"_id": dense_key(one["_id"], one["n"])}, {"total": 1})
        applied.update_one({"_id": one["_id"]}, {"$set": {"total": last["total"] if last else Int64(0)}})


def _keep_older_ones_out(_: Named) -> None:
    """Change nothing: what follows is written by this version, and misread by those before it."""


STEPS: tuple[Step, ...] = (
    Step("quotas, rates and successors of keys; counts of statements", _complete_first_version),
    Step(
        "recorded values, in the history too; the mark of an institution that was taken away",
        _keep_older_ones_out,
    ),
)
"""The first brings version 1 to version 2, and so on."""


def newest() -> int:
    """Return the version that this program makes, and the latest that it reads."""
    return 1 + len(STEPS)


def upgrade(named: Named, found: int) -> None:
    """Bring a database of a version to the newest, step by step."""
    for number, step in enumerate(STEPS[found - 1 :], found + 1):
        _LOG.info("Bringing the store to version %d: %s", number, step.what)
        step.run(named)
        before = {"_id": "instance", "schema": number - 1}
        named("meta").update_one(before, {"$set": {"schema": number}})
