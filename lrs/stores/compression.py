"""Bodies as they lie in the store: zstd with a dictionary; shared by both engines.

A dictionary is data for ever: each kept body names the number of its own, and a number
is never given to other bytes. Number 0 means *not compressed*. The shipped dictionary is
trained by ``benchmarks/train_dictionary.py`` on invented, scrubbed statements only, since
a dictionary holds pieces of what it was trained on. A store may train its own, on its own
scrubbed statements; their numbers begin at ``FIRST_TRAINED``.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources

import zstandard

from lrs.errors import CorruptRecord

PLAIN = 0
SHIPPED = 1
FIRST_TRAINED = 64
_LEVEL = 3
"""Of the tables that a trained dictionary begins with."""

_PARAMETERS = zstandard.ZstdCompressionParameters(
    window_log=17,
    hash_log=15,
    chain_log=17,
    search_log=5,
    min_match=5,
    strategy=zstandard.STRATEGY_GREEDY,
    write_content_size=True,
    write_dict_id=False,
    write_checksum=False,
)
"""Looks at 32 places of the dictionary for each match, where level 3 looks at two: a statement comes to
an eighth less, and takes some eight microseconds longer. What restores does not depend on it."""

_DICTIONARY_BYTES = 64 * 1024
_SEGMENT_BYTES, _DMER_BYTES = 2000, 8
_LARGEST_BODY_BYTES = 1 << 30
_FEWEST_TOGETHER = 32
"""From here on one call for all is worth its buffers; and it lets go of the interpreter only once."""


@cache
def shipped_dictionaries() -> Mapping[int, bytes]:
    """Return the dictionaries that come with the package, by number."""
    data = resources.files("lrs.stores").joinpath(f"dictionary-{SHIPPED}.zdict").read_bytes()
    return {SHIPPED: data}


def train_dictionary(samples: Sequence[bytes]) -> bytes | None:
    """Train a dictionary (without the interpreter's lock); None where the samples do not do for one.

    With the segment's size given it takes 50 ms for a megabyte; to have it searched for takes
    three times as long and wins nothing.
    """
    try:
        trained = zstandard.train_dictionary(
            _DICTIONARY_BYTES, list(samples), k=_SEGMENT_BYTES, d=_DMER_BYTES, level=_LEVEL, dict_id=SHIPPED
        )
    except zstandard.ZstdError:
        return None
    return trained.as_bytes()


def _digest(data: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)


class BodyCodec:
    """Compresses and restores bodies; safe for threads.

    A zstandard (de)compressor that two threads share corrupts what it reads, so each
    thread gets its own; the digested dictionaries are read-only and shared.

    Args:
        dictionaries: Bytes by number; the shipped ones where nothing is given. The highest
            number compresses, all of them restore.
        read_dictionaries: Gives all that there are now; asked when a body names one that is
            not known here, since another process may have added it.
    """

    def __init__(
        self,
        dictionaries: Mapping[int, bytes] | None = None,
        read_dictionaries: Callable[[], Mapping[int, bytes]] | None = None,
    ) -> None:
        """Digest the dictionaries once.

        Raises:
            CorruptRecord: The one that compresses is none.
        """
        self._read = read_dictionaries
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        self._current = PLAIN
        self._learning = threading.Lock()
        self._of_thread = threading.local()
        self.learn(shipped_dictionaries() if dictionaries is None else dictionaries)

    @property
    def current(self) -> int:
        """The number of the dictionary that compresses."""
        return self._current

    def learn(self, dictionaries: Mapping[int, bytes]) -> None:
        """Take up dictionaries that were added; from here on the highest number compresses.

        Raises:
            CorruptRecord: That one is none.
        """
        with self._learning:
            for number in dictionaries.keys() - self._dictionaries.keys():
                self._dictionaries[number] = _digest(dictionaries[number])
            highest = max(self._dictionaries)
            if highest != self._current:
                self._precompute(highest)
                self._current = highest

    def _precompute(self, number: int) -> None:
        try:
            self._dictionaries[number].precompute_compress(compression_params=_PARAMETERS)
        except zstandard.ZstdError as error:
            raise CorruptRecord(f"Compression dictionary {number} is damaged: {error}.") from error

    def compress(self, body: bytes) -> tuple[int, bytes]:
        """Return the number of the dictionary and the blob; number 0 where nothing is won."""
        number, compressor = self._compressor()
        blob = compressor.compress(body)
        return (number, blob) if len(blob) < len(body) else (PLAIN, body)

    def decompress(self, number: int, blob: bytes) -> bytes:
        """Restore a body.

        Raises:
            CorruptRecord: The dictionary is unknown here, or the blob is damaged.
        """
        if number == PLAIN:
            return blob
        try:
            return self._decompressor(number).decompress(blob, max_output_size=_LARGEST_BODY_BYTES)
        except (zstandard.ZstdError, MemoryError) as error:
            # It says itself how long it is; a damaged one may say anything.
            raise CorruptRecord(f"A kept body cannot be decompressed: {error!r}.") from error

    def decompress_together(self, number: int, blobs: Sequence[bytes]) -> list[bytes] | None:
        """Restore many bodies of one dictionary in one call, which is faster than one by one.

        Args:
            number: The dictionary's; not ``PLAIN``.
            blobs: Whatever stands behind what is compressed does not matter.

        Returns:
            None where there are too few to be worth it, or one cannot be restored: that one will tell why.
        """
        if len(blobs) < _FEWEST_TOGETHER:
            return None
        frames: list[bytes | bytearray | memoryview[int]] = [*blobs]
        try:
            restored = self._decompressor(number).multi_decompress_to_buffer(frames)
        except (zstandard.ZstdError, ValueError, MemoryError):
            return None
        return [restored[place].tobytes() for place in range(len(restored))]

    def _compressor(self) -> tuple[int, zstandard.ZstdCompressor]:
        own: tuple[int, zstandard.ZstdCompressor] | None = getattr(self._of_thread, "compressor", None)
        if own is None or own[0] != self._current:
            number = self._current
            own = self._of_thread.compressor = number, _make_compressor(self._dictionaries[number])
        return own

    def _decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        own: dict[int, zstandard.ZstdDecompressor] | None = getattr(self._of_thread, "decompressors", None)
        if own is None:
            own = self._of_thread.decompressors = {}
        found = own.get(number)
        if found is None:
            found = own[number] = zstandard.ZstdDecompressor(dict_data=self._find(number))
        return found

    def _find(self, number: int) -> zstandard.ZstdCompressionDict:
        if number not in self._dictionaries and self._read is not None:
            self.learn(self._read())
        dictionary = self._dictionaries.get(number)
        if dictionary is None:
            raise CorruptRecord(f"A kept body names compression dictionary {number}, unknown here.")
        return dictionary


def _make_compressor(dictionary: zstandard.ZstdCompressionDict) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(dict_data=dictionary, compression_params=_PARAMETERS)


def measure_dictionary(data: bytes, bodies: Sequence[bytes]) -> int:
    """Return how many bytes bodies take with a dictionary."""
    dictionary = _digest(data)
    dictionary.precompute_compress(compression_params=_PARAMETERS)
    compressor = _make_compressor(dictionary)
    return sum(len(compressor.compress(body)) for body in bodies)
