"""What the columns of a file mean, as its configuration says (docs/formats.md)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connectors.base import Json
from connectors.config import Members, Problems
from connectors.csv.model import HOLE, Agent, Choice, CsvConfig, GroupRule, RosterRule, Score
from connectors.csv.table import AUTO, CP1252, DELIMITERS, UTF_8, Form, Limits
from connectors.csv.values import DAY_FIRST, MONTH_FIRST, UNITS, DateOrder, compile_pattern, fold, read_time
from lrs.vouchers import VOUCHERS

_T = TypeVar("_T")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"\\^`|]+")
_LARGEST_SCORE = 10**9
_NAMED_DELIMITERS = {"tab": "\t", "semicolon": ";", "comma": ","}


class _Reader:
    """Reads the parts of a configuration, and remembers which columns it names."""

    def __init__(self) -> None:
        self.problems = Problems()
        self.columns: dict[str, str] = {}

    def column(self, members: Members, name: str) -> str | None:
        """Return a member that names a column."""
        found = members.optional(name)
        if found:
            self.columns.setdefault(found, members.at(name))
        return found

    def needed_column(self, members: Members, name: str) -> str:
        found = members.text(name)
        if found:
            self.columns.setdefault(found, members.at(name))
        return found

    def needed(self, members: Members, name: str, read: Callable[[Members], _T], empty: _T) -> _T:
        if not members.has(name):
            members.wrong(name, "missing", "This member is needed.")
        found = members.inner(name, read)
        return empty if found is None else found

    def template(self, text: str, path: str) -> str:
        """Note the columns that a text names in braces."""
        for hole in HOLE.findall(text):
            self.columns.setdefault(hole, path)
        return text

    def iri(self, text: str, path: str) -> str:
        """Check an IRI, which may name columns in braces."""
        self.template(text, path)
        if not _IRI.fullmatch(HOLE.sub("x", text)):
            self.problems.add(
                path, "iri", "Write an IRI here, such as https://museum.example.org/workshops/1."
            )
        return text

    def thing(self, value: object, path: str) -> Json | None:
        """Read a verb or activity: an IRI, or an object with id, name and type; null for none."""
        if value is None:
            return None
        if isinstance(value, str):
            return {"id": self.iri(value, path)}
        members = Members(value, path, self.problems)
        found: Json = {"id": self.iri(members.text("id"), members.at("id"))}
        name = members.raw("name")
        if isinstance(name, str):
            found["name"] = self.template(name, members.at("name"))
        elif isinstance(name, Mapping) and all(isinstance(one, str) for one in name.values()):
            found["name"] = {tag: self.template(one, members.at("name")) for tag, one in name.items()}
        elif name is not None:
            members.wrong("name", "name", "Write a text, or an object of texts by language.")
        if (kind := members.optional("type")) is not None:
            found["type"] = self.iri(kind, members.at("type"))
        members.done()
        return found

    def flag(self, value: object, path: str) -> bool | None:
        """Read true, false or null."""
        if value is not None and not isinstance(value, bool):
            self.problems.add(path, "flag", "Write true, false or null here.")
            return None
        return value

    def choice(self, members: Members, name: str, read: Callable[[object, str], Any]) -> Choice:
        """Read a value that is fixed, or chosen by what stands in a column."""
        value, path = members.raw(name), members.at(name)
        if value is None:
            members.wrong(name, "missing", "This member is needed.")
        if not isinstance(value, Mapping) or "column" not in value:
            return Choice(None, {}, read(value, path), has_otherwise=True)
        inner = Members(value, path, self.problems)
        column = self.needed_column(inner, "column")
        table = inner.raw("table")
        if table is not None and not isinstance(table, Mapping):
            inner.wrong(
                "table", "object", "Write an object here: what stands in the column, and what it means."
            )
        known = {
            fold(cell): read(meant, f"{inner.at('table')}/{cell}")
            for cell, meant in (table.items() if isinstance(table, Mapping) else ())
        }
        has_otherwise = inner.has("otherwise")
        otherwise = read(inner.raw("otherwise"), inner.at("otherwise"))
        if not known and not has_otherwise:
            inner.wrong("table", "missing", "Write a table, or otherwise.")
        inner.done()
        return Choice(column, known, otherwise, has_otherwise)

    def when(self, members: Members) -> tuple[str, str | None]:
        return self.needed_column(members, "date"), self.column(members, "time")

    def agent(self, members: Members) -> Agent:
        account = members.inner(
            "account",
            lambda inner: (
                self.iri(inner.text("homePage"), inner.at("homePage")),
                self.needed_column(inner, "column"),
            ),
        )
        fixed = members.raw("agent")
        if fixed is not None and not isinstance(fixed, dict):
            members.wrong("agent", "object", "Write an xAPI Agent here.")
        found = Agent(
            self.column(members, "mbox"),
            self.column(members, "mboxSha1"),
            self.column(members, "openid"),
            account[0] if account else None,
            account[1] if account else None,
            self.column(members, "name"),
            fixed,
        )
        if not (found.mbox or found.mbox_sha1 or found.openid or account or fixed):
            self.problems.add(
                members.path, "agent", "Say where somebody's identifier stands: mbox, account or another."
            )
        return found

    def group(self, members: Members) -> GroupRule:
        by = members.texts("by")
        for one in by:
            self.columns.setdefault(one, members.at("by"))
        separator = members.text("separator", "")
        if separator and by:
            members.wrong("by", "both", "Lines are grouped by columns, or a cell names several; not both.")
        name = self.template(members.text("name", ""), members.at("name"))
        return GroupRule(separator, name, by)

    def roster(self, members: Members) -> RosterRule:
        return RosterRule(
            self.needed_column(members, "id"),
            self.column(members, "birthDate"),
            self.column(members, "group"),
        )

    def score(self, members: Members) -> Score:
        column = self.needed_column(members, "column")
        least, most = (self._bound(members, name) for name in ("min", "max"))
        if least is not None and most is not None and least >= most:
            members.wrong("max", "bounds", "The greatest score must be greater than the least one.")
        return Score(column, least, most)

    def _bound(self, members: Members, name: str) -> Decimal | None:
        found = members.raw(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) <= _LARGEST_SCORE:
            members.wrong(name, "number", f"Write a number here, up to {_LARGEST_SCORE:,}.")
            return None
        return Decimal(str(found))

    def dates(self, members: Members) -> DateOrder:
        found = members.raw("dates")
        if found is None:
            return DateOrder()
        if isinstance(found, str) and found in {DAY_FIRST, MONTH_FIRST}:
            return DateOrder(found)
        patterns = []
        for text in members.texts("dates"):
            try:
                patterns.append(compile_pattern(text))
            except ValueError as error:
                members.wrong("dates", "dates", f"{error} Or write {DAY_FIRST} or {MONTH_FIRST}.")
        return DateOrder("", tuple(patterns))

    def zone(self, members: Members) -> ZoneInfo:
        name = members.text("zone", "UTC")
        try:
            return ZoneInfo(name)
        except (KeyError, OSError, ValueError):  # not known; a folder's name; a path
            members.wrong("zone", "zone", "There is no such zone; write one such as Europe/Madrid.")
            return ZoneInfo("UTC")

    def usual_time(self, members: Members) -> time:
        text = members.text("time", "12:00")
        try:
            return read_time(text)
        except ValueError as error:
            members.wrong("time", "time", str(error))
            return time(12)

    def related(self, members: Members) -> dict[str, Sequence[Json]]:
        """Read the activities beside: parent, grouping and category."""
        found: dict[str, Sequence[Json]] = {}
        for name in ("parent", "grouping", "category"):
            value = members.raw(name)
            if value is not None:
                listed = value if isinstance(value, list) else [value]
                things = (self.thing(one, f"{members.at(name)}/{at}") for at, one in enumerate(listed))
                found[name] = [one for one in things if one is not None]
        return found

    def extensions(self, members: Members) -> dict[str, str]:
        def read(inner: Members) -> dict[str, str]:
            return {self.iri(name, inner.path): self.needed_column(inner, name) for name in inner.names()}

        return members.inner("extensions", read) or {}


def read_csv_config(config: object) -> CsvConfig:
    """Read a configuration.

    Raises:
        InvalidImport: With every problem, each with its pointer.
    """
    reader = _Reader()
    members = Members(config, "", reader.problems)
    members.optional("name")
    found = _read(reader, members)
    if found.roster is not None and found.group is not None and found.group.separator:
        members.wrong("roster", "both", "A cell that names several persons cannot say who one of them is.")
    members.done()
    reader.problems.raise_if_any()
    return found


def _read(reader: _Reader, members: Members) -> CsvConfig:
    nowhere: tuple[str, str | None] = ("", None)
    when = reader.needed(members, "when", reader.when, nowhere)
    key = members.texts("key")
    for one in key:
        reader.columns.setdefault(one, members.at("key"))
    return CsvConfig(
        form=_form(members),
        limits=members.inner("limits", _limits) or Limits(),
        decimal=members.choice("decimal", (",", "."), ""),
        dates=reader.dates(members),
        zone=reader.zone(members),
        usual_time=reader.usual_time(members),
        gives_all=members.flag("full", default=False),
        language=members.text("language", "en"),
        key=key,
        skip=_skip(reader, members),
        actor=reader.needed(members, "actor", reader.agent, Agent()),
        group=members.inner("group", reader.group),
        date=when[0],
        time=when[1],
        verb=reader.choice(members, "verb", reader.thing),
        activity=reader.choice(members, "activity", reader.thing),
        related=reader.related(members),
        duration=members.inner(
            "duration",
            lambda inner: (reader.needed_column(inner, "column"), inner.choice("unit", UNITS, "hours")),
        ),
        score=members.inner("score", reader.score),
        success=_maybe(reader, members, "success"),
        completion=_maybe(reader, members, "completion"),
        response=reader.column(members, "response"),
        instructor=members.inner("instructor", reader.agent),
        voucher=members.choice("voucher", VOUCHERS, "") or None,
        platform=members.optional("platform"),
        extensions=reader.extensions(members),
        roster=members.inner("roster", reader.roster),
        columns=reader.columns,
    )


def _maybe(reader: _Reader, members: Members, name: str) -> Choice | None:
    if not members.has(name):
        members.raw(name)
        return None
    return reader.choice(members, name, reader.flag)


def _form(members: Members) -> Form:
    delimiter = members.text("delimiter", AUTO)
    delimiter = _NAMED_DELIMITERS.get(delimiter, delimiter)
    if delimiter not in {AUTO, *DELIMITERS}:
        members.wrong("delimiter", "delimiter", 'Write ";", ",", "tab" or "auto".')
        delimiter = AUTO
    encoding = members.choice("encoding", (AUTO, UTF_8, CP1252), AUTO)
    return Form(delimiter, encoding, members.number("headerLine", 1, 1, 1000))


def _limits(members: Members) -> Limits:
    usual = Limits()
    return Limits(
        members.number("bytes", usual.file_bytes, 1, 200_000_000),
        members.number("lines", usual.lines, 1, 2_000_000),
        members.number("cell", usual.cell, 1, 100_000),
    )


def _skip(reader: _Reader, members: Members) -> dict[str, frozenset[str]]:
    def read(inner: Members) -> dict[str, frozenset[str]]:
        found = {}
        for name in inner.names():
            reader.columns.setdefault(name, inner.at(name))
            found[name] = frozenset(map(fold, _cells(inner, name)))
        return found

    return members.inner("skip", read) or {}


def _cells(inner: Members, name: str) -> Sequence[str]:
    return [""] if inner.raw(name) == "" else inner.texts(name)
