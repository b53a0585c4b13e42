"""Did my records arrive? The pages at /arrivals, for whoever is signed in for an institution."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from lrs.access.handles import InstitutionHandle
from lrs.access.model import ClientId, Key, Role
from lrs.access.routes.sessions import signed_in
from lrs.access.rules import KeyState, state_of
from lrs.access.service import AccessService
from lrs.errors import NotFound
from lrs.web.params import read_params
from lrs.xapi.arrivals import IMPORT, ArrivalService
from lrs.xapi.chart import draw_days
from lrs.xapi.quotas import QuotaWatch
from lrs.xapi.tallies import Tallies, Tally
from lrs.xapi.verdicts import Overview, place_text

_IMPORT_NAME = "Import by command"


@dataclass(frozen=True, slots=True)
class Source:
    """Something that posts, as the page names it."""

    id: str
    name: str
    key: Key | None
    overview: Overview | Tally

    @property
    def state(self) -> KeyState:
        """Tell how its key stands; imports need none."""
        return state_of(self.key, self.overview.as_of_us) if self.key else KeyState.GOOD

    @property
    def has_stopped(self) -> bool:
        """Tell whether its key was revoked or has expired."""
        return self.state in {KeyState.REVOKED, KeyState.EXPIRED}


def make_arrivals_blueprint(
    arrivals: ArrivalService, access: AccessService, quotas: QuotaWatch, public_url: str
) -> Blueprint:
    """Make the pages.

    Args:
        arrivals: Knows what arrived.
        access: Knows the keys, and who is signed in.
        quotas: Knows how much may still be kept.
        public_url: Where clients post to; shown to those from whom nothing came yet.
    """
    blueprint = Blueprint("arrivals_pages", __name__, template_folder="../templates")
    blueprint.add_app_template_filter(place_text, "place")

    @blueprint.get("/arrivals")
    def all_sources() -> str:
        """Answer for the whole institution, then source by source."""
        read_params(request.args, ())
        handle = _handle(access)
        found = arrivals.tallies(handle)
        sources, whole = _sources(found, access, handle), found.whole
        institution = access.get_institution(handle.institution_id)
        return render_template(
            "arrivals/all.html",
            institution=institution,
            usage=quotas.usage(handle, institution.statement_quota),
            sources=sources,
            whole=whole,
            chart=draw_days(whole.by_day),
            endpoint=f"{public_url}/xapi",
        )

    @blueprint.get("/arrivals/<source_id>")
    def one_source(source_id: str) -> str:
        """Answer for one key, or for imports; another institution's key looks like none."""
        read_params(request.args, ())
        handle = _handle(access)
        source = _find_source(arrivals, access, handle, source_id)
        return render_template(
            "arrivals/one.html",
            institution=access.get_institution(handle.institution_id),
            source=source,
            whole=source.overview,
            chart=draw_days(source.overview.by_day),
            endpoint=f"{public_url}/xapi",
        )

    return blueprint


def _handle(access: AccessService) -> InstitutionHandle:
    handle = signed_in(access, Role.ARRIVALS).handle
    if handle is None:
        raise NotFound("There is nothing at this address.")
    return handle


def _sources(found: Tallies, access: AccessService, handle: InstitutionHandle) -> list[Source]:
    """Return the institution's keys, and clients with tokens and imports if they brought anything.

    Those with the latest post come first. A key that has stopped and brought nothing in the
    days kept is left out.
    """
    names = access.client_names(handle.institution_id)
    sources = [
        Source(key.id, names[key.client_id] if key.client_id else "", key, found.of(key.id))
        for key in access.keys.list(handle.institution_id)
    ]
    sources += [
        Source(id_, name, None, found.of(id_))
        for id_, name in ((IMPORT, _IMPORT_NAME), *names.items())
        if id_ in found.by_source
    ]
    sources = [source for source in sources if source.overview.last_at_us or not source.has_stopped]
    return sorted(sources, key=lambda source: -source.overview.last_at_us)


def _find_source(
    arrivals: ArrivalService, access: AccessService, handle: InstitutionHandle, source_id: str
) -> Source:
    if source_id == IMPORT:
        return Source(IMPORT, _IMPORT_NAME, None, arrivals.overview(handle, IMPORT))
    names, key = access.client_names(handle.institution_id), access.keys.find(source_id)
    if key is not None and key.institution_id == handle.institution_id:
        name = names[key.client_id] if key.client_id else ""
        return Source(key.id, name, key, arrivals.overview(handle, key.id))
    if source_id in names:
        return Source(source_id, names[ClientId(source_id)], None, arrivals.overview(handle, source_id))
    raise NotFound("There is nothing at this address.")
