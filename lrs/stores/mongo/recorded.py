"""Recorded values: the history entry is the commit, the rows follow it.

A reader first sees that the rows show everything that was committed before: one look for an
entry behind those that it knows of, and where there is one, what is missing is projected. So
a writer that dies right behind its commit loses nothing.
"""

from collections.abc import Sequence

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.stores import StoreOptions
from lrs.stores.mongo.changing import Act, DecideTexts, Standing
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.history import json_from
from lrs.stores.mongo.keys import number_of
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.recorded_rows import AT_ONCE, Rows, recorded_from
from lrs.stores.recorded import Texts, texts_of, value_from
from lrs.tables.recorded import Decide, Entry, Note, Recorded, Wish

_TOKEN_BYTES = 12


class MongoRecordedTables:
    """See lrs.tables.recorded.RecordedTables."""

    def __init__(
        self, collections: Collections, institution_id: InstitutionId, options: StoreOptions
    ) -> None:
        """Nothing is known before the first look."""
        self._collections = collections
        self._rows = Rows(collections, institution_id)
        self._options = options

    @translated()
    def find(self, kind: str, subject: str) -> Recorded | None:
        """Return a value, or None."""
        return self.find_many(kind, [subject]).get(subject)

    @translated()
    def find_many(self, kind: str, subjects: Sequence[str]) -> dict[str, Recorded]:
        """Return those of the subjects that have a value, by subject."""
        self._catch_up()
        found = self._rows.load(kind, subjects)
        return {subject: recorded_from(row) for subject, row in found.items() if "value" in row}

    @translated()
    def list(self, kind: str, after: str = "", limit: int = 1000) -> Sequence[Recorded]:
        """Return values in order of subject, behind one."""
        self._catch_up()
        return self._rows.list(kind, after, limit)

    @translated()
    def find_by(self, kind: str, term: str, after: str = "", limit: int = 1000) -> Sequence[Recorded]:
        """Return the values that have a term, in order of subject, behind one."""
        self._catch_up()
        return self._rows.find_by(kind, term, after, limit)

    @translated()
    def count(self, kind: str) -> int:
        """Return how many values there are of a kind."""
        self._catch_up()
        return self._rows.count(kind)

    @translated()
    def change(self, kind: str, subject: str, decide: Decide, at_us: int) -> Recorded | None:
        """Decide upon a value and write it with its entry in the history, in one atomic step."""

        def decide_texts(standing: Standing | None) -> Texts | None:
            wish = decide(_recorded(kind, subject, standing))
            return None if wish is None else texts_of(wish)

        act = self._act(kind, at_us)
        act.run({subject: decide_texts}, self._patience())
        return _recorded(kind, subject, act.standing(subject))

    @translated()
    def change_all(self, kind: str, wishes: Sequence[tuple[str, Wish]], at_us: int) -> int:
        """Write many values, whatever stands there, each with its entry; return how many changed."""
        wanted: list[tuple[str, DecideTexts]] = [
            (subject, _always(texts_of(wish))) for subject, wish in wishes
        ]
        changed = 0
        for start in range(0, len(wanted), AT_ONCE):
            changed += self._act(kind, at_us).run(dict(wanted[start : start + AT_ONCE]), self._patience())
        return changed

    @translated()
    def note(self, kind: str, notes: Sequence[Note], at_us: int) -> None:
        """Keep bookkeeping, whatever stood there."""
        self._rows.put_notes(kind, notes, at_us)

    @translated()
    def forget(self, kind: str, subjects: Sequence[str]) -> None:
        """Drop bookkeeping."""
        self._rows.remove_notes(kind, subjects)

    @translated()
    def read_entries(self, after: int, limit: int) -> Sequence[Entry]:
        """Return the history's entries behind a position, in order."""
        return [
            Entry(
                number_of(one["_id"]),
                one["kind"],
                one["subject"],
                json_from(one["before"]),
                json_from(one["after"]),
                one["at"],
            )
            for one in self._rows.history.following(after, limit)
        ]

    def _catch_up(self) -> None:
        self._rows.catch_up(self._patience())

    def _act(self, kind: str, at_us: int) -> Act:
        token = self._options.random_bytes(_TOKEN_BYTES).hex()
        return Act(self._collections, self._rows, kind, token, at_us)

    def _patience(self) -> Patience:
        return Patience(self._options.busy_seconds)


class MongoRecorded:
    """Opens the recorded values of an institution; each is made once a process."""

    def __init__(self, collections: Collections, options: StoreOptions) -> None:
        """Nothing is open yet."""
        self._collections = collections
        self._options = options
        self._open: dict[InstitutionId, MongoRecordedTables] = {}

    def __call__(self, handle: InstitutionHandle) -> MongoRecordedTables:
        """Open them; two threads that do so at once may each get their own, which does no harm."""
        institution_id = handle.institution_id
        found = self._open.get(institution_id)
        if found is None:
            found = MongoRecordedTables(self._collections, institution_id, self._options)
            self._open[institution_id] = found
        return found


def _recorded(kind: str, subject: str, standing: Standing | None) -> Recorded | None:
    if standing is None:
        return None
    return Recorded(kind, subject, value_from(standing.text), standing.version, standing.at_us)


def _always(texts: Texts) -> DecideTexts:
    return lambda _: texts
