"""The process that runs jobs: it looks at each one every few seconds, until it is asked to end.

Schedules are declared in code and kept in memory alone: runs and leases lie in our own
store, so that any number of workers may be started and each job still runs once.
"""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import UTC
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from lrs.errors import StoreError
from lrs.jobs.runner import JobRunner

_log = logging.getLogger(__name__)


def work_until_asked_to_end(runner: JobRunner) -> None:
    """Run jobs as they fall due; return when SIGTERM or SIGINT came and running jobs have ended.

    Call it in the main thread: it takes both signals.
    """
    ending = threading.Event()
    on_signals(ending.set)
    # The scheduler says at each look that it looked; the history says what was run.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = _schedule(runner)
    scheduler.start()
    ending.wait()
    runner.stop()
    scheduler.shutdown(wait=True)


def on_signals(end: Callable[[], None]) -> None:
    """Call a function when SIGTERM or SIGINT comes; in the main thread."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        end()

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, handle)


def _schedule(runner: JobRunner) -> BackgroundScheduler:
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max(1, len(runner.jobs)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job in runner.jobs:
        scheduler.add_job(_looker(runner, job.name), "interval", seconds=job.look_seconds, id=job.name)
    return scheduler


def _looker(runner: JobRunner, name: str) -> Callable[[], None]:
    def look() -> None:
        try:
            while runner.run_if_due(name) is not None:
                pass
        except StoreError as error:
            _log.warning("job %s: the store failed (%s); the next look tries again", name, error.code)

    return look
