"""The job that serves every destination: in the order of the log, at least once.

The log and a destination's place in it are the outbox. The place moves only when the
receiver has taken what lies before it, or when that is a dead letter.
"""

from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Self

from lrs.access.handles import InstitutionHandle
from lrs.clock import Clock
from lrs.errors import CorruptRecord
from lrs.streams.model import MAX_LETTERS, TRIES, DeadLetter, Delivery, Destination, DestinationId, Kind
from lrs.streams.ports import StreamStore
from lrs.streams.sending import HOLD_SECONDS, Result, Sender, Verdict, version_of
from lrs.xapi.log import LogEntries, LogEntry, LogReader

AT_ONCE = 8
"""Destinations that are served at a time."""
USUAL_BATCH = 50
VISIT_SECONDS = 10
LOOK_SECONDS = 1.0
"""How often it is looked whether something follows for those that are not being served just now."""
PASS_SECONDS = 60
"""For so long others are served again and again while one takes long."""

_READ_FILTERED = 500
_MOST_BYTES = 4 << 20
_SECOND_US = 1_000_000
_LETTERS_A_VISIT = 100


@dataclass
class Delivered:
    """What a pass or a visit read and sent, and what it could not send and why.

    ``ran_out``: a visit ended because its time was over.
    """

    read: int = 0
    sent: int = 0
    problems: list[str] = field(default_factory=list)
    ran_out: bool = False

    def add(self, other: "Delivered") -> None:
        """Count what another visit did."""
        self.read += other.read
        self.sent += other.sent
        self.problems += other.problems


class _UnderWay(dict["Future[Delivered]", DestinationId]):
    """The visits that are under way, by destination; those that have not begun are dropped at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for visit in self:
            visit.cancel()

    def take_finished(self, seconds: float) -> list[tuple[DestinationId, Delivered]]:
        """Wait until all are finished, or for so long; return and forget those that are.

        Raises:
            JobError, StoreError: What ended one of them.
        """
        finished = wait(self, seconds).done
        return [(self.pop(visit), visit.result()) for visit in finished]


@dataclass(frozen=True, slots=True)
class _Part:
    """What goes into one request; ``last`` is where the log is settled when all of it is."""

    entries: Sequence[LogEntry]
    last: int


@dataclass(frozen=True, slots=True)
class _Step:
    """What one request changed."""

    delivery: Delivery
    letter: DeadLetter | None = None


class Deliverer:
    """Serves destinations.

    Args:
        store: Keeps where each stands.
        reader: Reads the log.
        sender: Sends.
        clock: Now, in microseconds.
    """

    def __init__(self, store: StreamStore, reader: LogReader, sender: Sender, clock: Clock) -> None:
        """Keep what was handed in."""
        self._store = store
        self._reader = reader
        self._sender = sender
        self._clock = clock

    def is_behind(self) -> bool:
        """Tell whether something can be sent now."""
        return any(map(self._waits, self._store.list_all()))

    def _waits(self, destination: Destination) -> bool:
        delivery = self._store.find_delivery(destination.id)
        if delivery is None or delivery.next_try_us > self._clock():
            return False
        handle = InstitutionHandle(destination.institution_id)
        if self._reader.read(handle, delivery.position, 1).entries:
            return True
        return bool(self._store.list_asked(destination.id, 1))

    def deliver(self, epoch: int, keep: Callable[[], None]) -> Delivered:
        """Serve every destination; and while one of them takes long, go on serving the others.

        One whose time of a visit is used up is not visited again, so that this ends.

        Args:
            epoch: Of the lease; whoever holds a later one is not overwritten.
            keep: Called at every step; raises where the lease is gone or the process is to end.

        Raises:
            JobError: What ``keep`` raised.
            StoreError: The store failed.
        """
        total = Delivered()
        ends = self._clock() + PASS_SECONDS * _SECOND_US
        resting: set[DestinationId] = set()
        wanted = self._store.list_all()
        with ThreadPoolExecutor(AT_ONCE) as pool, _UnderWay() as visits:
            while wanted or visits:
                for one in wanted:
                    visits[pool.submit(self._visit, one, epoch, keep)] = one.id
                for id_, done in visits.take_finished(LOOK_SECONDS):
                    total.add(done)
                    resting |= {id_} if done.ran_out else set()
                keep()
                goes_on = visits and self._clock() < ends
                wanted = self._list_waiting(resting.union(visits.values())) if goes_on else ()
        return total

    def _list_waiting(self, but: Container[DestinationId]) -> Sequence[Destination]:
        """Return the destinations to which something can be sent now, but for some."""
        return [one for one in self._store.list_all() if one.id not in but and self._waits(one)]

    def _visit(self, destination: Destination, epoch: int, keep: Callable[[], None]) -> Delivered:
        done = Delivered()
        ends = self._clock() + VISIT_SECONDS * _SECOND_US
        delivery = self._store.begin_delivery(destination.id, epoch)
        if delivery is not None and delivery.next_try_us <= self._clock():
            delivery = self._replay(destination, delivery, keep, done)
        while delivery is not None and delivery.next_try_us <= self._clock():
            if self._clock() >= ends:
                done.ran_out = True
                break
            keep()
            step = self._guarded_step(destination, delivery, keep, done)
            if step is None or not self._store.save_delivery(step.delivery, step.letter):
                break
            delivery = step.delivery
        return done

    def _replay(
        self, destination: Destination, delivery: Delivery, keep: Callable[[], None], done: Delivered
    ) -> Delivery | None:
        """Send the letters that were asked for, each alone."""
        handle = InstitutionHandle(destination.institution_id)
        for letter in self._store.list_asked(destination.id, _LETTERS_A_VISIT):
            keep()
            entry = self._reader.find(handle, letter.statement_id)
            verdict = Verdict(Result.SENT, 0)
            if entry is not None:
                done.read += 1
                verdict = self._sender.send(destination, [entry], delivery.attempt + 1)
            if verdict.result is Result.LATER:
                delivery = self._put_off(destination, delivery, verdict, done)
                return delivery if self._store.save_delivery(delivery) else None
            sent = verdict.result is Result.SENT
            done.sent += verdict.count if sent else 0
            self._store.settle_letter(self._refused_again(letter, verdict), sent=sent)
        return delivery

    def _refused_again(self, letter: DeadLetter, verdict: Verdict) -> DeadLetter:
        return replace(
            letter,
            tries=letter.tries + 1,
            status=verdict.status,
            reason=verdict.reason,
            at_us=self._clock(),
            asked_at_us=0,
        )

    def _guarded_step(
        self, destination: Destination, delivery: Delivery, keep: Callable[[], None], done: Delivered
    ) -> _Step | None:
        """Settle what follows; a record that cannot be read holds this destination and no other."""
        try:
            return self._step(destination, delivery, keep, done)
        except CorruptRecord as error:
            held = Verdict(Result.LATER, 0, 0, error.detail, HOLD_SECONDS)
            return _Step(self._put_off(destination, delivery, held, done))

    def _step(
        self, destination: Destination, delivery: Delivery, keep: Callable[[], None], done: Delivered
    ) -> _Step | None:
        """Settle what follows a delivery's place, as much as one request holds; None at the log's end."""
        handle = InstitutionHandle(destination.institution_id)
        limit = delivery.batch_limit or USUAL_BATCH
        most = limit if destination.wanted.takes_all else _READ_FILTERED
        page = self._reader.read(handle, delivery.position, most)
        if not page.entries:
            return None
        part = self._choose(destination, page, limit)
        done.read += len(part.entries)
        if not part.entries:
            return _Step(replace(delivery, position=part.last))
        keep()
        verdict = self._sender.send(destination, part.entries, delivery.attempt + 1)
        if verdict.result is Result.SENT:
            done.sent += verdict.count
            return _Step(self._moved_on(delivery, part, verdict.count))
        if verdict.result is Result.LATER:
            return _Step(self._put_off(destination, delivery, verdict, done))
        return self._refused(destination, delivery, part, verdict, done)

    def _choose(self, destination: Destination, page: LogEntries, limit: int) -> _Part:
        """Take entries that the destination wants, as many as one request holds."""
        handle = InstitutionHandle(destination.institution_id)
        chosen: list[LogEntry] = []
        size = 0
        last = 0
        for entry in page.entries:
            if self._reader.wants(handle, destination.wanted, entry):
                size += len(entry.text)
                full = len(chosen) == limit or size > _MOST_BYTES
                if chosen and (full or not _go_together(destination, chosen[0], entry)):
                    return _Part(chosen, last)
                chosen.append(entry)
            last = entry.position
        return _Part(chosen, page.last)

    def _moved_on(self, delivery: Delivery, part: _Part, count: int) -> Delivery:
        """Move the place behind what was sent; requests become as long as usual again by doubling."""
        doubled = delivery.batch_limit * 2
        return replace(
            delivery,
            position=part.last if count == len(part.entries) else part.entries[count - 1].position,
            attempt=0,
            refusals=0,
            batch_limit=doubled if doubled < USUAL_BATCH else 0,
            next_try_us=0,
            reason="",
            sent=delivery.sent + count,
            sent_at_us=self._clock(),
        )

    def _put_off(
        self, destination: Destination, delivery: Delivery, verdict: Verdict, done: Delivered
    ) -> Delivery:
        done.problems.append(f"{destination.name}: {verdict.reason}")
        return replace(
            delivery,
            attempt=delivery.attempt + 1,
            next_try_us=self._clock() + int(verdict.wait_seconds * _SECOND_US),
            reason=verdict.reason,
        )

    def _refused(
        self, destination: Destination, delivery: Delivery, part: _Part, verdict: Verdict, done: Delivered
    ) -> _Step:
        """Find the one that is refused by halving; offer it three times; put it aside and go on."""
        if verdict.count > 1:
            return _Step(replace(delivery, batch_limit=verdict.count // 2))
        tries = delivery.refusals + 1
        if tries < TRIES:
            wait = replace(verdict, wait_seconds=verdict.wait_seconds * tries)
            return _Step(replace(self._put_off(destination, delivery, wait, done), refusals=tries))
        if self._store.count_letters(destination.id) >= MAX_LETTERS:
            reason = f"There are {MAX_LETTERS} dead letters; send them again or drop them. {verdict.reason}"
            full = replace(verdict, wait_seconds=HOLD_SECONDS, reason=reason)
            return _Step(self._put_off(destination, delivery, full, done))
        entry = part.entries[0]
        letter = DeadLetter(
            destination.id, entry.id, entry.position, verdict.status, verdict.reason, tries, self._clock()
        )
        done.problems.append(f"{destination.name}: {verdict.reason} Statement {entry.id} was put aside.")
        moved = replace(self._moved_on(delivery, part, 1), sent=delivery.sent, batch_limit=1)
        return _Step(replace(moved, sent_at_us=delivery.sent_at_us), letter)


def _go_together(destination: Destination, first: LogEntry, entry: LogEntry) -> bool:
    """Tell whether two statements may stand in one request: a record store is told one version."""
    if destination.kind is Kind.WEBHOOK:
        return True
    return version_of(first)[:1] == version_of(entry)[:1]
