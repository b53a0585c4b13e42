"""Where a learner has awards: a note in the commons for each, so that nobody asks every institution.

The note is written before the award, so there is never an award without one; a note without
an award leads to nothing.
"""

from collections.abc import Iterable, Mapping

from lrs.access.handles import InstitutionId
from lrs.learners.handles import IdentityId
from lrs.tables.recorded import Note, RecordedTables

AWARD_PLACE = "award.place"
"""Note, in the commons; the subject is ``<identity>/<institution>``, found by ``identity:<id>``."""

_PAGE = 1000


def note_award(
    commons: RecordedTables, identity: IdentityId, institution: InstitutionId, now_us: int
) -> None:
    """Note that an institution is about to give an award under an identity; twice changes nothing."""
    subject = f"{identity}/{institution}"
    if commons.find(AWARD_PLACE, subject) is None:
        value = {"identity": identity, "institution": institution}
        commons.note(AWARD_PLACE, [Note(subject, value, [f"identity:{identity}"])], now_us)


def award_places(
    commons: RecordedTables, identities: Iterable[IdentityId]
) -> Mapping[InstitutionId, frozenset[IdentityId]]:
    """Return which institutions gave awards under identities, and under which of them."""
    found: dict[InstitutionId, set[IdentityId]] = {}
    for identity in identities:
        after: str | None = ""
        while after is not None:
            page = commons.find_by(AWARD_PLACE, f"identity:{identity}", after, _PAGE)
            for one in page:
                found.setdefault(InstitutionId(one.value["institution"]), set()).add(identity)
            after = page[-1].subject if len(page) == _PAGE else None
    return {place: frozenset(found[place]) for place in sorted(found)}


def forget_award_places(commons: RecordedTables, identities: Iterable[IdentityId]) -> None:
    """Take the notes of identities away, for who is taken away whole."""
    own = tuple(identities)
    places = award_places(commons, own)
    subjects = [f"{identity}/{place}" for place, held in places.items() for identity in held]
    commons.forget(AWARD_PLACE, sorted(subjects))
