"""Recorded values, their terms and their entries in the history, as their port promises them.

A change is decided beside the writers, upon the value as it stands, and written only if that
still stands; whoever lost decides again. So nobody's decision keeps others from writing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import apsw
import orjson

from lrs.errors import CorruptRecord
from lrs.stores.recorded import KeptEntry, KeptValue, texts_of, value_from
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.history import append_entries, read_rows
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.writer import Write, Writer
from lrs.tables.recorded import Decide, Entry, Note, Recorded, Wish

_COLUMNS = "r.subject, r.version, r.at, r.terms, r.value"
_FIND = f"SELECT {_COLUMNS} FROM recorded r WHERE r.tenant = ? AND r.kind = ? AND r.subject = ?"  # noqa: S608
_FIND_MANY = (
    f"SELECT {_COLUMNS} FROM carray(?) c CROSS JOIN recorded r"  # noqa: S608
    " ON r.tenant = ? AND r.kind = ? AND r.subject = c.value"
)
_LIST = (
    f"SELECT {_COLUMNS} FROM recorded r WHERE r.tenant = ? AND r.kind = ? AND r.subject > ?"  # noqa: S608
    " ORDER BY r.subject LIMIT ?"
)
_FIND_BY = (
    f"SELECT {_COLUMNS} FROM recorded_terms t CROSS JOIN recorded r"  # noqa: S608
    " ON r.tenant = t.tenant AND r.kind = t.kind AND r.subject = t.subject"
    " WHERE t.tenant = ? AND t.kind = ? AND t.term = ? AND t.subject > ? ORDER BY t.subject LIMIT ?"
)
_PUT = (
    "INSERT INTO recorded (tenant, kind, subject, version, at, terms, value) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant, kind, subject) DO UPDATE SET version = excluded.version, at = excluded.at,"
    " terms = excluded.terms, value = excluded.value"
)
_REMOVE = "DELETE FROM recorded WHERE tenant = ? AND kind = ? AND subject = ?"
_ADD_TERM = "INSERT OR IGNORE INTO recorded_terms (tenant, kind, term, subject) VALUES (?, ?, ?, ?)"
_REMOVE_TERM = "DELETE FROM recorded_terms WHERE tenant = ? AND kind = ? AND term = ? AND subject = ?"
_ALL = "SELECT kind, subject, version, at, terms, value FROM recorded WHERE tenant = ? ORDER BY kind, subject"

_MOST_AT_ONCE = 500
_MOST_BYTES_AT_ONCE = 4_000_000
_BYTES_A_ROW = 4096


class _Row(NamedTuple):
    """A value as it lies in its table; ``terms`` is JSON text."""

    subject: str
    version: int
    at: int
    terms: str
    value: str


class _Wanted(NamedTuple):
    """A value as it shall lie there; ``value`` is None where it shall not."""

    subject: str
    value: str | None
    terms: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.value or "")

    def to_row(self, before: _Row | None, at_us: int, *, is_noted: bool) -> _Row | None:
        """Return the row that shall lie there instead of another."""
        if self.value is None:
            return None
        version = 0 if is_noted else 1 + (before.version if before else 0)
        return _Row(self.subject, version, at_us, _terms_text(self.terms), self.value)

    def is_there(self, row: _Row | None) -> bool:
        """Tell whether a row is this already."""
        if row is None or self.value is None:
            return row is None and self.value is None
        return row.value == self.value and _terms_of(row) == self.terms


class _Table:
    """The values of one kind of one institution, inside a write transaction."""

    def __init__(self, write: Write, tenant: int, kind: str) -> None:
        self._database = write.database
        self._tenant = tenant
        self._kind = kind

    def rows(self, subjects: Sequence[str]) -> dict[str, _Row]:
        found = _find_many(self._database, self._tenant, self._kind, subjects)
        return {row.subject: row for row in found}

    def put(self, changes: Sequence[tuple[_Row | None, _Wanted]], at_us: int, *, is_noted: bool) -> None:
        """Write what shall be instead of what is; removed values too."""
        of_kind = (self._tenant, self._kind)
        self._replace_terms(changes)
        gone = [(*of_kind, one.subject) for _, one in changes if one.value is None]
        self._database.executemany(_REMOVE, gone)
        rows = [one.to_row(row, at_us, is_noted=is_noted) for row, one in changes]
        self._database.executemany(_PUT, [(*of_kind, *row) for row in rows if row is not None])

    def _replace_terms(self, changes: Sequence[tuple[_Row | None, _Wanted]]) -> None:
        removed, added = [], []
        for row, one in changes:
            before, after = set(_terms_of(row)), set(one.terms)
            removed += [(self._tenant, self._kind, term, one.subject) for term in before - after]
            added += [(self._tenant, self._kind, term, one.subject) for term in after - before]
        self._database.executemany(_REMOVE_TERM, removed)
        self._database.executemany(_ADD_TERM, sorted(added))

    def tell(self, changes: Sequence[tuple[_Row | None, _Wanted]], at_us: int) -> None:
        """Append an entry for each change."""
        append_entries(
            self._database,
            self._tenant,
            [
                KeptEntry(self._kind, one.subject, row.value if row else None, one.value, at_us)
                for row, one in changes
            ],
        )


class SqliteRecordedTables:
    """See lrs.tables.recorded.RecordedTables."""

    def __init__(self, tenants: Tenants, readers: Readers, writer: Writer) -> None:
        """Take the engine's parts."""
        self._tenants = tenants
        self._readers = readers
        self._writer = writer

    def find(self, kind: str, subject: str) -> Recorded | None:
        """Return a value, or None."""
        row = self._find(kind, subject)
        return None if row is None else _to_recorded(kind, row)

    def find_many(self, kind: str, subjects: Sequence[str]) -> dict[str, Recorded]:
        """Return those of the subjects that have a value, by subject."""
        with translated():
            database = self._readers.get()
            found = _find_many(database, self._tenants.find(database), kind, subjects)
        return {row.subject: _to_recorded(kind, row) for row in found}

    def list(self, kind: str, after: str = "", limit: int = 1000) -> Sequence[Recorded]:
        """Return values in order of subject, behind one."""
        return self._read(kind, _LIST, kind, after, limit)

    def find_by(self, kind: str, term: str, after: str = "", limit: int = 1000) -> Sequence[Recorded]:
        """Return the values that have a term, in order of subject, behind one."""
        return self._read(kind, _FIND_BY, kind, term, after, limit)

    def count(self, kind: str) -> int:
        """Return how many values there are of a kind."""
        with translated():
            database = self._readers.get()
            query = "SELECT count(*) FROM recorded WHERE tenant = ? AND kind = ?"
            return int(sql.value(database, query, (self._tenants.find(database), kind)))

    def change(self, kind: str, subject: str, decide: Decide, at_us: int) -> Recorded | None:
        """Decide upon a value and write it with its entry in the history."""
        row = self._find(kind, subject)
        while True:
            before = None if row is None else _to_recorded(kind, row)
            wish = decide(before)
            if wish is None:
                return before
            wanted = _wanted(subject, wish)
            if wanted.is_there(row):
                return before
            done, row = self._swap(kind, row, wanted, at_us)
            if done:
                return None if row is None else _to_recorded(kind, row)

    def _swap(self, kind: str, before: _Row | None, wanted: _Wanted, at_us: int) -> tuple[bool, _Row | None]:
        """Write a value where it still is what it was; return whether, and what stands there now."""

        def work(write: Write) -> tuple[bool, _Row | None]:
            table = _Table(write, self._tenants.find_or_add(write.database), kind)
            now = table.rows([wanted.subject]).get(wanted.subject)
            if now != before:
                return False, now
            table.put([(now, wanted)], at_us, is_noted=False)
            table.tell([(now, wanted)], at_us)
            return True, wanted.to_row(now, at_us, is_noted=False)

        return self._writer.run(work, 1 + 2 * wanted.size // _BYTES_A_ROW)

    def change_all(self, kind: str, wishes: Sequence[tuple[str, Wish]], at_us: int) -> int:
        """Write many values, whatever stands there, each with its entry; return how many changed."""

        def work(write: Write, lot: Sequence[_Wanted]) -> int:
            table = _Table(write, self._tenants.find_or_add(write.database), kind)
            rows = table.rows([one.subject for one in lot])
            changes = [(rows.get(one.subject), one) for one in lot if not one.is_there(rows.get(one.subject))]
            table.put(changes, at_us, is_noted=False)
            table.tell(changes, at_us)
            return len(changes)

        return sum(self._run_in_lots([_wanted(subject, wish) for subject, wish in wishes], work))

    def note(self, kind: str, notes: Sequence[Note], at_us: int) -> None:
        """Keep bookkeeping, whatever stood there."""

        def work(write: Write, lot: Sequence[_Wanted]) -> None:
            table = _Table(write, self._tenants.find_or_add(write.database), kind)
            rows = table.rows([one.subject for one in lot])
            table.put([(rows.get(one.subject), one) for one in lot], at_us, is_noted=True)

        self._run_in_lots([_wanted(note.subject, note) for note in notes], work)

    def forget(self, kind: str, subjects: Sequence[str]) -> None:
        """Drop bookkeeping; what is not there is no error."""

        def work(write: Write, lot: Sequence[_Wanted]) -> None:
            tenant = self._tenants.find_in_write(write.database)
            if tenant is not None:
                table = _Table(write, tenant, kind)
                rows = table.rows([one.subject for one in lot])
                table.put([(row, _Wanted(one, None, ())) for one, row in rows.items()], 0, is_noted=True)

        self._run_in_lots([_Wanted(subject, None, ()) for subject in subjects], work)

    def read_entries(self, after: int, limit: int) -> Sequence[Entry]:
        """Return the history's entries behind a position, in order."""
        with translated():
            database = self._readers.get()
            rows = read_rows(database, self._tenants.find(database), after, limit)
        return [
            Entry(position, kind, subject, _object(before), _object(later), at)
            for position, kind, subject, before, later, at in rows
        ]

    def _find(self, kind: str, subject: str) -> _Row | None:
        with translated():
            database = self._readers.get()
            row = sql.row(database, _FIND, (self._tenants.find(database), kind, subject))
        return None if row is None else _Row(*row)

    def _read(self, kind: str, query: str, *values: object) -> Sequence[Recorded]:
        with translated():
            database = self._readers.get()
            rows = sql.rows(database, query, (self._tenants.find(database), *values))
        return [_to_recorded(kind, _Row(*row)) for row in rows]

    def _run_in_lots(
        self, wanted: Sequence[_Wanted], work: Callable[[Write, Sequence[_Wanted]], Any]
    ) -> Sequence[Any]:
        """Do work a lot a transaction, so that nobody who writes meanwhile waits long."""
        return [
            self._writer.run(lambda write, lot=lot: work(write, lot), len(lot))  # type: ignore[misc]
            for lot in _lots(wanted)
        ]


def keep_values(database: apsw.Connection, tenant: int, values: Sequence[KeptValue]) -> None:
    """Keep values as they are, inside a transaction; for a restore."""
    rows = [
        (tenant, one.kind, one.subject, one.version, one.at_us, _terms_text(one.terms), one.text)
        for one in values
    ]
    database.executemany(_PUT, rows)
    terms = [(tenant, one.kind, term, one.subject) for one in values for term in one.terms]
    database.executemany(_ADD_TERM, sorted(terms))


def iter_values(database: apsw.Connection, tenant: int) -> Iterator[KeptValue]:
    """Yield every value of an institution, by kind, then subject.

    Raises:
        CorruptRecord: The terms of one cannot be read.
    """
    for kind, subject, version, at, terms, text in database.execute(_ALL, (tenant,)):
        try:
            yield KeptValue(kind, subject, text, tuple(orjson.loads(terms)), version, at)
        except orjson.JSONDecodeError as error:
            raise CorruptRecord(f"The terms of {kind} {subject} cannot be read.") from error


def _find_many(
    database: apsw.Connection, tenant: int | None, kind: str, subjects: Sequence[str]
) -> list[_Row]:
    wanted = dict.fromkeys(subjects)
    odd = [one for one in wanted if "\0" in one]  # carray takes none of these
    plain = tuple(one for one in wanted if "\0" not in one)
    rows = sql.rows(database, _FIND_MANY, (apsw.carray(plain), tenant, kind)) if plain else []
    found = [*rows, *(row for one in odd for row in sql.rows(database, _FIND, (tenant, kind, one)))]
    return [_Row(*row) for row in found]


def _lots(wanted: Sequence[_Wanted]) -> Iterator[Sequence[_Wanted]]:
    lot: list[_Wanted] = []
    size = 0
    for one in wanted:
        if len(lot) == _MOST_AT_ONCE or (lot and size + one.size > _MOST_BYTES_AT_ONCE):
            yield lot
            lot, size = [], 0
        lot.append(one)
        size += one.size
    if lot:
        yield lot


def _wanted(subject: str, wish: Wish | Note) -> _Wanted:
    return _Wanted(subject, *texts_of(wish))


def _terms_text(terms: Sequence[str]) -> str:
    return orjson.dumps(list(terms)).decode()


def _terms_of(row: _Row | None) -> tuple[str, ...]:
    return () if row is None else tuple(orjson.loads(row.terms))


def _to_recorded(kind: str, row: _Row) -> Recorded:
    return Recorded(kind, row.subject, value_from(row.value), row.version, row.at)


def _object(text: str | None) -> dict[str, Any] | None:
    return None if text is None else value_from(text)
