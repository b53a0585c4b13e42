"""How fast what is recorded becomes what is shown.

    .venv/bin/python -m benchmarks.derivation [--counts 10000,100000] [--posts 10] [--json FILE]

For each size, on an embedded store in a temporary folder: statements derived a second from the
beginning, the same again as ``lrs rebuild --verify`` does it, and one new statement after that.
Last, with ``lrs worker`` running in a process of its own: from a post to the progress that it makes.
One learner for each hundred statements; half of all statements are evidence; a framework of 585 items.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.settings import read_settings
from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.derivation.rebuilding import Rebuilder
from lrs.services import Services, build_services
from lrs.xapi.attachments import SentBody
from lrs.xapi.versions import Version
from tests.http.conftest import basic
from tests.server import clean_environ, stop_process

FRAMEWORK = "00000000-0000-4000-8000-0000000000f1"
BRANCHES, LEAVES, RULES = 45, 12, 60
CITY = "https://city.example.org/activities"
BATCH = 500
PATIENCE_SECONDS = 60

Figures = dict[str, Any]


class Bench:
    """A store with a framework, an alignment, and statements."""

    def __init__(self, folder: Path) -> None:
        """Make it, empty of statements."""
        self.environ = clean_environ(LRS_STORE=f"sqlite:///{folder}/lrs.db", LRS_LOG_LEVEL="warning")
        names = {name: value for name, value in self.environ.items() if name.startswith("LRS_")}
        self.services: Services = build_services(read_settings(names))
        access = self.services.access
        made = access.create_key("School", None, [Scope.ALL])
        self.caller: Caller = access.authenticate(basic(made.key.id, made.secret)["Authorization"])
        self.handle: InstitutionHandle = access.handle_for_institution_named("School")
        self.services.frameworks.import_framework(self.handle, _package())
        self.services.frameworks.import_alignment(self.handle, _alignment())
        self.dice = random.Random(1)

    def fill(self, count: int) -> None:
        """Post statements, without waiting to see them derived."""
        learners = max(1, count // 100)
        for begin in range(0, count, BATCH):
            self.post([self.statement(learners) for _ in range(min(BATCH, count - begin))])

    def post(self, statements: list[Figures]) -> None:
        """Post a batch."""
        body = SentBody(json.dumps(statements).encode())
        self.services.statements.post(self.caller, body, Version.V1_0_3)

    def statement(self, learners: int, learner: int | None = None, rule: int | None = None) -> Figures:
        """Make a statement; of every two, one is evidence."""
        number = self.dice.randrange(learners) if learner is None else learner
        activity = self.dice.randrange(2 * RULES) if rule is None else rule
        return {
            "id": str(uuid.UUID(int=self.dice.getrandbits(128), version=4)),
            "actor": {"name": f"Learner {number}", "mbox": f"mailto:learner{number}@example.org"},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
            "object": {"id": f"{CITY}/{activity}", "definition": {"name": {"en": f"Activity {activity}"}}},
            "result": {"score": {"scaled": self.dice.randrange(101) / 100}, "completion": True},
            "timestamp": f"2026-0{self.dice.randrange(1, 10)}-{self.dice.randrange(10, 29)}T09:30:00Z",
        }

    def counted(self) -> int:
        """Return how many pieces of evidence the first learner has."""
        found = self.services.learners.find("mailto:learner0@example.org")
        return len(self.services.frameworks.evidence(found.identity_ids))


def measure(count: int) -> Figures:
    """Measure one size."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        services = bench.services
        bench.fill(count)
        derived = _seconds(lambda: services.deriver.run(1, _keep))
        stores = services.stores
        rebuilder = Rebuilder(services.deriving, stores.derived, stores.derived_scratch)
        verified = _seconds(lambda: rebuilder.verify(2, _keep, lambda _: None))
        one = []
        for epoch in range(3, 13):
            bench.post([bench.statement(max(1, count // 100), rule=0)])
            one.append(_seconds(lambda epoch=epoch: services.deriver.run(epoch, _keep)))  # type: ignore[misc]
        evidence = stores.derived.count("evidence")
        services.close()
    return {
        "statements": count,
        "evidence": evidence,
        "derived_per_second": round(count / derived),
        "verified_per_second": round(count / verified),
        "one_more_ms": round(statistics.median(one) * 1000, 1),
    }


def measure_visible(count: int, posts: int) -> Figures:
    """Measure from a post to the progress that it makes, with a worker in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.fill(count)
        bench.services.deriver.run(1, _keep)
        times = []
        with _worker(bench):
            for _ in range(posts):
                before = bench.counted()
                time.sleep(bench.dice.random())
                bench.post([bench.statement(1, learner=0, rule=0)])
                times.append(_seconds(lambda before=before: _wait(lambda: bench.counted() > before)))  # type: ignore[misc]
        bench.services.close()
    return {"visible_seconds": round(statistics.median(times), 2), "slowest_seconds": round(max(times), 2)}


@contextmanager
def _worker(bench: Bench) -> Iterator[None]:
    command = [str(Path(sys.executable).with_name("lrs")), "worker"]
    process = subprocess.Popen(
        command, env=bench.environ, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(lambda: bench.services.jobs.history("derive", 1))
        yield
    finally:
        stop_process(process)


def _package() -> bytes:
    def link(node: str) -> Figures:
        return {"title": node, "identifier": node, "uri": f"urn:{node}"}

    edges = [(f"b{branch}", FRAMEWORK) for branch in range(BRANCHES)]
    edges += [(f"b{branch}.{leaf}", f"b{branch}") for branch in range(BRANCHES) for leaf in range(LEAVES)]
    associations = [
        {
            "identifier": f"in-{child}",
            "associationType": "isChildOf",
            "originNodeURI": link(child),
            "destinationNodeURI": link(parent),
        }
        for child, parent in edges
    ]
    items = [{"identifier": child, "fullStatement": f"Can do {child}"} for child, _ in edges]
    document = {"identifier": FRAMEWORK, "title": "Bench", "lastChangeDateTime": "2026-01-01T00:00:00Z"}
    return json.dumps({"CFDocument": document, "CFItems": items, "CFAssociations": associations}).encode()


def _alignment() -> bytes:
    levels = [
        {"level": number, "name": f"Level {number}", "threshold": f"0.{2 + 2 * number}"}
        for number in (1, 2, 3)
    ]
    rules = [
        {
            "id": f"r{number}",
            "item": f"b{number % BRANCHES}.{number % LEAVES}",
            "when": {"activity": [f"{CITY}/{number}"]},
        }
        for number in range(RULES)
    ]
    model = {"name": "k-of-n", "k": 2, "n": 3, "levels": levels}
    return json.dumps({"name": "bench", "framework": FRAMEWORK, "model": model, "rules": rules}).encode()


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _wait(what: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not what():
        if time.monotonic() > ends:
            raise SystemExit("It did not happen in time.")
        time.sleep(0.01)


def _keep() -> None:
    """Stand for a lease that nobody takes."""


def main() -> None:
    """Measure, and print a line for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--counts", default="10000,100000", help="sizes, with commas between")
    parser.add_argument("--posts", type=int, default=10, help="posts that are waited for with a worker")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    asked = parser.parse_args()
    print("statements  evidence  derived/s  verified/s  one more, ms")
    sizes = []
    for count in map(int, asked.counts.split(",")):
        found = measure(count)
        sizes.append(found)
        print(
            f"{count:10,}  {found['evidence']:8,}  {found['derived_per_second']:9,}"
            f"  {found['verified_per_second']:10,}  {found['one_more_ms']:12}"
        )
    visible = measure_visible(int(asked.counts.split(",")[0]), asked.posts)
    print(
        f"from a post to visible progress, worker running: {visible['visible_seconds']} s"
        f" (slowest {visible['slowest_seconds']} s)"
    )
    if asked.json:
        asked.json.write_text(json.dumps({"sizes": sizes, **visible}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
