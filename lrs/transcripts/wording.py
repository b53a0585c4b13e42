"""A transcript's sentences: what a rule says, what was translated, what is missing."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from lrs.transcripts.grading import shown
from lrs.transcripts.model import (
    ByItems,
    ByMinutes,
    Filter,
    FixedCredits,
    GradeBy,
    Grading,
    HourCredits,
    Rounding,
    Rule,
)
from lrs.transcripts.seen import Attained, Record, Walked

_HOUR, _MINUTE = 3600, 60


def span(seconds: Decimal) -> str:
    """Write a time in hours and minutes, cut to the minute: ``12 h 30 min``."""
    hours, rest = divmod(int(seconds), _HOUR)
    minutes = rest // _MINUTE
    if not hours:
        return f"{minutes} min"
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def records(count: int) -> str:
    """Write how many records."""
    return f"{count:,} record{'' if count == 1 else 's'}"


def listed(texts: Iterable[str]) -> str:
    """Write texts as a list in a sentence."""
    found = list(texts)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else "nothing"


def items(attained: Sequence[Attained]) -> str:
    """Say which competencies were counted."""
    return f"Shown: {listed(_item(one) for one in attained)}."


def _item(one: Attained) -> str:
    if one.level is None:
        return one.title
    name = f", {one.level_name}" if one.level_name else ""
    return f"{one.title} (level {one.level}{name})"


def items_short(source: ByItems, reached: Sequence[Attained], missing: Sequence[Attained]) -> str:
    """Say which competencies are not there yet."""
    needed = f"{source.count} of {len(source.items)}" if source.count < len(source.items) else "All of them"
    level = f" at level {source.level}" if source.level is not None else ""
    there = f" There: {listed(_item(one) for one in reached)}." if reached else ""
    not_there = f" Not there yet: {listed(_item_or_none(one) for one in missing)}." if missing else ""
    verb = "are" if source.count > 1 else "is"
    return f"{needed} {verb} needed{level}.{there}{not_there}"


def _item_or_none(one: Attained) -> str:
    return _item(one) if one.level is not None or one.records else f"{one.title} (nothing yet)"


def items_taken(taken: Sequence[Attained], titles: Collection[str]) -> str:
    """Say that records were counted already."""
    shown_items = listed(_item(one) for one in taken)
    return f"{shown_items}: this rests on records that are already counted in {listed(titles)}."


def time(seconds: Decimal, timed: Sequence[Record], untimed: int, titles: Collection[str]) -> str:
    """Say how much time was counted."""
    places = listed(sorted({record.place for record in timed}))
    text = f"{span(seconds)} in {records(len(timed))}, at {places}."
    if untimed:
        text += f" {records(untimed)} without a duration {'is' if untimed == 1 else 'are'} not counted."
    if titles:
        text += f" What is already counted in {listed(titles)} is left out."
    return text


def time_short(
    seconds: Decimal,
    source: ByMinutes,
    matched: Sequence[Record],
    timed: Sequence[Record],
    titles: Collection[str],
) -> str:
    """Say how much time is missing."""
    least = span(Decimal(source.least * _MINUTE))
    if titles and not timed:
        return f"{records(len(matched))}, already counted in {listed(titles)}."
    if not timed:
        return f"{records(len(matched))}, and none says how long it took; at least {least} are needed."
    text = f"{span(seconds)} in {records(len(timed))}; at least {least} are needed."
    return text + (f" What is already counted in {listed(titles)} is left out." if titles else "")


def pathway(walked: Walked, awarded: bool) -> str:
    """Say which pathway was completed."""
    return f"{'Holds the award of' if awarded else 'Completed'} the pathway {walked.title}."


def unfinished(walked: Walked) -> str:
    """Say what of a pathway is still to be done."""
    if not walked.missing:
        return f"The pathway {walked.title} is not completed."
    return f"The pathway {walked.title} is not completed; still to do: {listed(walked.missing)}."


def not_awarded(walked: Walked) -> str:
    """Say that an award is missing."""
    if walked.done:
        return f"The pathway {walked.title} is completed, and its award does not stand."
    return unfinished(walked)


def pathway_taken(walked: Walked, titles: Collection[str]) -> str:
    """Say that a pathway's records were counted already."""
    return f"The pathway {walked.title} rests on records that are already counted in {listed(titles)}."


# What a rule says


def rule_text(rule: Rule) -> str:
    """Say what a rule asks and gives, in words."""
    return f"{_from_text(rule)} {_credits_text(rule.credits)} {_grade_text(rule.grading)}".strip()


def _from_text(rule: Rule) -> str:
    source = rule.source
    if isinstance(source, ByItems):
        count = "All" if source.count == len(source.items) else f"{source.count}"
        level = f"at level {source.level} or above" if source.level is not None else "with evidence"
        return f"{count} of the competencies {listed(source.items)} {level}."
    if isinstance(source, ByMinutes):
        least = span(Decimal(source.least * _MINUTE))
        return f"At least {least} in records {_filter_text(source.filter)}."
    whose = f" of {source.institution}" if source.institution else ""
    what = "The award of the pathway" if source.awarded else "The completed pathway"
    return f"{what} {source.pathway}{whose}."


def _filter_text(wanted: Filter) -> str:
    said = (
        ("with the verb", wanted.verb),
        ("of the activity", wanted.activity),
        ("of the type", wanted.activity_type),
        ("belonging to", wanted.parent),
        ("of the category", wanted.category),
        ("grouped under", wanted.grouping),
        ("kept by", wanted.institution),
        (
            "vouched for by",
            tuple(f"a {kind}" if kind != "employer" else "an employer" for kind in wanted.voucher),
        ),
    )
    parts = [f"{words} {' or '.join(values)}" for words, values in said if values]
    if wanted.success is not None:
        parts.append("marked as a success" if wanted.success else "marked as no success")
    if wanted.completion is not None:
        parts.append("marked as completed" if wanted.completion else "not marked as completed")
    return ", ".join(parts)


def _credits_text(wanted: FixedCredits | HourCredits) -> str:
    if isinstance(wanted, FixedCredits):
        return f"Worth {credit_text(wanted.credits)}."
    hours = span(Decimal(wanted.minutes_per_credit * _MINUTE))
    how = "a half up" if wanted.rounding is Rounding.HALF_UP else "always down"
    return (
        f"{hours} are 1 credit, rounded to a multiple of {shown(wanted.quantum)} ({how}),"
        f" at most {credit_text(wanted.most)}."
    )


def credit_text(amount: Decimal) -> str:
    """Write credits with their noun."""
    return f"{shown(amount)} credit{'' if amount == 1 else 's'}"


def _grade_text(grading: Grading) -> str:
    if grading.by is GradeBy.LEVEL:
        return "Graded by the mean of the levels."
    if grading.by is GradeBy.SCORE:
        return "Graded by the mean of the scores."
    return "" if grading.passed else "Not graded."
