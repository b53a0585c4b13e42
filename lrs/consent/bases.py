"""Legal bases: laws and contracts by which an institution sees records of its own roster's learners."""

from collections.abc import Callable, Collection, Sequence

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.clock import Clock
from lrs.consent.kinds import BASIS
from lrs.consent.model import Basis, Terms, basis_from, basis_value, check_institutions
from lrs.errors import InvalidParameter, NotFound
from lrs.tables.recorded import OpenRecorded, Wish

MAX_BASIS_NAME = 100
LONGEST_BASIS_TEXT = 2_000


class LegalBases:
    """Keeps the legal bases of institutions.

    Args:
        open_recorded: Opens those of an institution.
        institution_ids: Gives the ids of all institutions.
        clock: Now.
    """

    def __init__(
        self,
        open_recorded: OpenRecorded,
        institution_ids: Callable[[], Collection[InstitutionId]],
        clock: Clock,
    ) -> None:
        """Keep what was handed in."""
        self._open_recorded = open_recorded
        self._institution_ids = institution_ids
        self._clock = clock

    def declare(
        self, handle: InstitutionHandle, name: str, terms: Terms, groups: Collection[str] | None, text: str
    ) -> Basis:
        """Record a law or contract by which an institution sees records of its own roster's learners.

        Only an administrator may; the caller has seen that one does.

        Raises:
            InvalidParameter: The name or the text is missing or too long.
            NotFound: A source is unknown.
        """
        if not name or len(name) > MAX_BASIS_NAME or not name.isprintable():
            raise InvalidParameter(f"A legal basis needs a name of up to {MAX_BASIS_NAME} characters.")
        if not text.strip() or len(text) > LONGEST_BASIS_TEXT:
            raise InvalidParameter(
                f"Say which law or contract it is, in up to {LONGEST_BASIS_TEXT} characters."
            )
        check_institutions(terms.sources or (), self._institution_ids())
        made = Basis(name, terms, None if groups is None else frozenset(groups), text)
        wish = Wish(basis_value(made))
        self._open_recorded(handle).change(BASIS, name, lambda _: wish, self._clock())
        return made

    def remove(self, handle: InstitutionHandle, name: str) -> None:
        """Take a legal basis back; the history keeps that it was there.

        Raises:
            NotFound: There is none of that name.
        """
        tables = self._open_recorded(handle)
        if tables.find(BASIS, name) is None:
            raise NotFound(f'No legal basis is called "{name}".')
        tables.change(BASIS, name, lambda _: Wish(None), self._clock())

    def list(self, handle: InstitutionHandle) -> Sequence[Basis]:
        """Return the legal bases of an institution, by name."""
        return [basis_from(one.value) for one in self._open_recorded(handle).list(BASIS)]
