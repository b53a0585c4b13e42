"""Who and what there is in the city, read from the JSON files beside this one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone
from importlib.resources import files
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Provider:
    """One institution that sends records.

    Attributes:
        id: ``school``, ``museum`` or ``employer``.
        institution: Its name, as an instance of this project knows it.
        client: The system of theirs that sends.
        home: Where its IRIs begin; without a slash at the end.
        platform: What stands in ``context.platform``.
    """

    id: str
    institution: str
    client: str
    home: str
    platform: str


@dataclass(frozen=True, slots=True)
class Person:
    """A learner or a member of staff, under one identifier for each provider that knows them.

    Attributes:
        group: A learner's class; a member of staff's role.
        identifiers: Provider id to one inverse functional identifier:
            ``{"account": name}``, ``{"mbox": …}`` or ``{"mbox_sha1sum": …}``.
    """

    id: str
    name: str
    group: str
    identifiers: Mapping[str, Mapping[str, str]]

    def agent(self, provider: Provider) -> Json:
        """Give the xAPI Agent as which the provider knows this person."""
        kind, value = next(iter(self.identifiers[provider.id].items()))
        identifier: object = value
        if kind == "account":
            identifier = {"homePage": f"{provider.home}/accounts", "name": value}
        return {"objectType": "Agent", "name": self.name, kind: identifier}


@dataclass(frozen=True, slots=True)
class DemoCity:
    """The whole city.

    Attributes:
        offers: ``offers.json`` as parsed: courses, exhibitions, internships by provider.
    """

    name: str
    zone: timezone
    providers: Mapping[str, Provider]
    learners: tuple[Person, ...]
    staff: Mapping[str, Person]
    offers: Json

    def known_to(self, provider_id: str, group: str | None = None) -> list[Person]:
        """Give the learners whom a provider knows, of one class or of all, in order."""
        return [
            person
            for person in self.learners
            if provider_id in person.identifiers and group in (None, person.group)
        ]


def load_city() -> DemoCity:
    """Read the city from its files."""
    city, people, offers = (_read(name) for name in ("city.json", "people.json", "offers.json"))
    learners = [
        Person(one["id"], one["name"], one["class"], one["identifiers"]) for one in people["learners"]
    ]
    staff = [
        Person(one["id"], one["name"], one["role"], {one["provider"]: one["identifier"]})
        for one in people["staff"]
    ]
    return DemoCity(
        name=city["name"],
        zone=timezone(timedelta(hours=city["utc_offset_hours"])),
        providers={one["id"]: Provider(**one) for one in city["providers"]},
        learners=tuple(learners),
        staff={person.id: person for person in staff},
        offers=offers,
    )


def _read(name: str) -> Json:
    text = files("profiles.demo_city").joinpath(name).read_text(encoding="utf-8")
    parsed: Json = json.loads(text)
    return parsed
