"""Reads a crosswalk file (docs/formats.md), checks it, and names everything that is wrong in it.

All or nothing: a crosswalk with one problem is not taken, because a transcript that leaves out
a rule without a word is worse than none.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from lrs.competencies.shapes import pointer
from lrs.transcripts.model import (
    ByItems,
    ByMinutes,
    Calendar,
    Course,
    CourseRule,
    Crosswalk,
    FixedCredits,
    From,
    GradeBy,
    GradeRow,
    Grading,
    HourCredits,
    Rounding,
    Rule,
    SchoolFacts,
    Session,
)
from lrs.transcripts.sources import MOST_NUMBER, Known, SourceShape, read_day, read_offset

MOST_RULES = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST = 300
_OPTIONAL = ("unit", "paper", "framework", "school", "calendar", "partners", "rules", "courses")
_LEAST, _MOST = Decimal("0.000001"), Decimal(1000)
_COURSE_OPTIONAL = ("id", "verb", "parts", "title", "code", "subject", "shares")


def read_crosswalk(value: object, known: Known | None = None, version: int = 0) -> Crosswalk:
    """Read a crosswalk out of parsed JSON.

    Args:
        value: What the file holds.
        known: What it may name; None for one that was checked when it was recorded.
        version: How often it was changed.

    Raises:
        InvalidImport: Something is wrong in it; ``problems`` has each thing with its pointer.
    """
    shape = _CrosswalkShape(known)
    made = shape.read(value, version)
    shape.refuse_if_wrong("The crosswalk")
    return made


class _CrosswalkShape(SourceShape):
    """Knows the members of a crosswalk."""

    def __init__(self, known: Known | None) -> None:
        super().__init__(known)
        self._ids: set[str] = set()

    def read(self, value: object, version: int) -> Crosswalk:
        top = self.members(value, "", ("name", "title"), _OPTIONAL)
        self.framework = self.text(top, "framework", "", _LONGEST)
        if self.framework and self.known is not None and not self.known.has_framework:
            message = "No framework of this identifier was imported; lrs framework import does that."
            self.wrong("/framework", "framework.unknown", message)
        rules = self._many(top, "rules", self._rule)
        courses = self._many(top, "courses", self._course_rule)
        if not self.problems and not rules and not courses:
            self.wrong("", "crosswalk.empty", "A crosswalk needs rules, or courses, or both.")
        return Crosswalk(
            name=self._name(top, "name", ""),
            title=self.text(top, "title", "", _LONGEST),
            version=version,
            unit=self.text(top, "unit", "", _LONGEST),
            paper=self.choice(top, "paper", "", ("a4", "us-letter")),
            framework=self.framework,
            school=self._school(top.get("school", {})),
            calendar=self._calendar(top.get("calendar", {})),
            partners=self.institutions(top, "partners", ""),
            rules=rules,
            courses=courses,
        )

    def _many(self, top: Mapping[str, Any], name: str, read: Any) -> tuple[Any, ...]:
        found = self.array(top.get(name, []), f"/{name}")
        if len(found) > MOST_RULES:
            self.wrong(f"/{name}", "array.long", f"At most {MOST_RULES} may stand here.")
        return tuple(read(one, f"/{name}/{index}", index) for index, one in enumerate(found[:MOST_RULES]))

    # The school and its year

    def _school(self, value: object) -> SchoolFacts:
        found = self.members(value, "/school", (), ("address", "contact", "codes"))
        codes = self.members(found.get("codes", {}), "/school/codes", (), None)
        return SchoolFacts(
            address=self.texts(found, "address", "/school"),
            contact=self.text(found, "contact", "/school", _LONGEST),
            codes={name: self.text(codes, name, "/school/codes", _LONGEST) for name in codes},
        )

    def _calendar(self, value: object) -> Calendar:
        path = "/calendar"
        found = self.members(value, path, (), ("begins", "sessions", "offset"))
        begins = self._day(found, "begins", path) if "begins" in found else (8, 1)
        sessions = [
            self._session(one, f"{path}/sessions/{index}")
            for index, one in enumerate(self.array(found.get("sessions", []), f"{path}/sessions"))
        ]
        order = [(one.begins < begins, one.begins) for one in sessions]
        if sessions and (sessions[0].begins != begins or sorted(set(order)) != order):
            message = "The first session must begin with the year, and each other one later than that before."
            self.wrong(f"{path}/sessions", "calendar.sessions", message)
        return Calendar(begins, tuple(sessions), self._offset(found, path))

    def _session(self, value: object, path: str) -> Session:
        found = self.members(value, path, ("title", "begins"))
        return Session(self.text(found, "title", path, _LONGEST), self._day(found, "begins", path))

    def _day(self, owner: Mapping[str, Any], name: str, path: str) -> tuple[int, int]:
        text = self.text(owner, name, path)
        day = read_day(text)
        if day is None and text:
            self.wrong(path + pointer(name), "day.form", 'This must be a month and a day, such as "08-15".')
        return day or (1, 1)

    def _offset(self, owner: Mapping[str, Any], path: str) -> int:
        text = self.text(owner, "offset", path) or "+00:00"
        offset = read_offset(text)
        if offset is None:
            self.wrong(f"{path}/offset", "offset.form", 'This must be an offset from UTC, such as "+01:00".')
        return offset or 0

    # Rules

    def _rule(self, value: object, path: str, _index: int) -> Rule:
        found = self.members(value, path, ("id", "course", "credits", "from"), ("grade", "shares"))
        source = self.source(found.get("from", {"items": []}), f"{path}/from")
        course = self.members(found.get("course", {}), f"{path}/course", ("title",), ("code", "subject"))
        return Rule(
            id=self._id(found, path),
            course=self._course(course, f"{path}/course"),
            credits=self._credits(found.get("credits", "1"), f"{path}/credits", source),
            source=source,
            grading=self._grading(found.get("grade", {}), f"{path}/grade", _grades_of(source)),
            shares=self.flag(found, "shares", path) or False,
        )

    def _course(self, found: Mapping[str, Any], path: str) -> Course:
        return Course(*(self.text(found, name, path, _LONGEST) for name in ("title", "code", "subject")))

    def _credits(self, value: object, path: str, source: From) -> FixedCredits | HourCredits:
        if not isinstance(value, dict):
            return FixedCredits(self._credit(value, path))
        found = self.members(value, path, ("minutesPerCredit", "most", "round"), ("rounding",))
        if not isinstance(source, ByMinutes):
            self.wrong(path, "credits.hours", "Credits by the hour need a rule from minutes.")
        words = [one.value for one in Rounding]
        return HourCredits(
            self.whole(found, "minutesPerCredit", path, 1, MOST_NUMBER),
            self._credit(found.get("most", "1"), f"{path}/most"),
            self._credit(found.get("round", "1"), f"{path}/round"),
            Rounding(self.choice(found, "rounding", path, words)),
        )

    def _credit(self, value: object, path: str) -> Decimal:
        """Read a number of credits; only text will do, since a JSON number may become a binary float."""
        if isinstance(value, str):
            return self.decimal(value, path, _LEAST, _MOST)
        self.wrong(path, "credits.decimal", 'Credits must be a decimal number as text, such as "0.5".')
        return _LEAST

    def _course_rule(self, value: object, path: str, index: int) -> CourseRule:
        found = self.members(value, path, ("activity", "credits", "grade"), _COURSE_OPTIONAL)
        parts = self.flag(found, "parts", path) or False
        grading = self._grading(found.get("grade", {}), f"{path}/grade", _COURSE_GRADES)
        if parts and grading.by is not GradeBy.SCORE:
            self.wrong(
                f"{path}/parts", "course.parts", "Parts can be counted only where the grade is by score."
            )
        return CourseRule(
            id=self._id({"id": f"course-{index + 1}", **found}, path),
            activity=self.iris(found, "activity", path),
            credits=self._credit(found.get("credits", "1"), f"{path}/credits"),
            grading=grading,
            verb=self.iris(found, "verb", path),
            parts=parts,
            course=self._course(found, path),
            shares=self.flag(found, "shares", path) or False,
        )

    # Grades

    def _grading(self, value: object, path: str, choices: Sequence[GradeBy]) -> Grading:
        owner = value if isinstance(value, dict) else self.members(value, path)
        by = GradeBy(self.choice(owner, "by", path, [one.value for one in choices]))
        if by in {GradeBy.LEVEL, GradeBy.SCORE}:
            found = self.members(owner, path, ("by", "table"))
            return Grading(by, self._table(found.get("table", []), f"{path}/table"))
        if by is GradeBy.SUCCESS:
            found = self.members(owner, path, ("by", "passed", "failed"))
            passed, failed = (self.text(found, name, path, _LONGEST) for name in ("passed", "failed"))
            return Grading(by, (), passed, failed)
        found = self.members(owner, path, (), ("by", "grade"))
        return Grading(by, (), self.text(found, "grade", path, _LONGEST))

    def _table(self, value: object, path: str) -> tuple[GradeRow, ...]:
        found = self.array(value, path, 1)
        rows = [self._row(one, f"{path}/{index}") for index, one in enumerate(found)]
        for index, (above, below) in enumerate(pairwise(rows), start=1):
            if below.least >= above.least:
                message = "The rows must go down: from must be lower than that of the row above."
                self.wrong(f"{path}/{index}/from", "grade.order", message)
        grades = [row.grade for row in rows]
        for index, grade in enumerate(grades):
            if grade and grade in grades[:index]:
                self.wrong(f"{path}/{index}/grade", "grade.repeated", "This grade stands in the table twice.")
        return tuple(rows)

    def _row(self, value: object, path: str) -> GradeRow:
        found = self.members(value, path, ("from", "grade"), ("means", "earns"))
        return GradeRow(
            self.decimal(found.get("from", "0"), f"{path}/from", Decimal(0), _MOST),
            self.text(found, "grade", path, _LONGEST),
            self.text(found, "means", path, _LONGEST),
            self.flag(found, "earns", path) is not False,
        )

    # Names

    def _name(self, owner: Mapping[str, Any], name: str, path: str) -> str:
        text = self.text(owner, name, path)
        if text and _NAME.fullmatch(text) is None:
            message = "This must be 1 to 64 letters, digits, dots, hyphens or underscores."
            self.wrong(path + pointer(name), "name.form", message)
        return text

    def _id(self, owner: Mapping[str, Any], path: str) -> str:
        name = self._name(owner, "id", path)
        if name and name in self._ids:
            self.wrong(f"{path}/id", "id.repeated", "Another rule or course has this id.")
        self._ids.add(name)
        return name


_COURSE_GRADES = (GradeBy.NONE, GradeBy.SCORE, GradeBy.SUCCESS)


def _grades_of(source: From) -> Sequence[GradeBy]:
    """Say what a grade can be read from, for each kind of rule; the first where the file does not say."""
    if isinstance(source, ByItems) and source.level is not None:
        return (GradeBy.NONE, GradeBy.LEVEL, GradeBy.SCORE)
    return (GradeBy.NONE, GradeBy.SCORE)
