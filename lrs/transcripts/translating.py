"""Translates what a school may see of a learner into courses, credits and grades. Pure.

Real courses come first, then the rules in the order of the crosswalk. A statement that one of
them has counted is not counted by another, unless the crosswalk lets one of the two share. The
order in which records arrived changes nothing; a record that no rule speaks of changes no line.

Spec: docs/transcripts.md
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lrs.transcripts import wording
from lrs.transcripts.courses import CourseLine, read_course
from lrs.transcripts.grading import Grade, credits_for, grade_from_levels, grade_from_scores
from lrs.transcripts.model import (
    ByItems,
    ByMinutes,
    ByPathway,
    Course,
    Crosswalk,
    FixedCredits,
    GradeBy,
    Rule,
)
from lrs.transcripts.seen import Attained, Record, Seen, in_order, matches
from lrs.transcripts.sessions import Term, term_of

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One translated line.

    Attributes:
        id: The rule's.
        basis: What the grade was read from, in words; may be empty.
        words: What was translated, in words.
        records: What it rests on, in order of time; never empty for a rule from time.
        seconds: The time that was counted; None for other rules.
        items: The competencies that were counted; empty for other rules.
    """

    id: str
    course: Course
    credits: Decimal
    grade: str
    basis: str
    words: str
    rule: str
    records: tuple[Record, ...]
    term: Term | None
    seconds: Decimal | None = None
    items: tuple[Attained, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is there and could not be translated.

    Attributes:
        kind: Stable name of the reason.
        id: The rule's or the course's.
        why: In words, with what is there and what is needed.
    """

    kind: str
    id: str
    course: Course
    why: str
    have: str = ""
    need: str = ""
    records: int = 0


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Records of one activity that no rule speaks of, counted."""

    place: str
    activity: str
    title: str
    records: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of all that could be seen.

    Attributes:
        unbegun: The rules and courses for which there is nothing yet, by id.
    """

    lines: tuple[Line, ...]
    courses: tuple[CourseLine, ...]
    gaps: tuple[Gap, ...]
    unmatched: tuple[Unmatched, ...]
    unbegun: tuple[str, ...]


@dataclass(slots=True)
class _Work:
    """A translation while it is made.

    Attributes:
        counted: Which line has counted a statement: its id to the title of the line's course.
        spoken_of: Ids of the statements that some rule speaks of.
    """

    crosswalk: Crosswalk
    seen: Seen
    records: tuple[Record, ...]
    lines: list[Line] = field(default_factory=list)
    courses: list[CourseLine] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    unbegun: list[str] = field(default_factory=list)
    counted: dict[str, str] = field(default_factory=dict)
    spoken_of: set[str] = field(default_factory=set)

    def gap(self, rule: Rule, kind: str, why: str, records: int = 0, **figures: str) -> None:
        """Note that a rule gave no line."""
        self.gaps.append(Gap(kind, rule.id, rule.course, why, records=records, **figures))

    def count(self, records: Iterable[Record], title: str, shares: bool) -> None:
        """Note which statements a line has counted; one that shares leaves them to others."""
        if not shares:
            self.counted.update((record.id, title) for record in records)

    def taken(self, records: Iterable[Record], shares: bool) -> list[Record]:
        """Return those of the records that another line has counted."""
        return [] if shares else [record for record in records if record.id in self.counted]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a rule found, before grade and credit have decided."""

    records: tuple[Record, ...]
    grade: Grade
    words: str
    seconds: Decimal | None = None
    items: tuple[Attained, ...] = ()
    at: int | None = None


def translate(crosswalk: Crosswalk, seen: Seen) -> Translation:
    """Translate everything that may be seen.

    Args:
        crosswalk: Whose rules are applied.
        seen: What may be seen, in any order.
    """
    work = _Work(crosswalk, seen, in_order(seen.records, seen.school))
    _take_courses(work)
    for rule in crosswalk.rules:
        if isinstance(rule.source, ByItems):
            _take_items(work, rule, rule.source)
        elif isinstance(rule.source, ByMinutes):
            _take_minutes(work, rule, rule.source)
        else:
            _take_pathway(work, rule, rule.source)
    return Translation(
        tuple(work.lines),
        tuple(work.courses),
        tuple(work.gaps),
        _unmatched(work.records, work.spoken_of),
        tuple(work.unbegun),
    )


def _take_courses(work: _Work) -> None:
    for rule in work.crosswalk.courses:
        found = read_course(rule, work.records, work.seen.school, work.crosswalk.calendar)
        work.spoken_of |= found.spoken_of
        if not found.spoken_of:
            work.unbegun.append(rule.id)
        for line in found.lines:
            work.courses.append(line)
            work.count(line.records, line.course.title, rule.shares)
        for course, records in found.without_result:
            why = f"{wording.records(records)} of this course, and no result yet."
            work.gaps.append(Gap("no-result", rule.id, course, why, records=records))


def _take_items(work: _Work, rule: Rule, source: ByItems) -> None:
    """Give a line where enough of the items are at the level by statements that are free."""
    found = [(name, work.seen.items.get(name)) for name in source.items]
    attained = [item for _, item in found if item is not None]
    work.spoken_of.update(record.id for item in attained for record in item.records)
    begun = [item for item in attained if item.records]
    if not begun:
        work.unbegun.append(rule.id)
        return
    reached = [item for item in begun if source.level is None or (item.level or 0) >= source.level]
    free = [item for item in reached if not work.taken(item.records, rule.shares)]
    if len(reached) < source.count:
        missing = [item for item in attained if item not in reached]
        why = wording.items_short(source, reached, missing)
        need, have = f"{source.count}", f"{len(reached)}"
        work.gap(rule, "below-level", why, _count(begun), have=have, need=need)
    elif len(free) < source.count:
        taken = [item for item in reached if item not in free]
        why = wording.items_taken(taken, _titles(work, (r for item in taken for r in item.records)))
        work.gap(rule, "already-counted", why, _count(taken), have=f"{len(free)}", need=f"{source.count}")
    else:
        records = in_order((r for item in free for r in item.records), work.seen.school)
        levels = [item.level or 0 for item in free]
        by_level = rule.grading.by is GradeBy.LEVEL
        grade = grade_from_levels(rule.grading, levels) if by_level else _grade(rule, records)
        _add_line(work, rule, _Found(records, grade, wording.items(free), items=tuple(free)))


def _take_minutes(work: _Work, rule: Rule, source: ByMinutes) -> None:
    """Give a line for the time in free statements, where it is enough."""
    matched = [record for record in work.records if matches(source.filter, record)]
    work.spoken_of.update(record.id for record in matched)
    if not matched:
        work.unbegun.append(rule.id)
        return
    taken = work.taken(matched, rule.shares)
    free = [record for record in matched if record not in taken]
    timed = [record for record in free if record.seconds]
    seconds = sum((record.seconds or Decimal(0) for record in timed), Decimal(0))
    if seconds < source.least * _MINUTE:
        kind = "hours-short" if timed else "no-time"
        why = wording.time_short(seconds, source, matched, timed, _titles(work, taken))
        figures = {"have": wording.span(seconds), "need": wording.span(Decimal(source.least * _MINUTE))}
        work.gap(rule, kind, why, len(matched), **figures)
        return
    words = wording.time(seconds, timed, len(free) - len(timed), _titles(work, taken))
    _add_line(work, rule, _Found(tuple(timed), _grade(rule, timed), words, seconds))


def _take_pathway(work: _Work, rule: Rule, source: ByPathway) -> None:
    """Give a line where a pathway is done, or its award stands."""
    walked = work.seen.pathways.get((source.institution, source.pathway))
    if walked is None or not (walked.done or walked.awarded or walked.records):
        work.unbegun.append(rule.id)
        return
    work.spoken_of.update(record.id for record in walked.records)
    taken = work.taken(walked.records, rule.shares)
    if source.awarded and not walked.awarded:
        work.gap(rule, "no-award", wording.not_awarded(walked), len(walked.records))
    elif not source.awarded and not walked.done:
        work.gap(rule, "pathway-unfinished", wording.unfinished(walked), len(walked.records))
    elif taken:
        why = wording.pathway_taken(walked, _titles(work, taken))
        work.gap(rule, "already-counted", why, len(taken))
    else:
        records = in_order(walked.records, work.seen.school)
        words = wording.pathway(walked, source.awarded)
        _add_line(work, rule, _Found(records, _grade(rule, records), words, at=walked.at))


def _add_line(work: _Work, rule: Rule, found: _Found) -> None:
    """Add a line, unless its grade or its credit turns out to be none."""
    credit = _credit(rule, found.seconds)
    grade, words, count = found.grade, found.words, len(found.records)
    if not grade.known:
        work.gap(rule, "no-score", f"{words} Graded by score, and no record has one.", count)
    elif not grade.earns:
        work.gap(rule, "below-grade", f"{words} With {grade.basis} it earns no credit.", count)
    elif not credit:
        work.gap(rule, "no-credit", f"{words} Rounded, that is no credit yet.", count)
    else:
        work.lines.append(
            Line(
                id=rule.id,
                course=rule.course,
                credits=credit,
                grade=grade.text,
                basis=grade.basis,
                words=words,
                rule=wording.rule_text(rule),
                records=found.records,
                term=_term(work, found),
                seconds=found.seconds,
                items=found.items,
            )
        )
        work.count(found.records, rule.course.title, rule.shares)


def _term(work: _Work, found: _Found) -> Term | None:
    """Say when a line counts: when the latest of its records was, or what it stands for was done."""
    at = found.records[-1].at if found.records else found.at
    return None if at is None else term_of(at, work.crosswalk.calendar)


def _credit(rule: Rule, seconds: Decimal | None) -> Decimal:
    if isinstance(rule.credits, FixedCredits):
        return rule.credits.credits
    return credits_for(seconds or Decimal(0), rule.credits)


def _grade(rule: Rule, records: Sequence[Record]) -> Grade:
    if rule.grading.by is GradeBy.SCORE:
        return grade_from_scores(rule.grading, records)
    return Grade(rule.grading.passed)


def _titles(work: _Work, taken: Iterable[Record]) -> Collection[str]:
    """Name the courses that have counted these records, each once, in order."""
    return sorted({work.counted[record.id] for record in taken if record.id in work.counted})


def _count(items: Iterable[Attained]) -> int:
    return len({record.id for item in items for record in item.records})


def _unmatched(records: Sequence[Record], spoken_of: Collection[str]) -> tuple[Unmatched, ...]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.id not in spoken_of:
            groups.setdefault((record.place, record.activity), []).append(record)
    return tuple(_group(place, activity, groups[place, activity]) for place, activity in sorted(groups))


def _group(place: str, activity: str, records: Sequence[Record]) -> Unmatched:
    seconds = sum((record.seconds or Decimal(0) for record in records), Decimal(0))
    titles: Mapping[str, None] = dict.fromkeys(record.title for record in reversed(records) if record.title)
    return Unmatched(place, activity, next(iter(titles), activity), len(records), int(seconds // _MINUTE))
