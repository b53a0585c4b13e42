"""What a school may see of a learner, as a transcript needs it: records, competencies, pathways.

Spec: docs/transcripts.md
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lrs.transcripts.model import WILDCARD, Filter


@dataclass(frozen=True, slots=True)
class Record:
    """One statement as a transcript cites it.

    Attributes:
        institution: Id of the institution that keeps it; ``place`` is its name.
        at: When it happened, in microseconds.
        activity: IRI of the object; empty where there is none, or where it may not be seen.
        title: What the activity is called.
        voucher: Who stands behind it, by kind; ``voucher_name`` may be empty.
        score: From 0 to 1; None where the statement has none.
        seconds: How long it took; None where the statement does not say.
    """

    id: str
    institution: str
    place: str
    at: int
    verb: str = ""
    activity: str = ""
    title: str = ""
    type: str = ""
    parents: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    groupings: tuple[str, ...] = ()
    voucher: str = "machine"
    voucher_name: str = ""
    score: Decimal | None = None
    seconds: Decimal | None = None
    success: bool | None = None
    completion: bool | None = None


@dataclass(frozen=True, slots=True)
class Attained:
    """How the learner stands in one competency, by what the school may see.

    Attributes:
        level: None where there is no level: the framework has coverage alone, or no evidence came yet.
        records: The statements that it rests on.
    """

    item: str
    title: str
    code: str = ""
    level: int | None = None
    level_name: str = ""
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Walked:
    """How far the learner is on one pathway.

    Attributes:
        missing: Titles of the steps that are still to be done.
        records: Of what did it, as far as they may be seen; where it is not done, of what there is.
        at: When it was done, in microseconds; None where it is not.
    """

    title: str
    done: bool = False
    awarded: bool = False
    missing: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a translation reads.

    Attributes:
        school: Id of the school's institution.
        items: By every name that a rule may call an item by.
        pathways: By institution's name (empty for the school) and pathway's name; only those begun.
    """

    school: str
    records: Sequence[Record] = ()
    items: Mapping[str, Attained] = field(default_factory=dict)
    pathways: Mapping[tuple[str, str], Walked] = field(default_factory=dict)


def in_order(records: Iterable[Record], school: str) -> tuple[Record, ...]:
    """Put records in order of time and id, each statement once, whatever order they came in.

    One statement may lie in two institutions, where one sends on to the other: the school's own
    copy counts then, else that of the institution whose id comes first.
    """
    ordered = sorted(records, key=lambda one: (one.institution != school, one.institution, one.at, one.id))
    first: dict[str, Record] = {}
    for record in ordered:
        first.setdefault(record.id, record)
    return tuple(sorted(first.values(), key=lambda one: (one.at, one.id)))


def matches(wanted: Filter, record: Record) -> bool:
    """Tell whether a record is one of those that a filter lets through."""
    if wanted.success is not None and record.success is not wanted.success:
        return False
    if wanted.completion is not None and (record.completion is True) is not wanted.completion:
        return False
    return all(
        not patterns or any_match(patterns, values)
        for patterns, values in (
            (wanted.verb, (record.verb,)),
            (wanted.activity, (record.activity,)),
            (wanted.activity_type, (record.type,)),
            (wanted.parent, record.parents),
            (wanted.category, record.categories),
            (wanted.grouping, record.groupings),
        )
    ) and all(
        not values or value in values
        for values, value in ((wanted.institution, record.place), (wanted.voucher, record.voucher))
    )


def any_match(patterns: Collection[str], values: Iterable[str]) -> bool:
    """Tell whether a value is one of the IRIs, or begins as one that ends in ``*``."""
    return any(is_match(pattern, value) for value in values for pattern in patterns)


def is_match(pattern: str, value: str) -> bool:
    """Tell whether an IRI is the one named, or begins as the pattern does before its ``*``."""
    if pattern.endswith(WILDCARD):
        return value.startswith(pattern[: -len(WILDCARD)])
    return value == pattern
