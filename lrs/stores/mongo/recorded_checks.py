"""Looking at recorded values: is each what the last entry about it says.

An entry further than the mark is left to the next check: its row may be on its way.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from lrs.access.handles import InstitutionId
from lrs.stores.checking import iter_value_faults, where
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.gone import keys_of
from lrs.stores.mongo.history import HistoryLog, is_recorded
from lrs.stores.mongo.keys import dense_key, number_of
from lrs.stores.mongo.recorded_rows import AT_ONCE, Rows, kept_from, key_of, row_of
from lrs.stores.mongo.segment import Document
from lrs.stores.moving import Fault, Looked

Faults = Iterator[Fault | Looked]


class RecordedCheck:
    """Checks the recorded values of one institution."""

    def __init__(self, collections: Collections, institution_id: InstitutionId) -> None:
        """Keep where they lie."""
        self._rows = collections.recorded
        self._entries = collections.history
        self._history = HistoryLog(collections, institution_id)
        self._institution_id = institution_id
        self._mark = Rows(collections, institution_id).mark

    def run(self) -> Faults:
        """Follow the history, then look at every row."""
        mark = self._mark()
        entries = self._history.following(0, mark)
        last = 0
        while some := list(islice(entries, AT_ONCE)):
            yield from self._compare([one for one in some if is_recorded(one)])
            last = number_of(some[-1]["_id"])
        if last < mark:
            what = f"It says that entry {mark} is visible; the history ends at {last}."
            yield Fault("recorded", where(self._institution_id, "projections"), what)
        rows = iter(self._rows.find({"_id": keys_of(self._institution_id)}).sort("_id", 1))
        while some := list(islice(rows, AT_ONCE)):
            yield from self._look_at(some)

    def _compare(self, entries: Sequence[Document]) -> Faults:
        """See that the value of each entry stands as it says, or as a later one says."""
        keys = [key_of(self._institution_id, one["kind"], one["subject"]) for one in entries]
        rows = {row["_id"]: row for row in self._rows.find({"_id": {"$in": keys}})}
        for key, entry in zip(keys, entries, strict=True):
            m, row = number_of(entry["_id"]), rows.get(key)
            if row is None or row["m"] < m:
                yield self._fault(entry, f"Entry {m} of the history is not seen in its row.")
            elif row["m"] == m and "v" in entry and row != row_of(self._institution_id, entry):
                yield self._fault(entry, f"It is not what entry {m} of the history says.")

    def _look_at(self, rows: Sequence[Document]) -> Faults:
        """See that each row can be read, and comes from an entry about it."""
        keys = [dense_key(self._institution_id, row["m"]) for row in rows if row["m"]]
        found = self._entries.find({"_id": {"$in": keys}}, {"kind": 1, "subject": 1})
        entries = {number_of(one["_id"]): one for one in found}
        for row in rows:
            entry = entries.get(row["m"], {})
            names = (entry.get("kind", ""), entry.get("subject", ""))
            if row["m"] and row["_id"] != key_of(self._institution_id, *names):
                here = where(self._institution_id, row["_id"])
                yield Fault("recorded", here, f"It comes from entry {row['m']}, which is not about it.")
            if "gone" not in row:
                yield from iter_value_faults(self._institution_id, kept_from(row))

    def _fault(self, entry: Document, what: str) -> Fault:
        return Fault("recorded", where(self._institution_id, f"{entry['kind']} {entry['subject']}"), what)
