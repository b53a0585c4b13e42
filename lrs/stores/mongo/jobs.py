"""Leases and runs, as the jobs' port promises them.

``jobs {_id: name, epoch, holder, until, asked, started, ended, failures}``: one document a
job, and every lease is taken by one update of it. ``job_runs {_id: name:epoch, …}`` is
written behind it: a process that dies between the two leaves a lease that runs out, and a
run that the history does not show.
"""

from collections.abc import Sequence

from bson import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from lrs.jobs.model import KEPT_RUNS, JobState, Lease, Outcome, Report, Run
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.segment import Document


class MongoJobStore:
    """See lrs.jobs.ports.JobStore."""

    def __init__(self, collections: Collections) -> None:
        """Keep where they lie."""
        self._jobs = collections.jobs
        self._runs = collections.job_runs

    @translated()
    def take_lease(self, job: str, holder: str, now_us: int, until_us: int) -> Lease | None:
        """Take the lease of a job, and begin a run in its history."""
        taken = self._take(job, holder, now_us, until_us)
        if taken is None:
            return None
        lease = Lease(job, taken["epoch"], holder, until_us, taken.get("failures", 0))
        self._put_run(Run(job, lease.epoch, holder, now_us))
        self._runs.delete_many({"job": job, "epoch": {"$lte": lease.epoch - KEPT_RUNS}})
        return lease

    def _take(self, job: str, holder: str, now_us: int, until_us: int) -> Document | None:
        """Take over what is free; where there is no document yet, the first insert has it."""
        change = {
            "$inc": {"epoch": 1},
            "$set": {"holder": holder, "until": Int64(until_us), "started": Int64(now_us)},
        }
        free = {"_id": job, "until": {"$lte": now_us}}
        taken = self._jobs.find_one_and_update(free, change, return_document=ReturnDocument.AFTER)
        if taken is not None or self._jobs.find_one({"_id": job}, {"_id": 1}) is not None:
            return taken
        first = {"_id": job, "epoch": 1, "holder": holder, "until": Int64(until_us), "started": Int64(now_us)}
        try:
            self._jobs.insert_one(dict(first))
        except DuplicateKeyError:
            # Somebody was first, or the driver sent ours twice because its answer was lost.
            return self._jobs.find_one({"_id": job, "epoch": 1, "holder": holder})
        return first

    @translated()
    def extend_lease(self, lease: Lease, until_us: int) -> bool:
        """Let a lease last longer; False when it is no longer the job's latest, or was given back."""
        ours = {"_id": lease.job, "epoch": lease.epoch, "until": {"$gt": 0}}
        changed = self._jobs.find_one_and_update(ours, {"$set": {"until": Int64(until_us)}})
        return changed is not None

    @translated()
    def end_run(self, lease: Lease, run: Run, failures: int) -> bool:
        """Write how a run ended and give its lease back."""
        self._put_run(run)
        ours = {"_id": lease.job, "epoch": lease.epoch, "until": {"$gt": 0}}
        ended = {"until": Int64(0), "ended": Int64(run.ended_at_us or 0), "failures": failures}
        return self._jobs.find_one_and_update(ours, {"$set": ended}) is not None

    @translated()
    def ask_run(self, job: str, at_us: int) -> None:
        """Note that somebody asked for a run; the latest moment stays."""
        new = {"epoch": 0, "holder": "", "until": Int64(0), "started": Int64(0)}
        while True:
            try:
                change = {"$max": {"asked": Int64(at_us)}, "$setOnInsert": new}
                self._jobs.update_one({"_id": job}, change, upsert=True)
            except DuplicateKeyError:
                continue  # Two upserts met on the first document; the next try updates it.
            return

    @translated()
    def find_state(self, job: str) -> JobState:
        """Return how a job stands; all zero for one that nobody knows."""
        found = self._jobs.find_one({"_id": job}) or {}
        return JobState(
            job,
            found.get("epoch", 0),
            found.get("holder", ""),
            found.get("until", 0),
            found.get("asked", 0),
            found.get("started", 0),
            found.get("ended", 0),
            found.get("failures", 0),
        )

    @translated()
    def list_runs(self, job: str | None, limit: int) -> Sequence[Run]:
        """Return the latest runs, of one job or of all, those that began last first."""
        found = self._runs.find({} if job is None else {"job": job})
        ordered = found.sort([("started", -1), ("epoch", -1), ("job", 1)])
        return [_to_run(document) for document in ordered.limit(limit)]

    def _put_run(self, run: Run) -> None:
        key = f"{run.job}:{run.epoch:012d}"
        report = run.report
        document = {
            "job": run.job,
            "epoch": run.epoch,
            "holder": run.holder,
            "started": Int64(run.started_at_us),
            "ended": None if run.ended_at_us is None else Int64(run.ended_at_us),
            "outcome": run.outcome.value,
            "report": [report.read, report.wrote, list(report.problems), report.problem_count],
        }
        while True:
            try:
                self._runs.replace_one({"_id": key}, document, upsert=True)
            except DuplicateKeyError:
                continue  # The driver's own repetition met its first try.
            return


def _to_run(document: Document) -> Run:
    read, wrote, problems, count = document["report"]
    return Run(
        document["job"],
        document["epoch"],
        document["holder"],
        document["started"],
        document["ended"],
        Outcome(document["outcome"]),
        Report(read, wrote, tuple(problems), count),
    )
