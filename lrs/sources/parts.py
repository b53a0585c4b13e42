"""What the use cases of this room work with, handed in once by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle
from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.learners.service import LearnerService
from lrs.sealing import SecretBox
from lrs.sources.places import PatientClient
from lrs.sources.writing import Writer
from lrs.tables.recorded import OpenRecorded
from lrs.xapi.arrivals import ArrivalService
from lrs.xapi.log import LogReader
from lrs.xapi.service import StatementService


@dataclass(frozen=True, slots=True)
class Parts:
    """What sources and attestations need.

    Attributes:
        sleep: Waits for so many seconds.
        random_bytes: ``os.urandom`` outside tests.
        learners: Takes what rows say of who people are.
        arrivals: Tells the institution what was left out, on its page.
    """

    recorded: OpenRecorded
    statements: StatementService
    log: LogReader
    access: AccessService
    client: PatientClient
    box: SecretBox
    clock: Clock
    sleep: Callable[[float], None]
    random_bytes: Callable[[int], bytes]
    learners: LearnerService
    arrivals: ArrivalService
    new_error_id: Callable[[], str]

    def writer(self, handle: InstitutionHandle, client: str) -> Writer:
        """Make what writes statements of an institution, as the client of that name."""
        access, institution = self.access, handle.institution_id
        return Writer(
            self.statements,
            self.log,
            handle,
            lambda: access.ensure_client(institution, client),
            lambda: access.get_institution(institution).statement_quota,
        )
