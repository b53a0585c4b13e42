"""Values written into recorded tables, and what their history tells."""

from typing import Any

from lrs.tables.recorded import Entry, RecordedTables, Wish

KIND = "roster.person"


def put(tables: RecordedTables, subject: str, value: Any, *terms: str, at_us: int = 1, kind: str = KIND):
    return tables.change(kind, subject, lambda _: Wish(value, terms), at_us)


def entries(tables: RecordedTables, page: int = 1000) -> list[Entry]:
    found: list[Entry] = []
    while read := tables.read_entries(found[-1].position if found else 0, page):
        found += read
    return found


def told(tables: RecordedTables, *kinds: str) -> list[tuple[str, Any, Any, int]]:
    return [
        (one.subject, one.before, one.after, one.at_us)
        for one in entries(tables)
        if not kinds or one.kind in kinds
    ]


def subjects(values: Any) -> list[str]:
    return [one.subject for one in values]
