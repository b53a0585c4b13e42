"""The demo city on its way in: what every step works with."""

from collections.abc import Callable
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle
from lrs.demo.client import DemoClient
from lrs.services import Services
from profiles.demo_city import DemoCity, Person

STAR = "Maple Stonequay"
"""The learner whose portfolio and transcript the printed links open."""

UNWILLING = "Pike Saltmarsh"
"""The learner who has not let the school see other places' records."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moving:
    """The city on its way in.

    Attributes:
        say: Takes a line for the person who waits.
        go_on: Called between two steps; what it raises ends the loading there.
        keys: The ``KEY:SECRET`` of each provider, by its id.
    """

    services: Services
    client: DemoClient
    city: DemoCity
    say: Say
    go_on: Callable[[], None]
    keys: dict[str, str]

    @property
    def school(self) -> str:
        """The name of the school's institution."""
        return self.city.providers["school"].institution

    def handle(self, provider: str) -> InstitutionHandle:
        """Open a provider's institution, for what a person would do at a command line."""
        name = self.city.providers[provider].institution
        return self.services.access.handle_for_institution_named(name)


def school_account(city: DemoCity, person: Person) -> str:
    """Give the identifier under which the school knows a learner."""
    return f"account {city.providers['school'].home}/accounts {person.identifiers['school']['account']}"
