"""Measure the embedded store over HTTP beside the raw engine, in the same run.

    python -m benchmarks.http [--counts 10000,100000] [--workers 2] [--singles 4000] [--json FILE]
                             [--folder FOLDER]

*HTTP* is ``lrs serve`` on a store of its own, asked by ``benchmarks/client.py`` on the same
machine. *Engine* is the same statements, prepared before the clock runs, given to the same
store class in another file: same schema, no HTTP, no parsing, no validation. Batches are given
by one thread, single statements by as many threads as the client has connections, since they
wait for each other's commit. Statements come from ``benchmarks/invented.py``.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.client import Load, make_request, run_load
from benchmarks.invented import iter_statements
from config.settings import read_settings
from lrs.access.handles import InstitutionHandle
from lrs.services import Services, build_services
from lrs.xapi.facts import agent_key
from lrs.xapi.ports import Batch, FactKind, Filter, PreparedStatement, StatementQuery, StatementStore
from lrs.xapi.reader import RawStatement
from lrs.xapi.versions import Version
from tests.server import RunningServer, running_server

BATCH, BATCH_CONNECTIONS = 100, 4
SINGLE_CONNECTIONS = 16
PAGES, PAGE_CONNECTIONS = 1000, 8
PROCESSES = 2
ASKED = 300
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "worst": 1.0}

Statement = dict[str, Any]
Row = dict[str, Any]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def make_statements(count: int, seed: int) -> list[Statement]:
    """Statements as a client sends them: what only a store sets is left out."""
    return [
        {name: value for name, value in statement.items() if name not in ("authority", "version")}
        for statement in iter_statements(count, seed)
    ]


class Bench:
    """One server and one raw engine, filled with the same statements."""

    def __init__(self, server: RunningServer, services: Services) -> None:
        self.server = server
        self.port = int(server.url.rsplit(":", 1)[1])
        self.key = server.make_key("Bench")
        self.services = services
        institution = services.access.ensure_institution("Bench")
        self.client = services.access.ensure_client(institution.id, "Bench")
        self.store: StatementStore = services.stores.records.statements(InstitutionHandle(institution.id))
        self.asked = make_statements(ASKED, seed=1)
        self.rows: list[Row] = []

    def note(
        self, size: int, what: str, http: float, engine: float, unit: str, load: Load | None = None
    ) -> None:
        row: Row = {"size": size, "what": what, "http": http, "engine": engine, "unit": unit}
        if load:
            row |= {f"{name}_ms": load.percentile(share) * 1e3 for name, share in SHARES.items()}
        self.rows.append(row)
        tail = "   " + ", ".join(f"{name} {row[f'{name}_ms']:.1f}" for name in SHARES) + " ms" if load else ""
        say(
            f"{size:>8,}  {what:<32} HTTP {http:>9,.1f} {unit:<13} engine {engine:>9,.1f}"
            f"   {http / engine:.2f}{tail}"
        )

    def prepare(self, statements: Sequence[Statement]) -> list[PreparedStatement]:
        service = self.services.statements
        return [
            service.prepare(RawStatement(json.dumps(one).encode(), one), Version.V1_0_3, self.client)
            for one in statements
        ]

    def ingest(
        self, size: int, what: str, statements: Sequence[Statement], batch: int, connections: int
    ) -> None:
        """Post statements in batches, over HTTP and into the engine."""
        parts = [statements[start : start + batch] for start in range(0, len(statements), batch)]
        requests = [self.request("POST", "/xapi/statements", json.dumps(part).encode()) for part in parts]
        load = run_load(self.port, requests, connections, PROCESSES)
        prepared = [Batch(self.prepare(part), "bench") for part in parts]
        threads = 1 if batch > 1 else connections
        seconds = in_threads(prepared, threads, self.store.add_statements)
        count = len(statements)
        self.note(size, what, count / load.seconds, count / seconds, "statements/s", load)

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        return make_request(self.port, self.key, method, path, body)

    def pages(self, size: int) -> None:
        """Read pages of 100 with each kind of filter: alone for the time, together for the throughput."""
        for name, ask in self.questions().items():
            asked = [ask(n) for n in range(PAGES)]
            requests = [self.request("GET", path) for path, _ in asked]
            alone = run_load(self.port, requests, 1, 1)
            began, times = time.perf_counter(), []
            for _, query in asked:
                at = time.perf_counter()
                self.store.query_statements(query)
                times.append(time.perf_counter() - at)
            engine = PAGES / (time.perf_counter() - began)
            together = run_load(self.port, requests, PAGE_CONNECTIONS, PROCESSES)
            self.note(size, f"page of 100 by {name}", PAGES / together.seconds, engine, "pages/s", alone)
            self.rows[-1]["engine_p50_ms"] = statistics.median(times) * 1e3

    def questions(self) -> dict[str, Callable[[int], tuple[str, StatementQuery]]]:
        def one(n: int) -> Statement:
            return self.asked[n % len(self.asked)]

        def verb(n: int) -> tuple[str, Filter]:
            iri = one(n)["verb"]["id"]
            return f"verb={quote(iri, safe='')}", Filter(FactKind.VERB, iri)

        def agent(n: int) -> tuple[str, Filter]:
            actor = one(n)["actor"]
            return f"agent={quote(json.dumps(actor), safe='')}", Filter(FactKind.AGENT, str(agent_key(actor)))

        def activity(n: int) -> tuple[str, Filter]:
            iri = one(n)["object"]["id"]
            return f"activity={quote(iri, safe='')}", Filter(FactKind.ACTIVITY, iri)

        def related(n: int) -> tuple[str, Filter]:
            iri = one(n)["context"]["contextActivities"]["parent"][0]["id"]
            text = f"related_activities=true&activity={quote(iri, safe='')}"
            return text, Filter(FactKind.ACTIVITY, iri, related=True)

        def ask(*parts: Callable[[int], tuple[str, Filter]]) -> Callable[[int], tuple[str, StatementQuery]]:
            def question(n: int) -> tuple[str, StatementQuery]:
                made = [part(n) for part in parts]
                path = "&".join(["/xapi/statements?limit=100", *(text for text, _ in made)])
                return path, StatementQuery(tuple(one_filter for _, one_filter in made), limit=100)

            return question

        return {
            "nothing": ask(),
            "verb": ask(verb),
            "agent": ask(agent),
            "activity": ask(activity),
            "related activity": ask(related),
            "agent and verb": ask(agent, verb),
        }


def in_threads(batches: Sequence[Batch], threads: int, work: Callable[[Batch], object]) -> float:
    """Give the batches to so many threads; returns the seconds that it took."""

    def run(part: Sequence[Batch]) -> None:
        for batch in part:
            work(batch)

    workers = [threading.Thread(target=run, args=(batches[n::threads],)) for n in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def measure(bench: Bench, sizes: Sequence[int], singles: int) -> None:
    bench.ingest(0, "warm-up", make_statements(500, seed=99), BATCH, BATCH_CONNECTIONS)
    bench.rows.clear()
    filled = 0
    for number, size in enumerate(sizes):
        statements = make_statements(size - filled, seed=number + 1)
        bench.ingest(size, f"ingest, batches of {BATCH}", statements, BATCH, BATCH_CONNECTIONS)
        filled = size
        alone = make_statements(singles, seed=1000 + number)
        bench.ingest(size, "ingest, one a request", alone, 1, SINGLE_CONNECTIONS)
        bench.pages(size)


def table(rows: Sequence[Row], sizes: Sequence[int]) -> str:
    """Write the figures as a Markdown table: one line a kind of work, sizes side by side."""
    heads = " | ".join(f"HTTP / engine / ratio at {size:,}" for size in sizes)
    lines = [
        f"| work | unit | {heads} | last size to first: HTTP, engine |",
        "|---|---|" + "---|" * (len(sizes) + 1),
    ]
    for what in dict.fromkeys(row["what"] for row in rows):
        mine = {row["size"]: row for row in rows if row["what"] == what}
        cells = " | ".join(_cell(mine[size]) for size in sizes)
        first, last = mine[sizes[0]], mine[sizes[-1]]
        growth = ", ".join(f"{last[which] / first[which]:.2f}" for which in ("http", "engine"))
        lines.append(f"| {what} | {first['unit']} | {cells} | {growth} |")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    text = f"{row['http']:,.0f} / {row['engine']:,.0f} / {row['http'] / row['engine']:.2f}"
    return text + " (" + ", ".join(f"{name} {row[f'{name}_ms']:.1f}" for name in SHARES) + " ms)"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--counts", default="10000,100000", help="sizes of the store at which to measure")
    parser.add_argument("--workers", type=int, default=2, help="processes of lrs serve")
    parser.add_argument(
        "--singles", type=int, default=4000, help="statements sent one a request, at each size"
    )
    parser.add_argument("--folder", help="where the stores are made; a temporary folder by default")
    parser.add_argument("--json", help="write the figures here as well")
    arguments = parser.parse_args()
    sizes = [int(part) for part in arguments.counts.split(",")]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        services = build_services(read_settings({"LRS_STORE": f"sqlite:///{folder}/engine.db"}))
        options = ("--workers", str(arguments.workers))
        with running_server(f"sqlite:///{folder}/http.db", folder, *options) as server:
            bench = Bench(server, services)
            measure(bench, sizes, arguments.singles)
        services.close()
        kept = sizes[-1] + arguments.singles * len(sizes)
        say(f"\nbytes a statement, both closed: {(folder / 'http.db').stat().st_size / kept:.0f}\n")
    say(table(bench.rows, sizes))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(bench.rows, indent=1))


if __name__ == "__main__":
    main()
