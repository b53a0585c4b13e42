"""Leases and runs, as the jobs' port promises them."""

from collections.abc import Sequence
from typing import Any

import apsw
import orjson

from lrs.jobs.model import KEPT_RUNS, JobState, Lease, Outcome, Report, Run
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.writer import Write, Writer

_STATE = "epoch, holder, until, asked, started, ended, failures"
_RUN = "job, epoch, holder, started, ended, outcome, report"
_TAKE = """
INSERT INTO jobs (name, epoch, holder, until, asked, started, ended, failures)
VALUES (:job, 1, :holder, :until, 0, :now, 0, 0)
ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, holder = :holder, until = :until, started = :now
WHERE until <= :now
RETURNING epoch, failures
"""
_END = "UPDATE jobs SET until = 0, ended = ?, failures = ? WHERE name = ? AND epoch = ? AND until > 0"
_ASK = """
INSERT INTO jobs (name, epoch, holder, until, asked, started, ended, failures)
VALUES (?, 0, '', 0, ?, 0, 0, 0)
ON CONFLICT (name) DO UPDATE SET asked = max(asked, excluded.asked)
"""


class SqliteJobStore:
    """See lrs.jobs.ports.JobStore."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        """Take the engine's parts."""
        self._readers = readers
        self._writer = writer

    def take_lease(self, job: str, holder: str, now_us: int, until_us: int) -> Lease | None:
        """Take the lease of a job, and begin a run in its history."""

        def work(write: Write) -> Lease | None:
            values = {"job": job, "holder": holder, "now": now_us, "until": until_us}
            taken = sql.row(write.database, _TAKE, values)
            if taken is None:
                return None
            epoch, failures = taken
            _write_run(write.database, Run(job, epoch, holder, now_us))
            write.database.execute(
                "DELETE FROM job_runs WHERE job = ? AND epoch <= ?", (job, epoch - KEPT_RUNS)
            )
            return Lease(job, epoch, holder, until_us, failures)

        return self._writer.run(work)

    def extend_lease(self, lease: Lease, until_us: int) -> bool:
        """Let a lease last longer; False when it is no longer the job's latest, or was given back."""

        def work(write: Write) -> bool:
            update = "UPDATE jobs SET until = ? WHERE name = ? AND epoch = ? AND until > 0"
            write.database.execute(update, (until_us, lease.job, lease.epoch))
            return write.database.changes() > 0

        return self._writer.run(work)

    def end_run(self, lease: Lease, run: Run, failures: int) -> bool:
        """Write how a run ended and give its lease back."""

        def work(write: Write) -> bool:
            _write_run(write.database, run)
            write.database.execute(_END, (run.ended_at_us or 0, failures, lease.job, lease.epoch))
            return write.database.changes() > 0

        return self._writer.run(work)

    def ask_run(self, job: str, at_us: int) -> None:
        """Note that somebody asked for a run; the latest moment stays."""

        def work(write: Write) -> None:
            write.database.execute(_ASK, (job, at_us))

        self._writer.run(work)

    def find_state(self, job: str) -> JobState:
        """Return how a job stands; all zero for one that nobody knows."""
        query = f"SELECT {_STATE} FROM jobs WHERE name = ?"  # noqa: S608
        with translated():
            row = sql.row(self._readers.get(), query, (job,))
        return JobState(job, *row) if row else JobState(job)

    def list_runs(self, job: str | None, limit: int) -> Sequence[Run]:
        """Return the latest runs, of one job or of all, those that began last first."""
        query = (
            f"SELECT {_RUN} FROM job_runs WHERE (?1 IS NULL OR job = ?1)"  # noqa: S608
            " ORDER BY started DESC, epoch DESC, job LIMIT ?2"
        )
        with translated():
            return [_to_run(row) for row in sql.rows(self._readers.get(), query, (job, limit))]


def _write_run(database: apsw.Connection, run: Run) -> None:
    report = run.report
    doc = [report.read, report.wrote, list(report.problems), report.problem_count]
    values = (
        run.job,
        run.epoch,
        run.holder,
        run.started_at_us,
        run.ended_at_us,
        run.outcome.value,
        orjson.dumps(doc).decode(),
    )
    database.execute(f"INSERT OR REPLACE INTO job_runs ({_RUN}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608


def _to_run(row: Any) -> Run:
    job, epoch, holder, started, ended, outcome, doc = row
    read, wrote, problems, count = orjson.loads(doc)
    return Run(
        job, epoch, holder, started, ended, Outcome(outcome), Report(read, wrote, tuple(problems), count)
    )
