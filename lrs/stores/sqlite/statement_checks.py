"""Looking at every statement in the file: its row, and all that must be found by it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import apsw

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.checking import LOOKED_AT_ONCE, Order, examine, where
from lrs.stores.moving import Fault, KeptStatement, Looked
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.blocks import count_places
from lrs.stores.sqlite.facts import decode_facts
from lrs.stores.sqlite.identities import put_back_id
from lrs.stores.sqlite.lists import HeldPositions, MergedLot
from lrs.stores.sqlite.references import inherited_postings, noted_spreads
from lrs.stores.sqlite.rows import State
from lrs.xapi.ports import Fact, FactKind, PreparedStatement, id_bytes, id_text

if TYPE_CHECKING:
    from lrs.stores.sqlite.stores import SqliteRecordStores

_ROWS = "SELECT seq, tenant, id, stored, fp, state, ref, dict, body FROM stmt ORDER BY seq"
_VOIDED_BY = (
    "SELECT 1 FROM refs r CROSS JOIN stmt s ON s.seq = r.seq"
    " WHERE r.h = ? AND s.tenant = ? AND s.ref = ? AND s.state = 2 LIMIT 1"
)
_SAME_ID = (
    "SELECT s.seq FROM ids i CROSS JOIN stmt s ON s.seq = i.seq WHERE i.h = ? AND s.tenant = ? AND s.id = ?"
)
_POSTING = "SELECT 1 FROM post WHERE lot = ? AND h = ? AND prim = ? AND seq = ?"
_STATES = {State.PLAIN: "plain", State.VOIDED: "voided", State.VOIDING: "voiding"}


class _Row(NamedTuple):
    seq: int
    tenant: int
    id: bytes
    stored: int
    fp: bytes
    state: int
    ref: bytes | None
    dict: int
    body: bytes


class _Lots:
    """Which lot holds a position, and how many postings each should have."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        found = sql.rows(database, "SELECT lo, lot, form FROM lots ORDER BY lo")
        self._begins = [lo for lo, _, _ in found]
        self._lots = [lot for _, lot, _ in found]
        self._merged = {lot: MergedLot(lot, lo, form) for lo, lot, form in found if form}
        self._are_lists = [form > 0 for _, _, form in found]
        self._held = HeldPositions(database)
        self._expected: Counter[int] = Counter()
        self._uncertain: set[int] = set()

    def of(self, seq: int) -> int | None:
        """Return the lot of a position; None where no lot holds it."""
        place = bisect_right(self._begins, seq) - 1
        return self._lots[place] if place >= 0 else None

    def expect(self, lot: int, postings: int) -> None:
        self._expected[lot] += postings

    def give_up(self, seq: int) -> None:
        """Count no more in the lot of a statement that cannot be read."""
        self._uncertain.add(self.of(seq) or 0)

    def holds(self, lot: int, h: int, primary: int, seq: int) -> bool:
        """Tell whether a statement is found by a hash."""
        if sql.row(self._database, _POSTING, (lot, h, primary, seq)) is not None:
            return True
        merged = self._merged.get(lot)
        return merged is not None and self._held.holds(merged, h, primary, seq)

    def iter_faults(self) -> Iterator[Fault]:
        if self._are_lists != sorted(self._are_lists, reverse=True):
            yield Fault("posting", "lots", "A lot of rows lies before one of lists, and is not looked into.")
        for lot in self._lots:
            kept = self._count(lot)
            if kept > self._expected[lot] and lot not in self._uncertain:
                what = f"{kept - self._expected[lot]} postings find statements by what they do not say."
                yield Fault("posting", f"lot {lot}", what)

    def _count(self, lot: int) -> int:
        """Count postings; a row beside lists counts where these do not have the statement."""
        merged = self._merged.get(lot)
        if merged is None:
            return int(sql.value(self._database, "SELECT count(*) FROM post WHERE lot = ?", (lot,)))
        late = set(self._database.execute("SELECT h, seq FROM post WHERE lot = ?", (lot,)))
        added = [
            1 for h, seq in late if not any(self._held.holds(merged, h, primary, seq) for primary in (0, 1))
        ]
        contents = self._database.execute("SELECT content FROM lists WHERE lot = ?", (lot,))
        return len(added) + sum(count_places(content) for (content,) in contents)


class StatementCheck:
    """Checks all statements of all institutions, in order of position."""

    def __init__(
        self,
        database: apsw.Connection,
        records: "SqliteRecordStores",
        tenants: dict[int, InstitutionId],
        dropped: Collection[int] = (),
    ) -> None:
        """Read the lots; of institutions that are being taken away nothing is looked at."""
        self._database = database
        self._dropped = dropped
        self._tenants = tenants
        self._codecs = {number: records.place(one).codec for number, one in tenants.items()}
        self._lots = _Lots(database)
        self._order = Order()
        self._last_stored = 0
        self._is_spreading = bool(noted_spreads(database))

    def run(self) -> Iterator[Fault | Looked]:
        """Look at every statement, then at what no statement answers for."""
        done = referring = 0
        held: Counter[int] = Counter()
        for row in map(_Row._make, self._database.execute(_ROWS)):
            if row.tenant in self._dropped:
                self._lots.give_up(row.seq)
            else:
                yield from self._statement(row)
            done += 1
            held[row.tenant] += 1
            referring += row.ref is not None
            if done % LOOKED_AT_ONCE == 0:
                yield Looked(LOOKED_AT_ONCE)
        yield Looked(done % LOOKED_AT_ONCE)
        yield from self._lots.iter_faults()
        yield from self._totals(held)
        for table, expected in (("ids", done), ("refs", referring)):
            kept = sql.value(self._database, f"SELECT count(*) FROM {table}")  # noqa: S608 - two fixed names
            if kept > expected:
                yield Fault("id", f"table {table}", f"{kept - expected} entries lead to no statement.")

    def _totals(self, held: Counter[int]) -> Iterator[Fault]:
        for tenant, kept in sql.rows(self._database, "SELECT number, statements FROM tenants"):
            if kept != held[tenant] and tenant not in self._dropped:
                what = f"It is said to hold {kept} statements, and holds {held[tenant]}."
                yield Fault("total", self._tenants[tenant], what)

    def _statement(self, row: _Row) -> Iterator[Fault]:
        institution_id = self._tenants.get(row.tenant)
        if institution_id is None:
            yield Fault("institution", f"statement {id_text(row.id)}", "Its institution is unknown.")
            return
        here = where(institution_id, id_text(row.id))
        try:
            content = self._codecs[row.tenant].split(row.dict, row.body)
            facts = decode_facts(content)
        except (CorruptRecord, ValueError, IndexError, StopIteration) as error:
            yield Fault("body", here, f"The body cannot be read: {error}")
            self._lots.give_up(row.seq)
            return
        kept = _to_kept(institution_id, row, put_back_id(content.body, row.id), facts)
        examined = examine(kept)
        yield from examined.faults
        yield from self._order.iter_faults(kept)
        if row.stored < self._last_stored:
            yield Fault(
                "order", here, "It is stored before a statement of another institution in front of it."
            )
        self._last_stored = max(self._last_stored, row.stored)
        yield from self._ids(here, row)
        if examined.prepared is None:
            self._lots.give_up(row.seq)
            return
        if set(facts) != set(examined.prepared.facts):
            yield Fault("facts", here, "The facts behind the body are not those of the body.")
        yield from self._state(here, row, examined.prepared)
        yield from self._postings(here, row, examined.prepared)

    def _ids(self, here: str, row: _Row) -> Iterator[Fault]:
        codec = self._codecs[row.tenant]
        found = sql.rows(self._database, _SAME_ID, (codec.id_hash(row.id), row.tenant, row.id))
        if (row.seq,) not in found:
            yield Fault("id", here, "It is not found by its id.")
        if len(found) > 1:
            yield Fault("id", here, "Another statement has the same id.")
        if row.ref is not None:
            query = "SELECT 1 FROM refs WHERE h = ? AND seq = ?"
            if sql.row(self._database, query, (codec.id_hash(row.ref), row.seq)) is None:
                yield Fault("reference", here, "It is not found by the statement that it refers to.")

    def _state(self, here: str, row: _Row, prepared: PreparedStatement) -> Iterator[Fault]:
        target = None if prepared.target is None else id_bytes(prepared.target)
        if row.ref != target:
            yield Fault("reference", here, "It is kept as referring to another statement than its body does.")
        voided = State.VOIDED if self._is_voided(row) else State.PLAIN
        expected = State.VOIDING if prepared.voids is not None else voided
        if row.state != expected:
            kept = _STATES.get(State(row.state)) if row.state in list(State) else row.state
            yield Fault("voided", here, f"It is kept as {kept}, and should be {_STATES[expected]}.")

    def _is_voided(self, row: _Row) -> bool:
        h = self._codecs[row.tenant].id_hash(row.id)
        return sql.row(self._database, _VOIDED_BY, (h, row.tenant, row.id)) is not None

    def _postings(self, here: str, row: _Row, prepared: PreparedStatement) -> Iterator[Fault]:
        if self._is_spreading and row.ref is not None:
            # Of what is handed on just now some is there, and some not yet.
            self._lots.give_up(row.seq)
            return
        try:
            expected = self._expected_postings(row, prepared)
        except (CorruptRecord, ValueError, IndexError, StopIteration):
            # What it refers to cannot be read, which is a fault of its own.
            self._lots.give_up(row.seq)
            return
        lot = self._lots.of(row.seq)
        if lot is None:
            yield Fault("posting", here, "No lot holds its position.")
            return
        self._lots.expect(lot, len(expected))
        missing = sum(1 for h, primary in expected.items() if not self._lots.holds(lot, h, primary, row.seq))
        if missing:
            what = f"It is not found by {missing} of the {len(expected)} facts that it has or inherits."
            yield Fault("posting", here, what)

    def _expected_postings(self, row: _Row, prepared: PreparedStatement) -> dict[int, int]:
        """Return what it is found by: its own facts, and those of its chain but for clients.

        Raises:
            CorruptRecord: A link of the chain cannot be read.
        """
        codec = self._codecs[row.tenant]
        found = dict(codec.postings(prepared.facts))
        if row.ref is not None:
            for h, primary in inherited_postings(self._database, codec, row.tenant, row.seq).items():
                found[h] = max(primary, found.get(h, 0))
        return found


def _to_kept(institution_id: InstitutionId, row: _Row, body: bytes, facts: tuple[Fact, ...]) -> KeptStatement:
    clients: Any = (fact.value for fact in facts if fact.kind is FactKind.CLIENT)
    client = next(clients, None)
    return KeptStatement(institution_id, id_text(row.id), row.stored, bytes(row.fp), client, body)
