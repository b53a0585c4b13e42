"""A small town of people over real stores: acts by hand, persons by the rules under test."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.learners.acts import Act, Voucher, act_row
from lrs.learners.deriving import Resolver, open_rosters, touched_by
from lrs.learners.handles import IdentityId
from lrs.learners.persons import rows_of
from lrs.learners.roster_file import RosterRow
from lrs.learners.service import LearnerService
from lrs.tables.derived import Derivation, DerivedTables, Row
from lrs.tables.recorded import COMMONS
from tests.engines import Engine, sqlite_engine

SCHOOL = InstitutionHandle(InstitutionId("sch0010001"))
MUSEUM = InstitutionHandle(InstitutionId("mus0010001"))


def make_act(identifier: str, place: InstitutionHandle, number: int = 1, name: str | None = None) -> Act:
    return Act(
        id=f"00000000-0000-4000-8000-{number:012d}",
        institution=place.institution_id,
        at=1_700_000_000_000_000 + number,
        identifier=identifier,
        name=name,
        group=None,
        verb="https://example.org/did",
        verb_name={},
        object="https://example.org/workshop",
        object_name={},
        type=None,
        parents=(),
        groupings=(),
        categories=(),
        scaled=None,
        raw=None,
        min=None,
        max=None,
        success=None,
        completion=None,
        seconds=None,
        narrative=None,
        voucher=Voucher("machine"),
        client="",
    )


def rows(*people: Mapping[str, str]) -> list[RosterRow]:
    return [RosterRow(line, values) for line, values in enumerate(people, 2)]


@dataclass
class Town:
    """Stores with a service, and a hand that derives persons step by step."""

    engine: Engine
    acts: dict[IdentityId, list[Act]] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stores = self.engine.open()
        self.derived: DerivedTables = self.stores.derived
        self.derived.begin(1)
        self.commons = self.stores.recorded(COMMONS)
        self.service = LearnerService(
            self.stores.recorded, self.commons, self.derived, self.engine.clock, bytes
        )

    def act(
        self, identifier: str, place: InstitutionHandle, number: int = 1, name: str | None = None
    ) -> None:
        """Let somebody do something, and derive it."""
        made = make_act(identifier, place, number, name)
        identity = self.service.identity(identifier)
        self.acts.setdefault(identity, []).append(made)
        self.derived.save(1, Derivation([act_row(identity, made)]))
        self.derive([identifier])

    def catch_up(self) -> None:
        """Derive whom the histories say to be touched."""
        touched: list[str] = []
        for handle in (COMMONS, SCHOOL, MUSEUM):
            name = handle.institution_id
            for entry in self.stores.recorded(handle).read_entries(self.cursors.get(name, 0), 1000):
                touched += touched_by(entry)
                self.cursors[name] = entry.position
        self.derive(touched)

    def resolver(self, derived: DerivedTables) -> Resolver:
        rosters = open_rosters([SCHOOL, MUSEUM], self.stores.recorded)
        return Resolver(self.commons, rosters, derived, self.service.salt())

    def derive(self, touched: Iterable[str], derived: DerivedTables | None = None) -> None:
        derived = derived or self.derived
        resolved = self.resolver(derived).resolve(touched)
        made = [row for person in resolved.persons for row in rows_of(person, self.acts)]
        removals = resolved.before - {row.name for row in made}
        assert derived.save(1, Derivation(made, sorted(removals)))

    def all_rows(self, derived: DerivedTables | None = None) -> list[Row]:
        derived = derived or self.derived
        tables = ("identities", "mailboxes", "members", "learners", "places")
        return [row for table in tables for row in derived.iter_rows(table)]

    def rebuilt(self) -> list[Row]:
        """Derive everything at once, in empty tables."""
        everyone = [act.identifier for acts in self.acts.values() for act in acts]
        for handle in (COMMONS, SCHOOL, MUSEUM):
            for entry in self.stores.recorded(handle).read_entries(0, 10_000):
                everyone += touched_by(entry)
        with self.stores.derived_scratch() as scratch:
            scratch.begin(1)
            acts = [act_row(identity, act) for identity, found in self.acts.items() for act in found]
            assert scratch.save(1, Derivation(acts))
            self.derive(everyone, scratch)
            return self.all_rows(scratch)

    def persons(self) -> set[frozenset[str]]:
        """Who is who: the identifiers of each learner, but for SHA-1s."""
        page = self.service.list(limit=1000)
        return {
            frozenset(one.identifier for one in learner.identities if "sha1" not in one.identifier)
            for learner in page.learners
        }


def make_town(folder: Path) -> Town:
    return Town(sqlite_engine(folder))
