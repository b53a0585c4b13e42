"""What the record store needs kept. Both engines implement it; one contract suite checks both.

Instants are microseconds since the epoch, UTC. Statement ids are lower-case UUID text.
A *body* is opaque to the engines: ``lrs.xapi.texts`` packs and unpacks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from lrs.access.handles import InstitutionHandle
from lrs.xapi.ports.activities import ActivityDefinition, ActivityStore
from lrs.xapi.ports.arrivals import ArrivalStore
from lrs.xapi.ports.attachments import AttachmentContent, AttachmentStore
from lrs.xapi.ports.documents import DocumentStore
from lrs.xapi.ports.encoding import EncodedStatement, StatementEncoder
from lrs.xapi.ports.ids import Position as Position
from lrs.xapi.ports.ids import StatementId as StatementId
from lrs.xapi.ports.ids import id_bytes as id_bytes
from lrs.xapi.ports.ids import id_text as id_text

MOST_LINKS = 16
"""From how many statements, one behind the other, a statement inherits through StatementRefs."""

MOST_INHERITED_FACTS = 1_000
"""How many facts they may have, all together."""


class FactKind(IntEnum):
    """What a statement can be found by. The numbers are stored; never reuse one (1 to 15)."""

    VERB = 1
    AGENT = 2
    ACTIVITY = 3
    REGISTRATION = 4
    CLIENT = 5


class Fact(NamedTuple):
    """One thing that a statement can be found by (a tuple, since ten are made a statement).

    Attributes:
        value: The IRI, registration UUID (lower case), client id, or agent key
            (``lrs.xapi.facts.agent_key``).
        primary: False where the statement is only *related* to it (context, authority,
            SubStatement …): found by ``related_agents`` / ``related_activities`` alone.
            A statement lists each (kind, value) at most once: primary wins.
    """

    kind: FactKind
    value: str
    primary: bool = True


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """A statement ready to be kept: everything costly was done before the write.

    Attributes:
        fingerprint: 16 bytes; equal exactly when two statements of one id are the same
            statement by the standard (what the LRS sets does not count).
        facts: What it can be found by, by itself; what it inherits through a
            StatementRef is the engine's work.
        body: Opaque to the engine but for this: it is UTF-8 behind a head of few bytes
            (``lrs.xapi.texts``), so no run of 0xFF is longer than the head.
        target: The statement that its object refers to, if the object is a StatementRef.
        voids: Equal to ``target`` when the verb is *voided*, else None.
        definitions: Activity definitions that it gives, to be merged when it is new.
    """

    id: StatementId
    fingerprint: bytes
    facts: tuple[Fact, ...]
    body: bytes
    target: StatementId | None = None
    voids: StatementId | None = None
    definitions: tuple[ActivityDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored all or nothing.

    Attributes:
        statements: In the order sent; no id twice. Encoded ones are from the store's own encoder.
        source: What the receipt is filed under: a key's id, or ``import``.
        attachments: Bytes that the statements name, each hash once; kept with the batch, and
            already there is no error.
        quota: How many statements the institution may hold once the batch is kept; 0 for any
            number.
        corrected: How many of the statements were mended; for the receipt.
    """

    statements: Sequence[PreparedStatement | EncodedStatement]
    source: str
    attachments: Sequence[AttachmentContent] = ()
    quota: int = 0
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of a batch that was accepted.

    Attributes:
        stored: Index in the batch of each statement that is new.
        already: Index of each that was there before, equal by fingerprint.
    """

    stored: tuple[int, ...]
    already: tuple[int, ...]


class StoredStatement(NamedTuple):
    """A statement as kept (a tuple, since a hundred are made a page).

    Attributes:
        identity: The sixteen bytes of its id; as text only where that is asked for.
        voided: A voiding statement is about it (and it voids none itself).
    """

    identity: bytes
    position: Position
    stored_at_us: int
    body: bytes
    voided: bool

    @property
    def id(self) -> StatementId:
        """The id as text, lower case."""
        return id_text(self.identity)


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a query; ``related`` also takes facts that are not primary."""

    kind: FactKind
    value: str
    related: bool = False


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """A question for a page of statements.

    Spec: xAPI 1.0.3 Communication 2.1.3 and 2.1.4.

    Attributes:
        filters: All must hold. Each may be met by the statement itself or by a statement
            that it refers to, directly or through a chain of StatementRefs, also where the
            referred-to one is voided; two filters may be met by different links of the chain.
            The chain ends behind MOST_LINKS links, and before the link with which all of
            them would have more than MOST_INHERITED_FACTS facts (repeated ones counted).
        since_us: Only statements stored after this instant.
        until_us: Only statements stored at or before it.
        ascending: Oldest first; otherwise newest first. The order is that of positions,
            which is also the order of ``stored``.
        limit: At most so many, 1 or more.
        after: Continue behind this position, in the order asked for; None begins.
    """

    filters: tuple[Filter, ...] = ()
    since_us: int | None = None
    until_us: int | None = None
    ascending: bool = False
    limit: int = 100
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Statements in order; ``more`` is where to continue, None when this was the end.

    Voided statements are left out. ``more`` may be given although the next page turns out empty only
    if statements vanished meanwhile.
    """

    statements: Sequence[StoredStatement]
    more: Position | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """The next statements of the log, in order of position, voided and voiding ones included.

    ``last`` is what to remember: the position up to which the log has been read.
    """

    statements: Sequence[StoredStatement]
    last: Position


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One recorded change: what it was about, before and after.

    Attributes:
        kind: Of ``statement.voided`` ``subject`` is the voided statement's id,
            ``after`` is ``{"by": voiding statement's id}``. Written with the voiding
            statement, also when the target is not there yet; one for each new voiding
            statement. Every other kind is one of recorded values (``lrs.tables.recorded``).
        before: JSON object or None.
        after: JSON object or None.
    """

    position: Position
    kind: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    at_us: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The next entries of the history, in order; ``last`` is what to remember."""

    entries: Sequence[HistoryEntry]
    last: Position


class StatementStore(Protocol):
    """The statements of one institution (the handle was given when it was opened).

    All methods raise StoreUnavailable when the store is away or busy beyond patience;
    whatever was not acknowledged may then be sent again.
    """

    def add_statements(self, batch: Batch) -> BatchOutcome:
        """Keep a batch, all or nothing, durable when it returns, with its receipt.

        ``stored`` is given by the engine: later than every ``stored`` before it, and never
        at or before an instant that ``consistent_through`` has given to anybody.
        Every page read after the return sees the batch whole; none ever sees a part of it,
        but for what very many statements inherit from it: that may come a little later, yet
        before the return. However many refer to a statement, that is no reason to refuse it.
        Statements already there and equal are left as they are.
        Voidings take effect with the batch, whichever of target and voider comes first; a
        voiding statement is itself never voided (such a voiding is kept and has no effect).

        Raises:
            StatementConflict: One or more ids are there with another fingerprint;
                indexes and ids of all of them; nothing of the batch was kept.
            QuotaExceeded: Its new statements do not fit into the quota, whoever else writes
                at the same time; nothing of the batch was kept. One that brings nothing new
                always fits.
            TooLarge: The batch is more than one atomic write can hold.
        """
        ...

    def encoder(self) -> StatementEncoder:
        """Give what makes statements ready for ``add_statements`` in the best way that is known now."""
        ...

    def count_statements(self) -> int:
        """Return how many statements are kept, voided and voiding ones included.

        It counts every batch that was acknowledged, exactly; what it costs does not grow
        with the store.
        """
        ...

    def find_statement(self, statement_id: StatementId) -> StoredStatement | None:
        """Return a statement, voided or not, or None."""
        ...

    def query_statements(self, query: StatementQuery) -> StatementPage:
        """Return one page. Misses end fast: no query walks the whole store."""
        ...

    def consistent_through(self) -> int:
        """Return an instant (µs) up to which everything is visible.

        Nothing that becomes visible later, written by any process, with any clock, has a
        ``stored`` at or before it. It keeps up with the clock also while nothing is written.
        """
        ...

    def read_log(self, after: Position, limit: int) -> LogPage:
        """Return what follows a position: nothing missed, nothing twice, also while others write."""
        ...

    def read_history(self, after: Position, limit: int) -> HistoryPage:
        """Return the history's entries behind a position, with the same promise."""
        ...


class RecordStores(Protocol):
    """Opens the record of one institution; the only way to a statement."""

    def statements(self, handle: InstitutionHandle) -> StatementStore:
        """Open the statements of the handle's institution."""
        ...

    def arrivals(self, handle: InstitutionHandle) -> ArrivalStore:
        """Open the receipts and refusals of the handle's institution."""
        ...

    def documents(self, handle: InstitutionHandle) -> DocumentStore:
        """Open the documents of the handle's institution."""
        ...

    def attachments(self, handle: InstitutionHandle) -> AttachmentStore:
        """Open the attachments of the handle's institution."""
        ...

    def activities(self, handle: InstitutionHandle) -> ActivityStore:
        """Open the activity definitions of the handle's institution."""
        ...
