"""Making statements ready before anything is written: all that needs no store.

A ``Preparer`` judges the records of an import by themselves. It holds nothing but values, so
that it may be sent to another process (``lrs.xapi.import_processes``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from lrs.access.model import Client, Tolerance
from lrs.errors import InvalidStatement, LrsError, Problem
from lrs.xapi.attachments import match_attachments
from lrs.xapi.definitions import definitions_of
from lrs.xapi.facts import facts_of, is_voiding, target_of
from lrs.xapi.fingerprint import fingerprint
from lrs.xapi.import_files import Record
from lrs.xapi.marks import mark_undefining
from lrs.xapi.ports import PreparedStatement, StatementId
from lrs.xapi.ports.encoding import EncodedStatement, StatementEncoder
from lrs.xapi.reader import RawStatement, ReadBody, ReadLimits, read_statements
from lrs.xapi.rules import count_problems
from lrs.xapi.statement import validate_statement
from lrs.xapi.texts import Additions, pack
from lrs.xapi.tolerance import Correction, correct_statement
from lrs.xapi.versions import Version

_WRITTEN_VERSION = {Version.V1_0_3: "1.0.0", Version.V2_0_0: "2.0.0"}
"""The ``version`` that the store writes where none was sent. Spec: xAPI 1.0.3 Data 2.4.10."""


class ReadyRecord(NamedTuple):
    """A record that may be stored (a tuple, since that crosses between processes fastest)."""

    number: int
    body_bytes: int
    statement: PreparedStatement | EncodedStatement
    corrections: Sequence[Correction]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was left out, and why."""

    number: int
    body_bytes: int
    error: LrsError


Judged = ReadyRecord | Rejection


@dataclass(frozen=True, slots=True)
class Preparer:
    """Reads, checks and prepares records, each by itself.

    Attributes:
        limits: What one record may hold.
        client: Who writes; its authority.
        version: Whose rules hold for every record; None lets each record's own ``version`` decide.
        id_for: Gives the id of a record that has none, by its number.
        defines: Whether activity definitions count beyond their statements.
        tolerances: What is mended instead of rejected.
    """

    limits: ReadLimits
    client: Client
    version: Version | None
    id_for: Callable[[int], str]
    defines: bool
    tolerances: frozenset[Tolerance]

    def judge(self, record: Record, encoder: StatementEncoder | None = None) -> Judged:
        """Prepare a record, and encode it where that is to be done here; or say why it is left out."""
        try:
            statement, corrections = self._prepare(record)
        except LrsError as error:
            return Rejection(record.number, len(record.text), error)
        ready = statement if encoder is None else encoder.encode(statement)
        return ReadyRecord(record.number, len(record.text), ready, corrections)

    def _prepare(self, record: Record) -> tuple[PreparedStatement, Sequence[Correction]]:
        read = read_statements(record.text, self.limits)
        if read.is_batch:
            problem = Problem("", "import.one-statement", "Write one statement object here.", "")
            raise InvalidStatement("There must be one statement here, not an array.", [problem])
        version = self.version or own_version(read.statements[0].value)
        raw, corrections = correct_statement(read.statements[0], self.tolerances, version)
        value: dict[str, object] = raw.value  # type: ignore[assignment]  # what is no batch is an object
        problems = validate_statement(value, version)
        if problems:
            raise InvalidStatement(f"The statement is invalid ({count_problems(len(problems))}).", problems)
        match_attachments(ReadBody([raw], is_batch=False), (), version, self.limits)
        id_ = str(value["id"] if "id" in value else self.id_for(record.number))
        statement = prepare_statement(raw, version, self.client, StatementId(id_), defines=self.defines)
        return statement, corrections


def own_version(value: object) -> Version:
    """Return the version that a statement without a request around it is held to."""
    own = value.get("version") if isinstance(value, dict) else None
    return Version.V2_0_0 if isinstance(own, str) and own.startswith("2.") else Version.V1_0_3


def prepare_statement(
    raw: RawStatement, version: Version, client: Client, statement_id: StatementId, *, defines: bool
) -> PreparedStatement:
    """Make everything of a valid statement that can be made before the write.

    Args:
        raw: A statement that ``validate_statement`` found nothing wrong with.
        version: The version that it was sent under.
        client: Who writes it; its authority.
        statement_id: Its own id as it was sent, or the one that it is given.
        defines: Whether what it says of activities and agents counts beyond it (scope ``define``).
    """
    value: dict[str, Any] = raw.value  # type: ignore[assignment]  # a valid statement is an object
    additions = Additions(statement_id, client.authority, _WRITTEN_VERSION[version])
    target = target_of(value)
    body = pack(raw.raw, value, additions, raw.sent)
    return PreparedStatement(
        id=StatementId(statement_id.lower()),
        fingerprint=fingerprint(value),
        facts=facts_of(value, authority_value(client.authority), client.id),
        body=body if defines else mark_undefining(body),
        target=target,
        voids=target if is_voiding(value) else None,
        definitions=definitions_of(value) if defines else (),
    )


@lru_cache(maxsize=1024)
def authority_value(text: str) -> dict[str, Any]:
    """Return a client's authority as a value; not to be changed."""
    value: dict[str, Any] = orjson.loads(text)
    return value
