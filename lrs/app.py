"""The web over the services: Flask app, blueprints, proxies."""

from collections.abc import Callable
from typing import Any

from flask import Flask, request

from config.settings import Settings
from lrs import __version__
from lrs.access.model import Role
from lrs.access.routes.api import make_institutions_blueprint, make_keys_blueprint
from lrs.access.routes.sessions import make_sessions_blueprint
from lrs.access.routes.start import make_start_blueprint
from lrs.competencies.routes.api import make_progress_blueprint
from lrs.competencies.routes.case import make_case_blueprint
from lrs.consent.routes.api import make_given_consents_blueprint, make_own_consents_blueprint
from lrs.errors import NotFound
from lrs.jobs.routes import make_jobs_blueprint
from lrs.learners.routes.api import make_learners_blueprint
from lrs.portfolios.routes.forms import make_consent_forms, make_share_forms
from lrs.portfolios.routes.own import OwnPages, make_own_blueprint
from lrs.portfolios.routes.shared import make_shared_blueprint
from lrs.services import Services, build_services
from lrs.sources.routes.api import make_attestations_blueprint
from lrs.sources.routes.attest import make_attest_blueprint
from lrs.streams.routes import make_destinations_blueprint, make_letters_blueprint, make_log_blueprint
from lrs.transcripts.routes.api import make_transcripts_blueprint
from lrs.transcripts.routes.pages import Pages, make_registrar_blueprint, make_shared_transcripts_blueprint
from lrs.web.apidocs import make_api
from lrs.web.callers import install_callers
from lrs.web.errors import install_error_handlers
from lrs.web.health import make_health_blueprint
from lrs.web.pages import install_pages
from lrs.web.proxies import BasePath, TrustedProxies, is_outside
from lrs.xapi.lines import LineService
from lrs.xapi.routes.about import make_about_blueprint
from lrs.xapi.routes.alternate import AlternateSyntax, check_alternate
from lrs.xapi.routes.arrivals import make_arrivals_blueprint
from lrs.xapi.routes.arrivals_api import make_arrivals_api_blueprint
from lrs.xapi.routes.common import install_xapi_headers
from lrs.xapi.routes.cors import install_cors
from lrs.xapi.routes.documents import make_documents_blueprint
from lrs.xapi.routes.knowledge import make_knowledge_blueprint
from lrs.xapi.routes.lines import make_lines_blueprint
from lrs.xapi.routes.short_way import ShortWay
from lrs.xapi.routes.statements import make_statements_blueprint
from lrs.xapi.routes.usage_api import make_usage_blueprint
from lrs.xapi.versions import Version

_HOMES = {
    Role.ARRIVALS: "arrivals_pages.all_sources",
    Role.LEARNER: "portfolio_pages.show",
    Role.REGISTRAR: "transcript_pages.all_learners",
}
"""Each role's own page, where signing in ends and ``/`` leads."""


class _Application(Flask):
    """Flask without asking at each call of each function whether it is a coroutine: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function."""
        return func


def create_app(settings: Settings, services: Services | None = None, threads: int = 16) -> Flask:
    """Build the WSGI application.

    Args:
        settings: Checked settings.
        services: Built from the settings where none are handed in.
        threads: How many the server gives to a process; forms that are read before it is known
            who sends them get a quarter of them.
    """
    services = services or build_services(settings)
    app = _Application("lrs", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions["lrs"] = services
    install_error_handlers(app, services.outside.new_error_id)
    install_callers(app, services.access.authenticate)
    origins = frozenset(settings.cors_origins.split())
    install_cors(app, origins)
    short = ShortWay(app.wsgi_app, services.statements, services.access.authenticate, origins)
    app.wsgi_app = short  # type: ignore[method-assign]  # Flask's own way to wrap itself
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
    app.register_blueprint(make_about_blueprint())
    app.register_blueprint(make_statements_blueprint(services.statements, services.arrivals))
    app.register_blueprint(make_documents_blueprint(services.documents))
    app.register_blueprint(make_knowledge_blueprint(services.knowledge))
    app.register_blueprint(make_case_blueprint(services.frameworks, settings.public_url))
    unfolding = AlternateSyntax(app.wsgi_app, settings.max_body_bytes, max_forms)
    app.wsgi_app = unfolding  # type: ignore[method-assign]  # Flask's own way to wrap itself
    app.before_request(check_alternate)


def _add_pages(app: Flask, services: Services) -> None:
    """Add what people open in a browser."""
    public_url = services.settings.public_url
    secure = public_url.startswith("https://")
    app.register_blueprint(make_start_blueprint(services.access, _HOMES, public_url))
    app.register_blueprint(make_sessions_blueprint(services.access, secure, _HOMES))
    app.register_blueprint(
        make_arrivals_blueprint(services.arrivals, services.access, services.quotas, public_url)
    )
    _add_portfolio(app, services)
    app.register_blueprint(make_attest_blueprint(services.attestations))


def _add_portfolio(app: Flask, services: Services) -> None:
    """Add learners' own pages, and what their links open."""
    pages = OwnPages(services.portfolios, services.access)
    app.register_blueprint(make_own_blueprint(pages))
    app.register_blueprint(make_share_forms(pages, services.settings.public_url))
    app.register_blueprint(make_consent_forms(pages, services.consents, services.outside.clock))
    app.register_blueprint(make_shared_blueprint(services.portfolios))
    registrar = Pages(services.transcripts, services.portfolios, services.access)
    app.register_blueprint(make_registrar_blueprint(registrar))
    app.register_blueprint(make_shared_transcripts_blueprint(registrar))


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
    api.register_blueprint(make_attestations_blueprint(services.attestations, services.settings.public_url))
    api.register_blueprint(make_learners_blueprint(services.learners))
    api.register_blueprint(
        make_progress_blueprint(services.frameworks, services.consents, services.learners.reader)
    )
    api.register_blueprint(make_given_consents_blueprint(services.consents, services.access))
    api.register_blueprint(make_own_consents_blueprint(services.consents, services.learners, services.access))
    api.register_blueprint(make_transcripts_blueprint(services.transcripts))
