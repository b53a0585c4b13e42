"""A school, a works and a museum that know one learner, with everything that a transcript needs."""

import json
from dataclasses import dataclass
from typing import Any

from lrs.jobs.model import Outcome
from lrs.learners.roster_file import RosterRow
from lrs.vouchers import VOUCHER
from tests.factories import make_statement_id
from tests.http.conftest import Instance
from tests.unit.competencies.builders import FRAMEWORK, TWO_OF_THREE, spine
from tests.unit.transcripts.crosswalks import TABLE

SCHOOL, WORKS, MUSEUM = "School", "Works", "Museum"
COURSE = "https://school.example/courses/maths"
SHIFT = "https://works.example/shifts/hull"
WORKSHOP = "https://museum.example/workshops/robot"
ADA = "mailto:ada@example.org"
MENTOR = {"objectType": "Agent", "name": "Mara Ek", "mbox": "mailto:mara@works.example"}

CROSSWALK: dict[str, Any] = {
    "name": "diploma",
    "title": "School diploma",
    "framework": FRAMEWORK,
    "partners": [WORKS, MUSEUM],
    "rules": [
        {
            "id": "work",
            "course": {"title": "Work-based learning", "subject": "Career"},
            "credits": {"minutesPerCredit": 600, "most": "1", "round": "0.25"},
            "from": {"minutes": {"activity": ["https://works.example/shifts/*"]}, "least": 120},
        },
        {
            "id": "robots",
            "course": {"title": "Robots"},
            "credits": "0.5",
            "from": {"items": ["A1"], "level": 2},
            "grade": {"by": "level", "table": [{"from": "3", "grade": "A"}, {"from": "2", "grade": "B"}]},
        },
    ],
    "courses": [
        {"id": "maths", "activity": [COURSE], "credits": "1", "grade": {"by": "score", "table": TABLE}}
    ],
}


@dataclass
class City:
    """An instance with the three, and what was posted."""

    instance: Instance
    number: int = 0

    def say(self, place: str, activity: str, who: str = ADA, **changes: Any) -> str:
        """Post a statement; returns its id."""
        self.number += 1
        statement = {
            "id": make_statement_id(self.number),
            "actor": {"mbox": who},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
            "object": {"id": activity, "definition": {"name": {"en": activity.rpartition("/")[2].title()}}},
            "timestamp": f"2026-03-{self.number % 27 + 1:02d}T09:30:00Z",
            **changes,
        }
        answer = self.instance.post(statement, self.instance.key(place))
        assert answer.status_code == 200, answer.text
        return str(statement["id"])

    def roster(self, *rows: dict[str, str]) -> None:
        listed = [RosterRow(line, row) for line, row in enumerate(rows, start=2)]
        self.instance.services.learners.import_roster(self.handle(SCHOOL), "class", listed)

    def handle(self, place: str) -> Any:
        return self.instance.access.handle_for_institution_named(place)

    def take(self, crosswalk: dict[str, Any], place: str = SCHOOL) -> Any:
        body = json.dumps(crosswalk).encode()
        return self.instance.services.transcripts.import_crosswalk(self.handle(place), body)

    def derive(self) -> None:
        assert self.instance.services.jobs.run("derive").outcome is Outcome.DONE

    def grant(self, *sources: str, kinds: tuple[str, ...] = ("records", "competencies", "awards")) -> None:
        own = self.instance.services.learners.own(ADA)
        places = [self.handle(name).institution_id for name in sources]
        viewer = self.handle(SCHOOL).institution_id
        self.instance.services.consents.grant(own, viewer, "transcript", kinds, places or None, None)

    @property
    def learner(self) -> str:
        return str(self.instance.services.learners.find(ADA).id)

    def transcript(self, place: str = SCHOOL, name: str = "diploma") -> dict[str, Any]:
        made = self.instance.services.transcripts.make(self.handle(place), self.learner, name)
        return dict(made)


def found_city(instance: Instance) -> City:
    """Make the city: a month at each place, derived; nothing is shared yet."""
    for name in (SCHOOL, WORKS, MUSEUM):
        instance.access.ensure_institution(name)
    city = City(instance)
    city.roster(
        {"sourcedId": "7", "name": "Ada Sample", "email": "ada@example.org", "birthDate": "2009-05-04"}
    )
    services = instance.services
    model = {
        "name": "k-of-n",
        "k": 2,
        "n": 3,
        "levels": [
            {"level": one.level, "name": one.name, "threshold": str(one.threshold)}
            for one in TWO_OF_THREE.levels
        ],
    }
    services.frameworks.import_framework(
        city.handle(SCHOOL), json.dumps(spine()).encode(), json.dumps(model).encode()
    )
    rules = [{"id": "r", "item": "A1", "when": {"activity": [WORKSHOP]}, "score": "scaled"}]
    alignment = {"name": "spine", "framework": FRAMEWORK, "rules": rules}
    services.frameworks.import_alignment(city.handle(SCHOOL), json.dumps(alignment).encode())
    city.say(SCHOOL, COURSE, result={"score": {"scaled": 0.93}})
    for _ in range(3):
        city.say(
            WORKS,
            SHIFT,
            result={"duration": "PT100M"},
            context={"instructor": MENTOR, "extensions": {VOUCHER: "mentor"}},
        )
    for score in (0.7, 0.9):
        city.say(MUSEUM, WORKSHOP, result={"score": {"scaled": score}})
    city.say(WORKS, "https://works.example/tours/1")
    city.derive()
    city.take(CROSSWALK)
    return city
