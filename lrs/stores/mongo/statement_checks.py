"""Looking at every statement that pages are read from: its body, and what it is found by."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bson import Int64

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.checking import LOOKED_AT_ONCE, Order, examine, where
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.keys import (
    LARGEST_GROUP,
    first_position_after,
    segment_of,
    statement_id_of,
    statement_key,
)
from lrs.stores.mongo.log import Applied
from lrs.stores.mongo.segment import Document
from lrs.stores.mongo.terms import CHECK_BYTES, MANY_PAIRS, heritable, kind_of
from lrs.stores.moving import Fault, KeptStatement, Looked, to_prepared
from lrs.xapi.ports import MOST_INHERITED_FACTS, MOST_LINKS, FactKind, PreparedStatement

if TYPE_CHECKING:
    from lrs.stores.mongo.records import MongoRecordStores

_PAIR_KIND = 0
_FIELDS = {"q": 1, "s": 1, "fp": 1, "k": 1, "c": 1, "v": 1, "z": 1, "b": 1, "ref": 1, "x": 1}

Voiding = tuple[str, str, int]
"""The voided statement, the voiding one, and when that was stored."""


class Voidings:
    """The voiding statements of an institution: few, so that all are held in memory."""

    def __init__(self, collections: Collections, institution_id: InstitutionId, applied: int) -> None:
        """Read nothing yet.

        Args:
            collections: Where they lie.
            institution_id: Whose.
            applied: The last segment that counts.
        """
        self._statements = collections.statements
        self._institution_id = institution_id
        self.bound = first_position_after(applied)
        self._found: list[Document] | None = None

    def _rows(self) -> list[Document]:
        if self._found is None:
            asked = {"t": self._institution_id, "ref": {"$exists": True}, "x": True}
            rows = self._statements.find(asked, {"ref": 1, "q": 1, "s": 1})
            self._found = [row for row in rows if row["q"] < self.bound]
        return self._found

    def by_source(self) -> dict[str, Voiding]:
        """Return them by what the history names them by."""
        return {
            _source(row["q"]): (row["ref"], statement_id_of(row["_id"]), row["s"]) for row in self._rows()
        }

    def first_of(self) -> dict[str, int]:
        """Return the position of the first one that is about each statement."""
        found: dict[str, int] = {}
        for row in self._rows():
            found[row["ref"]] = min(row["q"], found.get(row["ref"], row["q"]))
        return found


def _source(position: int) -> str:
    return f"{segment_of(position)}.{position & (LARGEST_GROUP - 1)}"


class StatementCheck:
    """Checks the statements of one institution, in order of position."""

    def __init__(
        self,
        collections: Collections,
        records: "MongoRecordStores",
        handle: InstitutionHandle,
        voidings: Voidings,
    ) -> None:
        """Take the parts of the store."""
        self._collections = collections
        self._codec = records.codec
        self._institution_id = handle.institution_id
        self._terms = records.terms(handle)
        self._voidings = voidings
        self._order = Order()

    def run(self, applied: Applied) -> Iterator[Fault | Looked]:
        """Look at every statement up to a segment, then at how many there are."""
        found = self._collections.clients.find({"institution_id": self._institution_id}, {"_id": 1})
        self._clients = {self._terms.term(FactKind.CLIENT, one["_id"], True): one["_id"] for one in found}
        voided = self._voidings.first_of()
        done, after = 0, -1
        while rows := self._read(after):
            for row in rows:
                yield from self._statement(row, voided.get(statement_id_of(row["_id"])))
            done, after = done + len(rows), rows[-1]["q"]
            yield Looked(len(rows))
        if done != applied.total:
            what = f"It is said to hold {applied.total} statements, and holds {done}."
            yield Fault("total", where(self._institution_id, "statements"), what)

    def _read(self, after: int) -> list[Document]:
        span = {"$gt": Int64(after), "$lt": Int64(self._voidings.bound)}
        found = self._collections.statements.find({"t": self._institution_id, "q": span}, _FIELDS)
        return list(found.sort("q", 1).limit(LOOKED_AT_ONCE))

    def _statement(self, row: Document, voided_at: int | None) -> Iterator[Fault]:
        here = where(self._institution_id, statement_id_of(row["_id"]))
        try:
            kept = self._to_kept(row)
        except CorruptRecord as error:
            yield Fault("body", here, error.detail)
            return
        examined = examine(kept)
        yield from examined.faults
        yield from self._order.iter_faults(kept)
        if row["_id"] != statement_key(self._institution_id, kept.id):
            yield Fault("id", here, "It is not found by its id.")
        if examined.prepared is not None:
            yield from self._facts(here, row, examined.prepared)
            yield from self._voiding(here, row, examined.prepared, voided_at)

    def _to_kept(self, row: Document) -> KeptStatement:
        client = next((self._clients[term] for term in row["k"] if term in self._clients), None)
        body = self._codec.decompress(row["z"], bytes(row["b"]))
        id_ = statement_id_of(row["_id"])
        return KeptStatement(self._institution_id, id_, row["s"], bytes(row["fp"]), client, body)

    def _voiding(
        self, here: str, row: Document, prepared: PreparedStatement, voided_at: int | None
    ) -> Iterator[Fault]:
        if (row.get("ref"), row.get("x", False)) != (prepared.target, prepared.voids is not None):
            yield Fault("reference", here, "It is kept as referring to another statement than its body does.")
        expected = None if prepared.voids is not None else voided_at
        kept = row["v"] if row["v"] < self._voidings.bound else None
        if kept != expected:
            states = ("voided", "not voided") if kept is not None else ("not voided", "voided")
            yield Fault("voided", here, f"It is kept as {states[0]}, and should be {states[1]}.")

    def _facts(self, here: str, row: Document, prepared: PreparedStatement) -> Iterator[Fault]:
        checks = bytes(row["c"])
        if _parts(checks) != _parts(self._terms.checks_of_facts(prepared.facts)):
            yield Fault("facts", here, "The checks of its facts are not those of its body.")
        expected = self._expected_terms(prepared)
        kept = set(row["k"])
        if expected is None:
            return
        singles = {term for term in kept if kind_of(term) != _PAIR_KIND}
        pairs = kept - singles
        wanted = set(self._terms.pairs(expected))
        spare = set() if MANY_PAIRS in pairs else pairs - wanted
        wrong = len(singles ^ expected) + len(wanted - pairs) + len(spare)
        if wrong:
            yield Fault("posting", here, f"{wrong} of the terms that it is found by are missing or too many.")

    def _expected_terms(self, prepared: PreparedStatement) -> set[int] | None:
        """Return the terms that it has and inherits; None where that cannot be told just now."""
        found = set(self._terms.of_facts(prepared.facts))
        seen = {str(prepared.id)}
        target, room = prepared.target, MOST_INHERITED_FACTS
        while target is not None and target not in seen and len(seen) <= MOST_LINKS:
            seen.add(target)
            key = statement_key(self._institution_id, target)
            row = self._collections.statements.find_one({"t": self._institution_id, "_id": key}, _FIELDS)
            if row is None:
                return found
            if row["q"] >= self._voidings.bound:
                return None
            try:
                link = to_prepared(self._to_kept(row))
            except CorruptRecord:
                return None
            room -= len(link.facts)
            if room < 0:
                return found
            found |= set(heritable(self._terms.of_facts(link.facts)))
            target = link.target
        return found


def _parts(checks: bytes) -> set[bytes]:
    return {checks[start : start + CHECK_BYTES] for start in range(0, len(checks), CHECK_BYTES)}
