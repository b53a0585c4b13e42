"""Taking the demo city away again."""

from collections.abc import Callable

from lrs.access.handles import InstitutionHandle
from lrs.services import Services
from profiles.demo_city import load_city


def remove_demo(services: Services, say: Callable[[str], None]) -> int:
    """Drop the demo's institutions whole; return how many there were."""
    names = {provider.institution for provider in load_city().providers.values()}
    ours = [one for one in services.access.list_institutions() if one.name in names]
    for institution in ours:
        services.stores.drop_institution(InstitutionHandle(institution.id))
        say(f"Took away {institution.name}, with everything that it held.")
    return len(ours)
