"""The log for the rooms behind this one: statements as they are served, in order, by position.

A position is a number that only means something here; the room that shows it to others
wraps it. What is read is the unfiltered log: nothing missed, nothing twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.errors import InvalidParameter, Problem
from lrs.xapi.attachments import JSON, gather_attachments, write_answer
from lrs.xapi.facts import facts_of, is_voiding, target_of
from lrs.xapi.params import ParamReader
from lrs.xapi.ports import FactKind, Position, RecordStores, StatementId, StatementQuery, StoredStatement
from lrs.xapi.texts import served_text
from lrs.xapi.versions import Version


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A statement in its place.

    Attributes:
        voided: A voiding statement is about it, as of the reading.
        text: As served, ``stored`` included.
    """

    position: int
    id: str
    stored_at_us: int
    voided: bool
    text: bytes


@dataclass(frozen=True, slots=True)
class LogEntries:
    """What follows a position, in order; ``last`` is what to remember."""

    entries: Sequence[LogEntry]
    last: int


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """Which statements are wanted, by the facts of each itself; empty for all.

    Attributes:
        verbs: One of these, or any where empty; the same for the others. All kinds must hold.
        agents: Keys of agents (``lrs.xapi.facts.agent_key``).
        related: Whether an agent or activity may stand anywhere, as ``related_agents`` and
            ``related_activities`` have it.
    """

    verbs: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    related: bool = False

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.verbs or self.activities or self.agents)

    def takes(self, statement: Mapping[str, Any]) -> bool:
        """Tell whether a served statement is wanted by its own facts."""
        facts = [
            (fact.kind, fact.value)
            for fact in facts_of(statement, statement["authority"], "")
            if fact.primary or self.related
        ]
        wanted = (
            (FactKind.VERB, self.verbs),
            (FactKind.ACTIVITY, self.activities),
            (FactKind.AGENT, self.agents),
        )
        return all(any((kind, value) in facts for value in values) for kind, values in wanted if values)


def read_filter(
    verbs: Sequence[str], activities: Sequence[str], agents: Sequence[str], *, related: bool
) -> StatementFilter:
    """Read a filter as queries are read: IRIs, and agents as the JSON of an Agent or Identified Group.

    Raises:
        InvalidParameter: With one problem for each that is wrong.
    """
    problems: list[Problem] = []
    wanted = StatementFilter(
        tuple(_read("verb", text, problems) for text in verbs),
        tuple(_read("activity", text, problems) for text in activities),
        tuple(_read("agent", text, problems) for text in agents),
        related,
    )
    if problems:
        raise InvalidParameter("The filter cannot be used.", problems)
    return wanted


def _read(name: str, text: str, problems: list[Problem]) -> str:
    reader = ParamReader({name: text}, Version.V2_0_0, "xAPI 1.0.3 Communication 2.1.3")
    found = reader.agent() if name == "agent" else reader.iri(name)
    problems += reader.problems
    return found or ""


class LogReader:
    """Reads the log of any institution whose handle it is given.

    Args:
        records: Opens the record of an institution.
        new_boundary: Gives another random text at each call.
        max_attachment_bytes: Of attachments in one packed body.
    """

    def __init__(
        self, records: RecordStores, new_boundary: Callable[[], str], max_attachment_bytes: int
    ) -> None:
        """Keep what was handed in."""
        self._records = records
        self._new_boundary = new_boundary
        self._max_attachment_bytes = max_attachment_bytes

    def read(self, handle: InstitutionHandle, after: int, limit: int) -> LogEntries:
        """Return what follows a position, voided and voiding statements included.

        Raises:
            StoreError: The store failed.
        """
        page = self._records.statements(handle).read_log(Position(after), limit)
        return LogEntries([_entry(found) for found in page.statements], page.last)

    def find(self, handle: InstitutionHandle, statement_id: str) -> LogEntry | None:
        """Return a statement, voided or not, or None."""
        found = self._records.statements(handle).find_statement(StatementId(statement_id.lower()))
        return None if found is None else _entry(found)

    def end(self, handle: InstitutionHandle) -> int:
        """Return a position near the log's end: behind it lie at most voided statements, and newer ones."""
        page = self._records.statements(handle).query_statements(StatementQuery(limit=1))
        return page.statements[0].position if page.statements else 0

    def wants(self, handle: InstitutionHandle, wanted: StatementFilter, entry: LogEntry) -> bool:
        """Tell whether an entry passes a filter: by its own facts.

        A voiding statement passes where what it voids does, or is not there yet: whoever
        was told the one is told the other.
        """
        if wanted.takes_all:
            return True
        statement = orjson.loads(entry.text)
        if wanted.takes(statement):
            return True
        if not is_voiding(statement):
            return False
        target = self.find(handle, str(target_of(statement)))
        return target is None or wanted.takes(orjson.loads(target.text))

    def pack(self, handle: InstitutionHandle, entries: Sequence[LogEntry]) -> "PackedStatements":
        """Write entries as the body of a POST to another record store, attachments included.

        Takes fewer, but one at least, where the attachments would be too many bytes.
        """
        store = self._records.attachments(handle)
        gathered = gather_attachments(store, (entry.text for entry in entries), self._max_attachment_bytes)
        text = b"[" + b",".join(entry.text for entry in entries[: gathered.statements]) + b"]"
        if not gathered.parts:
            return PackedStatements(gathered.statements, text, JSON)
        return PackedStatements(gathered.statements, *write_answer(text, gathered.parts, self._new_boundary))


@dataclass(frozen=True, slots=True)
class PackedStatements:
    """The body of a POST: how many statements are in it, and its content type."""

    count: int
    body: bytes
    content_type: str


def _entry(found: StoredStatement) -> LogEntry:
    text = served_text(found.body, found.stored_at_us)
    return LogEntry(found.position, found.id, found.stored_at_us, found.voided, text)
