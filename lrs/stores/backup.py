"""Writing a whole store into an archive, and filling an empty store from one. See docs/backup.md."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.model import Client, Institution, Issuer, Key
from lrs.errors import CorruptRecord, InvalidArchive
from lrs.stores import Stores
from lrs.stores.archive import ArchiveReader, ArchiveWriter, Item
from lrs.stores.archive_records import (
    AttachmentRecord,
    DefinitionRecord,
    DocumentRecord,
    EntryRecord,
    Header,
    HistoryRecord,
    ReceiptRecord,
    Record,
    RecordedRecord,
    RefusalRecord,
    StatementRecord,
    Trailer,
    WithContent,
)
from lrs.stores.moving import UNREADABLE, Dump, KeptStatement, Load, to_prepared
from lrs.stores.recorded import VOIDED_KIND
from lrs.stores.recorded_archive import entry_content, to_entry, to_value, value_content
from lrs.tables.recorded import COMMONS
from lrs.xapi.arrivals import IMPORT
from lrs.xapi.fingerprint import FEWEST_KEPT
from lrs.xapi.ports import HistoryEntry, Position, PreparedStatement
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentKey, DocumentKind

_ALL = 1 << 31
_PAGE = 500
_BATCH = 1000
_BATCH_BYTES = 4_000_000

Progress = Callable[[int], None]
"""Is told how many statements are done."""


@dataclass(frozen=True, slots=True)
class Made:
    """What an archive says of its making: the moment, and the version of the program."""

    at_us: int
    program: str


def write_backup(stores: Stores, out: BinaryIO, made: Made, progress: Progress) -> Trailer:
    """Write everything that a store keeps, while others go on writing to it.

    Left out: sign-in links, sessions, the instance's own key, and everything that can be
    made again.

    Args:
        stores: The store.
        out: Where to; stays open.
        made: For the header.
        progress: Is called after every statement.

    Returns:
        What the archive says at its end: counts and digests.

    Raises:
        CorruptRecord: Something kept cannot be read; ``lrs check`` tells all of it.
        StoreUnavailable: The store is away.
    """
    try:
        return _write_all(stores, out, made, progress)
    except UNREADABLE as error:
        raise CorruptRecord(f"Something that is kept cannot be read ({error!r}).") from error


def _write_all(stores: Stores, out: BinaryIO, made: Made, progress: Progress) -> Trailer:
    with stores.open_dump() as dump:
        writer = ArchiveWriter(out)
        writer.write(Header(made.at_us, made.program, stores.engine, dump.count_statements()))
        institutions = list(stores.access.list_institutions())
        keys = [*stores.access.list_keys(None)]
        for institution in institutions:
            keys += stores.access.list_keys(institution.id)
        _write_access(stores, writer, institutions, keys)
        _write_statements(dump, writer, progress)
        for institution in institutions:
            mine = [key.id for key in keys if key.institution_id == institution.id]
            with_tokens = [client.id for client in stores.access.list_clients(institution.id)]
            _write_rest(dump, writer, institution.id)
            _write_arrivals(stores, writer, institution.id, [*mine, *with_tokens, IMPORT])
        _write_recorded(dump, writer, COMMONS.institution_id)
        return writer.close()


def _write_access(
    stores: Stores, writer: ArchiveWriter, institutions: Sequence[Institution], keys: Sequence[Key]
) -> None:
    for institution in institutions:
        writer.write(institution)
    for institution in institutions:
        for client in stores.access.list_clients(institution.id):
            writer.write(client)
        for issuer in stores.access.list_issuers(institution.id):
            writer.write(issuer)
    for key in keys:
        writer.write(key)


def _write_statements(dump: Dump, writer: ArchiveWriter, progress: Progress) -> None:
    positions: dict[InstitutionId, int] = {}
    for done, kept in enumerate(dump.iter_statements(), 1):
        position = positions[kept.institution_id] = positions.get(kept.institution_id, 0) + 1
        record = StatementRecord(
            kept.institution_id,
            position,
            kept.id,
            kept.stored_at_us,
            kept.fingerprint[:FEWEST_KEPT],
            kept.client,
            _sha256(kept.body),
        )
        writer.write(record, kept.body)
        progress(done)


def _write_rest(dump: Dump, writer: ArchiveWriter, institution_id: InstitutionId) -> None:
    for entry in dump.iter_history(institution_id):
        writer.write(_history_record(institution_id, entry))
    for attachment in dump.iter_attachments(institution_id):
        record = AttachmentRecord(institution_id, attachment.sha2, _sha256(attachment.content))
        writer.write(record, attachment.content)
    for key, document in dump.iter_documents(institution_id):
        writer.write(_document_record(institution_id, key, document), document.content)
    for one in dump.iter_definitions(institution_id):
        writer.write(DefinitionRecord(institution_id, one.activity, _sha256(one.definition)), one.definition)
    _write_recorded(dump, writer, institution_id)


def _write_recorded(dump: Dump, writer: ArchiveWriter, institution_id: InstitutionId) -> None:
    for value in dump.iter_recorded(institution_id):
        content = value_content(value)
        record = RecordedRecord(
            institution_id, value.kind, value.subject, value.version, value.at_us, _sha256(content)
        )
        writer.write(record, content)
    for entry in dump.iter_entries(institution_id):
        content = entry_content(entry)
        of_entry = EntryRecord(institution_id, entry.kind, entry.subject, entry.at_us, _sha256(content))
        writer.write(of_entry, content)


def _write_arrivals(
    stores: Stores, writer: ArchiveWriter, institution_id: InstitutionId, sources: Sequence[str]
) -> None:
    store = stores.records.arrivals(InstitutionHandle(institution_id))
    for source in sources:
        for receipt in reversed(store.list_receipts(source, _ALL)):
            writer.write(ReceiptRecord(institution_id, receipt))
        for refusal in reversed(store.list_refusals(source, _ALL)):
            writer.write(RefusalRecord(institution_id, refusal))


def _history_record(institution_id: InstitutionId, entry: HistoryEntry) -> HistoryRecord:
    return HistoryRecord(institution_id, entry.kind, entry.subject, entry.before, entry.after, entry.at_us)


def _document_record(institution_id: InstitutionId, key: DocumentKey, document: Document) -> DocumentRecord:
    return DocumentRecord(
        institution_id,
        int(key.kind),
        key.document_id,
        key.activity,
        key.agent,
        key.registration,
        document.content_type,
        document.etag,
        document.updated_at_us,
        _sha256(document.content),
    )


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought.

    Attributes:
        made_at_us: When the backup was made.
        statements: How many there are.
        erased: Records whose content had been erased from the archive; they were left out.
    """

    made_at_us: int
    statements: int
    erased: int


def read_backup(stores: Stores, source: BinaryIO, progress: Callable[[int, int], None]) -> Restored:
    """Fill an empty store from an archive: all of it, or the store serves nobody.

    Args:
        stores: Opened with ``restoring``.
        source: Where from; stays open.
        progress: Is told how many statements are done, and of how many.

    Raises:
        Conflict: The store is not empty, or somebody else writes to it.
        InvalidArchive: The archive is damaged, cut off or newer. Where that was met behind
            its header the store is left unfinished: it refuses to serve until a restore
            has succeeded.
    """
    reader = ArchiveReader(source)
    restore = _Restore(stores, stores.begin_load(), progress, sum(reader.header.statements.values()))
    for item in reader:
        restore.take(item)
    return Restored(reader.header.made_at_us, restore.finish(), reader.erased)


class _Restore:
    """Takes records in the order of the archive, and hands those of one kind on in batches."""

    def __init__(self, stores: Stores, load: Load, progress: Callable[[int, int], None], total: int) -> None:
        self._stores = stores
        self._load = load
        self._progress = progress
        self._total = total
        self._done = 0
        self._has_gaps = False
        self._kind: tuple[type[object], InstitutionId | None] | None = None
        self._batch: list[Item] = []
        self._batch_bytes = 0
        self._histories: dict[InstitutionId, Iterator[HistoryEntry]] = {}

    def take(self, item: Item) -> None:
        """Take one record."""
        record = item.record
        if isinstance(record, WithContent) and item.content is None:
            self._has_gaps = True
        elif isinstance(record, StatementRecord):
            self._enqueue(item, None)
        elif isinstance(record, WithContent | ReceiptRecord):
            self._enqueue(item, record.institution)
        else:
            self._flush()
            self._take_at_once(record)

    def finish(self) -> int:
        """Declare the store whole; return how many statements it has."""
        self._flush()
        self._check_histories_end()
        self._load.finish()
        return self._done

    def _enqueue(self, item: Item, institution_id: InstitutionId | None) -> None:
        """Put a record to its like; statements of all institutions are alike."""
        kind = type(item.record), institution_id
        if kind != self._kind or len(self._batch) >= _BATCH or self._batch_bytes > _BATCH_BYTES:
            self._flush()
        self._kind = kind
        self._batch.append(item)
        self._batch_bytes += len(item.content or b"")

    def _flush(self) -> None:
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if batch and isinstance(batch[0].record, StatementRecord):
            self._load.add_statements([_to_statement(item) for item in batch])
            self._done += len(batch)
            self._progress(self._done, self._total)
        elif batch and self._kind is not None and self._kind[1] is not None:
            self._flush_others(self._kind[1], batch)

    def _flush_others(self, institution_id: InstitutionId, batch: Sequence[Item]) -> None:
        load = self._load
        match batch[0].record:
            case AttachmentRecord():
                load.add_attachments(institution_id, [_to_attachment(item) for item in batch])
            case DocumentRecord():
                load.add_documents(institution_id, [_to_document(item) for item in batch])
            case DefinitionRecord():
                load.add_definitions(institution_id, [_to_definition(item) for item in batch])
            case RecordedRecord():
                load.add_recorded(institution_id, [to_value(item) for item in batch])
            case EntryRecord():
                load.add_entries(institution_id, [to_entry(item) for item in batch])
            case ReceiptRecord():
                receipts = [item.record.receipt for item in batch if isinstance(item.record, ReceiptRecord)]
                load.add_receipts(institution_id, receipts)

    def _take_at_once(self, record: Record) -> None:
        match record:
            case Institution():
                self._stores.access.add_institution(record)
            case Client():
                self._stores.access.add_client(record)
            case Issuer():
                self._stores.access.add_issuer(record)
            case Key():
                self._stores.access.add_key(record)
            case HistoryRecord():
                self._compare(record)
            case RefusalRecord():
                handle = InstitutionHandle(record.institution)
                self._stores.records.arrivals(handle).add_refusal(record.refusal)

    def _compare(self, record: HistoryRecord) -> None:
        """See that what statements left in the history is what the archive says.

        Where a statement's content was erased from the archive it need not be.
        """
        entry = next(self._history(record.institution), None)
        same = entry is not None and _history_record(record.institution, entry) == record
        if not same and not self._has_gaps:
            raise InvalidArchive(
                f"The history of {record.institution} does not follow from its statements: the archive says"
                f" {record.kind} of {record.subject}."
            )

    def _check_histories_end(self) -> None:
        for institution in self._stores.access.list_institutions():
            if not self._has_gaps and next(self._history(institution.id), None) is not None:
                raise InvalidArchive(f"The history of {institution.id} is longer than the archive's.")

    def _history(self, institution_id: InstitutionId) -> Iterator[HistoryEntry]:
        if institution_id not in self._histories:
            self._histories[institution_id] = self._iter_history(institution_id)
        return self._histories[institution_id]

    def _iter_history(self, institution_id: InstitutionId) -> Iterator[HistoryEntry]:
        store = self._stores.records.statements(InstitutionHandle(institution_id))
        page = store.read_history(Position(0), _PAGE)
        while page.entries:
            yield from (entry for entry in page.entries if entry.kind == VOIDED_KIND)
            page = store.read_history(page.last, _PAGE)


def _to_statement(item: Item) -> tuple[KeptStatement, PreparedStatement]:
    record, body = item.record, item.content or b""
    assert isinstance(record, StatementRecord)  # noqa: S101 - for the type checker
    kept = KeptStatement(
        record.institution, record.id, record.stored_at_us, record.fingerprint, record.client, body
    )
    return kept, to_prepared(kept)


def _to_attachment(item: Item) -> AttachmentContent:
    assert isinstance(item.record, AttachmentRecord)  # noqa: S101 - for the type checker
    return AttachmentContent(item.record.sha2, item.content or b"")


def _to_definition(item: Item) -> ActivityDefinition:
    assert isinstance(item.record, DefinitionRecord)  # noqa: S101 - for the type checker
    return ActivityDefinition(item.record.activity, item.content or b"")


def _to_document(item: Item) -> tuple[DocumentKey, Document]:
    record, content = item.record, item.content or b""
    assert isinstance(record, DocumentRecord)  # noqa: S101 - for the type checker
    try:
        kind = DocumentKind(record.kind)
    except ValueError as error:
        raise InvalidArchive(
            f"The archive is damaged: there is no document of kind {record.kind}."
        ) from error
    key = DocumentKey(kind, record.document_id, record.activity, record.agent, record.registration)
    return key, Document(record.content_type, content, record.etag, record.updated_at_us)
