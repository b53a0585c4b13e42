"""One act of changing recorded values: the race for the next places in the history.

In this order:

1. know an entry up to which the rows are complete, load the rows of the subjects, and read
   the entries behind it: together they say how each value stands at the end of the history;
2. decide, in memory;
3. insert the entries right behind the end, in order: those that stand there are committed;
4. lost, or no answer: read ahead what stands there now (our own entries are known by their
   source) and decide again about what is left;
5. done: project what was passed, unless somebody else has meanwhile, and raise the mark.

Projecting before deciding again would starve the slower of two servers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bson import Int64
from pymongo.errors import BulkWriteError, PyMongoError

from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import is_transient, only_duplicates
from lrs.stores.mongo.history import Change
from lrs.stores.mongo.keys import number_of
from lrs.stores.mongo.patience import Patience
from lrs.stores.mongo.recorded_rows import Rows
from lrs.stores.mongo.segment import Document
from lrs.stores.recorded import Texts

DecideTexts = Callable[["Standing | None"], Texts | None]
"""Decides upon a value; None leaves it."""

_MOST_PASSED = 2000


@dataclass(frozen=True, slots=True)
class Standing:
    """A value as it stands."""

    text: str
    terms: tuple[str, ...]
    version: int
    at_us: int


class Act:
    """Changes values of one kind, each at most once; used once.

    Args:
        collections: Where the history lies.
        rows: The institution's rows.
        kind: Of the values.
        token: Random, of this act alone.
        at_us: Now.
    """

    def __init__(self, collections: Collections, rows: Rows, kind: str, token: str, at_us: int) -> None:
        """Nothing is known yet."""
        self._entries = collections.history
        self._rows = rows
        self._kind = kind
        self._token = token
        self._at_us = at_us
        self._standing: dict[str, tuple[int, Standing | None]] = {}
        self._landed: set[str] = set()
        self._passed: list[Document] = []
        self._end = 0

    def run(self, wanted: Mapping[str, DecideTexts], patience: Patience) -> int:
        """Decide about every subject and write what is to be changed; return how many were.

        Raises:
            NotFound: The institution was taken away.
            StoreUnavailable: Patience ended; what is on its way may yet be written.
        """
        behind = self._rows.is_behind(patience)
        self._end = self._rows.reached
        rows = patience.until_answered(lambda: self._rows.load(self._kind, wanted))
        self._standing = {one: _standing_in(rows.get(one)) for one in wanted}
        if behind:
            self._read_ahead(patience)
        while entries := self._decide(wanted):
            if self._insert(entries):
                self._pass(entries)
                break
            end = self._end
            self._read_ahead(patience)
            if self._end == end:
                patience.until_answered(self._rows.check_open)
                patience.rest()
        self._settle(patience)
        return len(self._landed)

    def standing(self, subject: str) -> Standing | None:
        """Return how a value stands after ``run``."""
        return self._standing[subject][1]

    def _decide(self, wanted: Mapping[str, DecideTexts]) -> list[Document]:
        """Return the entries that would follow the end, for all that has not been written."""
        entries: list[Document] = []
        for index, (subject, decide) in enumerate(wanted.items()):
            last, before = self._standing[subject]
            texts = None if subject in self._landed else decide(before)
            if texts is None or texts == _texts(before):
                continue
            text, terms = texts
            source = f"{self._token}.{index}"
            change = Change(source, self._kind, subject, _texts(before)[0], text, self._at_us)
            entry = self._rows.history.to_document(self._end + 1 + len(entries), change)
            version = 0 if text is None else before.version + 1 if before else 1
            entries.append({**entry, "p": Int64(last), "v": version, "k": list(terms)})
        return entries

    def _insert(self, entries: Sequence[Document]) -> bool:
        """Try to commit entries; True when all of them are ours that stand there.

        Otherwise some, from the first on, may be. An entry that is still on its way can only
        land where it was sent to, and is tried there again until another's stands there.
        """
        try:
            self._entries.insert_many(entries, ordered=True)
        except PyMongoError as error:
            lost = isinstance(error, BulkWriteError) and only_duplicates(error)
            if not lost and not is_transient(error):
                raise
            return False
        return True

    def _read_ahead(self, patience: Patience) -> None:
        while entries := patience.until_answered(lambda: self._rows.read_ahead(self._end)):
            self._pass(entries)
            patience.check()
            if len(self._passed) > _MOST_PASSED:
                self._settle(patience)

    def _pass(self, entries: Iterable[Document]) -> None:
        for entry in entries:
            self._passed.append(entry)
            self._end = number_of(entry["_id"])
            subject = entry["subject"]
            if entry["kind"] == self._kind and subject in self._standing:
                self._standing[subject] = max(
                    self._standing[subject], (self._end, _standing_after(entry)), key=lambda one: one[0]
                )
            if self._is_mine(entry):
                self._landed.add(subject)

    def _settle(self, patience: Patience) -> None:
        """Make visible what was passed, but for what somebody else has."""
        foreign = any(not self._is_mine(entry) for entry in self._passed)
        if foreign:
            self._rows.is_behind(patience)
        missing = [entry for entry in self._passed if number_of(entry["_id"]) > self._rows.reached]
        self._rows.project(missing, patience)
        self._passed.clear()

    def _is_mine(self, entry: Document) -> bool:
        return bool(entry["src"].startswith(f"{self._token}."))


def _texts(standing: Standing | None) -> Texts:
    return (None, ()) if standing is None else (standing.text, standing.terms)


def _standing_in(row: Document | None) -> tuple[int, Standing | None]:
    """Return the entry that a row comes from, and how its value stands."""
    if row is None or "value" not in row:
        return (0 if row is None else row["m"]), None
    return row["m"], Standing(row["value"], tuple(row["k"]), row["v"], row["at"])


def _standing_after(entry: Document) -> Standing | None:
    if entry["after"] is None:
        return None
    return Standing(entry["after"], tuple(entry["k"]), entry["v"], entry["at"])
