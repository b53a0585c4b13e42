"""What a statement inherits through its StatementRef, written when either of the two arrives.

A statement is found also by the facts of the statement that it refers to, and so on down
the chain, within the port's bounds. When statements arrive, each that refers inherits, and
so does, link by link, whoever refers to them. Chains may be cycles.

One statement may have any number of others waiting for it. So one transaction hands on
only so much; what is left is noted in it (``meta``, ``spread:<first position>``, up to which
position), and done in pieces, a transaction each, before whoever brought the statements is
answered. A process that dies meanwhile leaves the note behind, and the one that maintains
the store takes it up. Doing a piece twice changes nothing.

Spec: xAPI 1.0.3 Communication 2.1.4.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import apsw

from lrs.stores.sqlite import sql
from lrs.stores.sqlite.facts import Content, decode_facts
from lrs.stores.sqlite.postings import Lots, add_late
from lrs.stores.sqlite.rows import Posting, RowCodec
from lrs.stores.sqlite.writer import Write
from lrs.xapi.ports import MOST_INHERITED_FACTS, MOST_LINKS, FactKind

_PAGE = 64
_LINK_COST, _MEMBER_COST = 8, 4
"""What reading a link, and looking at a statement, come to, in postings."""
_MOST_REMEMBERED_POSTINGS = 100_000
_NOTE = "spread:"

_LINK = (
    "SELECT s.seq, s.ref, s.dict, s.body FROM ids i CROSS JOIN stmt s ON s.seq = i.seq"
    " WHERE i.h = ? AND s.tenant = ? AND s.id = ?"
)
_REFERRING = (
    "SELECT s.seq, s.id FROM refs r CROSS JOIN stmt s ON s.seq = r.seq"
    " WHERE r.h = ? AND r.seq > ? AND s.tenant = ? AND s.ref = ? ORDER BY r.seq LIMIT ?"
)


class Arrived(NamedTuple):
    """A new statement that refers, or that is referred to."""

    seq: int
    id: bytes
    ref: bytes | None


class _Frame(NamedTuple):
    """Those that refer to a statement, behind a position, at a distance from the one that arrived."""

    id: bytes
    distance: int
    after: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """What is still to be handed on of the statements of one batch.

    Attributes:
        low: The position of the first of them, under which the rest is noted.
        high: That of the last.
        arrived: Those that were not looked at, the last first.
        frames: Who refers to the one being looked at, the farthest last.
    """

    tenant: int
    low: int
    high: int
    arrived: Sequence[Arrived]
    frames: Sequence[_Frame] = ()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return not self.arrived and not self.frames


class _Link(NamedTuple):
    """A statement as others inherit from it."""

    seq: int
    ref: bytes | None
    facts: int
    postings: Sequence[Posting]


@dataclass(slots=True)
class References:
    """Hands facts on within one transaction."""

    write: Write
    lots: Lots
    codec: RowCodec
    _links: dict[bytes, _Link | None] = field(default_factory=dict)
    _remembered: int = 0

    def begin(self, tenant: int, arrived: Sequence[Arrived]) -> Spread | None:
        """Hand on what statements of a batch bring; note, and return, what is left of it."""
        if not arrived:
            return None
        spread = Spread(tenant, arrived[0].seq, arrived[-1].seq, tuple(reversed(arrived)))
        left = self.go_on(spread)
        if left.is_done:
            return None
        self.write.database.execute("INSERT INTO meta VALUES (?, ?)", (f"{_NOTE}{left.low}", left.high))
        return left

    def finish(self, spread: Spread) -> Spread | None:
        """Hand on some more of what was left; None when that was all, and the note is gone.

        Where it is gone already another has done it, or the institution is being taken away.
        """
        if spread.low not in noted_spreads(self.write.database):
            return None
        left = self.go_on(spread)
        if not left.is_done:
            return left
        self.write.database.execute("DELETE FROM meta WHERE name = ?", (f"{_NOTE}{spread.low}",))
        return None

    def go_on(self, spread: Spread) -> Spread:
        """Hand on until all is done, or the transaction holds enough."""
        arrived, frames = list(spread.arrived), list(spread.frames)
        while self.write.late_room > 0 and (frames or arrived):
            if frames:
                self._hand_to_referring(spread, frames)
            else:
                seq, identity, ref = arrived.pop()
                if ref is not None:
                    self._inherit(spread.tenant, seq, ref)
                frames.append(_Frame(identity, 1))
        return replace(spread, arrived=arrived, frames=frames)

    def _hand_to_referring(self, spread: Spread, frames: list[_Frame]) -> None:
        """Let the next ones that refer to a statement inherit; then those that refer to them.

        Who arrived in the same batch inherits by itself, and whoever refers to it, with it.
        """
        frame = frames.pop()
        page = find_referring(self.write.database, self.codec, spread.tenant, frame.id, frame.after)
        self.write.late_room -= len(page) + 1
        if len(page) == _PAGE:
            frames.append(frame._replace(after=page[-1][0]))
        for seq, identity in page:
            if not spread.low <= seq <= spread.high:
                self._inherit(spread.tenant, seq, frame.id)
                if frame.distance < MOST_LINKS:
                    frames.append(_Frame(identity, frame.distance + 1))

    def _inherit(self, tenant: int, seq: int, ref: bytes) -> None:
        inherited = self._inherited(tenant, seq, ref)
        for lot in self.lots.all_of(seq):
            add_late(self.write.database, lot, seq, inherited)
        self.write.late_room -= _MEMBER_COST + len(inherited)

    def _inherited(self, tenant: int, seq: int, ref: bytes | None) -> list[Posting]:
        """Return what the statement is found by through its chain, primary first where both."""
        found: dict[int, int] = {}
        seen, room = {seq}, MOST_INHERITED_FACTS
        for _ in range(MOST_LINKS):
            link = None if ref is None else self._link(tenant, ref)
            if link is None or link.seq in seen or link.facts > room:
                break
            for h, primary in link.postings:
                found[h] = max(primary, found.get(h, 0))
            seen.add(link.seq)
            room -= link.facts
            ref = link.ref
        return list(found.items())

    def _link(self, tenant: int, identity: bytes) -> _Link | None:
        """Read a link; nobody else writes meanwhile, so it is remembered."""
        if identity not in self._links:
            if self._remembered > _MOST_REMEMBERED_POSTINGS:
                self._links.clear()
                self._remembered = 0
            self._links[identity] = link = self._read_link(tenant, identity)
            self._remembered += 1 + (0 if link is None else len(link.postings))
        return self._links[identity]

    def _read_link(self, tenant: int, identity: bytes) -> _Link | None:
        self.write.late_room -= _LINK_COST
        row = sql.row(self.write.database, _LINK, (self.codec.id_hash(identity), tenant, identity))
        if row is None:
            return None
        facts = decode_facts(self.codec.split(row[2], row[3]))
        if len(facts) > MOST_INHERITED_FACTS:
            return _Link(row[0], row[1], len(facts), ())
        heritable = [fact for fact in facts if fact.kind is not FactKind.CLIENT]
        return _Link(row[0], row[1], len(facts), self.codec.postings(heritable))


def find_referring(
    database: apsw.Connection, codec: RowCodec, tenant: int, target: bytes, after: int = 0
) -> list[tuple[int, bytes]]:
    """Return position and id of the next statements whose object is a StatementRef to the target."""
    rows = sql.rows(database, _REFERRING, (codec.id_hash(target), after, tenant, target, _PAGE))
    return [(int(seq), bytes(identity)) for seq, identity in rows]


def iter_chain(database: apsw.Connection, codec: RowCodec, tenant: int, seq: int) -> Iterator[Content]:
    """Yield the content of a statement, and of those that it inherits from; each once."""
    seen: set[int] = set()
    room = MOST_INHERITED_FACTS
    row = sql.row(database, "SELECT seq, ref, dict, body FROM stmt WHERE seq = ?", (seq,))
    while row is not None and row[0] not in seen:
        content = codec.split(row[2], row[3])
        if seen:
            room -= len(decode_facts(content))
        if room < 0:
            return
        yield content
        seen.add(row[0])
        if row[1] is None or len(seen) > MOST_LINKS:
            return
        row = sql.row(database, _LINK, (codec.id_hash(row[1]), tenant, row[1]))


def inherited_postings(database: apsw.Connection, codec: RowCodec, tenant: int, seq: int) -> dict[int, int]:
    """Return what a statement is found by through its chain, its own facts included; 1 where primary.

    Raises:
        CorruptRecord: A link of the chain cannot be read.
    """
    found: dict[int, int] = {}
    for content in iter_chain(database, codec, tenant, seq):
        facts = [fact for fact in decode_facts(content) if fact.kind is not FactKind.CLIENT]
        for h, primary in codec.postings(facts):
            found[h] = max(primary, found.get(h, 0))
    return found


def forget_spreads(database: apsw.Connection, tenant: int) -> None:
    """Let nothing more be handed on among an institution's statements."""
    for low in noted_spreads(database):
        if sql.value(database, "SELECT tenant FROM stmt WHERE seq = ?", (low,)) == tenant:
            database.execute("DELETE FROM meta WHERE name = ?", (f"{_NOTE}{low}",))


def noted_spreads(database: apsw.Connection) -> dict[int, int]:
    """Return the first and the last position of each batch of which something is left to hand on."""
    found = sql.rows(database, "SELECT name, value FROM meta WHERE name GLOB ?", (f"{_NOTE}*",))
    return {int(name.removeprefix(_NOTE)): high for name, high in found}


def read_spread(database: apsw.Connection, low: int, high: int) -> Spread | None:
    """Begin what is noted from its first statement on; None where it was done by now."""
    if noted_spreads(database).get(low) != high:
        return None
    rows = sql.rows(database, "SELECT tenant, seq, id, ref FROM stmt WHERE seq BETWEEN ? AND ?", (low, high))
    arrived = [Arrived(seq, identity, ref) for _, seq, identity, ref in rows]
    return Spread(rows[0][0], low, high, arrived[::-1])
