"""Bodies as they lie in the store: zstd with a dictionary; shared by both engines.

A dictionary is data for ever: each kept body names the number of its own, and a number
is never given to other bytes. Number 0 means *not compressed*. The shipped dictionary is
trained by ``benchmarks/train_dictionary.py`` on invented, scrubbed statements only, since
a dictionary holds pieces of what it was trained on.
"""

import threading
from collections.abc import Mapping
from functools import cache
from importlib import resources

import zstandard

from lrs.errors import CorruptRecord

PLAIN = 0
SHIPPED = 1
_LEVEL = 3
_LARGEST_BODY_BYTES = 1 << 30


@cache
def shipped_dictionaries() -> Mapping[int, bytes]:
    """Return the dictionaries that come with the package, by number."""
    data = resources.files("lrs.stores").joinpath(f"dictionary-{SHIPPED}.zdict").read_bytes()
    return {SHIPPED: data}


class BodyCodec:
    """Compresses and restores bodies; safe for threads.

    A zstandard (de)compressor that two threads share corrupts what it reads, so each
    thread gets its own; the digested dictionaries are read-only and shared.

    Args:
        dictionaries: Bytes by number; the shipped ones where nothing is given. The highest
            number compresses, all of them restore.
    """

    def __init__(self, dictionaries: Mapping[int, bytes] | None = None) -> None:
        """Digest the dictionaries once.

        Raises:
            CorruptRecord: The one that compresses is none.
        """
        known = dict(shipped_dictionaries() if dictionaries is None else dictionaries)
        self._current = max(known)
        self._dictionaries = {
            number: zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)
            for number, data in known.items()
        }
        try:
            self._dictionaries[self._current].precompute_compress(level=_LEVEL)
        except zstandard.ZstdError as error:
            raise CorruptRecord(f"Compression dictionary {self._current} is damaged: {error}.") from error
        self._of_thread = threading.local()

    def compress(self, body: bytes) -> tuple[int, bytes]:
        """Return the number of the dictionary and the blob; number 0 where nothing is won."""
        blob = self._compressor().compress(body)
        return (self._current, blob) if len(blob) < len(body) else (PLAIN, body)

    def decompress(self, number: int, blob: bytes) -> bytes:
        """Restore a body.

        Raises:
            CorruptRecord: The dictionary is unknown here, or the blob is damaged.
        """
        if number == PLAIN:
            return blob
        try:
            return self._decompressor(number).decompress(blob, max_output_size=_LARGEST_BODY_BYTES)
        except zstandard.ZstdError as error:
            raise CorruptRecord(f"A kept body cannot be decompressed: {error}.") from error

    def _compressor(self) -> zstandard.ZstdCompressor:
        own: zstandard.ZstdCompressor | None = getattr(self._of_thread, "compressor", None)
        if own is None:
            own = zstandard.ZstdCompressor(
                level=_LEVEL,
                dict_data=self._dictionaries[self._current],
                write_dict_id=False,
                write_checksum=False,
            )
            self._of_thread.compressor = own
        return own

    def _decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        own: dict[int, zstandard.ZstdDecompressor] | None = getattr(self._of_thread, "decompressors", None)
        if own is None:
            own = self._of_thread.decompressors = {}
        found = own.get(number)
        if found is None:
            dictionary = self._dictionaries.get(number)
            if dictionary is None:
                raise CorruptRecord(f"A kept body names compression dictionary {number}, unknown here.")
            found = own[number] = zstandard.ZstdDecompressor(dict_data=dictionary)
        return found
