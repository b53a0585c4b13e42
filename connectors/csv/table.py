"""Reading a file of comma-separated values: its bytes, its lines, its cells, within bounds.

A line that breaks the form is told with its number, and reading goes on with the next one.

Spec: RFC 4180.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lrs.errors import InvalidBody, TooLarge

AUTO = "auto"
UTF_8, CP1252 = "utf-8", "cp1252"
DELIMITERS = (";", ",", "\t")
_MOST_COLUMNS = 500
_LONGEST_RECORD = 1 << 20
_MOST_IN_VAIN = 1 << 26
_ARCHIVE = b"PK\x03\x04"
_OLD_SHEET = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken: bytes of the file, lines under the header, characters of a cell."""

    file_bytes: int = 20_000_000
    lines: int = 200_000
    cell: int = 10_000


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written; ``auto`` where it is to be seen from the file."""

    delimiter: str = AUTO
    encoding: str = AUTO
    header_line: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A line under the header: its number in the file from 1, and its cells without blanks around."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is none, and why."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """A file, read."""

    columns: tuple[str, ...]
    lines: Sequence[Line]
    broken: Sequence[BrokenLine]


def read_table(content: bytes, form: Form, limits: Limits) -> Table:
    """Read a file.

    Raises:
        TooLarge: It passes a limit.
        InvalidBody: It is no text of that encoding, or has no header.
    """
    if len(content) > limits.file_bytes:
        raise TooLarge(
            f"The file has {len(content):,} bytes; at most {limits.file_bytes:,} are taken. Send it in parts."
        )
    physical = list(io.StringIO(decode(content, form.encoding), newline=""))
    header = physical[form.header_line - 1] if len(physical) >= form.header_line else ""
    if not header.strip():
        raise InvalidBody(f"The file has no header in line {form.header_line}.")
    delimiter = sniff(header) if form.delimiter == AUTO else form.delimiter
    records = _records(physical, form.header_line - 1, delimiter, limits)
    first = next(records)
    if isinstance(first, BrokenLine):
        raise InvalidBody(f"The header in line {first.number} cannot be read: {first.reason}")
    return _sort(tuple(first.cells), first.number, records, limits)


def _sort(
    columns: tuple[str, ...], number: int, records: Iterator[Line | BrokenLine], limits: Limits
) -> Table:
    if len(columns) > _MOST_COLUMNS:
        raise TooLarge(
            f"The header in line {number} has {len(columns):,} columns; {_MOST_COLUMNS} are taken."
        )
    lines: list[Line] = []
    broken: list[BrokenLine] = []
    for one in records:
        if len(lines) + len(broken) >= limits.lines:
            raise TooLarge(f"The file has more than {limits.lines:,} lines. Send it in parts.")
        if isinstance(one, BrokenLine):
            broken.append(one)
        elif any(one.cells):
            lines.append(one)
    return Table(columns, lines, broken)


def decode(content: bytes, encoding: str) -> str:
    """Make text of bytes; where no encoding is named, UTF-8 is tried before cp1252.

    Raises:
        InvalidBody: They are no text, or none of that encoding.
    """
    if content.startswith((_ARCHIVE, _OLD_SHEET)):
        raise InvalidBody("The file is a spreadsheet program's own; save it as CSV (UTF-8) and send that.")
    if b"\0" in content:
        raise InvalidBody("The file holds zero bytes, so it is no CSV in UTF-8 or cp1252; save it as such.")
    if encoding in {AUTO, UTF_8}:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if encoding == UTF_8:
                line = content.count(b"\n", 0, error.start) + 1
                raise InvalidBody(f"Line {line} is not UTF-8; if the file is cp1252, say so.") from error
    try:
        return content.decode(CP1252)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidBody(f"Line {line} is neither UTF-8 nor cp1252.") from error


def sniff(header: str) -> str:
    """See from the header which mark stands between cells: the most frequent one outside quotes."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count) if any(map(outside.count, DELIMITERS)) else ","


class _TooLong(Exception):
    pass


def _records(
    physical: Sequence[str], start: int, delimiter: str, limits: Limits
) -> Iterator[Line | BrokenLine]:
    """Give the records from a line on; behind a broken one it goes on with the next line.

    Raises:
        InvalidBody: So many lines are broken that reading each one's rest again would never end.
    """
    at, in_vain = start, 0
    while at < len(physical):
        feed = _Feed(physical, at)
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                number, at = at + 1, feed.at
                yield _line(number, cells, physical, limits)
                feed.begin()
        except _TooLong:
            reason = "its quoted text does not end within a million characters."
        except csv.Error as error:
            reason = _explain(str(error))
        else:
            return
        yield BrokenLine(at + 1, physical[at].rstrip("\r\n")[: limits.cell], reason)
        at, in_vain = at + 1, in_vain + feed.length
        if in_vain > _MOST_IN_VAIN:
            raise InvalidBody(f"Up to line {at}, quotation marks are opened and not closed again and again.")


class _Feed:
    """Gives physical lines, and knows how many were taken; a record may take only so much."""

    def __init__(self, physical: Sequence[str], at: int) -> None:
        self._physical = physical
        self.at = at
        self.length = 0

    def begin(self) -> None:
        self.length = 0

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if self.at >= len(self._physical):
            raise StopIteration
        text = self._physical[self.at]
        self.length += len(text)
        if self.length > _LONGEST_RECORD:
            raise _TooLong
        self.at += 1
        return text


def _line(number: int, cells: list[str], physical: Sequence[str], limits: Limits) -> Line | BrokenLine:
    longest = max(map(len, cells), default=0)
    if longest > limits.cell:
        text = physical[number - 1].rstrip("\r\n")[: limits.cell]
        reason = f"a cell has {longest:,} characters; at most {limits.cell:,} are taken."
        return BrokenLine(number, text, reason)
    return Line(number, [cell.strip() for cell in cells])


def _explain(error: str) -> str:
    if "unexpected end" in error:
        return "a quotation mark is opened and never closed."
    if "expected after" in error:
        return "something follows a closing quotation mark; double the marks inside a quoted cell."
    if "field limit" in error:
        return "a quotation mark is opened and not closed for very long."
    return f"{error}."
