"""A transcript as one JSON document: the same for the same records, rules, grants and day.

Every line names the statements that it rests on; every statement says where it is kept, who
vouches for it and on what ground the school saw it. Spec: docs/transcripts.md
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from lrs.transcripts.courses import CourseLine
from lrs.transcripts.grading import shown, shown_mean
from lrs.transcripts.model import Course, CourseRule, Crosswalk, GradeBy, Grading, Rule
from lrs.transcripts.seen import Record
from lrs.transcripts.sessions import day_of
from lrs.transcripts.translating import Gap, Line, Translation, Unmatched

FORMAT = "https://w3id.org/lrs/transcript"
VERSION = 1
MOST_UNMATCHED = 100
"""How many activities that no rule speaks of are listed; the rest is summed up."""

_MINUTE = 60

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """What of one institution's records the school saw, and on what ground.

    Attributes:
        kinds: ``records``, ``competencies``, ``awards``, in order.
        grounds: In words, each once, in order; for the school's own records "the school's own record".
    """

    institution: str
    name: str
    kinds: tuple[str, ...]
    grounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose transcript it is, as the school's roster has it.

    Attributes:
        name: Empty where the roster has none; so birth_date.
        on_roster: Whether the school's roster has this learner at all.
    """

    id: str
    name: str
    birth_date: str
    on_roster: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """What stands around the lines.

    Attributes:
        school: The school's institution: id and name.
        access: What was opened, the school's own first, then by name.
        day: The day for which the transcript speaks.
    """

    school: tuple[str, str]
    holder: Holder
    crosswalk: Crosswalk
    access: tuple[Access, ...]
    day: date


def to_document(setting: Setting, made: Translation) -> Json:
    """Write a transcript as JSON with the members in a fixed order."""
    crosswalk = setting.crosswalk
    return {
        "format": FORMAT,
        "version": VERSION,
        "asOf": setting.day.isoformat(),
        "school": {
            "id": setting.school[0],
            "name": setting.school[1],
            "address": list(crosswalk.school.address),
            "contact": crosswalk.school.contact,
            "codes": dict(sorted(crosswalk.school.codes.items())),
        },
        "learner": {
            "id": setting.holder.id,
            "name": setting.holder.name,
            "birthDate": setting.holder.birth_date,
            "onRoster": setting.holder.on_roster,
        },
        "crosswalk": {
            "name": crosswalk.name,
            "title": crosswalk.title,
            "version": crosswalk.version,
            "unit": crosswalk.unit,
            "paper": crosswalk.paper,
            "framework": crosswalk.framework,
        },
        "courses": [_course_line(one, crosswalk) for one in made.courses],
        "lines": [_line(one, crosswalk) for one in made.lines],
        "untranslated": [
            *(_gap(one) for one in made.gaps),
            *_unmatched(made.unmatched),
            *_not_shared(setting),
        ],
        "notBegun": [
            {"id": one.id, "course": _course(one.course)}
            for one in _rules(crosswalk)
            if one.id in made.unbegun
        ],
        "totals": _totals(made),
        "gradingKey": _grading_key(crosswalk, made),
        "sources": [_source(one, setting) for one in setting.access],
        "statements": _statements(setting, made),
    }


def _rules(crosswalk: Crosswalk) -> list[CourseRule | Rule]:
    return [*crosswalk.courses, *crosswalk.rules]


def _credited(made: Translation) -> list[CourseLine | Line]:
    return [*made.courses, *made.lines]


def _course(course: Course) -> Json:
    return {"title": course.title, "code": course.code, "subject": course.subject}


def _line(line: Line, crosswalk: Crosswalk) -> Json:
    days = [day_of(record.at, crosswalk.calendar).isoformat() for record in line.records]
    return {
        "id": line.id,
        "course": _course(line.course),
        "credits": shown(line.credits),
        "grade": line.grade,
        "gradeBasis": line.basis,
        "what": line.words,
        "rule": line.rule,
        "ruleVersion": crosswalk.version,
        "schoolYear": line.term.year if line.term else "",
        "session": line.term.session if line.term else "",
        "sessionBegins": line.term.designator if line.term else "",
        "from": min(days, default=""),
        "to": max(days, default=""),
        "minutes": None if line.seconds is None else int(line.seconds // _MINUTE),
        "items": [
            {
                "item": one.item,
                "title": one.title,
                "code": one.code,
                "level": one.level,
                "levelName": one.level_name,
            }
            for one in line.items
        ],
        "vouchers": _vouchers(line.records),
        "evidence": [record.id for record in line.records],
    }


def _course_line(line: CourseLine, crosswalk: Crosswalk) -> Json:
    return {
        "id": line.id,
        "activity": line.activity,
        "course": _course(line.course),
        "creditsAttempted": shown(line.attempted),
        "credits": shown(line.earned),
        "grade": line.grade,
        "gradeBasis": line.basis,
        "schoolYear": line.term.year,
        "session": line.term.session,
        "sessionBegins": line.term.designator,
        "to": day_of(line.records[-1].at, crosswalk.calendar).isoformat(),
        "vouchers": _vouchers(line.records),
        "evidence": [record.id for record in line.records],
    }


def _vouchers(records: Iterable[Record]) -> list[Json]:
    counts: dict[tuple[str, str, str], int] = {}
    for record in records:
        key = (record.voucher, record.voucher_name, record.place)
        counts[key] = counts.get(key, 0) + 1
    return [
        {"kind": kind, "name": name, "institution": place, "records": counts[kind, name, place]}
        for kind, name, place in sorted(counts)
    ]


# What could not be translated


def _gap(gap: Gap) -> Json:
    return {
        "kind": gap.kind,
        "id": gap.id,
        "course": _course(gap.course),
        "why": gap.why,
        "have": gap.have,
        "need": gap.need,
        "records": gap.records,
    }


def _unmatched(found: Sequence[Unmatched]) -> list[Json]:
    why = "No rule speaks of them."
    listed: list[Json] = [
        {
            "kind": "no-rule",
            "institution": one.place,
            "activity": one.activity,
            "title": one.title,
            "records": one.records,
            "minutes": one.minutes,
            "why": why,
        }
        for one in found[:MOST_UNMATCHED]
    ]
    rest = found[MOST_UNMATCHED:]
    if rest:
        listed.append(
            {
                "kind": "no-rule",
                "institution": "",
                "activity": "",
                "title": f"{len(rest):,} more activities",
                "records": sum(one.records for one in rest),
                "minutes": sum(one.minutes for one in rest),
                "why": why,
            }
        )
    return listed


def _not_shared(setting: Setting) -> list[Json]:
    """Name the partners of whom nothing was opened, whether they hold something or not.

    The school learns nothing from it but what its own crosswalk says: that it asked.
    """
    opened = {one.name for one in setting.access}
    return [
        {
            "kind": "not-shared",
            "institution": name,
            "why": f"Nothing of {name} is in this transcript: there are no records there,"
            " or they are not shared with this school.",
        }
        for name in setting.crosswalk.institutions()
        if name not in opened
    ]


# Sums and keys


def _totals(made: Translation) -> Json:
    courses = sum((one.earned for one in made.courses), Decimal(0))
    attempted = sum((one.attempted for one in made.courses), Decimal(0))
    translated = sum((one.credits for one in made.lines), Decimal(0))
    by_subject: dict[str, Decimal] = {}
    for subject, credit in (
        *((one.course.subject, one.earned) for one in made.courses),
        *((one.course.subject, one.credits) for one in made.lines),
    ):
        by_subject[subject] = by_subject.get(subject, Decimal(0)) + credit
    return {
        "credits": shown(courses + translated),
        "courses": shown(courses),
        "coursesAttempted": shown(attempted),
        "translated": shown(translated),
        "bySubject": [
            {"subject": subject, "credits": shown(by_subject[subject])} for subject in sorted(by_subject)
        ],
    }


def _grading_key(crosswalk: Crosswalk, made: Translation) -> list[Json]:
    """Give each way of grading that was used once, with the courses that are graded so."""
    grading = {one.id: one.grading for one in _rules(crosswalk)}
    groups: dict[Grading, dict[str, None]] = {}
    for line in _credited(made):
        one = grading[line.rule if isinstance(line, CourseLine) else line.id]
        if one.table or one.by is GradeBy.SUCCESS:
            groups.setdefault(one, {})[line.course.title] = None
    return [
        {"by": one.by.value, "courses": list(titles), "grades": _grades(one)}
        for one, titles in groups.items()
    ]


def _grades(grading: Grading) -> list[Json]:
    if grading.by is GradeBy.SUCCESS:
        return [
            {"grade": grading.passed, "from": "", "means": "passed", "earns": True},
            {"grade": grading.failed, "from": "", "means": "not passed", "earns": False},
        ]
    return [
        {"grade": row.grade, "from": shown(row.least), "means": row.means, "earns": row.earns}
        for row in grading.table
    ]


# Where it all comes from


def _source(access: Access, setting: Setting) -> Json:
    return {
        "institution": access.name,
        "own": access.institution == setting.school[0],
        "kinds": list(access.kinds),
        "grounds": list(access.grounds),
    }


def _statements(setting: Setting, made: Translation) -> list[Json]:
    """List every statement that a line rests on, line after line, each with a short reference."""
    used: dict[str, list[str]] = {}
    found: dict[str, Record] = {}
    for line in _credited(made):
        for record in line.records:
            found.setdefault(record.id, record)
            used.setdefault(record.id, []).append(line.id)
    grounds = {one.institution: one.grounds for one in setting.access}
    return [
        {
            "reference": f"E{number}",
            "id": record.id,
            "institution": record.place,
            "day": day_of(record.at, setting.crosswalk.calendar).isoformat(),
            "title": record.title,
            "activity": record.activity,
            "minutes": None if record.seconds is None else int(record.seconds // _MINUTE),
            "score": None if record.score is None else shown_mean([record.score]),
            "voucher": {"kind": record.voucher, "name": record.voucher_name},
            "grounds": list(grounds.get(record.institution, ())),
            "lines": used[record.id],
        }
        for number, record in enumerate(found.values(), start=1)
    ]


def write_json(document: Mapping[str, Any]) -> bytes:
    """Write a transcript's JSON file: UTF-8, indented, the same bytes for the same transcript."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
