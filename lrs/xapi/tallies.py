"""Did the records arrive? What ``verdicts`` says of one source, said of many from what the store counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lrs.xapi.ports.arrivals import ReceiptCount, Refusal, RefusalCount
from lrs.xapi.verdicts import Day, Reason, Verdict, find_reasons, is_by_record, to_days


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted of the posts of one source, or of several. Its properties are those of Overview.

    Attributes:
        as_of_us: The moment of asking.
        days: How far back entries are kept.
        complete: False where the kept number may have pushed older entries out.
        latest: The latest refusals, newest first: from them the reasons are told.
    """

    as_of_us: int
    days: int
    complete: bool
    arrived: Sequence[ReceiptCount]
    refused: Sequence[RefusalCount]
    latest: Sequence[Refusal] = ()

    @property
    def verdict(self) -> Verdict:
        """Tell whether everything arrived."""
        return Verdict.of(self.posts, self.refusal_count)

    @property
    def posts(self) -> int:
        """Count the posts that arrived."""
        return sum(one.posts for one in self.arrived)

    @property
    def refusal_count(self) -> int:
        """Count the refusals."""
        return sum(one.refusals for one in self.refused)

    @property
    def refused_posts(self) -> int:
        """Count the refusals of posts of which nothing is stored."""
        return self.refusal_count - self.left_out

    @property
    def left_out(self) -> int:
        """Count the refusals of records among others, which were stored as far as they are good."""
        return sum(one.refusals for one in self.refused if is_by_record(one.method, one.status))

    @property
    def stored(self) -> int:
        """Count the records that were new."""
        return sum(one.stored for one in self.arrived)

    @property
    def already(self) -> int:
        """Count the records that were there before."""
        return sum(one.already for one in self.arrived)

    @property
    def corrected(self) -> int:
        """Count the records that were mended before they were kept."""
        return sum(one.corrected for one in self.arrived)

    @property
    def last_at_us(self) -> int:
        """Give the moment of the latest post, accepted or not; 0 where there is none."""
        return max(self.last_arrived_us, self.last_refused_us)

    @property
    def last_arrived_us(self) -> int:
        """Give the moment of the latest post that arrived; 0 where there is none."""
        return last_of(self.arrived)

    @property
    def last_refused_us(self) -> int:
        """Give the moment of the latest refusal; 0 where there is none."""
        return last_of(self.refused)

    @property
    def arrived_since(self) -> int:
        """Count the posts that arrived after the latest refusal of the institution."""
        return sum(one.later for one in self.arrived)

    @property
    def reasons(self) -> list[Reason]:
        """What must be mended, the most recent first, as far as the latest refusals tell."""
        return find_reasons(self.latest)

    @property
    def reasons_from(self) -> int:
        """Tell in how many refusals the reasons were counted."""
        return len(self.latest)

    @property
    def by_day(self) -> list[Day]:
        """Posts of each day kept, oldest first, days without any included."""
        accepted, refused = Counter[int](), Counter[int]()
        for receipts in self.arrived:
            accepted[receipts.day] += receipts.posts
        for refusals in self.refused:
            refused[refusals.day] += refusals.refusals
        return to_days(accepted, refused, self.as_of_us, self.days)


@dataclass(frozen=True, slots=True)
class Tallies:
    """What was counted of an institution, and of each of its sources that brought anything."""

    whole: Tally
    by_source: Mapping[str, Tally]

    def of(self, source: str) -> Tally:
        """Return the tally of a source; an empty one where it brought nothing."""
        return self.by_source.get(source) or Tally(self.whole.as_of_us, self.whole.days, True, (), ())


def last_of(counts: Iterable[ReceiptCount] | Iterable[RefusalCount]) -> int:
    """Return the moment of the latest of what was counted; 0 where nothing was."""
    return max((one.last_at_us for one in counts), default=0)


def tally(
    as_of_us: int,
    days: int,
    kept: int,
    arrived: Sequence[ReceiptCount],
    refused: Sequence[RefusalCount],
    latest: Sequence[Refusal],
) -> Tallies:
    """Sort what was counted by source, and put it together.

    Args:
        as_of_us: The moment of asking.
        days: How far back entries are kept.
        kept: How many entries are kept of a source, of each kind.
        arrived: Of all sources, as the store counted.
        refused: The same of refusals.
        latest: The latest refusals of all sources, newest first.
    """
    receipts: dict[str, list[ReceiptCount]] = {}
    refusals: dict[str, list[RefusalCount]] = {}
    for one in arrived:
        receipts.setdefault(one.source, []).append(one)
    for other in refused:
        refusals.setdefault(other.source, []).append(other)
    by_source = {
        source: _tally_one(as_of_us, days, kept, receipts.get(source, ()), refusals.get(source, ()))
        for source in receipts.keys() | refusals.keys()
    }
    complete = all(one.complete for one in by_source.values())
    return Tallies(Tally(as_of_us, days, complete, arrived, refused, latest), by_source)


def _tally_one(
    as_of_us: int, days: int, kept: int, arrived: Sequence[ReceiptCount], refused: Sequence[RefusalCount]
) -> Tally:
    found = Tally(as_of_us, days, True, arrived, refused)
    complete = max(found.posts, found.refusal_count) < kept
    return Tally(as_of_us, days, complete, arrived, refused)
