"""Grades and credits as exact decimal arithmetic; every rounding is named.

Credits from time: time / (minutes per credit), to the nearest multiple of the quantum, a half
upwards (or, where the crosswalk says so, always down), and never above the most. A grade is
read from a mean that is compared exactly: sum against bound times count, without dividing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from lrs.transcripts.model import GradeRow, Grading, HourCredits, Rounding
from lrs.transcripts.seen import Record

_EXACT = Context(prec=60)
_SHOWN = Decimal("0.01")
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade, and what it was read from, in words.

    Attributes:
        text: Empty where no grade is given.
        earns: Whether the credit is earned.
        known: False where there was nothing to read a grade from.
    """

    text: str = ""
    basis: str = ""
    earns: bool = True
    known: bool = True


UNKNOWN = Grade(earns=False, known=False)
"""There was nothing to read a grade from."""


def credits_for(seconds: Decimal, wanted: HourCredits) -> Decimal:
    """Give the credits for so much time."""
    with localcontext(_EXACT):
        unit = wanted.quantum * wanted.minutes_per_credit * _MINUTE
        quanta = (
            (2 * seconds + unit) // (2 * unit) if wanted.rounding is Rounding.HALF_UP else seconds // unit
        )
        return min(quanta * wanted.quantum, wanted.most)


def grade_from_levels(grading: Grading, levels: Sequence[int]) -> Grade:
    """Read a grade from the mean of levels."""
    basis = f"mean level {shown_mean([Decimal(level) for level in levels])}" if len(levels) > 1 else ""
    return _from_table(grading, [Decimal(level) for level in levels], basis or f"level {levels[0]}")


def grade_from_scores(grading: Grading, records: Sequence[Record]) -> Grade:
    """Read a grade from the mean score of those records that have one."""
    scores = [record.score for record in records if record.score is not None]
    if not scores:
        return UNKNOWN
    basis = f"score {shown_mean(scores)}"
    return _from_table(
        grading, scores, f"mean {basis} of {len(scores)} records" if len(scores) > 1 else basis
    )


def grade_from_success(grading: Grading, success: bool) -> Grade:
    """Give the grade for passing or failing."""
    if success:
        return Grade(grading.passed, "passed")
    return Grade(grading.failed, "not passed", earns=False)


def _from_table(grading: Grading, values: Sequence[Decimal], basis: str) -> Grade:
    row = find_row(grading.table, values)
    if row is None:
        return Grade("", f"{basis}, below the lowest grade", earns=False)
    return Grade(row.grade, basis, row.earns)


def find_row(table: Sequence[GradeRow], values: Sequence[Decimal]) -> GradeRow | None:
    """Return the highest row that the mean of the values reaches, or None."""
    with localcontext(_EXACT):
        total = sum(values, Decimal(0))
        return next((row for row in table if total >= row.least * len(values)), None)


def shown_mean(values: Sequence[Decimal]) -> str:
    """Write a mean with two decimals, a half upwards; for reading only, nothing is decided by it."""
    with localcontext(_EXACT):
        return str((sum(values, Decimal(0)) / len(values)).quantize(_SHOWN, ROUND_HALF_UP))


def shown(amount: Decimal) -> str:
    """Write an amount without zeros at its end: ``0.5``, ``12``."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
