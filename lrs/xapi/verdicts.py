"""Did the records arrive? What receipts and refusals say, as pure values for a page and for JSON."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lrs.errors import Problem
from lrs.xapi.ports.arrivals import Receipt, Refusal

DAY_US = 86_400_000_000
BY_RECORD = frozenset({"IMPORT", "LINES"})
"""The methods of refusals where each record is taken by itself: of a file, and of a body of lines."""

_REFUSED = 400
_INDEX = re.compile(r"^/\d+(?=/|$)")


class Verdict(StrEnum):
    """The answer in one word."""

    NOTHING_YET = "nothing-yet"
    ALL_ARRIVED = "all-arrived"
    SOME_REFUSED = "some-refused"

    @classmethod
    def of(cls, posts: int, refusals: int) -> "Verdict":
        """Judge by how many posts arrived, and how many refusals there were."""
        if refusals:
            return cls.SOME_REFUSED
        return cls.ALL_ARRIVED if posts else cls.NOTHING_YET


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing to mend, and how many refused posts it stands in.

    Attributes:
        rule: The broken rule, or the error's code where no single rule is named.
        message: What is wrong and what to do, in the words of the latest of these refusals.
        path: Where, in the latest of them: a pointer into the body as sent, or a parameter's
            or header's name; empty where it is the request as a whole.
        spec: The section that asks for it; may be empty.
        error_id: That of the latest of these refusals.
    """

    rule: str
    message: str
    path: str
    spec: str
    posts: int
    last_at_us: int
    error_id: str


@dataclass(frozen=True, slots=True)
class Day:
    """What one day (UTC) brought, in posts."""

    begins_at_us: int
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What is kept about the posts of one source, or of several, newest first.

    Attributes:
        as_of_us: The moment of asking.
        days: How far back entries are kept.
        complete: False where the kept number may have pushed older entries out.
    """

    source: str
    as_of_us: int
    days: int
    complete: bool
    receipts: Sequence[Receipt]
    refusals: Sequence[Refusal]

    @property
    def verdict(self) -> Verdict:
        """Tell whether everything arrived."""
        return Verdict.of(self.posts, self.refusal_count)

    @property
    def posts(self) -> int:
        """Count the posts that arrived."""
        return len(self.receipts)

    @property
    def refusal_count(self) -> int:
        """Count the refusals."""
        return len(self.refusals)

    @property
    def refused_posts(self) -> int:
        """Count the refusals of posts of which nothing is stored."""
        return len(self.refusals) - self.left_out

    @property
    def left_out(self) -> int:
        """Count the refusals of records among others, which were stored as far as they are good."""
        return sum(is_by_record(refusal.method, refusal.status) for refusal in self.refusals)

    @property
    def stored(self) -> int:
        """Count the records that were new."""
        return sum(receipt.stored for receipt in self.receipts)

    @property
    def already(self) -> int:
        """Count the records that were there before."""
        return sum(receipt.already for receipt in self.receipts)

    @property
    def corrected(self) -> int:
        """Count the records that were mended before they were kept."""
        return sum(receipt.corrected for receipt in self.receipts)

    @property
    def last_at_us(self) -> int:
        """Give the moment of the latest post, accepted or not; 0 where there is none."""
        return max(self.last_arrived_us, self.last_refused_us)

    @property
    def last_arrived_us(self) -> int:
        """Give the moment of the latest post that arrived; 0 where there is none."""
        return _latest(self.receipts)

    @property
    def last_refused_us(self) -> int:
        """Give the moment of the latest refusal; 0 where there is none."""
        return _latest(self.refusals)

    @property
    def arrived_since(self) -> int:
        """Count the posts that arrived after the latest refusal."""
        return sum(receipt.at_us > self.last_refused_us for receipt in self.receipts)

    @property
    def reasons_from(self) -> int:
        """Tell in how many refusals the reasons were counted."""
        return self.refusal_count

    @property
    def reasons(self) -> list[Reason]:
        """What must be mended, the most recent first."""
        return find_reasons(self.refusals)

    @property
    def by_day(self) -> list[Day]:
        """Posts of each day kept, oldest first, days without any included."""
        accepted = Counter(receipt.at_us // DAY_US for receipt in self.receipts)
        refused = Counter(refusal.at_us // DAY_US for refusal in self.refusals)
        return to_days(accepted, refused, self.as_of_us, self.days)


def find_reasons(refusals: Sequence[Refusal]) -> list[Reason]:
    """Tell what must be mended, the most recent first."""
    found: dict[tuple[str, str], Reason] = {}
    for refusal in sorted(refusals, key=lambda refusal: -refusal.at_us):
        for key, problem in _distinct(refusal).items():
            known = found.get(key)
            found[key] = replace(known, posts=known.posts + 1) if known else _reason(problem, refusal)
    return list(found.values())


def to_days(accepted: Counter[int], refused: Counter[int], as_of_us: int, days: int) -> list[Day]:
    """Make the days up to a moment of posts counted by day since the epoch, oldest first."""
    today = as_of_us // DAY_US
    return [Day(day * DAY_US, accepted[day], refused[day]) for day in range(today - days + 1, today + 1)]


def is_by_record(method: str, status: int) -> bool:
    """Tell whether a refusal is of records among others, which were stored as far as they are good."""
    return method in BY_RECORD or status < _REFUSED


def _distinct(refusal: Refusal) -> dict[tuple[str, str], Problem]:
    """Give each different problem of a post once, wherever in a batch it stands."""
    if not refusal.problems:
        return {(refusal.code, ""): Problem("", refusal.code, refusal.detail)}
    found: dict[tuple[str, str], Problem] = {}
    for problem in refusal.problems:
        found.setdefault((problem.rule, _INDEX.sub("", problem.path)), problem)
    return found


def _reason(problem: Problem, refusal: Refusal) -> Reason:
    return Reason(
        problem.rule, problem.message, problem.path, problem.spec, 1, refusal.at_us, refusal.error_id
    )


def _latest(entries: Sequence[Receipt] | Sequence[Refusal]) -> int:
    """Give the moment of the first of some entries that stand newest first; 0 without any."""
    return entries[0].at_us if entries else 0


def place_text(path: str) -> str:
    """Say where a problem stands, as in: In record 3 of the post, at actor, mbox.

    Args:
        path: A pointer into the body as sent, the name of a parameter or header, or empty.
    """
    if not path:
        return "In the post as a whole."
    if not path.startswith("/"):
        return f"In the parameter or header {path}."
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    if not steps[0].isdigit():
        return f"At {', '.join(steps)}."
    record = f"In record {int(steps[0]) + 1} of the post"
    return f"{record}, at {', '.join(steps[1:])}." if steps[1:] else f"{record}."
