"""One process that changes recorded values: ``python -m tests.wire.changer URL FOLDER NAME MODE``.

``race``: changes until its institution is gone, and notes in ``FOLDER/NAME`` what it was
told, *after* it was told.
``die``: ends without a word right behind the commit of its only change.
``count SECONDS``: waits for a line on standard input, changes one value for so long, prints how
often it was told that it had.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import NotFound, StoreUnavailable
from lrs.stores import Stores
from lrs.stores.mongo.recorded_rows import Rows
from lrs.tables.recorded import Note, Recorded, RecordedTables, Wish
from tests.wire.writer import INSTITUTIONS, now_us, open_at

COUNTERS = ("left", "right")


def tables_of(stores: Stores, institution: str) -> RecordedTables:
    return stores.recorded(InstitutionHandle(InstitutionId(institution)))


def count_up(tables: RecordedTables, subject: str, by: str) -> Recorded | None:
    """Raise a counter by one, and leave one's name."""

    def decide(now: Recorded | None) -> Wish:
        n = 1 if now is None else now.value["n"] + 1
        return Wish({"n": n, "by": by}, (f"by {by}", f"n {n % 3}"))

    return tables.change("counter", subject, decide, now_us())


def race(url: str, notes: Path, name: str) -> None:
    """Count up what all count up, and write many values of one's own."""
    seeded = random.Random(name)
    stores = open_at(url)
    with notes.open("a") as file:
        for turn in range(10**9):
            institution = seeded.choice(INSTITUTIONS)
            told = act(tables_of(stores, institution), seeded, f"{name}/{turn}")
            file.write(json.dumps([institution, *told]) + "\n")
            file.flush()
            if told[0] == "gone":
                return


def act(tables: RecordedTables, seeded: random.Random, by: str) -> tuple[str, Any]:
    """Do one thing and return what was told."""
    try:
        if seeded.random() < 0.6:
            subject = seeded.choice(COUNTERS)
            found = count_up(tables, subject, by)
            return "counted", [subject, found and found.value]
        many = [(f"{by} {n}", Wish({"of": by, "n": n}, (by,))) for n in range(seeded.randint(1, 60))]
        tables.note("run", [Note(by.partition("/")[0], {"at": by})], now_us())
        return "many", [by, len(many), tables.change_all("many", many, now_us())]
    except StoreUnavailable:
        return "unavailable", None
    except NotFound:
        return "gone", None


def die(url: str) -> None:
    """Commit, and be killed before anything else is written."""
    Rows.project = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assignment,return-value]
    count_up(tables_of(open_at(url), INSTITUTIONS[0]), COUNTERS[0], "the dead")


def count(url: str, name: str, seconds: float) -> None:
    """Count up for some time."""
    stores = open_at(url)
    tables = tables_of(stores, INSTITUTIONS[0])
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + seconds
    done = 0
    while time.monotonic() < end:
        count_up(tables, COUNTERS[0], name)
        done += 1
    print(done, flush=True)
    stores.close()


def main() -> None:
    url, folder, name, mode, *rest = sys.argv[1:]
    if mode == "race":
        race(url, Path(folder) / name, name)
    elif mode == "die":
        die(url)
    else:
        count(url, name, float(rest[0]))


if __name__ == "__main__":
    main()
