"""The school's real courses, read from its own statements: the result that counts, its grade, its credit.

The latest result counts, so that a mark that was put right replaces the one before. Where parts
count, it is the mean of the latest result of each part, until the course has a result of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lrs.transcripts.grading import Grade, grade_from_scores, grade_from_success
from lrs.transcripts.model import Calendar, Course, CourseRule, GradeBy
from lrs.transcripts.seen import Record, any_match, is_match
from lrs.transcripts.sessions import Term, term_of


@dataclass(frozen=True, slots=True)
class CourseLine:
    """One real course with its result.

    Attributes:
        id: The rule's id; with the activity behind it where one rule may find several courses.
        rule: The rule's id.
        attempted: The credits that the course is worth.
        earned: The same, or 0 where it was not passed.
        records: The results that count, in order of time.
    """

    id: str
    rule: str
    activity: str
    course: Course
    attempted: Decimal
    earned: Decimal
    grade: str
    basis: str
    records: tuple[Record, ...]
    term: Term


@dataclass(frozen=True, slots=True)
class Found:
    """What one course rule found.

    Attributes:
        without_result: Courses that were begun, with how many records each has, its parts' included.
        spoken_of: Ids of the statements on the courses and on parts of them.
    """

    lines: tuple[CourseLine, ...]
    without_result: tuple[tuple[Course, int], ...]
    spoken_of: frozenset[str]


def read_course(rule: CourseRule, records: Sequence[Record], school: str, calendar: Calendar) -> Found:
    """Find the courses of one rule.

    Args:
        rule: Which activities are courses.
        records: In order of time.
        school: Whose statements count: the school's own alone.
        calendar: Says in which term a result is.
    """
    by_course: dict[str, list[Record]] = {}
    for record in records:
        if record.institution == school:
            for activity in _courses_of(rule, record):
                by_course.setdefault(activity, []).append(record)
    lines, without = [], []
    for activity in sorted(by_course):
        of_course = by_course[activity]
        course = _named(rule, activity, of_course)
        results = _results(rule, activity, of_course)
        if results:
            lines.append(_line(rule, activity, course, results, calendar))
        else:
            without.append((course, len(of_course)))
    spoken_of = frozenset(record.id for found in by_course.values() for record in found)
    return Found(tuple(lines), tuple(without), spoken_of)


def _courses_of(rule: CourseRule, record: Record) -> Sequence[str]:
    """Name the courses that a statement is about, itself or through its parents."""
    if any_match(rule.activity, (record.activity,)):
        return (record.activity,)
    return [parent for parent in record.parents if any(is_match(one, parent) for one in rule.activity)]


def _results(rule: CourseRule, activity: str, records: Sequence[Record]) -> tuple[Record, ...]:
    """Return the results that count: the course's own latest, else the latest of each part."""
    latest: dict[str, Record] = {}
    for record in records:
        if (rule.parts or record.activity == activity) and _is_result(rule, record):
            latest[record.activity] = record
    if activity in latest:
        return (latest[activity],)
    return tuple(sorted(latest.values(), key=lambda one: (one.at, one.id)))


def _is_result(rule: CourseRule, record: Record) -> bool:
    if rule.verb and not any_match(rule.verb, (record.verb,)):
        return False
    if rule.grading.by is GradeBy.SCORE:
        return record.score is not None
    if rule.grading.by is GradeBy.SUCCESS:
        return record.success is not None
    return record.completion is True


def _named(rule: CourseRule, activity: str, records: Sequence[Record]) -> Course:
    own = [record.title for record in records if record.activity == activity and record.title]
    title = rule.course.title or (own[-1] if own else activity)
    return Course(title, rule.course.code, rule.course.subject)


def _line(
    rule: CourseRule, activity: str, course: Course, results: tuple[Record, ...], calendar: Calendar
) -> CourseLine:
    grade = _grade(rule, results)
    return CourseLine(
        id=rule.id if rule.activity == (activity,) else f"{rule.id}:{activity}",
        rule=rule.id,
        activity=activity,
        course=course,
        attempted=rule.credits,
        earned=rule.credits if grade.earns else Decimal(0),
        grade=grade.text,
        basis=grade.basis,
        records=results,
        term=term_of(results[-1].at, calendar),
    )


def _grade(rule: CourseRule, results: Sequence[Record]) -> Grade:
    if rule.grading.by is GradeBy.SCORE:
        return grade_from_scores(rule.grading, results)
    if rule.grading.by is GradeBy.SUCCESS:
        return grade_from_success(rule.grading, results[-1].success is True)
    return Grade(rule.grading.passed, "completed")
