"""A small world whose records change in every way that derivation must follow, for its tests."""

import contextlib
import itertools
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.settings import read_settings
from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.competencies.model import model_value
from lrs.derivation.deriver import Deriver
from lrs.derivation.reading import Pace
from lrs.derivation.rebuilding import TABLES, Rebuilder, Rebuilt
from lrs.errors import JobStopped, StatementConflict
from lrs.learners.roster import RosterPerson
from lrs.services import Outside, Services, build_services
from lrs.tables.derived import DerivedTables
from lrs.tables.recorded import COMMONS, Wish
from lrs.xapi.attachments import SentBody
from lrs.xapi.versions import Version
from tests.engines import Engine
from tests.factories import make_statement, make_statement_id
from tests.http.conftest import basic, secret_key_file
from tests.unit.competencies.builders import FRAMEWORK, TWO_OF_THREE, spine

PLACES = ("School", "Museum", "Employer")
ITEMS = ("a1", "a2", "b1", "alone")
VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def activity(item: str) -> str:
    return f"https://city.example.org/activities/{item}"


def person(name: str) -> dict[str, Any]:
    """An Agent of a name; one that begins with # is known by the SHA-1 of the other's mailbox."""
    if name.startswith("#"):
        from lrs.learners.identifiers import sha1_of

        hashed = sha1_of(identifier(name[1:]))
        assert hashed is not None
        return {"mbox_sha1sum": hashed.partition(" ")[2]}
    if name.startswith("@"):
        return {"name": name, "account": {"homePage": "https://id.example.org", "name": name[1:]}}
    return {"name": name.title(), "mbox": f"mailto:{name}@example.org"}


def identifier(name: str) -> str:
    """The identifier of such an Agent."""
    if name.startswith("@"):
        return f"account https://id.example.org {name[1:]}"
    if name.startswith("#"):
        return f"mbox_sha1sum {person(name)['mbox_sha1sum']}"
    return f"mbox mailto:{name}@example.org"


@dataclass
class World:
    """An instance with a few institutions, and everything that can happen in them."""

    services: Services
    callers: dict[str, Caller] = field(default_factory=dict)
    number: int = 0
    epoch: int = 0

    def __post_init__(self) -> None:
        for place in PLACES:
            self.found(place)

    @classmethod
    def on(cls, engine: Engine, seed: int = 0) -> "World":
        """Make one on an empty store; ids and salts are the same for the same seed."""
        settings = read_settings({"LRS_SECRET_KEY_FILE": secret_key_file()})
        ids = itertools.count(1)
        outside = Outside(
            clock=engine.clock,
            random_bytes=random.Random(seed).randbytes,
            new_id=lambda: f"11111111-0000-4000-8000-{next(ids):012d}",
            durable=False,
        )
        services = build_services(settings, outside, engine.open)
        services.learners.salt()
        return cls(services)

    def found(self, place: str) -> None:
        access = self.services.access
        made = access.create_key(place, None, (Scope.ALL,))
        self.callers[place] = access.authenticate(basic(made.key.id, made.secret)["Authorization"])

    def handle(self, place: str) -> InstitutionHandle:
        return self.services.access.handle_for_institution_named(place)

    def say(
        self, place: str, who: str | list[str], item: str = "a1", score: float | None = 0.7, **changes: Any
    ) -> str:
        """Post a statement; returns its id. Several people act as a Group."""
        self.number += 1
        number = changes.pop("number", self.number)
        actor = (
            person(who)
            if isinstance(who, str)
            else {"objectType": "Group", "name": "Class", "member": [person(one) for one in who]}
        )
        values = {
            "id": make_statement_id(number),
            "actor": actor,
            "object": {"id": activity(item), "definition": {"name": {"en": f"Try {item}"}}},
            "timestamp": f"2026-03-{number % 27 + 1:02d}T09:30:00Z",
        }
        if score is not None:
            values["result"] = {"score": {"scaled": score}, "success": score > 0.5}
        self._post(place, make_statement(**values | changes))
        return str(values["id"])

    def void(self, place: str, statement_id: str) -> None:
        self.number += 1
        voiding = make_statement(
            id=make_statement_id(self.number),
            actor=person("clerk"),
            verb=VOIDED,
            object={"objectType": "StatementRef", "id": statement_id},
        )
        self._post(place, voiding)

    def _post(self, place: str, statement: Mapping[str, Any]) -> None:
        body = SentBody(json.dumps([statement]).encode())
        with contextlib.suppress(StatementConflict):
            self.services.statements.post(self.callers[place], body, Version.V1_0_3)

    def roster(self, place: str, *rows: tuple[str, str, tuple[str, ...]], full: bool = True) -> None:
        """Import a roster: (sourced id, name, names of identities)."""
        tables = self.services.stores.recorded(self.handle(place))
        there = {one.subject for one in tables.list("roster.person")}
        people = [
            RosterPerson("class", key, name, None, "student", (), "", tuple(sorted(map(identifier, names))))
            for key, name, names in rows
        ]
        wishes = [(one.subject, one.wish) for one in people]
        if full:
            wishes += [(one, Wish(None)) for one in sorted(there - {one.subject for one in people})]
        if wishes:
            tables.change_all("roster.person", wishes, self.services.outside.clock())

    def link(self, one: str, other: str) -> None:
        self.services.learners.link(identifier(one), identifier(other), "test")

    def unlink(self, one: str, other: str) -> None:
        self.services.learners.unlink(identifier(one), identifier(other), "test")

    def share(self, name: str, state: str = "shared") -> None:
        """Record that a mailbox is given to two persons, or that it was decided whose it is."""
        value = {"identifier": identifier(name), "state": state, "claimedBy": []}
        self.services.stores.recorded(COMMONS).change(
            "shared", value["identifier"], lambda _: Wish(value, [f"id:{value['identifier']}"]), 1
        )

    def framework(self, place: str = "School", levels: bool = True, **document: Any) -> None:
        package = spine()
        package["CFDocument"] |= document
        model = model_value(TWO_OF_THREE) if levels else {"name": "coverage"}
        self.services.frameworks.import_framework(
            self.handle(place), json.dumps(package).encode(), json.dumps(model).encode()
        )

    def align(self, place: str = "School", items: tuple[str, ...] = ITEMS, **rule: Any) -> None:
        """Say that each item's activity is evidence of it."""
        rules = [
            {"id": f"r-{item}", "item": item, "when": {"activity": [activity(item)]}, **rule}
            for item in items
        ]
        body = {"name": "spine", "framework": FRAMEWORK, "rules": rules}
        self.services.frameworks.import_alignment(self.handle(place), json.dumps(body).encode())

    def drop(self, place: str) -> None:
        self.services.stores.drop_institution(self.handle(place))

    def derive(self, pace: Pace | None = None, most_steps: int | None = None) -> bool:
        """Derive, at a pace; with so many steps at most, tell whether they were enough."""
        left = itertools.count(most_steps if most_steps is not None else 1_000_000_000, -1)

        def count() -> None:
            if next(left) <= 0:
                raise JobStopped("Enough.")

        self.epoch += 1
        try:
            Deriver(self.services.deriving, self.derived, pace).run(self.epoch, count)
        except JobStopped:
            return False
        return True

    @property
    def deriver(self) -> Deriver:
        return self.services.deriver

    @property
    def derived(self) -> DerivedTables:
        return self.services.stores.derived

    def verify(self) -> Rebuilt:
        self.epoch += 1
        stores = self.services.stores
        rebuilder = Rebuilder(self.services.deriving, stores.derived, stores.derived_scratch)
        return rebuilder.verify(self.epoch, keep, lambda _: None)

    def assert_equals_rebuild(self) -> Rebuilt:
        rebuilt = self.verify()
        assert rebuilt.named == ()
        assert rebuilt.differences == 0
        return rebuilt

    def levels(self, who: str) -> dict[str, int | None]:
        """The level of each item of somebody; empty where nobody is known or nothing is shown."""
        from lrs.errors import NotFound

        try:
            found = self.services.learners.find(identifier(who))
        except NotFound:
            return {}
        shown = self.services.frameworks.progress(found.identity_ids)
        return {one.item: one.level for one in shown if one.item != FRAMEWORK}


def keep() -> None:
    """Stand for a lease that nobody takes."""


def all_rows(tables: DerivedTables) -> list[Any]:
    return [row for table in TABLES for row in tables.iter_rows(table)]
