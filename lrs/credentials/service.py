"""Use cases of awards: give what was earned, exactly once; revoke what lost its ground; list them.

An award is recorded, keyed by its pathway and an identity of the learner. The job looks for
finished pathways without one, so whoever dies anywhere and runs again changes nothing that
was right. It looks again when something was derived since; how far that had come when it last
looked is a note in the commons.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.clock import Clock
from lrs.consent.awards import award_places, note_award
from lrs.consent.kinds import AWARD
from lrs.credentials.model import (
    ISSUED,
    REVOKED,
    Award,
    award_from,
    award_value,
    make_award,
    once_each,
)
from lrs.learners.handles import IdentityId, LearnerId
from lrs.learners.reading import LearnerReader
from lrs.pathways.deriving import completion_from
from lrs.pathways.kinds import COMPLETIONS
from lrs.pathways.model import REVOKE, Pathway
from lrs.pathways.service import PathwayService
from lrs.tables.derived import DerivedTables, Row
from lrs.tables.recorded import Note, OpenRecorded, Recorded, RecordedTables, Wish

SEEN = "award.seen"
"""Note, in the commons: how far deriving had come when awards were last looked after."""

_SUBJECT = "cursors"
_AT_ONCE = 500
_PAGE = 1000


@dataclass(slots=True)
class Reconciled:
    """What a run did: finished pathways that it looked at, awards that it gave and took back."""

    read: int = 0
    given: int = 0
    revoked: int = 0


class AwardService:
    """Gives, revokes and lists awards.

    Args:
        pathways: Say what earns what.
        open_recorded: Opens the awards of an institution.
        commons: Has the note.
        derived: Completions.
        is_behind: Tells whether something recorded has still to be derived.
        clock: Now.
    """

    def __init__(
        self,
        pathways: PathwayService,
        open_recorded: OpenRecorded,
        commons: RecordedTables,
        derived: DerivedTables,
        is_behind: Callable[[], bool],
        clock: Clock,
    ) -> None:
        """Keep what was handed in."""
        self._pathways = pathways
        self._open = open_recorded
        self._commons = commons
        self._derived = derived
        self._deriving_is_behind = is_behind
        self._clock = clock
        self._reader = LearnerReader(derived)

    def is_behind(self) -> bool:
        """Tell whether something was derived since awards were last looked after.

        While deriving itself is behind there is nothing to wait for but it.

        Raises:
            StoreError: The store failed.
        """
        if self._seen() == self._derived.cursors() or not self._earning():
            return False
        return not self._deriving_is_behind()

    def reconcile(self, keep: Callable[[], None]) -> Reconciled:
        """Give every award that was earned and not given; revoke what lost its ground, by the stated policy.

        Nothing is revoked while deriving is behind: what is missing then may only not be there yet.

        Args:
            keep: Called before every write; raises where the lease is gone or the process is to end.

        Raises:
            JobError: What ``keep`` raised.
            StoreError: The store failed.
        """
        cursors = self._derived.cursors()
        settled = not self._deriving_is_behind()
        earning = self._earning()
        done = Reconciled()
        for rows in _batches(self._finished(earning)):
            self._give(rows, earning, done, keep)
        if settled:
            for pathway in earning.values():
                if pathway.award and pathway.award.policy == REVOKE:
                    self._revoke(pathway, done, keep)
            keep()
            self._commons.note(SEEN, [Note(_SUBJECT, {"cursors": cursors})], self._clock())
        return done

    def awards_of(
        self, identities: Iterable[IdentityId], institutions: frozenset[InstitutionId] | None = None
    ) -> Sequence[Award]:
        """Return a learner's awards, one a pathway, in order of time; revoked ones are among them.

        Args:
            identities: All of one learner, as a handle has them.
            institutions: Only those that these gave; None for all, which only the learner's own
                handle opens.
        """
        places = award_places(self._commons, sorted(identities))
        found = (
            award_from(one.value, handle.institution_id)
            for handle in self._pathways.institutions()
            if handle.institution_id in places
            and (institutions is None or handle.institution_id in institutions)
            for identity in sorted(places[handle.institution_id])
            for one in _by_identity(self._open(handle), identity)
        )
        return once_each(found)

    def _earning(self) -> dict[str, Pathway]:
        """Return the pathways that earn something, by the key of their completions."""
        return {one.key: one for one in self._pathways.list() if one.award}

    def _seen(self) -> dict[str, int]:
        found = self._commons.find(SEEN, _SUBJECT)
        return dict(found.value["cursors"]) if found else {}

    def _finished(self, earning: dict[str, Pathway]) -> Iterator[Row]:
        """Yield the rows of finished pathways that earn something."""
        for row in self._derived.iter_rows(COMPLETIONS):
            if row.key in earning and orjson.loads(row.content)["done"]:
                yield row

    def _give(
        self, rows: Sequence[Row], earning: dict[str, Pathway], done: Reconciled, keep: Callable[[], None]
    ) -> None:
        done.read += len(rows)
        for key, group in itertools.groupby(sorted(rows, key=lambda row: row.key), lambda row: row.key):
            pathway = earning[key]
            tables = self._open(InstitutionHandle(InstitutionId(pathway.institution)))
            mine = list(group)
            held = tables.find_many(AWARD, [f"{pathway.name}/{row.owner}" for row in mine])
            for row in mine:
                there = held.get(f"{pathway.name}/{row.owner}")
                if there is None or there.value["state"] == REVOKED:
                    self._give_one(tables, pathway, row, done, keep)

    def _give_one(
        self,
        tables: RecordedTables,
        pathway: Pathway,
        row: Row,
        done: Reconciled,
        keep: Callable[[], None],
    ) -> None:
        """Give one award, under the identity that had one before, else under the learner's id.

        Where nobody has decided whose a mailbox is, what was finished with it is nobody's.
        """
        learner = self._reader.learner(row.owner)
        if learner is None or learner.shared or pathway.award is None:
            return
        subjects = [f"{pathway.name}/{one}" for one in learner.identity_ids]
        held = tables.find_many(AWARD, subjects)
        if any(one.value["state"] == ISSUED for one in held.values()):
            return
        identity = held[min(held)].value["identity"] if held else learner.id
        award = make_award(completion_from(row), pathway.award, pathway.opens, IdentityId(identity))
        keep()
        note_award(self._commons, award.identity, InstitutionId(pathway.institution), self._clock())
        before = held.get(award.subject)
        after = tables.change(AWARD, award.subject, _giving(award), self._clock())
        done.given += int(after is not None and (before is None or after.version != before.version))

    def _revoke(self, pathway: Pathway, done: Reconciled, keep: Callable[[], None]) -> None:
        """Revoke awards of a pathway whose learner has not finished it, as of what was derived."""
        tables = self._open(InstitutionHandle(InstitutionId(pathway.institution)))
        after = f"{pathway.name}/"
        while page := tables.list(AWARD, after, _PAGE):
            for one in page:
                if not one.subject.startswith(f"{pathway.name}/"):
                    return
                if one.value["state"] == ISSUED and not self._is_finished(pathway, one.value["identity"]):
                    keep()
                    tables.change(AWARD, one.subject, _revoking, self._clock())
                    done.revoked += 1
            after = page[-1].subject

    def _is_finished(self, pathway: Pathway, identity: str) -> bool:
        learner: LearnerId | None = self._reader.learner_of(identity)
        row = self._derived.find(COMPLETIONS, learner, pathway.key) if learner else None
        return row is not None and completion_from(row).done


def _giving(award: Award) -> Callable[[Recorded | None], Wish | None]:
    def decide(there: Recorded | None) -> Wish | None:
        if there is not None and there.value["state"] == ISSUED:
            return None
        return _wish(award_value(award))

    return decide


def _revoking(there: Recorded | None) -> Wish | None:
    if there is None or there.value["state"] == REVOKED:
        return None
    return _wish({**there.value, "state": REVOKED})


def _wish(value: dict[str, object]) -> Wish:
    return Wish(value, [f"identity:{value['identity']}"])


def _by_identity(tables: RecordedTables, identity: str) -> Iterator[Recorded]:
    after = ""
    while page := tables.find_by(AWARD, f"identity:{identity}", after, _PAGE):
        yield from page
        after = page[-1].subject


def _batches(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, _AT_ONCE)):
        yield batch
