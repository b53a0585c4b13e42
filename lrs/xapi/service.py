"""The use cases of the statements resource, as named steps.

Spec: xAPI 1.0.3 Communication 2.1; xAPI 2.0 4.1.6.1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Client, Scope
from lrs.errors import DuplicateIdInBatch, InvalidStatement, NotFound, NotPermitted
from lrs.xapi.answers import Answer, PageLimits, page_text
from lrs.xapi.attachments import (
    JSON,
    SentBody,
    gather_attachments,
    match_attachments,
    open_body,
    scan_attachments,
    write_answer,
)
from lrs.xapi.cursors import Cursors
from lrs.xapi.formats import Canon, show
from lrs.xapi.languages import Languages
from lrs.xapi.multipart import Part
from lrs.xapi.naming import check_one, check_same_id, named_id
from lrs.xapi.ports import (
    Batch,
    BatchOutcome,
    FactKind,
    Filter,
    PreparedStatement,
    RecordStores,
    StatementId,
    StatementPage,
    StatementQuery,
    StatementStore,
    StoredStatement,
)
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.encoding import StatementEncoder
from lrs.xapi.preparing import authority_value, prepare_statement
from lrs.xapi.query import MORE, PageRequest, SingleRequest, check_more_alone, read_request
from lrs.xapi.quotas import QuotaWatch
from lrs.xapi.reader import RawStatement, ReadBody, ReadLimits, read_statements
from lrs.xapi.rules import count_problems
from lrs.xapi.scanning import Scan
from lrs.xapi.statement import validate_batch, validate_statement
from lrs.xapi.texts import served_text
from lrs.xapi.tolerance import Corrected, correct_body, log_corrections
from lrs.xapi.turns import Turns
from lrs.xapi.versions import Version


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a post: the ids in the order sent, and which of them were new."""

    ids: tuple[StatementId, ...]
    outcome: BatchOutcome


@dataclass(frozen=True, slots=True)
class Showing:
    """How an answer is shown.

    Attributes:
        languages: Those of the reader.
        more_base: What stands before the token in a ``more`` link.
    """

    languages: Languages
    more_base: str


class StatementService:
    """Takes statements in and gives them out, for one caller at a time."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a part that it works with
        self,
        records: RecordStores,
        cursors: Cursors,
        new_id: Callable[[], str],
        read_limits: ReadLimits,
        page_limits: PageLimits,
        quotas: QuotaWatch,
        scan: Scan | None = None,
    ) -> None:
        """Take what the use cases need.

        Args:
            records: Opens the record of an institution.
            cursors: Writes and reads ``more`` tokens.
            new_id: Gives a random UUID, lower case.
            read_limits: Limits of a body.
            page_limits: Limits of a page.
            quotas: Warns when one is nearly used up.
            scan: Asked about every attachment; None keeps them unasked.
        """
        self._scan = scan
        self._turns = Turns()
        self._records = records
        self._cursors = cursors
        self._new_id = new_id
        self.read_limits = read_limits
        self._page_limits = page_limits
        self._quotas = quotas

    def post(self, caller: Caller, sent: SentBody, version: Version) -> Stored:
        """Store a statement or a batch, all or nothing.

        Raises:
            NotPermitted: The caller may not write statements.
            InvalidBody: The body is no JSON that the standard takes.
            InvalidStatement: One or more statements are invalid; nothing is stored.
            InvalidAttachment: Attachments are missing, in excess or wrong, or a signature is; nothing
                is stored.
            StatementConflict: One or more ids are there with other content; nothing is stored.
            QuotaExceeded: The institution would hold more than it may; nothing is stored.
            TooLarge: Too many statements or bytes.
            ScanUnavailable: An attachment could not be scanned; nothing is stored.
            StoreError: The store failed; nothing is acknowledged.
        """
        _, client = self.find_writer(caller)
        body = open_body(sent, version, self.read_limits.max_parts)
        with self._turns.take(body.statements):
            corrected = self._read(body.statements, caller, version)
            read = corrected.read
            self._check(read, version)
        attachments, defines = self._match(read, body.parts, version), caller.may(Scope.DEFINE)
        with self._turns.take(body.statements):
            prepared = [self.prepare(raw, version, client, defines=defines) for raw in read.statements]
        return self._keep(caller, prepared, attachments, corrected)

    def put(self, caller: Caller, sent: SentBody, version: Version, statement_id: str | None) -> Stored:
        """Store one statement under the id that the request names.

        Raises:
            InvalidParameter: The id is missing or no UUID.
            InvalidStatement: The body is a batch, is invalid, or carries another id.
            Others: As ``post``.
        """
        _, client = self.find_writer(caller)
        named = named_id(statement_id, version)
        body = open_body(sent, version, self.read_limits.max_parts)
        corrected = self._read(body.statements, caller, version)
        read = corrected.read
        check_one(read, version)
        self._check(read, version)
        raw = read.statements[0]
        check_same_id(raw.value, named, version)
        attachments = self._match(read, body.parts, version, named)
        prepared = self.prepare(raw, version, client, named, defines=caller.may(Scope.DEFINE))
        return self._keep(caller, [prepared], attachments, corrected)

    def find_writer(self, caller: Caller) -> tuple[InstitutionHandle, Client]:
        """Return where a caller writes statements, and as whom.

        Raises:
            NotPermitted: The caller may not write statements.
        """
        if caller.handle is None or not caller.may(Scope.STATEMENTS_WRITE):
            raise NotPermitted(
                "These credentials may not write statements: the scope statements/write is missing."
            )
        return caller.handle, _client(caller)

    def add_prepared(self, handle: InstitutionHandle, batch: Batch) -> BatchOutcome:
        """Store prepared statements all or nothing: the path that a post and an import share.

        Raises:
            StatementConflict: As ``post``.
            QuotaExceeded: As ``post``.
            StoreError: As ``post``.
        """
        outcome = self._records.statements(handle).add_statements(batch)
        self._quotas.after_post(handle, batch.quota)
        return outcome

    def encoder(self, handle: InstitutionHandle) -> StatementEncoder:
        """Give what encodes prepared statements for an institution's store, maybe in another process."""
        return self._records.statements(handle).encoder()

    def prepare(
        self,
        raw: RawStatement,
        version: Version,
        client: Client,
        statement_id: str | None = None,
        *,
        defines: bool = True,
    ) -> PreparedStatement:
        """Make everything of a valid statement that can be made before the write.

        Args:
            raw: A statement that ``validate_statement`` found nothing wrong with.
            version: The version that it was sent under.
            client: Who writes it; its authority.
            statement_id: Taken where the statement has no id; None makes a random one.
            defines: Whether what it says of activities and agents counts beyond it (scope ``define``).
        """
        own = raw.value.get("id") if isinstance(raw.value, dict) else None
        id_ = StatementId(str(own or statement_id or self._new_id()))
        return prepare_statement(raw, version, client, id_, defines=defines)

    def consistent_through(self, caller: Caller) -> int:
        """Return the instant (µs) up to which everything is visible; ask before reading a page.

        Raises:
            NotPermitted: The caller may not read statements.
        """
        store, _ = self._reading(caller)
        return store.consistent_through()

    def get(self, caller: Caller, params: Mapping[str, str], version: Version, showing: Showing) -> Answer:
        """Answer GET statements: one statement by id, or a page of a StatementResult.

        Args:
            caller: Who asks.
            params: The parameters, each known and given once.
            version: The version in use.
            showing: Languages, and where ``more`` links point.

        Raises:
            NotPermitted: The caller may not read statements.
            InvalidParameter: A parameter is wrong, or a ``more`` token is not this institution's.
            NotFound: No such statement for this caller; or it is voided and not asked for as such,
                or the other way round.
            StoreError: The store failed.
        """
        store, handle = self._reading(caller)
        after = None
        if MORE in params:
            check_more_alone(params)
            params, after = self._cursors.decode(handle.institution_id, params[MORE])
        request = read_request(params, version)
        if isinstance(request, SingleRequest):
            return self._one(caller, handle, request, showing)
        page = store.query_statements(replace(self._query(caller, request), after=after))
        parts: Sequence[Part] = ()
        if request.attachments:
            page, parts = self._gather(handle, page)
        more = ""
        if page.more is not None:
            more = showing.more_base + self._cursors.encode(handle.institution_id, request.given, page.more)
        text = page_text(page, request.format, self._canon(handle, showing), more)
        return Answer(*self._write(text, parts, attachments=request.attachments), None)

    def _gather(self, handle: InstitutionHandle, page: StatementPage) -> tuple[StatementPage, Sequence[Part]]:
        """Fetch the attachments of a page, which ends earlier where they are too many bytes."""
        served = (served_text(found.body, found.stored_at_us) for found in page.statements)
        store = self._records.attachments(handle)
        gathered = gather_attachments(store, served, self._page_limits.max_attachment_bytes)
        if gathered.statements < len(page.statements):
            kept = page.statements[: gathered.statements]
            page = StatementPage(kept, kept[-1].position)
        return page, gathered.parts

    def _write(self, text: bytes, parts: Sequence[Part], *, attachments: bool) -> tuple[bytes, str]:
        """Return an answer's body and content type."""
        return write_answer(text, parts, self._new_id) if attachments else (text, JSON)

    def _one(
        self, caller: Caller, handle: InstitutionHandle, request: SingleRequest, showing: Showing
    ) -> Answer:
        store = self._records.statements(handle)
        found = store.find_statement(request.statement_id)
        if found is None or found.voided != request.voided or not self._may_see(caller, found):
            kind = "voided statement" if request.voided else "statement"
            raise NotFound(f"There is no {kind} with the id {request.statement_id}.")
        parts: Sequence[Part] = ()
        if request.attachments:
            _, parts = self._gather(handle, StatementPage([found], None))
        served = served_text(found.body, found.stored_at_us)
        text = show(served, request.format, self._canon(handle, showing))
        return Answer(*self._write(text, parts, attachments=request.attachments), found.stored_at_us)

    def _canon(self, handle: InstitutionHandle, showing: Showing) -> Canon:
        """Make what makes an answer canonical; the store is asked only where that is the format."""
        return Canon(
            showing.languages, lambda activity: self._records.activities(handle).find_definition(activity)
        )

    def _query(self, caller: Caller, request: PageRequest) -> StatementQuery:
        filters = request.filters
        if not caller.may(Scope.STATEMENTS_READ):
            filters += (Filter(FactKind.CLIENT, _client(caller).id),)
        limit = min(request.limit or self._page_limits.page_size, self._page_limits.max_page_size)
        return StatementQuery(filters, request.since_us, request.until_us, request.ascending, limit)

    def _may_see(self, caller: Caller, found: StoredStatement) -> bool:
        """Tell whether a caller with read/mine alone wrote the statement. Spec: Communication 4.2."""
        if caller.may(Scope.STATEMENTS_READ):
            return True
        served = orjson.loads(served_text(found.body, found.stored_at_us))
        return bool(served["authority"] == authority_value(_client(caller).authority))

    def _reading(self, caller: Caller) -> tuple[StatementStore, InstitutionHandle]:
        if caller.handle is None or not caller.may(Scope.STATEMENTS_READ_MINE):
            raise NotPermitted(
                "These credentials may not read statements: the scope statements/read is missing."
            )
        return self._records.statements(caller.handle), caller.handle

    def _match(
        self, read: ReadBody, parts: Sequence[Part], version: Version, statement_id: str | None = None
    ) -> tuple[AttachmentContent, ...]:
        """Match the attachments of a body, and have them scanned where that is asked for."""
        found = match_attachments(read, parts, version, self.read_limits, statement_id)
        if found and self._scan is not None:
            scan_attachments(read, found, version, self._scan)
        return found

    def _read(self, statements: bytes, caller: Caller, version: Version) -> Corrected:
        """Read the statements of a body, mended as far as the caller's key asks for it."""
        return correct_body(read_statements(statements, self.read_limits), caller.tolerances, version)

    def _check(self, read: ReadBody, version: Version) -> None:
        if not read.is_batch:
            problems = validate_statement(read.statements[0].value, version)
            if problems:
                told = count_problems(len(problems))
                raise InvalidStatement(f"The statement is invalid ({told}); it is not stored.", problems)
            return
        problems, bad = validate_batch([raw.value for raw in read.statements], version)
        if bad:
            repeated = all(problem.rule == "batch.unique-id" for problem in problems)
            error = DuplicateIdInBatch if repeated else InvalidStatement
            total = len(read.statements)
            raise error(
                f"{len(bad)} of {total} statements are invalid; nothing of the batch is stored.",
                problems,
                bad,
            )

    def _keep(
        self,
        caller: Caller,
        prepared: list[PreparedStatement],
        attachments: Sequence[AttachmentContent],
        corrected: Corrected,
    ) -> Stored:
        ids = tuple(statement.id for statement in prepared)
        if not prepared:
            return Stored(ids, BatchOutcome((), ()))
        handle, _ = self.find_writer(caller)
        source = caller.source or ""
        batch = Batch(prepared, source, attachments, caller.statement_quota, corrected.count)
        outcome = self.add_prepared(handle, batch)
        log_corrections(caller.label, ids, corrected.corrections)
        return Stored(ids, outcome)


def _client(caller: Caller) -> Client:
    if caller.client is None:
        raise NotPermitted("These credentials belong to no client of the institution.")
    return caller.client
