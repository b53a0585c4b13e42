"""The engines under test: each can open the same store any number of times."""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrs.stores import StoreOptions, Stores, open_stores


class HandClock:
    """A clock that stands until it is moved; safe for threads. Microseconds."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self.now_us = now_us
        self._lock = threading.Lock()

    def __call__(self) -> int:
        with self._lock:
            return self.now_us

    def move(self, seconds: float) -> None:
        with self._lock:
            self.now_us += int(seconds * 1_000_000)


@dataclass
class Engine:
    """One engine with one empty store; ``open`` again is what another process would see."""

    name: str
    make: Callable[[StoreOptions], Stores]
    url: str | None = None
    """Where other processes can reach the store; None where only this one can."""
    clock: HandClock = field(default_factory=HandClock)
    _opened: list[Stores] = field(default_factory=list)

    def open(self, options: StoreOptions | None = None, **changes: Any) -> Stores:
        """Open the store, with given options or with those of a test and changes to them."""
        if options is None:
            usual = {"clock": self.clock, "random_bytes": os.urandom, "durable": False}
            options = StoreOptions(**{**usual, **changes})
        stores = self.make(options)
        self._opened.append(stores)
        return stores

    def in_order(self, names: list[str]) -> list[str]:
        """Return names by code point: without those that the Java server puts elsewhere.

        It compares UTF-16 units; a MongoDB server compares bytes of UTF-8.
        """
        return sorted(name for name in names if self.name != "mongo-server" or max(name) <= "\uffff")

    def close(self) -> None:
        for stores in self._opened:
            stores.close()


def sqlite_engine(folder: Path) -> Engine:
    url = f"sqlite:///{folder}/lrs.db"
    return Engine("sqlite", lambda options: open_stores(url, options), url)


def merging_engine(folder: Path) -> Engine:
    """SQLite with the smallest lots, where all that can be merged is merged behind every write."""
    from lrs.stores.sqlite.connections import open_writer
    from lrs.stores.sqlite.merging import Merger
    from lrs.stores.sqlite.stores import SqliteStores

    one_merges = threading.Lock()

    def open_merging(options: StoreOptions) -> Stores:
        path, spans = f"{folder}/lrs.db", (1, 4, 16)
        stores = SqliteStores.open(path, options, spans)
        stores.maintenance.close()
        write = stores.writer.run
        database = open_writer(path, durable=False)
        merger = Merger(stores.writer, database, spans, lambda: False, lambda: None)

        def write_and_merge(work: Any, weight: int = 1) -> Any:
            done = write(work, weight)
            if one_merges.acquire(blocking=False):
                try:
                    while merger.merge_one():
                        pass
                finally:
                    one_merges.release()
            return done

        stores.writer.run = write_and_merge  # type: ignore[method-assign]
        return stores

    return Engine("sqlite", open_merging, f"sqlite:///{folder}/lrs.db")


_numbers = itertools.count(1)


def mongomock_engine() -> Engine:
    import mongomock

    from lrs.stores.mongo.stores import MongoStores
    from tests.mocked_mongo import teach_mongomock

    teach_mongomock()
    client: Any = mongomock.MongoClient(tz_aware=True)
    name = f"lrs_test_{next(_numbers)}"
    return Engine("mongomock", lambda options: MongoStores(client, name, options, owns_client=False))


def mongo_server_engine(server_uri: str) -> Iterator[Engine]:
    import pymongo

    name = f"lrs_test_{os.getpid()}_{next(_numbers)}"
    url = f"{server_uri.rstrip('/')}/{name}"
    yield Engine("mongo-server", lambda options: open_stores(url, options), url)
    client: Any = pymongo.MongoClient(server_uri)
    client.drop_database(name)
    client.close()
