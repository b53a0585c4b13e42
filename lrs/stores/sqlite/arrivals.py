"""Receipts and refusals, bounded by number (a source) and by age."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import apsw
import orjson

from lrs.errors import Problem
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.writer import Write, Writer
from lrs.xapi.ports import StatementId
from lrs.xapi.ports.arrivals import Receipt, ReceiptCount, Refusal, RefusalCount

_DAY_US = 86_400_000_000
_NEXT = "SELECT coalesce(max(n), 0) + 1 FROM {} WHERE tenant = ? AND source = ?"


def insert_receipt(database: apsw.Connection, tenant: int, receipt: Receipt) -> None:
    """Keep a receipt, inside the transaction of what it is about."""
    insert_receipts(database, tenant, [receipt])


def insert_receipts(database: apsw.Connection, tenant: int, receipts: Iterable[Receipt]) -> None:
    """Keep receipts in this order, inside the transaction of what they are about."""
    by_source: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_source.setdefault(receipt.source, []).append(receipt)
    for source, given in by_source.items():
        first = sql.value(database, _NEXT.format("receipts"), (tenant, source))
        database.executemany(
            "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (tenant, source, n, one.at_us, one.stored, one.already, one.first_id, one.corrected)
                for n, one in enumerate(given, first)
            ],
        )


# Each source by the bounds of what is shown of it: its latest entries, and none that are too old.
_SHOWN = (
    " FROM (SELECT source, max(n) AS last FROM {0} WHERE tenant = ?1 GROUP BY source) s CROSS JOIN {0} e"
    " ON e.tenant = ?1 AND e.source = s.source AND e.n > s.last - ?2 WHERE e.at >= ?3"
)
_COUNT_RECEIPTS = (
    f"SELECT e.source, e.at / {_DAY_US}, count(*), sum(stored), sum(already), sum(corrected), max(e.at),"
    f" sum(e.at > ?4){_SHOWN.format('receipts')} GROUP BY 1, 2"
)
_COUNT_REFUSALS = (
    f"SELECT e.source, e.at / {_DAY_US}, doc ->> 'method' AS method, doc ->> 'status' AS status, count(*),"
    f" max(e.at){_SHOWN.format('refusals')} GROUP BY 1, 2, 3, 4"
)
_REFUSALS_OF_ALL = (
    "SELECT e.source, e.at, e.doc FROM"  # noqa: S608
    f" (SELECT e.source, e.n{_SHOWN.format('refusals')} ORDER BY e.at DESC, e.n DESC LIMIT ?4) l"
    " CROSS JOIN refusals e ON e.tenant = ?1 AND e.source = l.source AND e.n = l.n"
    " ORDER BY e.at DESC, e.n DESC"
)


class Bounds:
    """What is shown, and what is dropped: number a source, and age by the clock."""

    def __init__(self, kept: int, days: int, clock: Callable[[], int]) -> None:
        """Take the bounds."""
        self.kept = kept
        self._age_us = days * _DAY_US
        self._clock = clock

    def oldest_us(self) -> int:
        """Return the instant before which nothing is shown."""
        return self._clock() - self._age_us

    def trim(self, write: Write) -> None:
        """Delete what is past the bounds; the last of each source stays, since its number counts."""
        database = write.database
        for table in ("receipts", "refusals"):
            sources = f"SELECT tenant, source, max(n) FROM {table} GROUP BY tenant, source"  # noqa: S608
            past = f"DELETE FROM {table} WHERE tenant = ? AND source = ? AND n < ? AND (n <= ? OR at < ?)"  # noqa: S608
            for tenant, source, last in sql.rows(database, sources):
                bounds = (tenant, source, last, last - self.kept, self.oldest_us())
                sql.rows(database, past, bounds)


class SqliteArrivalStore:
    """See lrs.xapi.ports.ArrivalStore."""

    def __init__(self, tenants: Tenants, readers: Readers, writer: Writer, bounds: Bounds) -> None:
        """Take the engine's parts."""
        self._tenants = tenants
        self._readers = readers
        self._writer = writer
        self._bounds = bounds

    def add_refusal(self, refusal: Refusal) -> None:
        """Keep a refusal, durable when it returns."""
        document = asdict(refusal)
        del document["source"], document["at_us"]
        text = orjson.dumps(document).decode()

        def work(write: Write) -> None:
            tenant = self._tenants.find_or_add(write.database)
            n = sql.value(write.database, _NEXT.format("refusals"), (tenant, refusal.source))
            values = (tenant, refusal.source, n, refusal.at_us, text)
            write.database.execute("INSERT INTO refusals VALUES (?, ?, ?, ?, ?)", values)

        self._writer.run(work)

    def list_receipts(self, source: str, limit: int) -> Sequence[Receipt]:
        """Return the latest receipts of a source, newest first."""
        rows = self._latest("receipts", "at, stored, already, first, corrected", source, limit)
        return [
            Receipt(source, at, stored, already, StatementId(first), corrected)
            for at, stored, already, first, corrected in rows
        ]

    def list_refusals(self, source: str | None, limit: int) -> Sequence[Refusal]:
        """Return the latest refusals of a source, or of all, newest first."""
        if source is None:
            return [_to_refusal(*row) for row in self._of_all(_REFUSALS_OF_ALL, limit)]
        return [
            _to_refusal(source, at, doc) for at, doc in self._latest("refusals", "at, doc", source, limit)
        ]

    def count_receipts(self, after_us: int) -> Sequence[ReceiptCount]:
        """Count the receipts of all sources, by source and day."""
        return [ReceiptCount(*row) for row in self._of_all(_COUNT_RECEIPTS, after_us)]

    def count_refusals(self) -> Sequence[RefusalCount]:
        """Count the refusals of all sources, by what they have in common."""
        return [RefusalCount(*row) for row in self._of_all(_COUNT_REFUSALS)]

    def _of_all(self, query: str, *more: int) -> list[Any]:
        with translated():
            database = self._readers.get()
            tenant = self._tenants.find(database)
            return sql.rows(database, query, (tenant, self._bounds.kept, self._bounds.oldest_us(), *more))

    def _latest(self, table: str, columns: str, source: str, limit: int) -> list[Any]:
        with translated():
            database = self._readers.get()
            return sql.rows(
                database,
                f"SELECT {columns} FROM (SELECT * FROM {table} WHERE tenant = ? AND source = ?"  # noqa: S608
                " ORDER BY n DESC LIMIT ?) WHERE at >= ? ORDER BY n DESC LIMIT ?",
                (self._tenants.find(database), source, self._bounds.kept, self._bounds.oldest_us(), limit),
            )


def _to_refusal(source: str, at_us: int, text: str) -> Refusal:
    document = orjson.loads(text)
    problems = tuple(Problem(**problem) for problem in document.pop("problems"))
    return Refusal(source=source, at_us=at_us, problems=problems, **document)
