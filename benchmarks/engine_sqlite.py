"""Measure the embedded engine alone: no HTTP, no parsing, no validation.

    python -m benchmarks.engine_sqlite [--count 100000] [--folder FOLDER]

Statements are invented (``benchmarks/invented.py``); facts and fingerprints are made
before the clock runs. Prints one line for each figure.
"""

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from benchmarks.invented import Json, iter_statements
from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.stores import StoreOptions
from lrs.stores.sqlite.stores import SqliteStores
from lrs.xapi.facts import facts_of
from lrs.xapi.ports import (
    Batch,
    FactKind,
    Filter,
    PreparedStatement,
    StatementId,
    StatementQuery,
    StatementStore,
)

_HANDLE = InstitutionHandle(InstitutionId("bench00001"))
_BATCH = 100
_SINGLES = 6000
_THREADS = 16
_ROUNDS = 200


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def prepare(statement: Json) -> PreparedStatement:
    """Make what the engine takes, with the facts that the record store would give it."""
    body = orjson.dumps(statement)
    fingerprint = hashlib.blake2b(body, digest_size=16).digest()
    authority: Any = statement["authority"]
    facts = facts_of(statement, authority, authority["account"]["name"])
    return PreparedStatement(StatementId(str(statement["id"])), fingerprint, facts, body)


def batches(statements: Iterator[PreparedStatement]) -> Iterator[list[PreparedStatement]]:
    """Cut into batches."""
    while batch := list(islice(statements, _BATCH)):
        yield batch


def _percentiles(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    say(f"  {name}: p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms, max {ordered[-1] * 1e3:.2f} ms")


def measure_batches(store: StatementStore, count: int, writers: int, seed: int) -> None:
    """Post batches of 100 from so many threads."""
    made = list(batches(prepare(s) for s in iter_statements(count, seed)))
    seconds: list[float] = []

    def post(part: list[list[PreparedStatement]]) -> None:
        for batch in part:
            began = time.perf_counter()
            store.add_statements(Batch(batch, "bench"))
            seconds.append(time.perf_counter() - began)

    took = _in_threads([lambda part=made[n::writers]: post(part) for n in range(writers)])  # type: ignore[misc]
    say(f"batches of {_BATCH}, {writers} writers: {count / took:,.0f} statements/s ({count:,})")
    _percentiles("a batch", seconds)


def measure_singles(store: StatementStore) -> None:
    """Post single statements from sixteen threads."""
    made = [prepare(s) for s in iter_statements(_SINGLES, 555)]
    seconds: list[float] = []

    def post(part: list[PreparedStatement]) -> None:
        for statement in part:
            began = time.perf_counter()
            store.add_statements(Batch([statement], "bench"))
            seconds.append(time.perf_counter() - began)

    took = _in_threads([lambda part=made[n::_THREADS]: post(part) for n in range(_THREADS)])  # type: ignore[misc]
    say(f"single statements, {_THREADS} threads: {_SINGLES / took:,.0f} statements/s")
    _percentiles("a post", seconds)


def _in_threads(works: list[Callable[[], None]]) -> float:
    threads = [threading.Thread(target=work) for work in works]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def measure_pages(store: StatementStore) -> None:
    """Read pages of 100 with every kind of filter."""
    facts = [prepare(s).facts for s in iter_statements(300, 1)]
    by_kind = {
        kind: [f.value for fs in facts for f in fs if f.kind is kind and f.primary] for kind in FactKind
    }
    related = [f.value for fs in facts for f in fs if f.kind is FactKind.ACTIVITY and not f.primary]

    def one(kind: FactKind, n: int) -> Filter:
        return Filter(kind, by_kind[kind][n % len(by_kind[kind])])

    instants = [s.stored_at_us for s in store.query_statements(StatementQuery(limit=1000)).statements]
    questions: dict[str, Callable[[int], StatementQuery]] = {
        "newest": lambda _: StatementQuery(),
        "since": lambda n: StatementQuery(since_us=instants[n], ascending=True),
        "verb": lambda n: StatementQuery((one(FactKind.VERB, n),)),
        "agent": lambda n: StatementQuery((one(FactKind.AGENT, n),)),
        "activity": lambda n: StatementQuery((one(FactKind.ACTIVITY, n),)),
        "agent+verb": lambda n: StatementQuery((one(FactKind.AGENT, n), one(FactKind.VERB, n + 1))),
        "activity, related": lambda n: StatementQuery(
            (Filter(FactKind.ACTIVITY, related[n % len(related)], related=True),)
        ),
        "miss": lambda n: StatementQuery((Filter(FactKind.AGENT, f"nobody {n}"), one(FactKind.VERB, n))),
    }
    for name, question in questions.items():
        seconds, rows = [], []
        for n in range(_ROUNDS):
            began = time.perf_counter()
            page = store.query_statements(question(n))
            seconds.append(time.perf_counter() - began)
            rows.append(len(page.statements))
        mean = statistics.fmean(rows)
        say(f"page of 100 by {name}: p50 {statistics.median(seconds) * 1e3:.2f} ms ({mean:.0f} rows)")


def measure_credentials(stores: SqliteStores) -> None:
    """Look a key up, as each request does."""
    access = stores.access
    began = time.perf_counter()
    for _ in range(5000):
        access.find_credential("no such key")  # type: ignore[arg-type]
    say(f"find_credential: {(time.perf_counter() - began) / 5000 * 1e6:.1f} µs")
    store = stores.records.statements(_HANDLE)
    began = time.perf_counter()
    for _ in range(5000):
        store.consistent_through()
    say(f"consistent_through: {(time.perf_counter() - began) / 5000 * 1e6:.1f} µs")


def main() -> None:
    """Fill a store and ask it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--folder", help="where the store is made; a temporary folder by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "lrs.db"
        options = StoreOptions(clock=lambda: time.time_ns() // 1000, random_bytes=os.urandom)
        stores = SqliteStores.open(str(path), options)
        store = stores.records.statements(_HANDLE)
        part = arguments.count // 4
        for n in range(4):
            measure_batches(store, part, 1 if n < 2 else 4, seed=n + 1)
        measure_singles(store)
        measure_pages(store)
        measure_credentials(stores)
        stores.close()
        kept = part * 4 + _SINGLES
        say(f"bytes a statement, closed: {path.stat().st_size / kept:.0f}")


if __name__ == "__main__":
    main()
