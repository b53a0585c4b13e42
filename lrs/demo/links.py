"""Links that open what the demo holds."""

from collections.abc import Callable

from lrs.services import Services

_MOST_LINKS = 5


def show_links(services: Services, say: Callable[[str], None]) -> None:
    """Say what to open: fresh links, good for a day, and the documentation of the API."""
    url = services.settings.public_url
    for institution in services.access.list_institutions()[:_MOST_LINKS]:
        token = services.access.create_sign_in(institution.name)
        say(f"Did my records arrive? {institution.name}; the link signs you in once, within a day:")
        say(f"  {url}/sign-in/{token}")
    say("API documentation:")
    say(f"  {url}/api/docs")
