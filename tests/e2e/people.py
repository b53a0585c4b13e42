"""What learners' pages are looked at with: the demo city, and learners in every state."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings, read_settings
from lrs.access.model import Role, Scope
from lrs.demo import load_demo
from lrs.demo.client import DemoClient
from lrs.services import Outside, Services, build_services, now_us
from tests.engines import HandClock
from tests.server import RunningServer, running_server

SCHOOL = "Port Amaris Harbour School"
FULL, UNWILLING, EMPTY, BEHIND = "full", "unwilling", "empty", "behind"
STATES = [FULL, UNWILLING, EMPTY, BEHIND]
WHO = {
    FULL: "mailto:maple.stonequay@post.port-amaris.example",
    UNWILLING: "mailto:pike.saltmarsh@post.port-amaris.example",
    BEHIND: "mailto:wren.lanternhill@post.port-amaris.example",
}
NOBODY = "0" * 12


@dataclass
class People:
    """A running server with all of them, and the ways in."""

    server: RunningServer
    settings: Settings
    subjects: dict[str, str]

    def sign_in_link(self, state: str) -> str:
        """Make a sign-in link; also for a learner of whom nothing is known yet."""
        services = build_services(self.settings)
        try:
            token = services.access.create_sign_in(SCHOOL, Role.LEARNER, self.subjects[state])
        finally:
            services.close()
        return f"/sign-in/{token}"

    def share_link(self, state: str, *options: str) -> str:
        """Make a share link, as an operator does; returns its path."""
        link = self.server.lrs("share", "create", self.subjects[state], *options).stdout.strip()
        return link.removeprefix(self.server.url)


@contextmanager
def open_people(folder: Path) -> Iterator[People]:
    """Load the demo city ten minutes ago, let one record wait since, which nobody works in, then serve it."""
    folder.mkdir(exist_ok=True)
    store = f"sqlite:///{folder}/lrs.db"
    settings = read_settings({"LRS_STORE": store})
    clock = HandClock(now_us() - 600_000_000)
    services = build_services(settings, Outside(clock=clock, durable=False))
    try:
        load_demo(services, lambda _: None, lambda: None)
        subjects = {state: str(services.learners.find(who).id) for state, who in WHO.items()}
        _let_wait(services, WHO[BEHIND])
    finally:
        services.close()
    with running_server(store, folder) as server:
        yield People(server, settings, {**subjects, EMPTY: NOBODY})


def _let_wait(services: Services, mailbox: str) -> None:
    made = services.access.create_key(SCHOOL, None, [Scope.ALL])
    statement = {
        "actor": {"mbox": mailbox},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
        "object": {"id": "https://example.org/late"},
    }
    DemoClient(services).post_statements(f"{made.key.id}:{made.secret}", [statement], 1)
