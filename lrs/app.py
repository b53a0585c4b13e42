"""The composition root: settings to stores to services to Flask app.

The real clock, the source of random bytes and the ids are made here and handed in;
nothing below reads them by itself.
"""

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, request

from config.settings import Settings
from lrs import __version__
from lrs.access.bearer import BearerTokens
from lrs.access.issuers import IssuerService
from lrs.access.keysets import KeySets
from lrs.access.rates import RateLimiter
from lrs.access.routes.api import make_institutions_blueprint, make_keys_blueprint
from lrs.access.routes.sessions import make_sessions_blueprint
from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.errors import NotFound
from lrs.jobs.routes import make_jobs_blueprint
from lrs.jobs.runner import JobRunner
from lrs.jobs.schedule import declare_jobs
from lrs.outbound import Outbound
from lrs.outbound.guard import Guard
from lrs.sealing import SecretBox
from lrs.stores import StoreOptions, Stores, open_stores
from lrs.streams.delivery import Deliverer
from lrs.streams.log import LogService
from lrs.streams.routes import make_destinations_blueprint, make_letters_blueprint, make_log_blueprint
from lrs.streams.sending import Sender
from lrs.streams.service import DestinationService
from lrs.streams.tokens import PositionTokens
from lrs.web.apidocs import make_api
from lrs.web.callers import install_callers
from lrs.web.errors import install_error_handlers
from lrs.web.health import make_health_blueprint
from lrs.web.pages import install_pages
from lrs.web.proxies import BasePath, TrustedProxies, is_outside
from lrs.xapi.arrivals import ArrivalService
from lrs.xapi.cursors import Cursors
from lrs.xapi.document_service import DocumentService
from lrs.xapi.knowledge import KnowledgeService
from lrs.xapi.lines import LineService
from lrs.xapi.log import LogReader
from lrs.xapi.quotas import QuotaWatch
from lrs.xapi.reader import ReadLimits
from lrs.xapi.routes.about import make_about_blueprint
from lrs.xapi.routes.alternate import AlternateSyntax
from lrs.xapi.routes.arrivals import make_arrivals_blueprint
from lrs.xapi.routes.arrivals_api import make_arrivals_api_blueprint
from lrs.xapi.routes.common import install_xapi_headers
from lrs.xapi.routes.cors import install_cors
from lrs.xapi.routes.documents import make_documents_blueprint
from lrs.xapi.routes.knowledge import make_knowledge_blueprint
from lrs.xapi.routes.lines import make_lines_blueprint
from lrs.xapi.routes.statements import make_statements_blueprint
from lrs.xapi.routes.usage_api import make_usage_blueprint
from lrs.xapi.scanning import ProgramScan, Scan
from lrs.xapi.scrubbing import scrub
from lrs.xapi.service import PageLimits, StatementService
from lrs.xapi.versions import Version

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
    return Services(
        settings=settings,
        outside=outside,
        stores=stores,
        access=access,
        issuers=IssuerService(access, stores.access),
        outbound=outbound,
        statements=StatementService(
            stores.records,
            Cursors(stores.instance_key),
            outside.new_id,
            limits,
            PageLimits(settings.page_size, settings.max_page_size, settings.max_attachment_bytes),
            quotas,
            _make_scan(settings),
        ),
        arrivals=ArrivalService(
            stores.records, outside.clock, settings.arrivals_kept, settings.arrivals_days
        ),
        documents=DocumentService(stores.records, limits),
        knowledge=KnowledgeService(stores.records),
        quotas=quotas,
        log=LogService(log_reader, tokens, time.sleep),
        destinations=DestinationService(
            stores.streams, log_reader, sender, box, outside.clock, access.new_id, outside.random_bytes
        ),
        jobs=JobRunner(stores.jobs, declare_jobs(deliverer), outside.clock, outside.new_id),
    )


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


def create_app(settings: Settings, services: Services | None = None, threads: int = 16) -> Flask:
    """Build the WSGI application.

    Args:
        settings: Checked settings.
        services: Built from the settings where none are handed in.
        threads: How many the server gives to a process; forms that are read before it is known
            who sends them get a quarter of them.
    """
    services = services or build_services(settings)
    app = Flask("lrs", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions["lrs"] = services
    install_error_handlers(app, services.outside.new_error_id)
    install_callers(app, services.access.authenticate)
    install_pages(app)
    app.register_blueprint(make_health_blueprint(services.stores.ping))
    _add_xapi(app, services, max(1, threads // 4))
    _add_pages(app, services)
    _add_api(app, services)
    _put_behind_proxies(app, settings)
    return app


def _put_behind_proxies(app: Flask, settings: Settings) -> None:
    """Wrap the whole application, so that what is inside sees the client's request."""

    @app.before_request
    def refuse_outside() -> None:
        if is_outside(request.environ):
            raise NotFound(f"Everything here is below {settings.base_path}/.")

    inner = BasePath(app.wsgi_app, settings.base_path) if settings.base_path else app.wsgi_app
    outer = TrustedProxies(inner, settings.trusted_proxies)
    app.wsgi_app = outer  # type: ignore[method-assign]  # Flask's own way to wrap itself


def _add_xapi(app: Flask, services: Services, max_forms: int) -> None:
    """Add the standard's resources."""
    settings = services.settings
    install_xapi_headers(app, Version(settings.default_version))
    install_cors(app, frozenset(settings.cors_origins.split()))
    app.register_blueprint(make_about_blueprint())
    app.register_blueprint(make_statements_blueprint(services.statements, services.arrivals))
    app.register_blueprint(make_documents_blueprint(services.documents))
    app.register_blueprint(make_knowledge_blueprint(services.knowledge))
    unfolding = AlternateSyntax(app.wsgi_app, settings.max_body_bytes, max_forms)
    app.wsgi_app = unfolding  # type: ignore[method-assign]  # Flask's own way to wrap itself


def _add_pages(app: Flask, services: Services) -> None:
    """Add what people open in a browser."""
    public_url = services.settings.public_url
    secure = public_url.startswith("https://")
    app.register_blueprint(make_sessions_blueprint(services.access, secure, "arrivals_pages.all_sources"))
    app.register_blueprint(
        make_arrivals_blueprint(services.arrivals, services.access, services.quotas, public_url)
    )


def _add_api(app: Flask, services: Services) -> None:
    """Add /api/v1 and its description."""
    api = make_api(app, __version__)
    api.register_blueprint(make_institutions_blueprint(services.access))
    api.register_blueprint(make_usage_blueprint(services.quotas, services.access))
    api.register_blueprint(make_keys_blueprint(services.access))
    api.register_blueprint(make_arrivals_api_blueprint(services.arrivals, services.access))
    lines = LineService(services.statements)
    api.register_blueprint(make_lines_blueprint(lines, services.arrivals, services.settings.max_lines_bytes))
    api.register_blueprint(make_jobs_blueprint(services.jobs))
    api.register_blueprint(make_log_blueprint(services.log))
    api.register_blueprint(make_destinations_blueprint(services.destinations, services.access))
    api.register_blueprint(make_letters_blueprint(services.destinations, services.access))
