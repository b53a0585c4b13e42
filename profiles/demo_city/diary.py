"""The diary in which one provider's term is written, and the few shapes that all three use."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - only the type; the generator itself is handed in

from profiles.demo_city.city import DemoCity, Json, Person, Provider

DAYS = 28
"""In one block; a writer writes one block after the other."""
BLOCKS = 3
MONDAY, WEDNESDAY, THURSDAY, SATURDAY = 0, 2, 3, 5
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://port-amaris.example/records")

VERBS = {
    "answered": "http://adlnet.gov/expapi/verbs/answered",
    "attended": "http://adlnet.gov/expapi/verbs/attended",
    "commented": "http://adlnet.gov/expapi/verbs/commented",
    "completed": "http://adlnet.gov/expapi/verbs/completed",
    "experienced": "http://adlnet.gov/expapi/verbs/experienced",
    "failed": "http://adlnet.gov/expapi/verbs/failed",
    "mentored": "http://id.tincanapi.com/verb/mentored",
    "passed": "http://adlnet.gov/expapi/verbs/passed",
    "planned": "https://port-amaris.example/verbs/planned",
    "rated": "http://id.tincanapi.com/verb/rated",
    "voided": "http://adlnet.gov/expapi/verbs/voided",
}


class Diary:
    """Collects the statements of one provider, block after block of four weeks.

    Args:
        city: Where it happens.
        provider: Who writes.
        until: The moment at which the term ends; aware.
        rng: Decides who does what; the same generator gives the same term.
    """

    def __init__(self, city: DemoCity, provider: Provider, until: datetime, rng: Random) -> None:
        """Begin an empty diary at its first block."""
        self.block = 0
        self.city = city
        self.provider = provider
        self.rng = rng
        self.offers: Json = city.offers[provider.id]
        self._until = until
        self._last_day = until.astimezone(city.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self._written: list[tuple[datetime, Json]] = []

    @property
    def days(self) -> list[datetime]:
        """The block's days, as midnights in the city's zone, oldest first."""
        later = DAYS * (BLOCKS - 1 - self.block)
        return [self._last_day - timedelta(days=later + back) for back in reversed(range(DAYS))]

    @property
    def workdays(self) -> list[datetime]:
        """The block's days from Monday to Friday."""
        return [day for day in self.days if day.weekday() < SATURDAY]

    def chance(self, probability: float) -> bool:
        """Tell whether something that happens so often happens now."""
        return self.rng.random() < probability

    def id_of(self, key: str) -> str:
        """Give the id of what is written under a key: stable for a day, a provider, a block and a key."""
        return str(uuid.uuid5(NAMESPACE, f"{self._last_day.date()}/{self.provider.id}/{self.block}/{key}"))

    def write(self, key: str, at: datetime, actor: Json, verb: str, **parts: Json) -> str:
        """Add a statement.

        Args:
            key: Names the event within this block; never used twice.
            at: When it happened.
            actor: Agent or Group.
            verb: One of VERBS.
            parts: ``object`` and what else the statement has.

        Returns:
            The statement's id.
        """
        statement: Json = {
            "id": self.id_of(key),
            "actor": actor,
            "verb": {"id": VERBS[verb], "display": {"en": verb}},
            **parts,
            "timestamp": self.stamp(at),
        }
        self._written.append((at, statement))
        return str(statement["id"])

    def stamp(self, at: datetime) -> str:
        """Write a moment as this provider does: the museum in UTC, the others with their offset."""
        if self.provider.id == "museum":
            return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return at.isoformat(timespec="milliseconds")

    def moment(self, day: datetime, first_hour: float, last_hour: float) -> datetime:
        """Give some moment of a day between two hours, to the millisecond."""
        return day + timedelta(
            milliseconds=self.rng.randrange(int(first_hour * 3.6e6), int(last_hour * 3.6e6))
        )

    def iri(self, *path: str) -> str:
        """Give an IRI of this provider."""
        return "/".join((self.provider.home, *path))

    def activity(self, path: str, name: Json, kind: str, **more: object) -> Json:
        """Give an Activity of this provider with its definition."""
        return {
            "objectType": "Activity",
            "id": self.iri(path),
            "definition": {"name": name, "type": f"http://adlnet.gov/expapi/activities/{kind}", **more},
        }

    def group(self, name: str, members: Iterable[Person], account: str | None = None) -> Json:
        """Give a Group of people as this provider knows them; anonymous without an account."""
        group: Json = {"objectType": "Group", "name": name}
        if account:
            group["account"] = {"homePage": f"{self.provider.home}/accounts", "name": account}
        return {**group, "member": [person.agent(self.provider) for person in members]}

    def staff(self, person_id: str) -> Json:
        """Give the Agent of a member of staff."""
        return self.city.staff[person_id].agent(self.provider)

    def statements(self) -> list[Json]:
        """Give what happened before the term's end, in order of time."""
        kept = [(at, statement) for at, statement in self._written if at <= self._until]
        return [statement for _, statement in sorted(kept, key=lambda pair: (pair[0], pair[1]["id"]))]


def score(raw: float, most: float) -> Json:
    """Give a score from 0 to ``most``, scaled as well."""
    return {"scaled": round(raw / most, 4), "raw": raw, "min": 0, "max": most}


def duration(minutes: int) -> str:
    """Write minutes as an ISO 8601 duration."""
    hours, rest = divmod(minutes, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest or not hours else "")


def reference(statement_id: str) -> Json:
    """Give a StatementRef."""
    return {"objectType": "StatementRef", "id": statement_id}


def parent(activity: Json) -> Json:
    """Give an Activity as it stands in ``contextActivities``: without its definition."""
    return {"objectType": "Activity", "id": activity["id"]}
