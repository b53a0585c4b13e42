"""Preparing the records of an import in several processes, in the order of the file.

The processes get chunks of records, and give back what became of each: a statement encoded for
the store, or a rejection. They hold nothing and write nothing; whoever reads the file also writes
the store, in order. So nothing is lost with such a process: what it had in hand was not yet
counted as read.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice

from lrs.errors import InvalidBody, ProcessLost
from lrs.processes import end_with_parent, spare_collector
from lrs.xapi.import_files import Record
from lrs.xapi.ports.encoding import StatementEncoder
from lrs.xapi.preparing import Judged, Preparer

CHUNK_RECORDS = 200
CHUNK_BYTES = 1 << 20
FEW_CHUNKS = 10
"""What ends within these is not worth the start of processes; else they are prepared meanwhile."""

_AHEAD = 5
"""Chunks in flight for each process: so many keep it at work while a batch is committed."""


def judge_in_order(
    records: Iterable[Record],
    preparer: Preparer,
    encoder: Callable[[], StatementEncoder],
    processes: int,
) -> Iterator[Judged]:
    """Judge records as ``preparer`` does, in as many processes.

    Args:
        records: They are read ahead by a bounded number of chunks.
        preparer: Can be pickled.
        encoder: Gives what encodes the statements; asked for each chunk, since what is best may change.
        processes: How many; 1 for none but this one.

    Raises:
        InvalidBody: As reading raised it, behind all records that were read before.
        ProcessLost: One of the processes ended; the records from there on are not judged.
    """
    chunks = _Chunks(records)
    few = list(islice(chunks, FEW_CHUNKS)) if processes > 1 else []
    if len(few) < FEW_CHUNKS:
        yield from map(preparer.judge, chain.from_iterable(chain(few, chunks)))
    else:
        with _Processes(processes, preparer, encoder) as crew:
            yield from crew.judge(chunks, meanwhile=map(preparer.judge, chain.from_iterable(few)))
    chunks.check()


class _Chunks:
    """Records by the chunk, up to where they can be read."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = iter(records)
        self._broken: InvalidBody | None = None

    def __iter__(self) -> Iterator[Sequence[Record]]:
        return self

    def __next__(self) -> Sequence[Record]:
        chunk: list[Record] = []
        size = 0
        try:
            for record in self._records:
                chunk.append(record)
                size += len(record.text)
                if len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                    break
        except InvalidBody as broken:
            self._broken = broken
        if not chunk:
            raise StopIteration
        return chunk

    def check(self) -> None:
        """Raise what ended the reading, where it was not the end."""
        if self._broken is not None:
            raise self._broken


class _Processes:
    """The processes, for a ``with`` block.

    They are forked from one that is started fresh and has imported what they need: this one has
    threads, and must not be forked.
    """

    def __init__(self, count: int, preparer: Preparer, encoder: Callable[[], StatementEncoder]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, type(encoder()).__module__])
        self._pool = ProcessPoolExecutor(count, context, _begin)
        self._ahead = count * _AHEAD
        self._preparer = preparer
        self._encoder = encoder

    def __enter__(self) -> "_Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def judge(self, chunks: Iterator[Sequence[Record]], meanwhile: Iterable[Judged]) -> Iterator[Judged]:
        """Judge chunks in their order, behind what is judged here while the processes begin."""
        try:
            handed_out = deque(self._hand_out(chunk) for chunk in islice(chunks, self._ahead))
            yield from meanwhile
            while handed_out:
                yield from handed_out.popleft().result()
                handed_out += [self._hand_out(chunk) for chunk in islice(chunks, 1)]
        except BrokenProcessPool as lost:
            raise ProcessLost(
                "A process that prepared records was killed, or could not begin. What was stored stays."
            ) from lost

    def _hand_out(self, chunk: Sequence[Record]) -> Future[Sequence[Judged]]:
        """Give a chunk to the processes, some of which may begin with it."""
        with _holding_back_ctrl_c():
            return self._pool.submit(_judge_chunk, self._preparer, self._encoder(), chunk)


@contextmanager
def _holding_back_ctrl_c() -> Iterator[None]:
    """Hold Ctrl-C back for as long as processes may be begun.

    It is meant for all processes of a terminal, and for this one to answer: those that begin inherit the
    mask. And it must not be answered between two of them. The mask alone does not see to that, since
    another thread then takes the signal, and this one is interrupted all the same.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    met: list[int] = []
    answers = threading.current_thread() is threading.main_thread()
    if answers:
        handler = signal.signal(signal.SIGINT, lambda number, _: met.append(number))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if answers:
            signal.signal(signal.SIGINT, handler)
        if met:
            signal.raise_signal(signal.SIGINT)


def _begin() -> None:
    """Begin one of the processes."""
    end_with_parent()
    spare_collector()


def _judge_chunk(preparer: Preparer, encoder: StatementEncoder, chunk: Sequence[Record]) -> list[Judged]:
    """Judge a chunk in one of the processes."""
    return [preparer.judge(record, encoder) for record in chunk]
