"""The commit of a group: one segment at the end of the log, whoever else writes.

In this order, each step of which lost or resurrected data in trials when it was left out:

1. know a segment up to which everything is visible;
2. load which of the group's statements are there (after 1, from the primary), and read ahead
   what stands behind that segment, up to the end of the log, n;
3. decide every batch's verdict in memory;
4. insert segment n+1 under a token of this group's own;
5. lost: read ahead what others wrote, decide again from scratch, insert at once. Nothing is
   projected before: that would starve the slower of two servers, and a new one among busy
   others, which would run after an end that moves;
6. done: project in order, raise ``applied``, and only then answer: conflicts as well. What
   others wrote they are projecting themselves, unless they died: they are given a moment.
   (Everybody projecting everything cost six servers more than half of their work.)
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lrs.access.handles import InstitutionId
from lrs.clock import Clock
from lrs.errors import QuotaExceeded, StatementConflict
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.keys import segment_of, statement_id_of, statement_key
from lrs.stores.mongo.log import READ_AHEAD, Applied, SegmentLog
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.projector import Projector
from lrs.stores.mongo.segment import Document, Segment, next_instant
from lrs.stores.mongo.turns import Turns
from lrs.stores.mongo.verdicts import Decision, Known, PreparedBatch, decide
from lrs.xapi.ports import BatchOutcome

_MOST_PASSED = 64
_REST_SECONDS = 0.003
_MOST_RESTS = 16

Verdict = BatchOutcome | StatementConflict | QuotaExceeded


@dataclass(frozen=True, slots=True)
class End:
    """The last segment that is known: its number, its instant, and how many statements there are with it."""

    n: int
    at_us: int
    total: int


class Writer:
    """Commits groups of one institution, one after the other; used by one thread.

    Args:
        collections: Where to.
        institution_id: Whose.
        clock: Now; another process's may differ.
        new_token: Makes a random token.
        projector: Makes visible what was committed.
    """

    def __init__(
        self,
        collections: Collections,
        institution_id: InstitutionId,
        clock: Clock,
        new_token: Callable[[], str],
        projector: Projector,
    ) -> None:
        """Nothing is known of the log before the first group."""
        self._institution_id = institution_id
        self._statements = collections.statements
        self._log = SegmentLog(collections, institution_id)
        self._clock = clock
        self._new_token = new_token
        self._projector = projector
        self._end: Applied | None = None
        self._turns = Turns()

    def commit(self, group: Sequence[PreparedBatch], busy_seconds: float) -> Sequence[Verdict]:
        """Keep what may be kept of a group; return each batch's verdict, in order.

        Raises:
            StoreUnavailable: Patience ended. No verdict; the group may yet land, whole.
        """
        end, self._end = self._end, None
        self._give_way()
        patience = Patience(busy_seconds)
        if end is None:
            attempt = _Attempt(self, group, patience, patience.until_answered(self._log.applied_to_write))
            attempt.read_ahead()
        else:
            attempt = _Attempt(self, group, patience, end)
        verdicts, self._end = attempt.run()
        self._turns.note(attempt.insert_seconds, met_others=attempt.met_others)
        return verdicts

    def _give_way(self) -> None:
        rest = self._turns.rest_seconds()
        if rest:
            time.sleep(rest)

    def load(self, ids: Iterable[str], patience: Patience) -> dict[str, Known]:
        """Return which statements are there."""
        keys = [statement_key(self._institution_id, one) for one in ids]
        if not keys:
            return {}
        one_or_more = {"$in": keys} if len(keys) > 1 else keys[0]
        condition: Document = {"t": self._institution_id, "_id": one_or_more}
        found = patience.until_answered(lambda: list(self._statements.find(condition, {"fp": 1, "q": 1})))
        return {
            statement_id_of(document["_id"]): Known(bytes(document["fp"]), segment_of(document["q"]))
            for document in found
        }

    def next_segment(self, decision: Decision, token: str, last: End) -> Segment:
        """Return the segment that would follow the last one."""
        return Segment(
            last.n + 1,
            token,
            next_instant(self._clock(), last.at_us, len(decision.entries)),
            decision.entries,
            decision.receipts,
            definitions=self._projector.definitions.pack(decision.entries),
            total=last.total + len(decision.entries),
        )

    @property
    def log(self) -> SegmentLog:
        """The institution's log."""
        return self._log

    @property
    def projector(self) -> Projector:
        """What makes segments visible."""
        return self._projector

    def token(self) -> str:
        """Return a token for a new group."""
        return self._new_token()


class _Attempt:
    """One group on its way: where the log seems to end, what is known, what was passed."""

    def __init__(
        self, writer: Writer, group: Sequence[PreparedBatch], patience: Patience, end: Applied
    ) -> None:
        self._writer = writer
        self._group = group
        self._patience = patience
        self._token = writer.token()
        self._ids = {entry.id for prepared in group for entry in prepared.entries}
        self.met_others = False
        self.insert_seconds = 0.0
        self._begin_at(end)

    def run(self) -> tuple[Sequence[Verdict], Applied]:
        """Race until the segment is ours, or none is needed; return verdicts and the new end."""
        while True:
            decision = decide(self._group, self._known, self._end.total)
            if not decision.receipts:
                return decision.verdicts, self._settle()
            segment = self._writer.next_segment(decision, self._token, self._end)
            began = time.monotonic()
            others = self._writer.log.insert(segment, self._patience)
            self.insert_seconds = time.monotonic() - began
            if not others:
                self._pass([segment])
                return decision.verdicts, self._settle()
            self._patience.check()
            self._read_on(others)

    def read_ahead(self) -> None:
        """Learn what others wrote behind the end."""
        self._read_on(self._read_some())

    def _read_some(self) -> Sequence[Segment]:
        return self._patience.until_answered(lambda: self._writer.log.read_ahead(self._end.n))

    def _read_on(self, ahead: Sequence[Segment]) -> None:
        """Learn what others wrote, up to the end; more of it than one should hold is projected."""
        self.met_others = self.met_others or bool(ahead)
        while True:
            self._pass(ahead)
            if len(self._passed) >= _MOST_PASSED or any(segment.thinned for segment in ahead):
                self._begin_at(self._settle())
            if len(ahead) < READ_AHEAD:
                return
            self._patience.check()
            ahead = self._read_some()

    def _begin_at(self, end: Applied) -> None:
        self._visible = end
        self._end = End(end.n, end.at_us, end.total)
        self._passed: list[Segment] = []
        self._known = self._writer.load(self._ids, self._patience)

    def _pass(self, segments: Sequence[Segment]) -> None:
        self._passed += segments
        for segment in segments:
            self._end = End(segment.n, segment.at_us, segment.total)
            found = (entry for entry in segment.entries if entry.id in self._ids)
            self._known |= {entry.id: Known(entry.fingerprint, segment.n) for entry in found}

    def _settle(self) -> Applied:
        """Make everything visible that this group passed or was judged by."""
        projector = self._writer.projector
        foreign = [segment.n for segment in self._passed if segment.token != self._token]
        visible = self._await_others(foreign[-1]) if foreign else self._visible
        judged_by = max((one.segment for one in self._known.values()), default=0)
        visible = projector.apply(self._passed, visible, self._patience)
        if judged_by > visible.n:
            visible = projector.catch_up(self._patience, upto=judged_by)
        return visible

    def _await_others(self, upto: int) -> Applied:
        """Return how far everything is visible, when it is far enough or nobody seems to be at work."""
        applied = self._patience.until_answered(self._writer.log.applied_to_write)
        rests = 0
        while applied.n < upto and rests < _MOST_RESTS:
            time.sleep(_REST_SECONDS)
            before, applied = applied, self._patience.until_answered(self._writer.log.applied_to_write)
            rests = rests + 1 if applied.n == before.n else 0
        return applied
