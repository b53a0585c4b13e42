"""What the pages are looked at with: three invented institutions after a month, each in another state."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.settings import Settings, read_settings
from lrs.access.model import Scope
from lrs.app import create_app
from lrs.services import Outside, Services, build_services, now_us
from tests.engines import HandClock
from tests.http.conftest import Instance, basic
from tests.server import RunningServer, running_server

MEND, GOOD, EMPTY = "Harbour Museum", "Hill School", "Quayside Works"
_DAY = 86_400
_VERBS = ["attended", "completed", "experienced", "interacted"]


@dataclass
class Scenes:
    """A running server with all three, and the way in."""

    server: RunningServer
    keys: dict[str, str]

    def link(self, institution: str) -> str:
        """Make a sign-in link, as an operator does."""
        return self.server.lrs("sign-in", "--institution", institution).stdout.strip()

    def pages(self, institution: str) -> list[str]:
        return ["/arrivals", f"/arrivals/{self.keys[institution]}"]


def attestation(server: RunningServer) -> str:
    """Ask a mentor about a learner's work; return the link."""
    asked = {
        "institution": GOOD,
        "learner": "mailto:mia@example.org",
        "learner-name": "Mia Sol",
        "mentor": "Ivo Brandt",
        "activity": "https://boats.example.org/projects/7",
        "activity-name": "Repaired the blue boat",
        "hours": "12",
    }
    options = [text for name, value in asked.items() for text in (f"--{name}", value)]
    return server.lrs("attestation", "ask", *options).stdout.strip()


@contextmanager
def open_scenes(folder: Path) -> Iterator[Scenes]:
    """Fill a store with a month of posts and refusals, then serve it."""
    store = f"sqlite:///{folder}/lrs.db"
    keys = _fill(read_settings({"LRS_STORE": store}))
    with running_server(store, folder) as server:
        yield Scenes(server, keys)


def _fill(settings: Settings) -> dict[str, str]:
    clock = HandClock(now_us() - 29 * _DAY * 1_000_000)
    services = build_services(settings, Outside(clock=clock, durable=False))
    instance = Instance(create_app(settings, services), services, clock)
    try:
        return _live_a_month(instance, services)
    finally:
        services.close()


def _live_a_month(instance: Instance, services: Services) -> dict[str, str]:
    door = instance.key(MEND)
    instance.clock.move(1)
    shop = _client_key(services, MEND, "Workshop booking")
    school = instance.key(GOOD)
    instance.key(EMPTY)
    chance = random.Random(11)
    for day in range(29):
        instance.clock.move(_DAY - 600)
        for headers in (door, shop, school):
            if chance.random() < 0.8:
                instance.post([_statement(chance) for _ in range(chance.randint(1, 30))], headers)
        if day in {9, 20, 28}:
            instance.post(_wrong(chance, day), door)
        instance.clock.move(600)
    services.access.create_key(MEND, "Old turnstile", [Scope.STATEMENTS_WRITE])
    old = services.access.keys.list(services.access.get_institution_named(MEND).id)[-1]
    services.access.keys.revoke(old.id)
    return {name: _first_key(services, name) for name in (MEND, GOOD, EMPTY)}


def _client_key(services: Services, institution: str, client: str) -> dict[str, str]:
    made = services.access.create_key(institution, client, [Scope.STATEMENTS_WRITE])
    return {**basic(made.key.id, made.secret), "X-Experience-API-Version": "1.0.3"}


def _first_key(services: Services, institution: str) -> str:
    return services.access.keys.list(services.access.get_institution_named(institution).id)[0].id


def _statement(chance: random.Random) -> dict[str, Any]:
    return {
        "actor": {
            "account": {"homePage": "https://cards.example.org", "name": f"card-{chance.randint(1, 90)}"}
        },
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{chance.choice(_VERBS)}"},
        "object": {"id": f"https://example.org/rooms/{chance.randint(1, 9)}"},
    }


def _wrong(chance: random.Random, day: int) -> list[dict[str, Any]]:
    """Make a batch with the mistakes that providers make most."""
    batch = [_statement(chance) for _ in range(12)]
    batch[3]["actor"] = {"mbox": "visitor@example.org"}
    if day > 9:
        batch[7]["timestamp"] = "21.11.2026 10:30"
    if day > 20:
        batch[8]["context"] = {"platform": "Door", "plattform": "Door"}
    return batch
