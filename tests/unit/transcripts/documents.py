"""A transcript of an invented learner with some of everything in it."""

from datetime import date
from decimal import Decimal
from typing import Any

from lrs.transcripts.crosswalk import read_crosswalk
from lrs.transcripts.document import Access, Holder, Setting, to_document
from lrs.transcripts.seen import Seen, Walked
from lrs.transcripts.translating import translate
from tests.unit.transcripts.crosswalks import (
    KNOWN,
    MUSEUM,
    PLACES,
    SCHOOL,
    WORKS,
    attained,
    changed,
    mark,
    shift,
)

HOLDER = Holder("abcdefghjkmn", "Mira Sample", "2009-04-05", on_roster=True)
MENTOR = "Ona Vale"
OTHER_COURSE = {"activity": ["https://other.example/1"], "credits": "1", "grade": {"by": "none"}}


def make_document(holder: Holder = HOLDER, shifts: int = 5, **members: Any) -> dict[str, Any]:
    """Make the transcript; members change the crosswalk."""
    crosswalk = read_crosswalk(changed(**members), KNOWN, version=3)
    workshop = shift(
        30,
        score=Decimal("0.9"),
        title="Robot fish workshop",
        institution=MUSEUM,
        place=PLACES[MUSEUM],
        voucher_name=MENTOR,
    )
    records = [
        *(shift(100 + number, 95) for number in range(shifts)),
        mark(10, "0.95"),
        mark(11, "0.4", "science"),
        mark(12, None, "art"),
        *(shift(20 + one, 30, activity=f"https://x.example/{one}", title=f"Walk {one}") for one in range(3)),
    ]
    maker = Walked("Maker of tides", missing=("Draw a plan", "Show it"), records=(shift(40),))
    items = {"S.1": attained("S.1", 3, workshop), "S.2": attained("S.2", 1, shift(31))}
    made = translate(crosswalk, Seen(SCHOOL, records, items, {("Harbour Museum", "maker"): maker}))
    access = (
        Access(SCHOOL, PLACES[SCHOOL], ("records", "competencies", "awards"), ("the school's own records",)),
        Access(WORKS, PLACES[WORKS], ("records",), ("consent until 1 July 2027",)),
    )
    setting = Setting((SCHOOL, PLACES[SCHOOL]), holder, crosswalk, access, date(2026, 11, 22))
    return to_document(setting, made)
