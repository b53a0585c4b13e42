"""Links that open what the demo holds."""

from collections.abc import Callable

from lrs.access.model import Role
from lrs.demo.moving import STAR, school_account
from lrs.errors import NotFound
from lrs.learners.handles import LearnerHandle
from lrs.portfolios.shares import ShareWish
from lrs.services import Services
from profiles.demo_city import load_city

_MOST_LINKS = 5
_DAYS = 30
_LABEL = "Demo"
_KEPT = 10
"""So many links of earlier starts stay open."""

_CROSSWALK = "harbour-2026"

Say = Callable[[str], None]


def show_links(services: Services, say: Say) -> None:
    """Say what to open: fresh links, and the documentation of the API."""
    url = services.settings.public_url
    star = _find_star(services)
    if star is not None:
        _show_star(services, star, say)
    for institution in services.access.list_institutions()[:_MOST_LINKS]:
        token = services.access.create_sign_in(institution.name, Role.ARRIVALS)
        say(f"Did my records arrive? {institution.name}; the link signs you in once, within a day:")
        say(f"  {url}/sign-in/{token}")
    say("API documentation:")
    say(f"  {url}/api/docs")


def _find_star(services: Services) -> LearnerHandle | None:
    """Open the demo's first learner, where the demo is there."""
    city = load_city()
    person = next(one for one in city.learners if one.name == STAR)
    try:
        services.access.get_institution_named(city.providers["school"].institution)
        return services.learners.own(school_account(city, person))
    except NotFound:
        return None


def _show_star(services: Services, star: LearnerHandle, say: Say) -> None:
    """Make links that show one learner, as a learner would, and sign people in."""
    url, school = services.settings.public_url, load_city().providers["school"].institution
    _close_old_links(services, star)
    portfolio = services.portfolios.create_share(star, ShareWish(days=_DAYS, label=_LABEL))
    school_id = services.access.get_institution_named(school).id
    wish = ShareWish("transcript", _DAYS, _LABEL, school_id, _CROSSWALK)
    transcript = services.portfolios.create_share(star, wish)
    say(f"The portfolio of {STAR}, by a share link, good for {_DAYS} days; no sign-in:")
    say(f"  {url}/portfolio/shared/{portfolio}")
    say(f"The transcript of {STAR} by {school}, to read and as PDF; no sign-in:")
    say(f"  {url}/transcript/shared/{transcript}")
    say(f"  {url}/transcript/shared/{transcript}.pdf")
    for who, role, subject in (
        (f"As {STAR}: their own pages, with consents and links", Role.LEARNER, star.learner_id),
        (f"As the registrar of {school}: whose transcript is ready", Role.REGISTRAR, None),
    ):
        say(f"{who}; the link signs you in once, within a day:")
        say(f"  {url}/sign-in/{services.access.create_sign_in(school, role, subject)}")


def _close_old_links(services: Services, star: LearnerHandle) -> None:
    """Close links that earlier starts made, but for the latest: there is an end to how many may be open."""
    made = [one for one in services.portfolios.list_shares(star) if one.is_open and one.label == _LABEL]
    for one in made[_KEPT:]:
        services.portfolios.revoke_share(star, one.id)
