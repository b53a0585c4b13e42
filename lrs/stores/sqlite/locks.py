"""The file lock between writing processes, and the floor below which no ``stored`` is given.

Two small files beside the database. ``-lock`` is held (flock) by whoever writes, from
before a ``stored`` is given until after its commit; its first eight bytes are the *floor*:
an instant that has been promised to a reader, or that a committed statement bears. Every
later ``stored`` lies above it. ``-turn`` makes waiting fair: to take the lock one first
takes the turn, and keeps it while waiting, so a process that has just written cannot
overtake one that waits.
"""

import fcntl
import mmap
import os
import threading
import time
from collections.abc import Callable

from lrs.clock import Clock
from lrs.errors import StoreUnavailable
from lrs.stores.sqlite.errors import translated

_FLOOR_BYTES = 16
_SHORTEST_WAIT_SECONDS = 0.0001
_LONGEST_WAIT_SECONDS = 0.0005
_FRESH_US = 1000
_FRESH_SECONDS = 0.001
_PRIVATE = 0o600


def open_private(path: str) -> int:
    """Open a file for reading and writing, made for its owner alone where it is missing."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)


def try_flock(descriptor: int) -> bool:
    """Take the lock of an open file if nobody holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Floor:
    """Eight bytes shared by all processes through the page cache.

    They are mapped and written as one aligned machine word, so no reader meets half of one.
    A power failure may lose them: then they begin again at the last ``stored`` kept.
    """

    def __init__(self, descriptor: int) -> None:
        """Map the file's first bytes, making them where the file is new.

        Making them writes a byte behind the word: that has the disk give the room now (a
        full disk would kill the process at the first write to a hole), and cannot undo what
        another process writes into the word at the same time.
        """
        if os.fstat(descriptor).st_size < _FLOOR_BYTES:
            os.pwrite(descriptor, b"\0", _FLOOR_BYTES - 1)
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, _FLOOR_BYTES)
        self._word = memoryview(self._map).cast("q")

    def read(self) -> int:
        """Return the floor."""
        return int(self._word[0])

    def raise_to(self, instant_us: int) -> None:
        """Raise the floor; only while holding the write lock.

        Where the file has become read-only the floor stays where it is, and what is promised to
        readers with it: writing into the mapping would kill the process, a plain write does not.
        """
        try:
            os.pwrite(self._descriptor, b"\0", _FLOOR_BYTES - 1)
        except OSError:
            return
        self._word[0] = max(self._word[0], instant_us)

    def close(self) -> None:
        """Give the mapping back."""
        self._word.release()
        self._map.close()


class WriteLock:
    """Who may write, among all threads and processes on the same store."""

    def __init__(self, database_path: str) -> None:
        """Open both files."""
        with translated():
            self._turn = open_private(f"{database_path}-turn")
            self._lock = open_private(f"{database_path}-lock")
            self.floor = Floor(self._lock)

    def acquire(self, keep_waiting: Callable[[], bool]) -> bool:
        """Wait for one's turn and for the lock; False when ``keep_waiting`` said no meanwhile."""
        with translated():
            if not _wait(self._turn, keep_waiting):
                return False
            try:
                return _wait(self._lock, keep_waiting)
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    def release(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close both files; a lock still held is let go."""
        self.floor.close()
        os.close(self._lock)
        os.close(self._turn)


def _wait(descriptor: int, keep_waiting: Callable[[], bool]) -> bool:
    pause = _SHORTEST_WAIT_SECONDS
    while not try_flock(descriptor):
        if not keep_waiting():
            return False
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_WAIT_SECONDS)
    return True


class ConsistentThrough:
    """Promises instants up to which everything is visible.

    Nobody is between being given a ``stored`` and its commit while the write lock is free;
    so whoever gets it without waiting may promise *now*, and makes it the floor, which every
    later ``stored`` exceeds. Where somebody is writing, the floor as it was before the look
    at the lock is what holds: it was promised, or committed, before.

    Args:
        database_path: The database beside which the lock lies.
        clock: Now, in microseconds.
    """

    def __init__(self, database_path: str, clock: Clock) -> None:
        """Open the lock once more: this descriptor competes with the writer of this process too."""
        self._clock = clock
        self._mutex = threading.Lock()
        with translated():
            self._path = f"{database_path}-lock"
            self._lock = open_private(self._path)
            self._floor = Floor(self._lock)
        self._promised = 0
        self._at_us = -_FRESH_US
        self._until = 0.0
        self._closed = False

    def instant(self) -> int:
        """Return such an instant; at most about a thousand times a second the lock is looked at."""
        with self._mutex, translated():
            if self._closed:
                raise StoreUnavailable("The store is closed.")
            now = self._clock()
            if time.monotonic() < self._until and 0 <= now - self._at_us < _FRESH_US:
                return self._promised
            self._promised = self._promise(now)
            self._at_us, self._until = now, time.monotonic() + _FRESH_SECONDS
            return self._promised

    def forget(self) -> None:
        """Look again at the next call: something was committed."""
        self._until = 0.0

    def _promise(self, now: int) -> int:
        before = self._floor.read()
        if not self._is_in_place() or not try_flock(self._lock):
            return before
        try:
            self._floor.raise_to(now)
            return self._floor.read()
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _is_in_place(self) -> bool:
        """Tell whether the lock is where it was: under one that took its place others may be writing."""
        try:
            return os.path.samestat(os.fstat(self._lock), os.stat(self._path))  # noqa: PTH116
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            if not self._closed:
                self._closed = True
                self._floor.close()
                os.close(self._lock)
