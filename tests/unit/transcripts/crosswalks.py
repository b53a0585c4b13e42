"""An invented crosswalk that the tests of this folder change, and records to translate."""

import copy
from decimal import Decimal
from typing import Any

from lrs.clock import from_datetime
from lrs.transcripts.crosswalk import read_crosswalk
from lrs.transcripts.model import Crosswalk
from lrs.transcripts.seen import Attained, Record
from lrs.transcripts.sources import Known

SCHOOL, MUSEUM, WORKS = "schoolid00", "museumid00", "worksid000"
PLACES = {SCHOOL: "Hill School", MUSEUM: "Harbour Museum", WORKS: "Quayside Works"}

TABLE = [
    {"from": "0.9", "grade": "A", "means": "Excellent"},
    {"from": "0.6", "grade": "B"},
    {"from": "0", "grade": "F", "earns": False},
]

WHOLE: dict[str, Any] = {
    "name": "diploma",
    "title": "Hill School diploma",
    "unit": "Carnegie unit",
    "framework": "spine",
    "school": {
        "address": ["1 Hill Road", "Port Amaris"],
        "contact": "registrar@hill.example",
        "codes": {"CEEB": "000000"},
    },
    "calendar": {
        "begins": "08-15",
        "sessions": [{"title": "Autumn", "begins": "08-15"}, {"title": "Spring", "begins": "01-10"}],
        "offset": "+01:00",
    },
    "partners": ["Harbour Museum"],
    "rules": [
        {
            "id": "work",
            "course": {"title": "Work-based learning", "code": "WBL 1", "subject": "Career"},
            "credits": {"minutesPerCredit": 600, "most": "1", "round": "0.25"},
            "from": {"minutes": {"activity": ["https://works.example/shifts/*"]}, "least": 120},
        },
        {
            "id": "team",
            "course": {"title": "Working with others"},
            "credits": "0.5",
            "from": {"items": ["S.1", "S.2"], "level": 2, "k": 1},
            "grade": {"by": "level", "table": [{"from": "3", "grade": "A"}, {"from": "2", "grade": "B"}]},
        },
        {
            "id": "maker",
            "course": {"title": "Making"},
            "credits": "0.25",
            "from": {"award": "maker", "institution": "Harbour Museum"},
        },
    ],
    "courses": [
        {
            "activity": ["https://school.example/courses/*"],
            "credits": "1",
            "grade": {"by": "score", "table": TABLE},
        }
    ],
}

KNOWN = Known(
    items={"S.1": ("item-1",), "S.2": ("item-2",), "S.9": ("item-8", "item-9"), "item-1": ("item-1",)},
    levels=(1, 2, 3),
    has_framework=True,
    pathways={"maker": ("Harbour Museum",), "path": ("Hill School", "Harbour Museum"), "two": ("a", "b")},
    awarding={("Harbour Museum", "maker")},
    institutions=set(PLACES.values()),
    school="Hill School",
)


def changed(**members: Any) -> dict[str, Any]:
    """The invented crosswalk with other members at the top; None leaves one out."""
    made = {**copy.deepcopy(WHOLE), **members}
    return {name: value for name, value in made.items() if value is not None}


def with_rules(*rules: dict[str, Any], courses: list[dict[str, Any]] | None = None) -> Crosswalk:
    return read_crosswalk(changed(rules=list(rules), courses=courses or []), KNOWN)


def hours_rule(id_: str = "work", **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(WHOLE["rules"][0]), "id": id_, **members}


def items_rule(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(WHOLE["rules"][1]), **members}


def shift(number: int, minutes: int | None = 60, **members: Any) -> Record:
    """A record of a shift at the works."""
    usual: dict[str, Any] = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "institution": WORKS,
        "place": PLACES[WORKS],
        "at": at(2026, 1, 12) + number,
        "verb": "http://adlnet.gov/expapi/verbs/attended",
        "activity": "https://works.example/shifts/hull",
        "title": "Shift in the hull yard",
        "voucher": "mentor",
        "seconds": None if minutes is None else Decimal(minutes * 60),
    }
    return Record(**{**usual, **members})


def mark(number: int, score: str | None, course: str = "mathematics", **members: Any) -> Record:
    """The school's own record on one of its courses."""
    usual: dict[str, Any] = {
        "institution": SCHOOL,
        "place": PLACES[SCHOOL],
        "activity": f"https://school.example/courses/{course}",
        "title": course.capitalize(),
        "voucher": "teacher",
        "score": None if score is None else Decimal(score),
    }
    return shift(number, None, **{**usual, **members})


def attained(item: str, level: int | None, *records: Record) -> Attained:
    return Attained(f"item-{item}", f"Item {item}", item, level, "", records)


def at(year: int, month: int, day: int, hour: int = 12) -> int:
    from datetime import UTC, datetime

    return from_datetime(datetime(year, month, day, hour, tzinfo=UTC))
