"""Dictionaries that a store trains for itself, beside the writers.

When the log has grown enough, the newest bodies are sampled and scrubbed, and a dictionary
is trained on them. It is kept where bodies that it was not trained on come out smaller by a
margin than with the one in use; then whatever is written uses it, in every process. A
dictionary is one row, kept in one transaction and for ever. Only the process that merges
trains (``Leadership``), so two never do at once.
"""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import apsw

from lrs.stores import Scrub
from lrs.stores.compression import FIRST_TRAINED, BodyCodec, measure_dictionary, train_dictionary
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.facts import split
from lrs.stores.sqlite.schema import read_dictionaries
from lrs.stores.sqlite.writer import Write, Writer

log = logging.getLogger(__name__)

FIRST_AT = 4096
_GROWTH = 3
_LONGEST_INTERVAL = 1_000_000
_MOST_TRAINED = 32
_SAMPLED_BACK = 12_000
_SAMPLES = 1200
_HELD_OUT_OF = 6
_FEWEST_SAMPLES = 100
_LARGEST_SAMPLE_BYTES = 16 * 1024
_MARGIN = 0.9


class Training(NamedTuple):
    """What learns each new dictionary, and what empties bodies of all that identifies.

    Without the second nothing is ever trained.
    """

    bodies: BodyCodec
    scrub: Scrub | None


class Trainer:
    """Trains when it is due, and takes up what others have trained.

    Args:
        database: A connection of the thread that calls.
        training: See Training.
        writer: What keeps a dictionary goes through it.
        pause: Called now and then in the middle, so that others come to work.
        first_at: After so many statements it is due first; then whenever the log has
            become four times as long, or grown by a million.
    """

    def __init__(
        self,
        database: apsw.Connection,
        training: Training,
        writer: Writer,
        pause: Callable[[], None],
        first_at: int = FIRST_AT,
    ) -> None:
        """Begin without having looked."""
        self._database = database
        self._bodies, self._scrub = training
        self._writer = writer
        self._pause = pause
        self._first_at = first_at
        self._due_at: int | None = None

    def learn(self) -> None:
        """Take up dictionaries that other processes have added."""
        newest = sql.value(self._database, "SELECT max(number) FROM dictionaries")
        if newest != self._bodies.current:
            self._bodies.learn(read_dictionaries(self._database))

    def train_if_due(self) -> bool:
        """Train where it is due; True when a dictionary was added. Only for the process that leads."""
        if self._scrub is None:
            return False
        last = int(sql.value(self._database, "SELECT max(seq) FROM stmt") or 0)
        if self._due_at is None:
            tried = sql.value(self._database, "SELECT value FROM meta WHERE name = 'dictionary_tried'")
            self._due_at = self._due_behind(tried or 0)
        if last < self._due_at:
            return False
        self._due_at = self._due_behind(last)
        data = self._make_better(self._sample(last), self._scrub)
        number = self._writer.run(lambda write: _keep(write, last, data))
        if number is None or data is None:
            return False
        self._bodies.learn({number: data})
        log.info("Trained dictionary %d at position %d", number, last)
        return True

    def _due_behind(self, tried: int) -> int:
        return tried + min(max(_GROWTH * tried, self._first_at), _LONGEST_INTERVAL)

    def _sample(self, last: int) -> list[bytes]:
        """Return some of the newest bodies, spread, so that more than the last sender is among them."""
        query = "SELECT dict, body FROM stmt WHERE seq > ? AND seq % ? = 0"
        step = max(1, min(last, _SAMPLED_BACK) // _SAMPLES)
        rows = sql.rows(self._database, query, (last - _SAMPLED_BACK, step))
        bodies = [self._bodies.decompress(number, split(blob)[0]) for number, blob in rows]
        return [body for body in bodies if len(body) <= _LARGEST_SAMPLE_BYTES]

    def _make_better(self, bodies: Sequence[bytes], scrub: Scrub) -> bytes | None:
        """Train on some of the bodies and try it on the others; None where that wins too little."""
        held_out = bodies[::_HELD_OUT_OF]
        samples = [body for number, body in enumerate(bodies) if number % _HELD_OUT_OF]
        known = read_dictionaries(self._database)
        if len(samples) < _FEWEST_SAMPLES or sum(n >= FIRST_TRAINED for n in known) >= _MOST_TRAINED:
            return None
        data = train_dictionary(scrub(samples, self._pause))
        if data is None:
            return None
        in_use = measure_dictionary(known[max(known)], held_out)
        return data if measure_dictionary(data, held_out) <= _MARGIN * in_use else None


def _keep(write: Write, tried: int, data: bytes | None) -> int | None:
    """Note that it was tried; keep the dictionary under the next number and return that."""
    write.database.execute("INSERT OR REPLACE INTO meta VALUES ('dictionary_tried', ?)", (tried,))
    if data is None:
        return None
    highest = sql.value(write.database, "SELECT max(number) FROM dictionaries")
    number = max(FIRST_TRAINED, highest + 1)
    write.database.execute("INSERT INTO dictionaries VALUES (?, ?)", (number, data))
    return int(number)
