"""What a thread of its own does beside the writers: checkpoints, merges, dictionaries, trimming.

Checkpoints inside a commit would stall it. So nobody's commit checkpoints; this thread
does it passively whenever the WAL has grown. Under steady writing that never reaches the WAL's end,
so when it has become long what is left, a little, is brought over under the write lock, and
the next commit begins the WAL anew. Its file is cut only when it has become larger than that can explain.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import apsw

from lrs.errors import StoreError
from lrs.stores.sqlite.arrivals import Bounds
from lrs.stores.sqlite.connections import Files
from lrs.stores.sqlite.defining import LeftDefinitions
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.locks import WriteLock
from lrs.stores.sqlite.merging import Leadership, Merger
from lrs.stores.sqlite.spreading import Abandoned
from lrs.stores.sqlite.training import Trainer, Training
from lrs.stores.sqlite.writer import Writer
from lrs.traces import trace_of

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25
_PAUSE_SECONDS = 0.002
_TRIM_SECONDS = 60.0
_REST_SECONDS = 10.0
_CHECKPOINT_SECONDS = 0.25
_LONG_FRAMES = 12_000
"""Pages in the WAL. A longer one costs whoever reads a page more look-ups, and takes more memory."""
_RESET_BYTES = 256 * 1024 * 1024
_RESET_PATIENCE_SECONDS = 1.0
_READERS_PATIENCE_MS = 100


class Chores(NamedTuple):
    """What rows need now and then: receipts and refusals are trimmed, what was left half done is finished."""

    bounds: Bounds
    abandoned: Abandoned
    definitions: LeftDefinitions


class Maintenance:
    """Runs the thread.

    Args:
        database: A connection of its own, which may write.
        path: The database file.
        writer: What changes rows goes through it.
        chores: What rows need besides.
        spans: Positions a lot (postings.SPANS).
        training: What learns dictionaries, and how bodies are scrubbed before one is trained.
    """

    def __init__(
        self,
        database: apsw.Connection,
        path: str,
        writer: Writer,
        chores: Chores,
        spans: Sequence[int],
        training: Training,
    ) -> None:
        """Start."""
        self._database = database
        self._database.set_busy_timeout(_READERS_PATIENCE_MS)
        self._wal = Path(f"{path}-wal")
        self._lock = WriteLock(path)
        self._files = Files(path)
        self._writer = writer
        self._chores = chores
        self._stop = threading.Event()
        self._leadership = Leadership(path)
        self._merger = Merger(writer, database, spans, self._stop.is_set, self._pause)
        self._trainer = Trainer(database, training, writer, self._pause)
        self._leads = False
        self._trimmed = -_TRIM_SECONDS
        self._next_checkpoint = 0.0
        self._seen_version = -1
        self._thread = threading.Thread(target=self._loop, name="sqlite-maintenance", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; what was begun is picked up by the next one."""
        first = not self._stop.is_set()
        self._stop.set()
        self._thread.join()
        if first:
            self._leadership.close()
            self._lock.close()
            self._files.close()
            self._database.close()

    def _loop(self) -> None:
        said = ""
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                with translated():
                    self._look()
                said = ""
            except StoreError as error:
                # Once, however long it lasts: where the disk is full, the log may lie on it.
                if error.detail != said:
                    log.warning("Maintenance will be tried again: %s", error)
                said = error.detail
                # What a merge that failed has left is tidied first.
                self._leads = False
            except Exception as error:  # noqa: BLE001 - without this thread the WAL would grow for ever
                log.error("Maintenance failed; it rests, and will be tried again\n%s", trace_of(error))  # noqa: TRY400
                self._leads = False
                self._stop.wait(_REST_SECONDS)

    def _look(self) -> None:
        self.checkpoint()
        self._trainer.learn()
        if not self._leads and self._leadership.try_take():
            self._merger.tidy()
            self._leads = True
        if not self._leads:
            return
        self._chores.abandoned.look(self._database)
        self._chores.definitions.look(self._database)
        while not self._stop.is_set() and self._merger.merge_one():
            self.checkpoint()
        if not self._stop.is_set():
            self._trainer.train_if_due()
        if time.monotonic() - self._trimmed > _TRIM_SECONDS:
            self._writer.run(self._chores.bounds.trim)
            self._trimmed = time.monotonic()

    def _pause(self) -> None:
        """Let others have the interpreter; whoever waits for it otherwise waits five milliseconds."""
        self.checkpoint()
        self._stop.wait(_PAUSE_SECONDS)

    def checkpoint(self) -> None:
        """Bring the WAL into the database file if it has grown; begin it anew if it is too long.

        Raises:
            StoreError: The files may not be written, or the disk failed.
        """
        size = self._wal.stat().st_size if self._wal.exists() else 0
        if size > _RESET_BYTES:
            self.reset()
        elif time.monotonic() >= self._next_checkpoint and self._was_written():
            self._next_checkpoint = time.monotonic() + _CHECKPOINT_SECONDS
            self._files.check_writable()
            # Where another process is at it just now, it does the same work.
            with contextlib.suppress(apsw.BusyError):
                frames, _ = self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                if frames > _LONG_FRAMES:
                    self._begin_anew(apsw.SQLITE_CHECKPOINT_RESTART)

    def _was_written(self) -> bool:
        """Tell whether anybody committed since the last look; the WAL's size does not show it."""
        version = int(self._database.pragma("data_version"))
        changed, self._seen_version = version != self._seen_version, version
        return changed

    def reset(self) -> None:
        """Empty the WAL and cut its file; left for the next time where readers hold it."""
        self._begin_anew(apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _begin_anew(self, mode: int) -> None:
        """Have the WAL begun anew, while nobody writes."""
        deadline = time.monotonic() + _RESET_PATIENCE_SECONDS
        if not self._lock.acquire(lambda: time.monotonic() < deadline):
            return
        try:
            self._files.check_writable()
            self._database.wal_checkpoint(mode=mode)
        except apsw.BusyError:
            log.info("Readers hold the WAL; it will be emptied later")
        finally:
            self._lock.release()
