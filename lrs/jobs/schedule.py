"""Which jobs there are, and what makes each due: declared here, and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass

from lrs.credentials.service import AwardService
from lrs.derivation.deriver import Deriver
from lrs.derivation.tick import Ticker
from lrs.jobs.model import Job, Report, Running
from lrs.sources.attestation import AttestationService
from lrs.sources.service import SourceService
from lrs.streams.delivery import Deliverer

DERIVE = "derive"
"""The job whose lease also ``lrs rebuild`` holds."""

DERIVE_ABOUT = "Works out who is who, evidence and progress from what was recorded since."


@dataclass(frozen=True, slots=True)
class Work:
    """Who does the work that runs beside the requests."""

    deriver: Deriver
    awards: AwardService
    ticker: Ticker
    deliverer: Deliverer
    sources: SourceService
    attestations: AttestationService


def declare_jobs(work: Work) -> Sequence[Job]:
    """Declare every job, in the order in which one pass runs them."""

    def tick(_running: Running) -> Report:
        return Report(0, int(work.ticker.tick()))

    def derive(running: Running) -> Report:
        done = work.deriver.run(running.epoch, running.keep)
        return Report(done.read, done.wrote, tuple(done.problems), len(done.problems))

    def award(running: Running) -> Report:
        done = work.awards.reconcile(running.keep)
        return Report(done.read, done.given + done.revoked)

    def deliver(running: Running) -> Report:
        done = work.deliverer.deliver(running.epoch, running.keep)
        return Report(done.read, done.sent, tuple(done.problems), len(done.problems))

    def pull(running: Running) -> Report:
        kept = work.attestations.store_unstored(running.keep)
        done = work.sources.pull_due(running.keep)
        return Report(done.read, done.stored + kept, tuple(done.problems), len(done.problems))

    return (
        Job(
            "pull",
            "Reads the sources that are due, and stores confirmations that could not be stored at once.",
            30,
            pull,
            is_behind=work.sources.is_due,
            period_seconds=300,
        ),
        Job("tick", "Records the day, by which things expire.", 60, tick, period_seconds=60),
        Job(DERIVE, DERIVE_ABOUT, 1, derive, is_behind=work.deriver.is_behind),
        Job("award", "Gives what finished pathways earn.", 2, award, is_behind=work.awards.is_behind),
        Job(
            "deliver",
            "Sends what was stored to other record stores and to webhooks.",
            2,
            deliver,
            is_behind=work.deliverer.is_behind,
        ),
    )
