"""The composition root of the services: settings to stores to services, without the web.

The real clock, the source of random bytes and the ids are made here and handed in;
nothing below reads them by itself. ``lrs.app`` puts the web over it.
"""

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from lrs.access.bearer import BearerTokens
from lrs.access.handles import InstitutionHandle
from lrs.access.issuers import IssuerService
from lrs.access.keysets import KeySets
from lrs.access.rates import RateLimiter
from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.competencies.service import FrameworkService
from lrs.consent.service import ConsentService
from lrs.credentials.service import AwardService
from lrs.derivation.deriver import Deriver, Sources
from lrs.derivation.tick import Ticker
from lrs.jobs.runner import JobRunner
from lrs.jobs.schedule import Work, declare_jobs
from lrs.learners.service import LearnerService
from lrs.outbound import Outbound
from lrs.outbound.guard import Guard
from lrs.pathways.service import PathwayService
from lrs.portfolios.freshness import Freshness
from lrs.portfolios.service import PortfolioService, Rooms
from lrs.portfolios.shares import Shares
from lrs.sealing import SecretBox
from lrs.sources.attestation import AttestationService
from lrs.sources.parts import Parts
from lrs.sources.places import PatientClient
from lrs.sources.service import SourceService
from lrs.stores import StoreOptions, Stores, open_stores
from lrs.streams.delivery import Deliverer
from lrs.streams.log import LogService
from lrs.streams.sending import Sender
from lrs.streams.service import DestinationService
from lrs.streams.tokens import PositionTokens
from lrs.tables.recorded import COMMONS
from lrs.transcripts.service import Rooms as TranscriptRooms
from lrs.transcripts.service import TranscriptService
from lrs.xapi.answers import PageLimits
from lrs.xapi.arrivals import ArrivalService
from lrs.xapi.cursors import Cursors
from lrs.xapi.document_service import DocumentService
from lrs.xapi.knowledge import KnowledgeService
from lrs.xapi.log import LogReader
from lrs.xapi.quotas import QuotaWatch
from lrs.xapi.reader import ReadLimits
from lrs.xapi.scanning import ProgramScan, Scan
from lrs.xapi.scrubbing import scrub
from lrs.xapi.service import StatementService

_ERROR_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def now_us() -> int:
    """Give now, in microseconds since the epoch, by this machine's clock."""
    return time.time_ns() // 1000


def new_uuid() -> str:
    """Give a random UUID, lower case."""
    return str(uuid.uuid4())


def new_error_id() -> str:
    """Give a short id that people can read out: ten characters of Crockford's base 32."""
    return "".join(_ERROR_ID_ALPHABET[byte & 31] for byte in os.urandom(10))


@dataclass(frozen=True, slots=True)
class Outside:
    """What the rooms may not fetch for themselves; tests hand in their own."""

    clock: Clock = now_us
    random_bytes: Callable[[int], bytes] = os.urandom
    new_id: Callable[[], str] = new_uuid
    new_error_id: Callable[[], str] = new_error_id
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that an entry point (the web, the command line) works with."""

    settings: Settings
    outside: Outside
    stores: Stores
    access: AccessService
    issuers: IssuerService
    outbound: Outbound
    statements: StatementService
    arrivals: ArrivalService
    documents: DocumentService
    knowledge: KnowledgeService
    quotas: QuotaWatch
    jobs: JobRunner
    log: LogService
    destinations: DestinationService
    learners: LearnerService
    frameworks: FrameworkService
    pathways: PathwayService
    awards: AwardService
    deriving: Sources
    deriver: Deriver
    consents: ConsentService
    portfolios: PortfolioService
    sources: SourceService
    attestations: AttestationService
    transcripts: TranscriptService

    def close(self) -> None:
        """Finish what was begun and close the store."""
        self.outbound.close()
        self.stores.close()


def build_services(
    settings: Settings,
    outside: Outside | None = None,
    open_store: Callable[[StoreOptions], Stores] | None = None,
) -> Services:
    """Open the store that the settings name and build the services over it.

    Args:
        settings: Checked settings.
        outside: The clock and the ids; the real ones where none are handed in.
        open_store: Opens another store than the one that the settings name (tests).

    Raises:
        ConfigError: The store's address is wrong.
        StoreError: The store cannot be opened, or is newer than this code.
    """
    outside = outside or Outside()
    options = StoreOptions(
        clock=outside.clock,
        random_bytes=outside.random_bytes,
        durable=outside.durable,
        arrivals_kept=settings.arrivals_kept,
        arrivals_days=settings.arrivals_days,
        busy_seconds=settings.busy_seconds,
        scrub=scrub,
    )
    stores = open_store(options) if open_store else open_stores(settings.store, options)
    limits = ReadLimits(
        settings.max_body_bytes, settings.max_json_depth, settings.max_statements, settings.max_parts
    )
    quotas = QuotaWatch(stores.records, outside.clock)
    log_reader = LogReader(stores.records, outside.new_id, settings.max_attachment_bytes)
    tokens = PositionTokens(stores.instance_key)
    outbound = Outbound(Guard(settings.outbound_allow), verify=settings.outbound_ca)
    access = AccessService(
        stores.access,
        outside.clock,
        outside.random_bytes,
        settings.public_url,
        RateLimiter(outside.clock, settings.key_rate),
        BearerTokens(stores.access, KeySets(outbound, outside.clock), outside.clock),
    )
    box = _make_box(settings, outside)
    sender = Sender(outbound, log_reader, box, tokens, outside.clock, _make_draw(outside))
    deliverer = Deliverer(stores.streams, log_reader, sender, outside.clock)
    commons = stores.recorded(COMMONS)
    learners = LearnerService(stores.recorded, commons, stores.derived, outside.clock, outside.random_bytes)
    frameworks = FrameworkService(access, stores.recorded, stores.derived, outside.clock)
    consents = ConsentService(
        commons,
        stores.recorded,
        learners,
        lambda: [one.id for one in access.list_institutions()],
        outside.clock,
    )
    freshness = Freshness(stores.derived, log_reader, outside.clock)
    pathways = PathwayService(access, frameworks, stores.recorded, stores.derived, outside.clock)
    deriving = _make_sources(stores, access, log_reader, learners)
    deriver = Deriver(deriving, stores.derived)
    awards = AwardService(
        pathways, stores.recorded, commons, stores.derived, deriver.is_behind, outside.clock
    )
    statements = StatementService(
        stores.records,
        Cursors(stores.instance_key),
        outside.new_id,
        limits,
        PageLimits(settings.page_size, settings.max_page_size, settings.max_attachment_bytes),
        quotas,
        _make_scan(settings),
    )
    arrivals = ArrivalService(stores.records, outside.clock, settings.arrivals_kept, settings.arrivals_days)
    parts = Parts(
        stores.recorded,
        statements,
        log_reader,
        access,
        PatientClient(outbound, time.sleep, _make_draw(outside)),
        box,
        outside.clock,
        time.sleep,
        outside.random_bytes,
        learners,
        arrivals,
        outside.new_error_id,
    )
    sources, attestations = SourceService(parts), AttestationService(parts)
    work = Work(deriver, awards, Ticker(commons, outside.clock), deliverer, sources, attestations)
    return Services(
        settings=settings,
        outside=outside,
        stores=stores,
        access=access,
        issuers=IssuerService(access, stores.access),
        outbound=outbound,
        statements=statements,
        arrivals=arrivals,
        documents=DocumentService(stores.records, limits),
        knowledge=KnowledgeService(stores.records),
        quotas=quotas,
        log=LogService(log_reader, tokens, time.sleep),
        destinations=DestinationService(
            stores.streams, log_reader, sender, box, outside.clock, access.new_id, outside.random_bytes
        ),
        learners=learners,
        frameworks=frameworks,
        pathways=pathways,
        awards=awards,
        deriving=deriving,
        deriver=deriver,
        consents=consents,
        portfolios=PortfolioService(
            Rooms(access, learners, consents, frameworks, pathways, awards, freshness),
            Shares(commons, learners.reader, outside.clock, access.new_token),
            outside.clock,
        ),
        sources=sources,
        attestations=attestations,
        transcripts=TranscriptService(
            TranscriptRooms(access, learners, consents, frameworks, pathways, awards, freshness),
            stores.recorded,
            outside.clock,
        ),
        jobs=JobRunner(stores.jobs, declare_jobs(work), outside.clock, outside.new_id),
    )


def _make_sources(
    stores: Stores, access: AccessService, reader: LogReader, learners: LearnerService
) -> Sources:
    """Give the job that derives what it reads."""

    def institutions() -> list[InstitutionHandle]:
        return [InstitutionHandle(one.id) for one in access.list_institutions()]

    return Sources(institutions, reader, stores.recorded, stores.recorded(COMMONS), learners.salt)


def _make_scan(settings: Settings) -> Scan | None:
    """Make what scans attachments, where a program is named for it."""
    if not settings.attachment_scan:
        return None
    return ProgramScan(settings.attachment_scan, settings.attachment_scan_seconds)


def _make_box(settings: Settings, outside: Outside) -> SecretBox:
    """Make what encrypts secrets; beside a SQLite file it makes its key where none is named."""
    named = settings.secret_key_file
    if named != "auto":
        return SecretBox(Path(named), make=False, random_bytes=outside.random_bytes)
    file = settings.store.removeprefix("sqlite:///")
    beside = Path(f"{file}-key") if file != settings.store else None
    return SecretBox(beside, make=True, random_bytes=outside.random_bytes)


def _make_draw(outside: Outside) -> Callable[[], float]:
    return lambda: int.from_bytes(outside.random_bytes(4), "big") / 2**32
