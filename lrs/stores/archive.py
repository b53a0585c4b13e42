"""The archive that a backup writes and a restore reads: one format for both engines.

A zstd stream of frames: one byte that says what it is, four bytes (big endian) that say how
long, then MessagePack. The first frame is the header, the last one the trailer. What may be
long or may have to be erased one day (the body of a statement, a document, an attachment, a
definition, a recorded value) is a frame of its own, *content*, behind the record that names its SHA-256. The
digests cover records, and content only through that: so erasing content breaks no digest.

What each record means stands in docs/backup.md.
"""

import hashlib
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec
import zstandard

from lrs.access.handles import InstitutionId
from lrs.errors import InvalidArchive
from lrs.stores.archive_records import (
    FORMAT,
    KINDS,
    VERSION,
    Header,
    Log,
    Record,
    StatementRecord,
    Trailer,
    WithContent,
)

_LEVEL = 3
_HEAD = struct.Struct(">BI")
_LARGEST_FRAME_BYTES = 1 << 30
_CONTENT, _ERASED = 0, 254

# A driver may have an integer type of its own, which the encoder does not know.
_encode = msgspec.msgpack.Encoder(enc_hook=int).encode
_NUMBERS = {shape: number for number, (_, shape) in KINDS.items()}
_DECODERS = {number: msgspec.msgpack.Decoder(shape) for number, (_, shape) in KINDS.items()}


def chain_link(before: bytes, position: int, statement_id: str, sha256: bytes) -> bytes:
    """Return the next link of an institution's digest chain.

    Args:
        before: The link before it.
        position: Of the statement in the archive, from 1.
        statement_id: Its UUID.
        sha256: Of its body, which the chain needs not otherwise.
    """
    identity = bytes.fromhex(statement_id.replace("-", ""))
    return hashlib.sha256(before + position.to_bytes(8, "big") + identity + sha256).digest()


@dataclass(slots=True)
class Account:
    """What a writer and a reader both add up, record by record."""

    records: Counter[str] = field(default_factory=Counter)
    logs: dict[InstitutionId, Log] = field(default_factory=dict)
    _digest: Any = field(default_factory=lambda: hashlib.sha256(b"lrs-backup"))

    def add(self, record: Record, frame: bytes) -> None:
        """Count a record, whose frame is given, in."""
        if type(record) is Trailer:
            return
        self._digest.update(frame)
        if type(record) is Header:
            return
        self.records[KINDS[_NUMBERS[type(record)]][0]] += 1
        if isinstance(record, StatementRecord):
            self._add_statement(record)

    def _add_statement(self, record: StatementRecord) -> None:
        log = self.logs.get(record.institution, Log())
        if record.position != log.statements + 1:
            raise InvalidArchive(
                f"Statement {record.id} stands at position {record.position} of {record.institution},"
                f" where {log.statements + 1} was due."
            )
        try:
            chain = chain_link(log.chain, record.position, record.id, record.sha256)
        except ValueError as error:
            raise InvalidArchive(f"The archive is damaged: {record.id!r} is no statement's id.") from error
        self.logs[record.institution] = Log(record.position, chain)

    def close(self) -> Trailer:
        """Return the trailer that belongs behind what was added."""
        return Trailer(dict(self.records), dict(self.logs), self._digest.digest())


class ArchiveWriter:
    """Writes an archive; ``close`` writes the trailer, without which no reader takes it.

    Args:
        out: Where to; stays open.
    """

    def __init__(self, out: BinaryIO) -> None:
        """Begin the stream."""
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._out = compressor.stream_writer(out, closefd=False)
        self.account = Account()

    def write(self, record: Record, content: bytes | None = None) -> None:
        """Write a record, and its content behind it where it has any."""
        payload = _encode(record)
        frame = _HEAD.pack(_NUMBERS[type(record)], len(payload)) + payload
        self.account.add(record, frame)
        self._out.write(frame)
        if content is not None:
            self._out.write(_HEAD.pack(_CONTENT, len(content)))
            self._out.write(content)

    def close(self) -> Trailer:
        """End the archive and return its trailer."""
        trailer = self.account.close()
        self.write(trailer)
        self._out.flush(zstandard.FLUSH_FRAME)
        return trailer


@dataclass(frozen=True, slots=True)
class Item:
    """A record as read, with its content; None where it has none, or where that was erased."""

    record: Record
    content: bytes | None = None


class ArchiveReader:
    """Reads an archive and checks every digest on the way.

    Args:
        source: Where from; stays open.
    """

    def __init__(self, source: BinaryIO) -> None:
        """Read the header.

        Raises:
            InvalidArchive: It is no archive, or a newer program's.
        """
        self._source = zstandard.ZstdDecompressor().stream_reader(source, closefd=False)
        self._account = Account()
        self.erased = 0
        header = self._read_record()
        if not isinstance(header, Header) or header.format != FORMAT:
            raise InvalidArchive("This is not a backup of this project.")
        if header.version > VERSION:
            raise InvalidArchive(
                f"The archive has version {header.version}; this program knows up to {VERSION}. Update it."
            )
        self.header = header

    def __iter__(self) -> Iterator[Item]:
        """Yield every record between header and trailer.

        Raises:
            InvalidArchive: It is damaged or cut off; known at the latest at its end, so
                nothing of it is to be trusted before.
        """
        while True:
            record = self._read_record()
            if isinstance(record, Trailer):
                self._check_end(record)
                return
            if isinstance(record, WithContent):
                yield Item(record, self._read_content(record))
            else:
                yield Item(record)

    def _read_record(self) -> Record:
        number, payload = self._read_frame()
        decoder = _DECODERS.get(number)
        if decoder is None:
            raise InvalidArchive(f"The archive is damaged: there is no record of kind {number}.")
        try:
            record: Record = decoder.decode(payload)
        except (msgspec.MsgspecError, ValueError) as error:
            raise InvalidArchive(f"The archive is damaged: a record cannot be read ({error}).") from error
        self._account.add(record, _HEAD.pack(number, len(payload)) + payload)
        return record

    def _read_content(self, record: WithContent) -> bytes | None:
        number, content = self._read_frame()
        if number == _ERASED and not content:
            self.erased += 1
            return None
        if number != _CONTENT or hashlib.sha256(content).digest() != record.sha256:
            name = KINDS[_NUMBERS[type(record)]][0]
            which = record.id if isinstance(record, StatementRecord) else f"number {self._count(name)}"
            raise InvalidArchive(f"The archive is damaged: the content of {name} {which} is not what it was.")
        return content

    def _count(self, name: str) -> int:
        return self._account.records[name]

    def _read_frame(self) -> tuple[int, bytes]:
        number, length = _HEAD.unpack(self._read(_HEAD.size))
        if length > _LARGEST_FRAME_BYTES:
            raise InvalidArchive(f"The archive is damaged: a record of {length} bytes.")
        return number, self._read(length)

    def _read(self, size: int) -> bytes:
        parts: list[bytes] = []
        missing = size
        while missing:
            part = self._read_some(missing)
            if not part:
                raise InvalidArchive("The archive is cut off.")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _read_some(self, size: int) -> bytes:
        try:
            return bytes(self._source.read(size))
        except zstandard.ZstdError as error:
            raise InvalidArchive(f"The archive is damaged or is none ({error}).") from error

    def _check_end(self, trailer: Trailer) -> None:
        if trailer != self._account.close() or self._read_some(1):
            raise InvalidArchive(
                "The archive is damaged: what it says at its end does not fit what it holds."
            )
