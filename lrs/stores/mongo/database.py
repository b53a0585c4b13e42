"""The collections, their indexes and what a read and a write promise.

Every write asks for ``w: majority, j: true``: it is acknowledged when a majority of the
replica set has it in its journal, so that no election takes it back. Every read goes to
the primary with read concern ``majority``: it never shows what an election might take
back. A standalone server keeps neither promise beyond its own disk.

Sharded: ``log`` by range on ``_id``; ``statements`` by range, unique, on ``{t, _id}``;
``history`` on ``{t}``; ``documents``, ``attachments``, ``activities``, ``recorded`` and
``derived`` by range on ``_id``; the others stay small and need none.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, DESCENDING, MongoClient, ReadPreference, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern

from lrs.errors import StoreTooNew, StoreUnfinished
from lrs.stores import StoreOptions
from lrs.stores.mongo.derived import make_derived_index
from lrs.stores.mongo.migrations import newest, upgrade
from lrs.stores.mongo.patience import unhurried
from lrs.stores.mongo.segment import Document

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collections:
    """One attribute a collection, each with the concerns above."""

    meta: Collection[Document]
    institutions: Collection[Document]
    clients: Collection[Document]
    keys: Collection[Document]
    issuers: Collection[Document]
    sign_ins: Collection[Document]
    sessions: Collection[Document]
    log: Collection[Document]
    statements: Collection[Document]
    applied: Collection[Document]
    history: Collection[Document]
    recorded: Collection[Document]
    projections: Collection[Document]
    derived: Collection[Document]
    receipts: Collection[Document]
    refusals: Collection[Document]
    documents: Collection[Document]
    attachments: Collection[Document]
    activities: Collection[Document]
    jobs: Collection[Document]
    job_runs: Collection[Document]
    destinations: Collection[Document]
    deliveries: Collection[Document]
    letters: Collection[Document]


def open_collections(client: MongoClient[Document], name: str, busy_seconds: float) -> Collections:
    """Return the collections of a database."""
    database: Database[Document] = client.get_database(
        name,
        read_preference=ReadPreference.PRIMARY,
        read_concern=ReadConcern("majority"),
        write_concern=WriteConcern(w="majority", j=True, wtimeout=int(busy_seconds * 1000)),
    )
    return Collections(**{field: database[field] for field in Collections.__dataclass_fields__})


def prepare(collections: Collections, options: StoreOptions) -> bytes:
    """Make what is missing in a database and return the instance's key.

    Any number of processes may do this at once: the first upsert makes the key.

    Raises:
        StoreTooNew: A newer version wrote it.
        StoreUnfinished: A restore into it was broken off.
    """
    made = {"key": options.random_bytes(32), "schema": newest()}
    try:
        collections.meta.update_one({"_id": "instance"}, {"$setOnInsert": made}, upsert=True)
    except DuplicateKeyError:
        _LOG.debug("another process made the instance's key")
    meta: Any = collections.meta.find_one({"_id": "instance"})
    if meta["schema"] > newest():
        raise StoreTooNew(
            f"The store has schema {meta['schema']}; this version knows {newest()}. Start the newer version.",
            found=meta["schema"],
            known=newest(),
        )
    if not options.restoring and is_unfinished(collections):
        raise StoreUnfinished(
            "A restore into this store was broken off. Restore anew with lrs restore, or drop the database."
        )
    with unhurried():
        _make_indexes(collections)
        upgrade(lambda name: getattr(collections, name), meta["schema"])
    return bytes(meta["key"])


def is_unfinished(collections: Collections) -> bool:
    """Tell whether a restore into this database was begun and not finished."""
    return collections.meta.find_one({"_id": "restoring"}) is not None


def _make_indexes(collections: Collections) -> None:
    up, down = ASCENDING, DESCENDING
    collections.institutions.create_index([("name", up)], unique=True)
    collections.clients.create_index([("institution_id", up), ("name", up)], unique=True)
    collections.keys.create_index([("institution_id", up)])
    collections.issuers.create_index([("url", up), ("audience", up)], unique=True)
    collections.sign_ins.create_index([("expires", up)])
    collections.sessions.create_index([("expires", up)])
    collections.statements.create_index([("t", up), ("_id", up)], unique=True)
    collections.statements.create_index([("t", up), ("k", up), ("q", down)])
    collections.statements.create_index([("t", up), ("q", down)])
    with_ref = {"ref": {"$exists": True}}
    collections.statements.create_index([("t", up), ("ref", up)], partialFilterExpression=with_ref)
    collections.history.create_index([("t", up), ("src", up)], unique=True)
    collections.history.create_index([("t", up), ("_id", up)], unique=True)
    collections.recorded.create_index([("t", up), ("kind", up), ("k", up), ("subject", up)])
    gone = {"gone": {"$exists": True}}
    collections.recorded.create_index([("gone", up), ("_id", up)], partialFilterExpression=gone)
    make_derived_index(collections.derived)
    collections.receipts.create_index([("t", up), ("source", up), ("o", down)])
    collections.refusals.create_index([("t", up), ("source", up), ("at", down), ("o", down)])
    collections.documents.create_index([("s", up)])
    collections.job_runs.create_index([("job", up), ("epoch", up)])
    collections.job_runs.create_index([("started", down)])
    collections.destinations.create_index([("institution", up), ("name", up)], unique=True)
    collections.letters.create_index([("destination", up), ("position", up)])


def warn_if_standalone(client: MongoClient[Document]) -> None:
    """Say in the log that a standalone server is not for production."""
    try:
        hello = client.admin.command("hello")
    except OperationFailure:
        hello = {}
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        _LOG.warning(
            "the database is a standalone server: acknowledged records last only as long as its one disk,"
            " so it is not for production; use a replica set or a sharded cluster"
        )
