"""Pages of statements: every filter is a posting, the rarest drives, the others are probed.

In lots that are rows, one query of the database does all that. Older lots are lists: there
the positions of the rarest filter are read, and their statements fetched. What else is asked
is looked up in lists as well where that is less work than looking at the statements.

Spec: xAPI 1.0.3 Communication 2.1.3.
"""

from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import islice, repeat
from typing import Any

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.facts import check_of
from lrs.stores.sqlite.identities import put_back_ids
from lrs.stores.sqlite.lists import Asked, Span
from lrs.stores.sqlite.merged import MergedPostings
from lrs.stores.sqlite.references import iter_chain
from lrs.stores.sqlite.rows import RowCodec, State
from lrs.xapi.ports import (
    FactKind,
    Filter,
    Position,
    StatementPage,
    StatementQuery,
    StoredStatement,
)

_FIRST_SEQ, _LAST_SEQ = 1, (1 << 62)
_COUNT_UP_TO = (200, 3000)
_VERY_FEW = 20

_RARITY = {
    FactKind.REGISTRATION: 0,
    FactKind.AGENT: 1,
    FactKind.ACTIVITY: 2,
    FactKind.CLIENT: 3,
    FactKind.VERB: 4,
}
"""Which of two equally common filters is likely to be the rarer."""

ENDS = "SELECT coalesce((SELECT min(seq) FROM stmt), 1), coalesce((SELECT max(seq) FROM stmt), 0)"
"""The first and the last position, by two look-ups; asked for together they would be a scan."""

_AT_OR_BEHIND = "SELECT seq, stored FROM stmt WHERE seq >= ? ORDER BY seq LIMIT 1"

_COLUMNS = "p.seq, s.id, s.stored, s.dict, s.body"

_FETCH = (
    "SELECT s.seq, s.id, s.stored, s.dict, s.body, s.ref"  # noqa: S608 - fixed text and a number
    " FROM carray(?) c CROSS JOIN stmt s ON s.seq = c.value"
    f" WHERE s.tenant = ? AND s.state <> {State.VOIDED:d}"
)
_MOST_LISTED, _MOST_FETCHED = 4096, 128
"""Positions read from lists, and statements fetched, at once."""

_plain = partial(tuple.__new__, StoredStatement)
"""Makes a statement of its fields, given as one tuple: without a call of Python for each."""


class PageReader:
    """Reads one page inside one snapshot."""

    def __init__(
        self, database: apsw.Connection, codec: RowCodec, tenant: int, query: StatementQuery
    ) -> None:
        """Prepare the page's SQL once; it may be run several times to fill the page up."""
        self._database = database
        self._codec = codec
        self._tenant = tenant
        self._query = query
        self._checks = [check_of(condition) for condition in query.filters]
        self._merged = MergedPostings(database) if query.filters else None
        self._asked = _rarest_first(database, codec, query.filters, self._merged)
        self._alone: set[int] = set()
        self._sql = _page_sql(tuple([one.related for one in self._asked]), query.ascending)

    def read(self) -> StatementPage:
        """Return the page; it is short only where it is the last."""
        found: list[StoredStatement] = []
        for read, span in self._parts(self._span()):
            if len(found) <= self._query.limit:
                read(span, found)
        page = found[: self._query.limit]
        return StatementPage(page, page[-1].position if len(found) > len(page) else None)

    def _parts(self, span: Span) -> list[tuple[Callable[[Span, list[StoredStatement]], None], Span]]:
        """Cut a span into lots that are lists and lots that are rows, in the order asked for."""
        if self._merged is None:
            return [(self._read_rows, span)]
        end = self._merged.end
        parts = [
            (self._read_lists, Span(span.low, min(span.high, end - 1))),
            (self._read_rows, Span(max(span.low, end), span.high)),
        ]
        return [part for part in parts[:: 1 if self._query.ascending else -1] if part[1].low <= part[1].high]

    def _read_rows(self, span: Span, found: list[StoredStatement]) -> None:
        """Read on where postings are rows, until one more is found than the page holds."""
        while (missing := self._query.limit + 1 - len(found)) > 0 and span.low <= span.high:
            rows = self._rows(span, missing)
            found += self._serve(rows)
            if len(rows) < missing:
                break
            span = self._behind(span, rows[-1][0])

    def _read_lists(self, span: Span, found: list[StoredStatement]) -> None:
        """Read on where postings are lists, a few more statements each time."""
        assert self._merged is not None  # noqa: S101 - there are filters
        rarest, *others = self._asked
        positions = self._merged.iter_positions(rarest, span, ascending=self._query.ascending)
        most = self._query.limit + 1 - len(found)
        while some := list(islice(positions, most)):
            left = self._merged.narrow(some, others)
            while left and (missing := self._query.limit + 1 - len(found)) > 0:
                size = min(missing, _MOST_FETCHED)
                found += self._serve(self._fetch(left[:size]))
                left = left[size:]
            if len(some) < most or len(found) > self._query.limit:
                return
            most = min(4 * most, _MOST_LISTED)

    def _fetch(self, positions: Sequence[int]) -> list[Any]:
        rows = sql.rows(self._database, _FETCH, (apsw.carray(array("q", positions)), self._tenant))
        self._alone = {row[0] for row in rows if row[5] is None}
        return rows

    def _span(self) -> Span:
        low, high = _FIRST_SEQ, _LAST_SEQ
        query = self._query
        if query.since_us is not None:
            low = first_after(self._database, query.since_us)
        if query.until_us is not None:
            high = first_after(self._database, query.until_us) - 1
        span = Span(low, high)
        return span if query.after is None else self._behind(span, query.after)

    def _behind(self, span: Span, seq: int) -> Span:
        """Return what of a span lies behind a position, in the order asked for."""
        if self._query.ascending:
            return Span(max(span.low, seq + 1), span.high)
        return Span(span.low, min(span.high, seq - 1))

    def _rows(self, span: Span, limit: int) -> list[Any]:
        values: dict[str, int] = {
            "tenant": self._tenant,
            "low": span.low,
            "high": span.high,
            "limit": limit,
            **{f"h{n}": asked.h for n, asked in enumerate(self._asked)},
        }
        return sql.rows(self._database, self._sql, values)

    def _serve(self, rows: Sequence[tuple[Any, ...]]) -> list[StoredStatement]:
        """Read rows of seq, id, stored, dict, body; those met by a hash alone are left out."""
        if not rows:
            return []
        seqs, identities, stored, numbers, blobs, *_ = zip(*rows, strict=True)
        bodies = self._codec.bodies(numbers, blobs)
        whole = put_back_ids(bodies, identities)
        found = list(map(_plain, zip(identities, seqs, stored, whole, repeat(False))))
        if not self._checks:
            return found
        met = map(all, zip(*[check.hold_in(bodies, blobs) for check in self._checks], strict=True))
        return [
            statement
            for statement, meets in zip(found, met, strict=True)
            if meets or self._inherits(statement.position)
        ]

    def _inherits(self, seq: int) -> bool:
        """Tell whether the statement and its chain together meet every filter.

        The client that wrote a referred-to statement is never inherited.
        """
        if seq in self._alone:
            return False
        chain = list(iter_chain(self._database, self._codec, self._tenant, seq))
        return all(
            any(check.holds(content) for content in (chain[:1] if f.kind is FactKind.CLIENT else chain))
            for check, f in zip(self._checks, self._query.filters, strict=True)
        )


@lru_cache(maxsize=128)
def _page_sql(related: tuple[bool, ...], ascending: bool) -> str:
    """Write the query for as many filters, the rarest first, each related or not."""
    order = "ASC" if ascending else "DESC"
    if not related:
        return (
            "SELECT s.seq, s.id, s.stored, s.dict, s.body FROM stmt s"  # noqa: S608 - fixed text and numbers
            f" WHERE s.tenant = :tenant AND s.seq BETWEEN :low AND :high AND s.state <> {State.VOIDED:d}"
            f" ORDER BY s.seq {order} LIMIT :limit"
        )
    # Two ranges are merged where related facts count, without a sort.
    arms = " UNION ALL ".join(_arm(primary, related) for primary in ((1, 0) if related[0] else (1,)))
    return f"{arms} ORDER BY 6 {order}, 1 {order} LIMIT :limit"


def _arm(primary: int, related: tuple[bool, ...]) -> str:
    """Walk the rarest filter's postings, lot by lot; probe the others by key."""
    probes = "".join(
        " AND EXISTS (SELECT 1 FROM post q WHERE q.lot = p.lot"  # noqa: S608 - fixed text and numbers
        f" AND q.h = :h{n} AND q.prim {'IN (0, 1)' if related[n] else '= 1'} AND q.seq = p.seq)"
        for n in range(1, len(related))
    )
    return (
        f"SELECT {_COLUMNS}, l.lo FROM lots l CROSS JOIN post p ON p.lot = l.lot"  # noqa: S608
        " CROSS JOIN stmt s ON s.seq = p.seq"
        f" WHERE p.h = :h0 AND p.prim = {primary} AND p.seq BETWEEN :low AND :high"
        " AND l.lo <= :high AND l.lo >= coalesce((SELECT max(lo) FROM lots WHERE lo <= :low), 0)"
        f" AND s.tenant = :tenant AND s.state <> {State.VOIDED:d}{probes}"
    )


def _rarest_first(
    database: apsw.Connection, codec: RowCodec, filters: Sequence[Filter], merged: MergedPostings | None
) -> list[Asked]:
    """Order filters by how many statements meet them, counted up to a bound: to a low one first.

    Where one stays below the low bound it is the rarest, whatever the others come to; where very
    few meet it, the others are not even counted.
    """
    likely = sorted(filters, key=lambda f: _RARITY[f.kind])
    asked = [Asked(codec.term(f.kind, f.value), f.related) for f in likely]
    if merged is None or len(asked) < 2:  # noqa: PLR2004 - one needs no order
        return asked
    counts: dict[Asked, int] = {}
    for bound in _COUNT_UP_TO:
        for one in asked:
            counts[one] = _count(database, one, merged, bound)
            if counts[one] <= _VERY_FEW:
                return [one, *[other for other in asked if other != one]]
        if min(counts.values()) < bound:
            break
    return sorted(asked, key=counts.__getitem__)


def _count(database: apsw.Connection, asked: Asked, merged: MergedPostings, bound: int) -> int:
    """Count first in rows, of which there are some in every lot, then in lists."""
    prim = "IN (0, 1)" if asked.related else "= 1"
    count = int(
        sql.value(
            database,
            "SELECT count(*) FROM (SELECT 1 FROM lots l CROSS JOIN post p ON p.lot = l.lot"  # noqa: S608
            f" WHERE p.h = ? AND p.prim {prim} LIMIT ?)",
            (asked.h, bound),
        )
    )
    return count if count >= bound else min(bound, count + merged.count(asked, bound - count))


def first_after(database: apsw.Connection, instant_us: int) -> int:
    """Return the position of the first statement stored after an instant, by bisection.

    ``stored`` rises with the position. Behind the last statement where none is later.
    """
    low, last = sql.row(database, ENDS)
    if _is_after(database, low, instant_us):
        return int(low)
    high = last + 1
    while low < high:
        middle = (low + high) // 2
        seq, stored = sql.row(database, _AT_OR_BEHIND, (middle,))
        if stored > instant_us:
            high = middle
        else:
            low = seq + 1
    return int(low)


def _is_after(database: apsw.Connection, seq: int, instant_us: int) -> bool:
    """Tell whether the first statement is later already: what most ask for begins before the record."""
    found = sql.row(database, _AT_OR_BEHIND, (seq,))
    return found is not None and found[1] > instant_us


def find_row(
    database: apsw.Connection, codec: RowCodec, tenant: int, identity: bytes
) -> StoredStatement | None:
    """Return the statement of that id, voided or not."""
    row = sql.row(
        database,
        "SELECT s.seq, s.id, s.stored, s.state, s.dict, s.body FROM ids i CROSS JOIN stmt s ON s.seq = i.seq"
        " WHERE i.h = ? AND s.tenant = ? AND s.id = ?",
        (codec.id_hash(identity), tenant, identity),
    )
    return None if row is None else to_statement(codec, row)


def to_statement(codec: RowCodec, row: tuple[Any, ...]) -> StoredStatement:
    """Read a row of seq, id, stored, state, dict, body."""
    seq, identity, stored, state, number, blob = row
    body = codec.body(identity, number, blob)
    return StoredStatement(identity, Position(seq), stored, body, state == State.VOIDED)
