"""Measure merged lots of the embedded engine: postings as rows, as earlier versions kept them, and as lists.

    python -m benchmarks.merged_lots [--count 262244] [--file STATEMENTS.ndjson] [--folder FOLDER]

Fills one store, copies it, and merges the closed lots of one to rows and of the other to lists.
Prints bytes a statement of both, what the merging took, and the processor time of each kind of
page, asked of the two stores in turns. Statements are invented unless a file of them is named.
In a folder that is named the filled store stays, and is used again.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.engine_sqlite import batches, prepare, say
from benchmarks.invented import iter_statements
from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.stores import StoreOptions
from lrs.stores.sqlite.connections import open_writer
from lrs.stores.sqlite.merging import Merger
from lrs.stores.sqlite.postings import SPANS
from lrs.stores.sqlite.stores import SqliteStores
from lrs.stores.sqlite.writer import Write
from lrs.xapi.ports import (
    Batch,
    Fact,
    FactKind,
    Filter,
    Position,
    PreparedStatement,
    StatementQuery,
    StatementStore,
)

_HANDLE = InstitutionHandle(InstitutionId("bench00001"))
_ROUNDS, _ASKED_AT_ONCE = 25, 8
_SAMPLED_EVERY = 523
_BATCHES_BETWEEN = 300
_AUTHORITY = {"account": {"homePage": "https://lrs.example", "name": "bench"}}

Question = Callable[[int], StatementQuery]


def _open(path: Path) -> SqliteStores:
    options = StoreOptions(clock=lambda: time.time_ns() // 1000, random_bytes=os.urandom, durable=False)
    stores = SqliteStores.open(str(path), options)
    stores.maintenance.close()
    return stores


def _iter_statements(file: str | None, count: int) -> Iterator[dict[str, Any]]:
    if file is None:
        yield from iter_statements(count, 7)
        return
    with Path(file).open() as lines:
        for n, line in enumerate(islice(lines, count)):
            identity = f"{n:08x}-0000-4000-8000-000000000000"
            yield {**json.loads(line), "id": identity, "authority": _AUTHORITY}


def _fill(path: Path, statements: Iterator[PreparedStatement]) -> None:
    """Keep statements; opened anew now and then, so that the WAL is brought in."""
    filling = batches(statements)
    while some := list(islice(filling, _BATCHES_BETWEEN)):
        stores = _open(path)
        store = stores.records.statements(_HANDLE)
        for batch in some:
            store.add_statements(Batch(batch, "bench"))
        stores.close()


def _merge_to_rows(write: Write) -> None:
    """Merge closed lots as versions before the sixth did."""
    database, span = write.database, SPANS[-1]
    lots = database.execute("SELECT lo, lot FROM lots ORDER BY lo").fetchall()
    new = max(lot for _, lot in lots)
    for lo in range(0, lots[-1][0] - span + 1, span):
        new += 1
        old = [lot for begin, lot in lots if lo <= begin < lo + span]
        numbers = ", ".join(map(str, old))
        database.execute(
            f"INSERT INTO post SELECT {new}, h, prim, seq FROM post WHERE lot IN ({numbers})"  # noqa: S608
            " ORDER BY h, prim, seq"
        )
        database.execute(f"DELETE FROM post WHERE lot IN ({numbers})")  # noqa: S608
        database.execute(f"DELETE FROM lots WHERE lot IN ({numbers})")  # noqa: S608
        database.execute("INSERT INTO lots VALUES (?, ?, 0)", (lo, new))


def _merge_to_lists(stores: SqliteStores, path: Path) -> None:
    database = open_writer(str(path), durable=False)
    merger = Merger(stores.writer, database, SPANS, lambda: False, lambda: None)
    while merger.merge_one():
        pass


def _timed(name: str, work: Callable[[], object]) -> None:
    began = time.process_time()
    work()
    say(f"merging to {name}: {time.process_time() - began:.1f} s of processor time")


def _bytes_of(stores: SqliteStores) -> int:
    """Return what the trees of postings take, without pages that are free."""
    query = "SELECT sum(pgsize) FROM dbstat WHERE name IN ('post', 'lists') AND aggregate = TRUE"
    return int(stores.writer.run(lambda write: write.database.execute(query).get))


def _questions(sample: list[PreparedStatement], last: int) -> dict[str, Question]:
    """Make one question of each kind from statements that are there."""

    def value(n: int, kind: FactKind, primary: bool = True) -> str:
        facts: list[Fact] = []
        while not facts:
            facts = [one for one in sample[n % len(sample)].facts if one[0] is kind and one[2] == primary]
            n += 1
        return facts[n % len(facts)].value

    def one(n: int, kind: FactKind) -> Filter:
        return Filter(kind, value(n, kind))

    def related(n: int) -> Filter:
        return Filter(FactKind.ACTIVITY, value(n, FactKind.ACTIVITY, primary=False), related=True)

    def behind(n: int) -> Position:
        return Position(last - n * 7919 % (last // 2))

    verb, agent, activity = FactKind.VERB, FactKind.AGENT, FactKind.ACTIVITY
    return {
        "verb, full page": lambda n: StatementQuery((one(n, verb),), after=behind(n)),
        "verb, full page, ascending": lambda n: StatementQuery((one(n, verb),), ascending=True),
        "related activity": lambda n: StatementQuery((related(n),), after=behind(n)),
        "agent": lambda n: StatementQuery((one(n, agent),)),
        "activity": lambda n: StatementQuery((one(n, activity),)),
        "registration": lambda n: StatementQuery((one(n, FactKind.REGISTRATION),)),
        "agent and verb": lambda n: StatementQuery((one(n, agent), one(n + 1, verb))),
        "activity and verb": lambda n: StatementQuery((one(n, activity), one(n + 1, verb))),
        "related activity and verb": lambda n: StatementQuery((related(n), one(n + 1, verb))),
        "two verbs, nothing found": lambda _: StatementQuery((one(0, verb), one(_other_verb(sample), verb))),
        "a miss": lambda n: StatementQuery((Filter(agent, f"nobody {n}"), one(n, verb))),
    }


def _other_verb(sample: list[PreparedStatement]) -> int:
    """Return which statement has another verb than the first one."""
    verbs = [next(one.value for one in made.facts if one[0] is FactKind.VERB) for made in sample]
    return next(n for n, verb in enumerate(verbs) if verb != verbs[0])


def _ask(store: StatementStore, question: Question, numbers: range) -> tuple[list[float], int]:
    """Return the processor time of each page, and how many statements they had."""
    seconds, found = [], 0
    for n in numbers:
        query = question(n)
        began = time.thread_time()
        found += len(store.query_statements(query).statements)
        seconds.append(time.thread_time() - began)
    return seconds, found


def _compare(before: StatementStore, after: StatementStore, name: str, question: Question) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    ratios: list[float] = []
    found = 0
    for turn in range(_ROUNDS + 1):
        numbers = range(turn * _ASKED_AT_ONCE, (turn + 1) * _ASKED_AT_ONCE)
        (rows, count), (lists, same) = _ask(before, question, numbers), _ask(after, question, numbers)
        if count != same:
            raise AssertionError(f"{name}: {count} statements by rows, {same} by lists")
        if turn:
            times[0].extend(rows)
            times[1].extend(lists)
            ratios.append(sum(lists) / sum(rows))
            found += count
    (p50, p95), (q50, q95) = (_percentiles(one) for one in times)
    mean = found / len(times[0])
    say(
        f"| {name} ({mean:.0f} rows) | {p50:.0f} / {p95:.0f} | {q50:.0f} / {q95:.0f} |"
        f" {statistics.median(ratios):.2f} |"
    )


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1e6, ordered[int(len(ordered) * 0.95)] * 1e6


def _compare_all(paths: tuple[Path, Path], sample: list[PreparedStatement], count: int) -> None:
    before, after = map(_open, paths)
    _timed("rows", lambda: before.writer.run(_merge_to_rows))
    _timed("lists", lambda: _merge_to_lists(after, paths[1]))
    rows, lists = _bytes_of(before) / count, _bytes_of(after) / count
    say(f"bytes a statement: {rows:.1f} as rows, {lists:.1f} as lists")
    say("| page | rows, p50 / p95 µs | lists, p50 / p95 µs | ratio |")
    say("|---|---|---|---|")
    stores = before.records.statements(_HANDLE), after.records.statements(_HANDLE)
    for name, question in _questions(sample, count).items():
        _compare(*stores, name, question)
    before.close()
    after.close()


def main() -> None:
    """Fill, merge, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=SPANS[-1] + 100)
    parser.add_argument("--file", help="statements to fill with, one a line; without ids")
    parser.add_argument("--folder", help="where the stores are made; a temporary folder by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.folder or temporary)
        filled, rows, lists = (folder / f"{name}.db" for name in ("filled", "rows", "lists"))
        made = partial(_iter_statements, arguments.file, arguments.count)
        if not filled.exists():
            _fill(filled, map(prepare, made()))
        for copy in (rows, lists):
            shutil.copy(filled, copy)
        sample = [prepare(one) for one in islice(made(), 0, None, _SAMPLED_EVERY)]
        random.Random(7).shuffle(sample)
        _compare_all((rows, lists), sample, arguments.count)


if __name__ == "__main__":
    main()
