"""What a statement inherits through its StatementRef, written when either of the two arrives.

A statement is found also by the facts of the statement that it refers to, and so on down
the chain. When a statement arrives, the facts of its whole chain go to itself and, breadth
first, to all that refer to it. Chains may be cycles.

Spec: xAPI 1.0.3 Communication 2.1.4.
"""

from collections import deque
from collections.abc import Iterator

import apsw

from lrs.errors import TooLarge
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.facts import Content, decode_facts
from lrs.stores.sqlite.postings import Lots, add_late
from lrs.stores.sqlite.rows import Posting, RowCodec
from lrs.xapi.ports import FactKind

_MOST_INHERITED = 1_000_000


class References:
    """Hands facts on within one transaction."""

    def __init__(self, database: apsw.Connection, lots: Lots, codec: RowCodec, tenant: int) -> None:
        """Begin without having read anything."""
        self._database = database
        self._lots = lots
        self._codec = codec
        self._tenant = tenant
        self._written = 0

    def statement_arrived(self, seq: int, id_hash: int, identity: bytes, ref: bytes | None) -> None:
        """Hand the facts of the statement's chain to it and to all that refer to it.

        Raises:
            TooLarge: So much would be inherited that one write cannot hold it.
        """
        referring = list(self._iter_referring(seq, id_hash, identity))
        if ref is None and not referring:
            return
        inherited = self._chain_postings(seq)
        for member in [*([] if ref is None else [seq]), *referring]:
            self._written += len(inherited)
            if self._written > _MOST_INHERITED:
                raise TooLarge("So many statements refer to each other here that one write cannot hold it.")
            add_late(self._database, self._lots.all_of(member), member, inherited)

    def _chain_postings(self, seq: int) -> list[Posting]:
        """Return what the statement and its chain are found by, primary first where both."""
        found: dict[int, int] = {}
        for content in iter_chain(self._database, self._codec, self._tenant, seq):
            facts = [fact for fact in decode_facts(content) if fact.kind is not FactKind.CLIENT]
            for h, primary in self._codec.postings(facts):
                found[h] = max(primary, found.get(h, 0))
        return list(found.items())

    def _iter_referring(self, seq: int, id_hash: int, identity: bytes) -> Iterator[int]:
        """Yield the positions of all that refer to a statement, directly or not, nearest first."""
        seen = {seq}
        waiting = deque([(id_hash, identity)])
        while waiting:
            h, target = waiting.popleft()
            for referring, own_id in find_referring(self._database, self._tenant, h, target):
                if referring not in seen:
                    seen.add(referring)
                    yield referring
                    waiting.append((self._codec.id_hash(own_id), own_id))


def find_referring(database: apsw.Connection, tenant: int, h: int, target: bytes) -> list[tuple[int, bytes]]:
    """Return position and id of each statement whose object is a StatementRef to the target."""
    rows = database.execute(
        "SELECT s.seq, s.id FROM refs r CROSS JOIN stmt s ON s.seq = r.seq"
        " WHERE r.h = ? AND s.tenant = ? AND s.ref = ?",
        (h, tenant, target),
    )
    return [(int(seq), bytes(identity)) for seq, identity in rows]


def iter_chain(database: apsw.Connection, codec: RowCodec, tenant: int, seq: int) -> Iterator[Content]:
    """Yield the content of a statement, of the one it refers to, and so on; each once."""
    seen: set[int] = set()
    row = sql.row(database, "SELECT seq, ref, dict, body FROM stmt WHERE seq = ?", (seq,))
    while row is not None and row[0] not in seen:
        seen.add(row[0])
        yield codec.split(row[2], row[3])
        if row[1] is None:
            return
        row = sql.row(
            database,
            "SELECT s.seq, s.ref, s.dict, s.body FROM ids i CROSS JOIN stmt s ON s.seq = i.seq"
            " WHERE i.h = ? AND s.tenant = ? AND s.id = ?",
            (codec.id_hash(row[1]), tenant, row[1]),
        )
