"""Files of statements: NDJSON, a JSON array, or one JSON object; gzip is seen by its first bytes.

Everything is read as a stream: a file may be larger than memory, one record may not be larger
than a body may be.

Spec: RFC 8259; RFC 1952 (gzip).
"""

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from lrs.errors import InvalidBody

_CHUNK = 1 << 18
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[\[\]{},]', re.DOTALL)
"""A string (its group is empty where its end is not there yet), or what brackets and separates values."""


class Record(NamedTuple):
    """What stands where a statement is expected (a tuple, since that crosses between processes fastest).

    Attributes:
        number: Its line, from 1; in an array its index, from 0.
        text: The record as it lies in the file; longer than the limit where it was too long.
    """

    number: int
    text: bytes


def read_lines(file: IO[bytes], max_record_bytes: int) -> Iterator[Record]:
    """Give the lines that are not blank, with their numbers.

    Args:
        file: Read from where it stands to its end.
        max_record_bytes: Longest line; of a longer one the beginning comes, one byte too long.
    """
    most = max_record_bytes + 1
    for number, line in enumerate(iter(lambda: file.readline(most), b""), 1):
        if len(line) == most and line[-1:] != b"\n":
            _skip_line(file)
        if not line.isspace():
            yield Record(number, line)


class StatementFile:
    """A file to import, opened for one pass.

    Args:
        path: The file.
        max_record_bytes: Longest record; what is longer comes cut, one byte too long.

    Attributes:
        name: The file's name, without its folder; what is no UTF-8 in it is replaced.
        unit: What a record's number counts: ``line`` or ``index``.
        total_bytes: Size of the file as it lies on the disk.
    """

    def __init__(self, path: Path, max_record_bytes: int) -> None:
        """Look at the beginning of the file.

        Raises:
            InvalidBody: It is no file that can be read again, such as a pipe, or it cannot be read.
        """
        self._path = path
        self.name = path.name.encode(errors="replace").decode()
        if not path.is_file():
            raise InvalidBody(f"{self.name} is no regular file; save it as one, since it is read twice.")
        self._limit = max_record_bytes
        self._read_from: io.FileIO | None = None
        self.total_bytes = path.stat().st_size
        with self._opened() as (file, _):
            self._is_array = file.peek(1).lstrip(_BLANK).startswith(b"[")
        self.unit = "index" if self._is_array else "line"

    @property
    def bytes_read(self) -> int:
        """How much of ``total_bytes`` has been read so far."""
        if self._read_from is None or self._read_from.closed:
            return self.total_bytes if self._read_from else 0
        return self._read_from.tell()

    def digest(self) -> str:
        """Return SHA-256 of the content, unpacked: the same whether or not it is compressed."""
        with self._opened() as (file, _):
            return hashlib.file_digest(file, "sha256").hexdigest()

    def __iter__(self) -> Iterator[Record]:
        """Give the records in order; blank lines are none.

        Raises:
            InvalidBody: The file cannot be read further: the gzip data is broken or ends early,
                or the array is not closed. The records before it were given.
        """
        with self._opened() as (file, raw):
            self._read_from = raw
            yield from self._records(file)

    def _records(self, file: io.BufferedReader) -> Iterator[Record]:
        if self._is_array:
            elements = _split_array(file, self._limit)
            return (Record(index, text) for index, text in enumerate(elements))
        whole = self._whole_object()
        if whole is not None:
            return iter([Record(1, whole)])
        return read_lines(file, self._limit)

    def _whole_object(self) -> bytes | None:
        """Return the whole file where it is one object over several lines, else None."""
        with self._opened() as (file, _):
            first = file.readline(self._limit + 1)
            if _is_object(first):
                return None
            text = first + file.read(max(0, self._limit + 1 - len(first)))
        return text if len(text) <= self._limit and _is_object(text) else None

    @contextmanager
    def _opened(self) -> Iterator[tuple[io.BufferedReader, io.FileIO]]:
        """Open the content, unpacked and without byte order mark, and the file that it lies in."""
        try:
            with self._path.open("rb", buffering=0) as raw:
                packed = raw.read(2) == _GZIP
                raw.seek(0)
                content: Any = _Unpacked(raw) if packed else raw
                with io.BufferedReader(content, _CHUNK) as file:
                    if file.peek(3).startswith(_BOM):
                        file.read(3)
                    yield file, raw
        except (EOFError, gzip.BadGzipFile, zlib.error) as broken:
            raise InvalidBody(f"The gzip data of {self.name} is broken or ends early.") from broken
        except OSError as broken:
            raise InvalidBody(f"{self.name} cannot be read: {broken.strerror}.") from broken


@lru_cache(maxsize=1)
def digest_of(path: Path) -> str:
    """Return the digest of a file, which does not change meanwhile.

    Raises:
        InvalidBody: It cannot be read to its end.
    """
    return StatementFile(path, 0).digest()


class _Unpacked(io.RawIOBase):
    """What lies in a gzip file, given out as it comes, so that all before a defect is read."""

    def __init__(self, packed: io.FileIO) -> None:
        self._content = gzip.GzipFile(fileobj=packed)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._content.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(_CHUNK)) and rest[-1:] != b"\n":
        pass


def _split_array(file: io.BufferedReader, limit: int) -> Iterator[bytes]:
    """Give the text between the commas of one JSON array, without judging it.

    A bad element is the reader's business, as long as its strings and brackets are closed.
    """
    buffer = file.read1(_CHUNK).lstrip(_BLANK)[1:]
    first = True
    while True:
        start, closed = 0, False
        for end, closed in _element_ends(buffer):
            text = buffer[start:end]
            if not (closed and first and not text.strip(_BLANK)):
                yield text
            start, first = end + 1, False
        buffer = buffer[start:]
        if closed:
            break
        chunk = file.read1(_CHUNK)
        if not chunk:
            raise InvalidBody("The file ends before its array is closed; what was read up to there is kept.")
        buffer += chunk
        if len(buffer) > limit + _CHUNK:
            raise InvalidBody(
                "An element of the array is too large, or a string or bracket in it is not closed; "
                "what follows it cannot be read."
            )
    if (buffer + file.read(_CHUNK)).strip(_BLANK):
        raise InvalidBody("Something follows the closed array; it was not read.")


def _element_ends(buffer: bytes) -> Iterator[tuple[int, bool]]:
    """Give where each complete element of a buffer ends, and whether the array ends there too."""
    depth = 0
    for token in _TOKEN.finditer(buffer):
        kind = token[0][:1]
        if kind == b'"':
            if not token[1]:
                return
        elif kind in b"[{":
            depth += 1
        elif kind == b",":
            if depth == 0:
                yield token.start(), False
        elif depth == 0:
            yield token.start(), True
            return
        else:
            depth -= 1
