"""Did my records arrive? Notes refusals, and tells what is known about a source's posts.

Receipts are written by the store together with what they are about; refusals are noted
here, bounded, without the body.
"""

import logging

from lrs.access.handles import InstitutionHandle
from lrs.clock import Clock
from lrs.errors import LrsError, Problem, StoreError
from lrs.xapi.masking import mask_detail, mask_problem
from lrs.xapi.ports import RecordStores
from lrs.xapi.ports.arrivals import Refusal
from lrs.xapi.tallies import Tallies, last_of, tally
from lrs.xapi.verdicts import Overview

IMPORT = "import"
"""The source under which ``lrs import`` files what it brings."""

KEPT_PROBLEMS = 20
KEPT_CHARACTERS = 200
_MOST_BYTES = 2**63 - 1
"""A length that a request names may be any number; no engine keeps a larger one."""

_log = logging.getLogger(__name__)


class ArrivalService:
    """Notes what was refused, and reads what arrived.

    Args:
        records: Opens the record of an institution.
        clock: Now, in microseconds.
        kept: Entries kept a source (the engine was told the same).
        days: Days that they are kept.
    """

    def __init__(self, records: RecordStores, clock: Clock, kept: int = 500, days: int = 30) -> None:
        """Keep what was handed in."""
        self._records = records
        self._clock = clock
        self._kept = kept
        self.days = days

    def now(self) -> int:
        """Give the moment that pages speak from."""
        return self._clock()

    def note_refusal(  # noqa: PLR0913 - each is a column of the refusal
        self,
        handle: InstitutionHandle,
        *,
        source: str,
        error: LrsError,
        error_id: str,
        status: int,
        method: str,
        body_bytes: int,
    ) -> None:
        """Keep why a post was refused.

        The answer to the client must not depend on it: when the store fails here too, that
        is logged and the first error stands.

        Args:
            handle: The institution whose key was used.
            source: The key's id, or ``import``.
            error: Why; at most 20 problems are kept, each text cut to 200 characters, and without
                names and values that may be about a person.
            error_id: What the answer and the log carry.
            status: What it was answered with.
            method: The HTTP method; ``IMPORT`` or ``LINES`` where each record is taken by itself.
            body_bytes: Size of the body that was sent, as far as it is known.
        """
        refusal = Refusal(
            source=source,
            error_id=error_id,
            at_us=self._clock(),
            method=method,
            status=status,
            code=error.code,
            detail=_cut(mask_detail(error.detail, error.problems)),
            problems=tuple(_bounded(problem) for problem in error.problems[:KEPT_PROBLEMS]),
            problem_count=len(error.problems),
            body_bytes=min(body_bytes, _MOST_BYTES),
        )
        try:
            self._records.arrivals(handle).add_refusal(refusal)
        except StoreError as failure:
            _log.warning("%s refusal could not be kept: %s", error_id, failure.code)

    def overview(self, handle: InstitutionHandle, source: str, limit: int | None = None) -> Overview:
        """Return what is kept about a source; empty where nothing is.

        Args:
            handle: The institution asked about.
            source: A key's id, or ``import``.
            limit: At most so many receipts, and refusals; None for all that are kept.
        """
        most = min(limit or self._kept, self._kept)
        store = self._records.arrivals(handle)
        receipts = store.list_receipts(source, most)
        refusals = store.list_refusals(source, most)
        complete = max(len(receipts), len(refusals)) < most
        return Overview(source, self._clock(), self.days, complete, receipts, refusals)

    def tallies(self, handle: InstitutionHandle) -> Tallies:
        """Return what the store counts of all sources: as much work as for one, however many they are.

        Args:
            handle: The institution asked about.
        """
        store = self._records.arrivals(handle)
        refused = store.count_refusals()
        arrived = store.count_receipts(last_of(refused))
        latest = store.list_refusals(None, self._kept) if refused else ()
        return tally(self._clock(), self.days, self._kept, arrived, refused, latest)


def _bounded(problem: Problem) -> Problem:
    masked = mask_problem(problem)
    return Problem(_cut(masked.path), masked.rule, _cut(masked.message), masked.spec)


def _cut(text: str) -> str:
    return text if len(text) <= KEPT_CHARACTERS else text[: KEPT_CHARACTERS - 1] + "…"
