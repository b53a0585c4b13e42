"""A town of people with consents."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.consent.service import ConsentService
from lrs.learners.handles import LearnerHandle
from tests.engines import Engine, sqlite_engine
from tests.unit.learners.people import MUSEUM, SCHOOL, Town

EMPLOYER = InstitutionHandle(InstitutionId("emp0010001"))
ANA = "mbox mailto:ana@example.org"
BADGE = "account https://museum.example ana"


@dataclass
class Place:
    """A town, and what decides who may see what."""

    town: Town
    consents: ConsentService

    def own(self, identifier: str = ANA) -> LearnerHandle:
        return self.town.service.own(identifier)


def make_place(engine: Engine) -> Place:
    """Let Ana have records at the school, the museum and the employer."""
    town = Town(engine)
    for number, place in enumerate((SCHOOL, MUSEUM, EMPLOYER)):
        town.act(ANA, place, number)
    ids = [one.institution_id for one in (SCHOOL, MUSEUM, EMPLOYER)]
    consents = ConsentService(town.commons, town.stores.recorded, town.service, lambda: ids, engine.clock)
    return Place(town, consents)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """On SQLite."""
    engine = sqlite_engine(tmp_path)
    yield make_place(engine)
    engine.close()


@pytest.fixture
def place_on_each(engine: Engine) -> Place:
    """On each engine in turn."""
    return make_place(engine)
