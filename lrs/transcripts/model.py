"""A crosswalk as values: what becomes which course, for how many credits and which grade.

Everything that decides credit is a Decimal or a whole number; no binary fraction comes near it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

WILDCARD = "*"
"""At the end of an IRI it stands for whatever follows."""


class GradeBy(Enum):
    """What a grade is read from."""

    LEVEL = "level"
    SCORE = "score"
    SUCCESS = "success"
    NONE = "none"


class Rounding(Enum):
    """Which way credits from hours are rounded to the quantum."""

    HALF_UP = "half-up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Course:
    """A course as a transcript names it; texts, empty where the crosswalk gives none."""

    title: str
    code: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One row of a grade table.

    Attributes:
        least: The lowest value that gets this grade.
        means: What the grade means, for the grading key; may be empty.
        earns: Whether it earns the credit; false for the grade of those who failed.
    """

    least: Decimal
    grade: str
    means: str = ""
    earns: bool = True


@dataclass(frozen=True, slots=True)
class Grading:
    """How a grade is found.

    Attributes:
        table: Rows from the highest ``least`` to the lowest; for LEVEL and SCORE.
        passed: The grade for success; for NONE the grade that every line gets, may be empty.
        failed: The grade without success; it earns nothing.
    """

    by: GradeBy = GradeBy.NONE
    table: tuple[GradeRow, ...] = ()
    passed: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which statements count: each member that is given must hold; the values of one are "one of".

    Attributes:
        institution: Names of institutions.
        voucher: Kinds of voucher.
    """

    verb: tuple[str, ...] = ()
    activity: tuple[str, ...] = ()
    activity_type: tuple[str, ...] = ()
    parent: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    grouping: tuple[str, ...] = ()
    institution: tuple[str, ...] = ()
    voucher: tuple[str, ...] = ()
    success: bool | None = None
    completion: bool | None = None


@dataclass(frozen=True, slots=True)
class ByItems:
    """From competencies: so many of the items, each at a level, or met with where no level is given.

    Attributes:
        items: Identifiers or codes, as the framework has them.
        count: How many of them are needed.
    """

    items: tuple[str, ...]
    count: int
    level: int | None = None


@dataclass(frozen=True, slots=True)
class ByMinutes:
    """From time spent: the durations of the statements that the filter lets through."""

    filter: Filter
    least: int


@dataclass(frozen=True, slots=True)
class ByPathway:
    """From a pathway that is completed, or from the award for it.

    Attributes:
        institution: Whose pathway; empty for the school's own, or the only one of this name.
        awarded: Whether the award must stand; else completion is enough.
    """

    pathway: str
    institution: str = ""
    awarded: bool = False


From = ByItems | ByMinutes | ByPathway


@dataclass(frozen=True, slots=True)
class FixedCredits:
    """So many credits, whoever earns them."""

    credits: Decimal


@dataclass(frozen=True, slots=True)
class HourCredits:
    """Credits in proportion to time, rounded to a multiple of the quantum, never above the most."""

    minutes_per_credit: int
    most: Decimal
    quantum: Decimal
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of translation: from what, to which course.

    Attributes:
        shares: Whether it may count statements that other rules count too.
    """

    id: str
    course: Course
    credits: FixedCredits | HourCredits
    source: From
    grading: Grading
    shares: bool = False


@dataclass(frozen=True, slots=True)
class CourseRule:
    """Which of the school's own activities are courses, and what they are worth.

    Attributes:
        activity: IRIs; each activity that matches is a course of its own.
        verb: With which verbs a statement tells the result; any where empty.
        parts: Whether statements on parts of the course (whose parent it is) count too.
        course: What a transcript calls it; the activity's own name where the title is empty.
        shares: Whether rules may count the statements of its result too.
    """

    id: str
    activity: tuple[str, ...]
    credits: Decimal
    grading: Grading
    verb: tuple[str, ...] = ()
    parts: bool = False
    course: Course = field(default_factory=lambda: Course(""))
    shares: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A part of the school year; ``begins`` is month and day."""

    title: str
    begins: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The school's year: where it begins, its sessions in order from there, its offset from UTC."""

    begins: tuple[int, int] = (8, 1)
    sessions: tuple[Session, ...] = ()
    offset_minutes: int = 0


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """What a transcript prints of the school beside its name; texts, possibly none."""

    address: tuple[str, ...] = ()
    contact: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """A versioned table that translates what was learned anywhere into courses, credits and grades.

    Attributes:
        version: How often it was changed; 0 while it has not been recorded.
        unit: What one credit is, such as ``Carnegie unit (120 hours)``; may be empty.
        paper: ``a4`` or ``us-letter``: on which a transcript is printed.
        framework: Identifier of the framework whose items the rules name; may be empty.
        partners: Names of institutions whose records the school takes, besides those that rules name.
    """

    name: str
    title: str
    version: int = 0
    unit: str = ""
    paper: str = "a4"
    framework: str = ""
    school: SchoolFacts = field(default_factory=SchoolFacts)
    calendar: Calendar = field(default_factory=Calendar)
    partners: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    courses: tuple[CourseRule, ...] = ()

    def institutions(self) -> tuple[str, ...]:
        """Name every other institution that the crosswalk speaks of, each once, in order of name."""
        named = set(self.partners)
        for rule in self.rules:
            if isinstance(rule.source, ByMinutes):
                named.update(rule.source.filter.institution)
            elif isinstance(rule.source, ByPathway) and rule.source.institution:
                named.add(rule.source.institution)
        return tuple(sorted(named))
