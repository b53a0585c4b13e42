"""Taking the demo city away again: its institutions whole, and what its learners decided."""

from collections.abc import Callable, Iterator

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.learners.reading import Learner
from lrs.services import Services
from profiles.demo_city import load_city


def remove_demo(services: Services, say: Callable[[str], None]) -> int:
    """Drop the demo's institutions and the decisions of whoever was known to them alone.

    Returns:
        How many institutions there were. Safe to repeat, whatever ended it before.
    """
    names = {provider.institution for provider in load_city().providers.values()}
    ours = [one for one in services.access.list_institutions() if one.name in names]
    if not ours:
        say("The demo city is not here.")
        return 0
    ids = frozenset(one.id for one in ours)
    known = {learner.id: learner for one in ids for learner in _learners(services, one)}
    for learner in known.values():
        if ids.issuperset(learner.institutions):
            _forget(services, learner)
    for institution in ours:
        services.stores.drop_institution(InstitutionHandle(institution.id))
        say(f"Took away {institution.name}, with everything that it held.")
    services.jobs.run_until_idle()
    say("Nothing is left of its learners, nor of what they decided.")
    return len(ours)


def _learners(services: Services, institution: InstitutionId) -> Iterator[Learner]:
    after: str | None = ""
    while after is not None:
        page = services.learners.list(institution, after)
        yield from page.learners
        after = page.after


def _forget(services: Services, learner: Learner) -> None:
    handle = services.learners.own(learner.id)
    services.portfolios.forget_shares(handle)
    services.consents.forget(handle)
    services.learners.forget(handle)
