"""What a registrar sees: a school whose transcripts are ready, partly there, and not ready."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import read_settings
from lrs.app import create_app
from lrs.portfolios.shares import ShareWish
from lrs.services import Outside, build_services, now_us
from tests.engines import HandClock
from tests.http.conftest import Instance
from tests.server import RunningServer, running_server
from tests.transcripts import ADA, CROSSWALK, SCHOOL, WORKS, City, found_city

READY, PARTLY, NOT_YET, SHARED = "ready", "partly", "not yet", "shared"
_TWO_DAYS_US = 172_800_000_000
BRIEF = {"name": "brief", "title": "Only what others saw"}


@dataclass
class Registrar:
    """A running server, and the paths of the pages in each state."""

    server: RunningServer
    learner: str
    token: str

    def link(self, institution: str) -> str:
        """Make a sign-in link, as an operator does."""
        return self.server.lrs("sign-in", "--institution", institution, "--role", "registrar").stdout.strip()

    @property
    def states(self) -> dict[str, str]:
        """The page of one transcript in each state."""
        return {
            READY: f"/transcripts/{self.learner}?crosswalk=brief",
            PARTLY: f"/transcripts/{self.learner}?crosswalk=diploma",
            NOT_YET: f"/transcripts/{self.learner}?crosswalk=nothing",
        }

    @property
    def places(self) -> dict[str, str]:
        """Every other page of a registrar."""
        return {
            "all": "/transcripts",
            "why": f"/transcripts/{self.learner}/why?crosswalk=brief&line=work",
        }

    @property
    def shared(self) -> str:
        return f"/transcript/shared/{self.token}"


@contextmanager
def open_registrar(folder: Path) -> Iterator[Registrar]:
    """Make the school two days ago, then serve it."""
    folder.mkdir(exist_ok=True)
    store = f"sqlite:///{folder}/lrs.db"
    settings = read_settings({"LRS_STORE": store})
    services = build_services(settings, Outside(clock=HandClock(now_us() - _TWO_DAYS_US), durable=False))
    try:
        city = found_city(Instance(create_app(settings, services), services, services.outside.clock))
        learner, token = _make_states(city)
    finally:
        services.close()
    with running_server(store, folder) as server:
        yield Registrar(server, learner, token)


def _make_states(city: City) -> tuple[str, str]:
    city.grant(WORKS)
    rules = CROSSWALK["rules"][:1]
    brief = {name: one for name, one in CROSSWALK.items() if name != "partners"}
    city.take({**brief, **BRIEF, "rules": rules})
    elsewhere = {"activity": ["https://elsewhere.example/1"], "credits": "1", "grade": {"by": "none"}}
    city.take({"name": "nothing", "title": "For another college", "courses": [elsewhere]})
    services = city.instance.services
    wish = ShareWish("transcript", institution=city.handle(SCHOOL).institution_id, crosswalk="diploma")
    return city.learner, services.portfolios.create_share(services.learners.own(ADA), wish)
