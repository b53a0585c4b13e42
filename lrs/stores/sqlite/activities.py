"""Activity definitions, merged inside the transaction of the statements that give them.

Most definitions add nothing: the activity was met before, with the same words. So each
process remembers, for the activities that it met last, which definitions are *contained*
in the merged one: merging them would change nothing. Such a definition costs a look into a
dictionary; any other is read, merged, and written where it changed something.

Why what is remembered is right when the rule is "in order of position, the later wins":

- Merging happens under the write lock, in the order in which positions are given. So all
  that matters is that what is remembered describes the table as this transaction finds it.
- *Contained* depends on the merged definition alone. When that changes, everything
  remembered of its activity is forgotten, but for the definition that changed it; so of
  A, B, A, where A and B contradict each other, the third merges again and wins.
- Every change appends to ``activity_changes``. A transaction first reads how far that has
  come: what another process changed since this one looked is forgotten. Old entries are
  dropped; who finds a gap forgets everything.
- What a transaction remembered counts only if it was committed.
"""

from array import array
from collections.abc import Iterable, Sequence

import apsw

from lrs.stores.compression import BodyCodec
from lrs.stores.definitions import (
    LARGEST_MERGED_BYTES,
    LARGEST_REMEMBERED_BYTES,
    MOST_REMEMBERED_ACTIVITIES,
    MOST_REMEMBERED_OF_ONE,
    merge_all,
    pack_definition,
    unpack_definition,
)
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.rows import RowCodec
from lrs.stores.sqlite.tenants import Tenants
from lrs.stores.sqlite.writer import Write
from lrs.xapi.definitions import MergedDefinition
from lrs.xapi.ports import FactKind
from lrs.xapi.ports.activities import ActivityDefinition

Given = tuple[int, ActivityDefinition]
"""The hash of an activity, and a definition of it."""

_CHANGES_KEPT = 8192
_PART = 64
"""So many definitions are merged together: what they change of one activity is written once."""

_LOAD = (
    "SELECT a.number, a.h, a.dict, a.content FROM carray(?) c CROSS JOIN activities a ON a.h = c.value"
    " WHERE a.tenant = ?"
)
_FIND = "SELECT dict, content FROM activities WHERE h = ? AND tenant = ?"
_INSERT = "INSERT INTO activities (h, tenant, dict, content) VALUES (?, ?, ?, ?)"
_UPDATE = "UPDATE activities SET dict = ?, content = ? WHERE number = ?"


class _Merged:
    """The merged definition of one activity, as read and as it becomes."""

    __slots__ = ("changed", "definition", "number")

    def __init__(self, number: int | None = None, text: bytes | None = None) -> None:
        """Where ``number`` is None it is not kept yet; where ``text`` is, none was given yet."""
        self.number = number
        self.definition = MergedDefinition(text, LARGEST_MERGED_BYTES)
        self.changed = False


class Remembered:
    """Which definitions are contained in the merged ones; see the module. Used under the write lock."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._contained: dict[int, set[ActivityDefinition]] = {}
        self._write: Write | None = None
        self._touched: set[int] = set()
        self._begun_at = 0
        self.last_change = 0

    def begin(self, write: Write) -> None:
        """Forget what does not hold in this transaction."""
        if write is self._write:
            return
        seen = self.last_change
        if self._write is not None and not self._write.committed:
            self._forget(self._touched)
            seen = self._begun_at
        last = sql.value(write.database, "SELECT coalesce(max(n), 0) FROM activity_changes")
        if last != seen:
            self._follow(write.database, seen, last)
        self._write, self._touched = write, set()
        self._begun_at = self.last_change = last

    def _follow(self, database: apsw.Connection, seen: int, last: int) -> None:
        if not self._contained:
            return
        changed = [h for (h,) in sql.rows(database, "SELECT h FROM activity_changes WHERE n > ?", (seen,))]
        if len(changed) == last - seen:
            self._forget(changed)
        else:
            self._contained.clear()

    def _forget(self, hashes: Iterable[int]) -> None:
        for h in hashes:
            self._contained.pop(h, None)

    def unknown(self, given: Sequence[Given]) -> set[int]:
        """Return the hashes of those activities of which some definition may change something."""
        contained = self._contained
        return {h for h, definition in given if definition not in contained.get(h, ())}

    def is_contained(self, h: int, definition: ActivityDefinition) -> bool:
        """Tell whether merging would surely change nothing."""
        return definition in self._contained.get(h, ())

    def note(self, h: int, definition: ActivityDefinition, *, changed: bool) -> None:
        """Remember that a definition is contained; if it changed the merged one, it alone."""
        self._touched.add(h)
        if changed:
            self._contained.pop(h, None)
        if len(definition.definition) > LARGEST_REMEMBERED_BYTES:
            return
        known = self._contained.setdefault(h, set())
        if len(known) >= MOST_REMEMBERED_OF_ONE:
            known.clear()
        known.add(definition)
        if len(self._contained) > MOST_REMEMBERED_ACTIVITIES:
            del self._contained[next(iter(self._contained))]


class Definitions:
    """Merges what statements give; one for each process."""

    def __init__(self, bodies: BodyCodec) -> None:
        """Remember nothing."""
        self._bodies = bodies
        self._remembered = Remembered()

    def merge(self, write: Write, tenant: int, given: Sequence[Given], most_bytes: int | None = None) -> int:
        """Merge definitions in order, inside a transaction.

        Args:
            write: The transaction.
            tenant: Whose they are.
            given: Behind each other as their statements are.
            most_bytes: No other part is begun when so much was read to be merged; None for no bound.

        Returns:
            How many were merged: all, or the first ones.
        """
        self._remembered.begin(write)
        merged = weighed = 0
        while merged < len(given) and (most_bytes is None or weighed < most_bytes):
            part = given[merged : merged + _PART]
            weighed += self._merge_part(write.database, tenant, part)
            merged += len(part)
        return merged

    def _merge_part(self, database: apsw.Connection, tenant: int, given: Sequence[Given]) -> int:
        """Merge some; return how many bytes were read for that."""
        unknown = self._remembered.unknown(given)
        if not unknown:
            return 0
        merged = self._load(database, tenant, unknown)
        weight = sum(len(one.definition.text() or b"") for one in merged.values())
        for h, definition in given:
            if h in unknown and not self._remembered.is_contained(h, definition):
                there = merged.setdefault((h, definition.activity), _Merged())
                self._merge_one(there, h, definition)
                weight += len(definition.definition)
        self._store(database, tenant, merged)
        return weight

    def merge_beneath(self, write: Write, tenant: int, given: Sequence[Given]) -> None:
        """Merge definitions that are older than all that is kept, given newest first.

        What is remembered as contained stays contained: the later entries still stand on top.
        """
        self._remembered.begin(write)
        merged = self._load(write.database, tenant, {h for h, _ in given})
        for h, definition in given:
            there = merged.setdefault((h, definition.activity), _Merged())
            before = there.definition.text()
            text = merge_all(definition.definition, () if before is None else (before,))
            if text != before:
                there.definition, there.changed = MergedDefinition(text, LARGEST_MERGED_BYTES), True
        self._store(write.database, tenant, merged)

    def _load(
        self, database: apsw.Connection, tenant: int, hashes: set[int]
    ) -> dict[tuple[int, str], _Merged]:
        found = {}
        for number, h, dictionary, content in sql.rows(
            database, _LOAD, (apsw.carray(array("q", hashes)), tenant)
        ):
            activity, text = unpack_definition(dictionary, content, self._bodies)
            found[h, activity] = _Merged(number, text)
        return found

    def _merge_one(self, there: _Merged, h: int, definition: ActivityDefinition) -> None:
        changed = there.definition.add(definition.definition)
        there.changed = there.changed or changed
        self._remembered.note(h, definition, changed=changed)

    def _store(self, database: apsw.Connection, tenant: int, merged: dict[tuple[int, str], _Merged]) -> None:
        changed = [(key, one) for key, one in merged.items() if one.changed]
        if not changed:
            return
        packed = [
            (h, one.number, *pack_definition(activity, one.definition.text() or b"", self._bodies))
            for (h, activity), one in changed
        ]
        new = [(h, tenant, *content) for h, number, *content in packed if number is None]
        old = [(*content, number) for _, number, *content in packed if number is not None]
        database.executemany(_INSERT, new)
        database.executemany(_UPDATE, old)
        self._leave_changes(database, [h for (h, _), _ in changed])

    def _leave_changes(self, database: apsw.Connection, hashes: Sequence[int]) -> None:
        first = self._remembered.last_change + 1
        entries = list(enumerate(hashes, first))
        database.executemany("INSERT INTO activity_changes VALUES (?, ?)", entries)
        last = self._remembered.last_change = first + len(entries) - 1
        if last // _CHANGES_KEPT != (first - 1) // _CHANGES_KEPT:
            database.execute("DELETE FROM activity_changes WHERE n <= ?", (last - _CHANGES_KEPT,))


class SqliteActivityStore:
    """See lrs.xapi.ports.activities.ActivityStore."""

    def __init__(self, codec: RowCodec, tenants: Tenants, bodies: BodyCodec, readers: Readers) -> None:
        """Take the engine's parts."""
        self._codec = codec
        self._tenants = tenants
        self._bodies = bodies
        self._readers = readers

    def find_definition(self, activity: str) -> bytes | None:
        """Return the merged definition as JSON text; None where none was ever given."""
        with translated():
            database = self._readers.get()
            h = self._codec.term(FactKind.ACTIVITY, activity)
            rows = sql.rows(database, _FIND, (h, self._tenants.find(database)))
        return dict(unpack_definition(number, blob, self._bodies) for number, blob in rows).get(activity)
