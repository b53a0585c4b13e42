"""Reading a roster: a table of people as a spreadsheet saves it. Pure; one broken row harms no other.

The columns and what they may hold are told in docs/formats.md.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lrs.access.rules import has_hidden
from lrs.errors import InvalidImport, Problem, TooLarge
from lrs.learners.identifiers import account_of, mailbox_of, parse_identifier
from lrs.learners.roster import MOST_IDENTIFIERS, RosterPerson

COLUMNS = (
    "sourcedId",
    "givenName",
    "familyName",
    "name",
    "email",
    "username",
    "birthDate",
    "role",
    "groups",
    "grade",
    "identifiers",
)
"""What a roster may say of a person; every other column is passed over."""

_OTHER_NAMES = {"class": "groups", "classes": "groups", "id": "sourcedId", "userSourcedId": "sourcedId"}
_BY_NAME = {name.casefold(): name for name in COLUMNS} | {
    name.casefold(): column for name, column in _OTHER_NAMES.items()
}
MOST_BYTES = 20_000_000
"""How large a file may be."""

_LONGEST = 500
_NO_LETTER = "\ufffd"
_GERMAN_DATE = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_FIRST_YEAR = 1900


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One row by column.

    Attributes:
        line: Where it stands, the header being line 1.
        identifiers: Others, beside what stands in the columns; not from a file, so that no mark
            within one ends it.
        problem: Why nothing of it can be read; empty where it can.
    """

    line: int
    values: Mapping[str, str]
    identifiers: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was left out, and why; without an id where it is not known whose it is."""

    line: int
    sourced_id: str
    reason: str


@dataclass(slots=True)
class ReadRoster:
    """The people of a roster, in order of their first rows, and the rows that were left out."""

    people: list[RosterPerson] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


def read_roster_file(data: bytes, columns: Mapping[str, str] | None = None) -> Sequence[RosterRow]:
    """Read a file: UTF-8 with or without a byte order mark, or cp1252; commas, semicolons or tabs.

    Args:
        data: The file.
        columns: Which header stands for which of COLUMNS, where it is not called so.

    Raises:
        InvalidImport: There is no header, it has no column of ids, or the file is no table of text.
        TooLarge: The file has more than MOST_BYTES.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"The roster has more than {MOST_BYTES:,} bytes; take it in parts.")
    lines = list(io.StringIO(_decode(data), newline=""))
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        names = _header(next(reader, []), columns or {})
        return list(_rows(reader, lines, delimiter, names))
    except csv.Error as error:
        raise InvalidImport(f"The roster is no table: line {reader.line_num}: {error}.") from error


def _decode(data: bytes) -> str:
    if b"\0" in data:
        raise InvalidImport("The roster is not text; save it as CSV (UTF-8).")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _key(title: str) -> str:
    """Return what two headers have in common that are read as one: ``Given name`` is ``givenName``."""
    return re.sub(r"[\s_-]", "", title).casefold()


def _header(header: Sequence[str], columns: Mapping[str, str]) -> Sequence[str | None]:
    """Return what each column is; None for one that is passed over."""
    wanted = {_key(title): name for name, title in columns.items()}
    names = [wanted.get(key) or _BY_NAME.get(key) for key in map(_key, header)]
    problems = [
        Problem(f"/{name}", "roster.column", f'The column "{name}" stands there twice.')
        for name in COLUMNS
        if names.count(name) > 1
    ]
    problems += [
        Problem(f"/{name}", "roster.column", f'There is no column "{title}" for {name}.')
        for name, title in columns.items()
        if name not in names
    ]
    if "sourcedId" not in names:
        problems.append(Problem("/sourcedId", "roster.column", 'The column "sourcedId" is missing.'))
    if problems:
        raise InvalidImport("The first line of the roster does not name its columns.", problems)
    return names


def _rows(
    reader: Any, lines: Sequence[str], delimiter: str, names: Sequence[str | None]
) -> Iterator[RosterRow]:
    begin: int = reader.line_num
    for cells in reader:
        end: int = reader.line_num
        if end > begin + 1 and not _is_closed(lines[begin:end], delimiter):
            yield RosterRow(
                begin + 1, {}, problem=f"Its quotation marks are not closed; lines to {end} are in it."
            )
        elif any(cell.strip() for cell in cells):
            values = {
                name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()
            }
            yield RosterRow(end, values)
        begin = end


def _is_closed(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether a row that goes over several lines ends where its quotation marks say."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return True


def read_roster(roster: str, rows: Iterable[RosterRow], home_page: str | None = None) -> ReadRoster:
    """Turn rows into people.

    A sourcedId that stands in several rows is one person only where all of them say the same.

    Args:
        roster: Its name.
        rows: In order.
        home_page: With it, sourcedId and username are accounts there.
    """
    found = ReadRoster()
    by_id: defaultdict[str, list[tuple[RosterRow, RosterPerson]]] = defaultdict(list)
    for row in rows:
        try:
            person = _person(roster, row, home_page)
        except _Broken as broken:
            found.rejected.append(RejectedRow(row.line, row.values.get("sourcedId", ""), str(broken)))
        else:
            by_id[person.sourced_id].append((row, person))
    for sourced_id, several in by_id.items():
        if len({person for _, person in several}) == 1:
            found.people.append(several[0][1])
            continue
        lines = ", ".join(str(row.line) for row, _ in several)
        reason = (
            f"The rows of lines {lines} have the same sourcedId and {_difference(several)}; none is taken."
        )
        found.rejected += [RejectedRow(row.line, sourced_id, reason) for row, _ in several]
    found.rejected.sort(key=lambda one: one.line)
    return found


def _difference(several: Sequence[tuple[RosterRow, RosterPerson]]) -> str:
    people = [person for _, person in several]
    if len({person.birth_date for person in people}) > 1:
        return "different birth dates"
    if len({person.name for person in people}) > 1:
        return "different names"
    return "say different things"


class _Broken(Exception):
    """Why a row cannot be taken."""


def _person(roster: str, row: RosterRow, home_page: str | None) -> RosterPerson:
    values = row.values
    if row.problem:
        raise _Broken(row.problem)
    for name, value in values.items():
        _check_text(name, value)
    sourced_id = values.get("sourcedId", "")
    if not sourced_id:
        raise _Broken("sourcedId is empty.")
    given = (values.get("givenName"), values.get("familyName"))
    return RosterPerson(
        roster=roster,
        sourced_id=sourced_id,
        name=values.get("name") or " ".join(part for part in given if part),
        birth_date=_birth_date(values.get("birthDate", "")),
        role=values.get("role", "student"),
        groups=_groups(values.get("groups", "")),
        grade=values.get("grade", ""),
        identifiers=_identifiers(row, home_page),
    )


def _check_text(name: str, value: str) -> None:
    if len(value) > _LONGEST:
        raise _Broken(f"{name} is longer than {_LONGEST} characters.")
    if _NO_LETTER in value:
        raise _Broken(f"{name} holds a byte that is neither UTF-8 nor Windows-1252.")
    if has_hidden(value):
        raise _Broken(f"{name} holds a line break, or a character that is not seen.")


def _groups(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in re.split(r"[,;|]", text) if part.strip()))


def _birth_date(text: str) -> str | None:
    if not text:
        return None
    german = _GERMAN_DATE.fullmatch(text)
    try:
        day = date(int(german[3]), int(german[2]), int(german[1])) if german else date.fromisoformat(text)
    except ValueError:
        raise _Broken(f'birthDate "{text}" is no date; write 2012-04-19 or 19.04.2012.') from None
    if day.year < _FIRST_YEAR:
        raise _Broken(f'birthDate "{text}" is before {_FIRST_YEAR}.')
    return day.isoformat()


def _identifiers(row: RosterRow, home_page: str | None) -> tuple[str, ...]:
    values = row.values
    found: list[str | None] = []
    email = values.get("email", "")
    if email:
        mailbox = mailbox_of(email)
        if mailbox is None:
            raise _Broken(f'email "{email}" is no e-mail address.')
        found += [mailbox, mailbox_of(email.lower())]
    if home_page:
        found += [account_of(home_page, values[name]) for name in ("sourcedId", "username") if name in values]
    listed_there = (part.strip() for part in values.get("identifiers", "").split("|"))
    for text in (*filter(None, listed_there), *row.identifiers):
        identifier = parse_identifier(text)
        if identifier is None:
            raise _Broken(f'identifiers: "{text}" is none.')
        found.append(identifier)
    listed = tuple(sorted({one for one in found if one}))
    if not listed:
        raise _Broken(
            "It has no e-mail address and no other identifier, and no home page makes one of its ids."
        )
    if len(listed) > MOST_IDENTIFIERS:
        raise _Broken(f"It has {len(listed)} identifiers; {MOST_IDENTIFIERS} are allowed.")
    return listed
