"""One writer process: ``python -m tests.wire.writer URL FOLDER NAME MODE``; the tests kill it.

``race``: writes until its institution is gone, and notes, in ``FOLDER/NAME``, each verdict
*after* it was given.
``count SECONDS``: waits for a line on standard input, writes for so long, prints how many
batches were acknowledged.
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import NotFound, StatementConflict, StoreUnavailable
from lrs.stores import StoreOptions, Stores, open_stores
from lrs.xapi.ports import Batch, Fact, FactKind, PreparedStatement, StatementId, StatementStore

INSTITUTIONS = ("school0001", "museum0001")
CONTESTED_SECONDS = 0.1


def now_us() -> int:
    return time.time_ns() // 1000


def open_at(url: str) -> Stores:
    """Open the store as a server process would."""
    return open_stores(url, StoreOptions(clock=now_us, random_bytes=os.urandom, busy_seconds=20))


def statements_of(stores: Stores, institution: str) -> StatementStore:
    return stores.records.statements(InstitutionHandle(InstitutionId(institution)))


def statement(kind: int, number: int, content: int, note: dict[str, Any]) -> PreparedStatement:
    """A statement; its body tells which batch it belongs to."""
    facts = (Fact(FactKind.VERB, f"http://verbs.example/{content}"), Fact(FactKind.CLIENT, "client"))
    identifier = StatementId(f"{kind:08x}-0000-4000-8000-{number:012x}")
    body = json.dumps({**note, "content": content}).encode()
    return PreparedStatement(identifier, bytes([content]) * 16, facts, body)


def race(url: str, notes: Path, name: str) -> None:
    """Write batches of fresh ids, and single statements whose ids and contents all writers share."""
    seeded = random.Random(name)
    stores = open_at(url)
    writer = int(name.removeprefix("writer-"))
    with notes.open("a") as file:
        for turn in range(10**9):
            institution = seeded.choice(INSTITUTIONS)
            if seeded.random() < 0.5:
                made = [statement(0, contested_number(), seeded.choice([1, 2]), {})]
            else:
                count = seeded.randint(1, 30)
                note = {"batch": f"{name}/{turn}", "of": count}
                made = [statement(writer, turn * 100 + index, 1, note) for index in range(count)]
            verdict = send(statements_of(stores, institution), made)
            ids = [[one.id, one.fingerprint[0]] for one in made]
            file.write(json.dumps([institution, verdict, ids]) + "\n")
            file.flush()
            if verdict == "gone":
                return


def contested_number() -> int:
    """The number that all writers use at this moment, each with a content of its own choice."""
    return int(time.time() / CONTESTED_SECONDS) % 10**12


def send(store: StatementStore, made: list[PreparedStatement]) -> str:
    """Send a batch and name the verdict."""
    try:
        store.add_statements(Batch(made, "key-1"))
    except StatementConflict:
        return "conflict"
    except StoreUnavailable:
        return "unavailable"
    except NotFound:
        return "gone"
    return "kept"


def count(url: str, name: str, seconds: float) -> None:
    """Write single statements to one institution for some time."""
    stores = open_at(url)
    store = statements_of(stores, INSTITUTIONS[0])
    writer = int(name.removeprefix("writer-"))
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + seconds
    done = 0
    while time.monotonic() < end:
        store.add_statements(Batch([statement(writer, done, 1, {})], name))
        done += 1
    print(done, flush=True)
    stores.close()


def main() -> None:
    url, folder, name, mode, *rest = sys.argv[1:]
    if mode == "race":
        race(url, Path(folder) / name, name)
    else:
        count(url, name, float(rest[0]))


if __name__ == "__main__":
    main()
