"""A process that writes to a store until it is killed: ``python -m tests.e2e.killed_writer URL NAME``.

Says ``begin N`` before act N and ``done N`` after it was acknowledged. What an act is follows
from NAME and N, so that the test knows what to look for.
"""

import hashlib
import json
import os
import sys
import time
from dataclasses import replace

from lrs.stores import StoreOptions, Stores, open_stores
from lrs.tables.recorded import Recorded, Wish
from lrs.xapi.ports import Batch, PreparedStatement
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentContent, DocumentKey, DocumentKind
from tests.contract.builders import SCHOOL, activity, agent, make_statement, verb, voiding

VALUE = "roster.person"
SHARED = DocumentKey(DocumentKind.STATE, "shared", "http://school.example/unit", "agent")


def open_durable(url: str) -> Stores:
    """Open a store as a server would."""
    options = StoreOptions(
        lambda: time.time_ns() // 1000, os.urandom, durable=True, busy_seconds=60, arrivals_kept=10
    )
    return open_stores(url, options)


def is_document(n: int) -> bool:
    return n % 6 == 2


def is_value(n: int) -> bool:
    return n % 6 in {4, 5}


def own_activity(name: str, n: int) -> str:
    return f"http://school.example/{name}/{n}"


def attachment(name: str, n: int) -> AttachmentContent:
    content = f"attached to {name} {n}".encode()
    return AttachmentContent(hashlib.sha256(content).hexdigest(), content)


def source(name: str, n: int) -> str:
    return f"{name}.{n}"


def batch(name: str, n: int) -> list[PreparedStatement]:
    """A batch of up to twenty; every fifth voids its own first statement."""
    facts = (verb(), agent(f"a{n % 5}"), activity(own_activity(name, n)))
    made = [make_statement((name, n, m), *facts) for m in range(1 + n * 7 % 20)]
    definition = ActivityDefinition(own_activity(name, n), json.dumps({"name": {"en": name}}).encode())
    made[0] = replace(made[0], definitions=(definition,))
    return [*made, voiding((name, n, "v"), of=(name, n, 0))] if n % 5 == 0 else made


def entry(name: str, n: int) -> str:
    return f"{name}.{n};"


def act(stores: Stores, name: str, n: int) -> None:
    records = stores.records
    if is_value(n):
        put_value(stores, name, n)
        return
    if not is_document(n):
        whole = Batch(batch(name, n), source(name, n), [attachment(name, n)])
        records.statements(SCHOOL).add_statements(whole)
        return

    def append(before: Document | None) -> DocumentContent:
        return DocumentContent("text/plain", (before.content if before else b"") + entry(name, n).encode())

    records.documents(SCHOOL).change_document(SHARED, append)


def put_value(stores: Stores, name: str, n: int) -> None:
    """Add to what all change; or write twenty values, each by itself."""
    tables = stores.recorded(SCHOOL)

    def append(before: Recorded | None) -> Wish:
        by = [*(before.value["by"] if before else []), entry(name, n)]
        return Wish({"by": by}, (f"last {entry(name, n)}",))

    if n % 2:
        tables.change(VALUE, "shared", append, n)
    else:
        tables.change_all("own", [(f"{entry(name, n)}{m}", Wish({"m": m}, ("own",))) for m in range(20)], n)


def main() -> None:
    url, name = sys.argv[1:]
    stores = open_durable(url)
    for n in range(10**9):
        print("begin", n, flush=True)
        act(stores, name, n)
        print("done", n, flush=True)


if __name__ == "__main__":
    main()
