"""The promises of JobStore, on each engine."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.jobs.model import KEPT_RUNS, JobState, Outcome, Report, Run
from lrs.jobs.ports import JobStore
from tests.engines import Engine

NOW = 1_700_000_000_123_456
MINUTE = 60_000_000


@pytest.fixture
def jobs(engine: Engine) -> JobStore:
    return engine.open().jobs


def ended(run: Run, at: int, outcome: Outcome = Outcome.DONE, report: Report | None = None) -> Run:
    return Run(run.job, run.epoch, run.holder, run.started_at_us, at, outcome, report or Report(3, 2))


def begun(jobs: JobStore, job: str, holder: str = "one", now: int = NOW) -> tuple:
    lease = jobs.take_lease(job, holder, now, now + MINUTE)
    assert lease is not None
    return lease, Run(job, lease.epoch, holder, now)


def test_state_is_all_zero_when_nobody_knows_the_job(jobs: JobStore) -> None:
    assert jobs.find_state("deliver") == JobState("deliver")
    assert list(jobs.list_runs(None, 10)) == []


def test_lease_is_given_once_when_it_stands(jobs: JobStore) -> None:
    lease, run = begun(jobs, "deliver")
    assert (lease.epoch, lease.holder, lease.until_us, lease.failures) == (1, "one", NOW + MINUTE, 0)
    assert jobs.take_lease("deliver", "two", NOW + MINUTE - 1, NOW + 2 * MINUTE) is None
    state = jobs.find_state("deliver")
    assert (state.epoch, state.holder, state.until_us) == (1, "one", NOW + MINUTE)
    assert (state.started_at_us, state.ended_at_us) == (NOW, 0)
    assert list(jobs.list_runs("deliver", 10)) == [run]
    assert jobs.take_lease("derive", "two", NOW, NOW + MINUTE) is not None


def test_lease_is_taken_over_with_a_higher_epoch_when_it_ran_out(jobs: JobStore) -> None:
    first, _ = begun(jobs, "deliver", "one")
    second, _ = begun(jobs, "deliver", "two", NOW + MINUTE)
    assert second.epoch == first.epoch + 1
    assert jobs.find_state("deliver").holder == "two"


def test_paused_holder_is_fenced_when_its_lease_was_taken_over(jobs: JobStore) -> None:
    first, first_run = begun(jobs, "deliver", "one")
    second, _ = begun(jobs, "deliver", "two", NOW + MINUTE)
    assert jobs.extend_lease(first, NOW + 9 * MINUTE) is False
    assert jobs.end_run(first, ended(first_run, NOW + 2 * MINUTE, Outcome.LOST), 1) is False
    state = jobs.find_state("deliver")
    assert (state.epoch, state.holder, state.until_us) == (second.epoch, "two", NOW + 2 * MINUTE)
    assert (state.ended_at_us, state.failures) == (0, 0)
    assert [run.outcome for run in jobs.list_runs("deliver", 10)] == [Outcome.RUNNING, Outcome.LOST]


def test_lease_lasts_longer_when_it_is_extended(jobs: JobStore) -> None:
    lease, _ = begun(jobs, "deliver")
    assert jobs.extend_lease(lease, NOW + 5 * MINUTE) is True
    assert jobs.take_lease("deliver", "two", NOW + 4 * MINUTE, NOW + 6 * MINUTE) is None


def test_lease_that_ran_out_is_still_ours_when_nobody_took_it(jobs: JobStore) -> None:
    lease, run = begun(jobs, "deliver")
    assert jobs.extend_lease(lease, NOW + 3 * MINUTE) is True
    assert jobs.end_run(lease, ended(run, NOW + 4 * MINUTE), 0) is True


def test_run_is_kept_and_the_lease_free_when_it_ended(jobs: JobStore) -> None:
    lease, run = begun(jobs, "deliver")
    report = Report(10, 7, ("Nobody is at home «ü».",), 3)
    done = ended(run, NOW + 5, Outcome.FAILED, report)
    assert jobs.end_run(lease, done, 4) is True
    assert list(jobs.list_runs("deliver", 10)) == [done]
    state = jobs.find_state("deliver")
    assert (state.until_us, state.ended_at_us, state.failures) == (0, NOW + 5, 4)
    again, _ = begun(jobs, "deliver", "two", NOW + 6)
    assert (again.epoch, again.failures) == (2, 4)


def test_nothing_is_given_back_or_extended_when_it_was_already(jobs: JobStore) -> None:
    lease, run = begun(jobs, "deliver")
    assert jobs.end_run(lease, ended(run, NOW + 5), 0) is True
    assert jobs.extend_lease(lease, NOW + MINUTE) is False
    assert jobs.end_run(lease, ended(run, NOW + 9), 7) is False
    assert jobs.find_state("deliver").failures == 0


def test_latest_wish_stays_when_a_run_is_asked_for(jobs: JobStore) -> None:
    jobs.ask_run("deliver", NOW + 5)
    jobs.ask_run("deliver", NOW)
    assert jobs.find_state("deliver").asked_at_us == NOW + 5
    lease, _ = begun(jobs, "deliver")
    assert lease.epoch == 1
    assert jobs.find_state("deliver").asked_at_us == NOW + 5


def test_runs_come_newest_first_when_listed_and_only_so_many_are_kept(jobs: JobStore) -> None:
    for n in range(KEPT_RUNS + 3):
        lease, run = begun(jobs, "deliver", now=NOW + n)
        jobs.end_run(lease, ended(run, NOW + n), 0)
    begun(jobs, "derive", now=NOW + 1)
    listed = jobs.list_runs("deliver", KEPT_RUNS * 2)
    assert [run.epoch for run in listed] == list(range(KEPT_RUNS + 3, 3, -1))
    assert [run.epoch for run in jobs.list_runs("deliver", 2)] == [KEPT_RUNS + 3, KEPT_RUNS + 2]
    assert len(jobs.list_runs(None, 1000)) == KEPT_RUNS + 1


@pytest.mark.parametrize("known", [False, True])
def test_one_of_many_gets_the_lease_when_all_try_at_once(engine: Engine, known: bool) -> None:
    stores = [engine.open().jobs for _ in range(4)]
    if known:
        lease, run = begun(stores[0], "deliver")
        stores[0].end_run(lease, ended(run, NOW), 0)
    barrier = threading.Barrier(8)

    def take(n: int) -> object:
        barrier.wait()
        return stores[n % 4].take_lease("deliver", f"holder {n}", NOW + 1, NOW + MINUTE)

    with ThreadPoolExecutor(8) as pool:
        taken = [lease for lease in pool.map(take, range(8)) if lease is not None]
    assert len(taken) == 1
    assert taken[0].holder == stores[0].find_state("deliver").holder


def test_epochs_rise_by_one_when_many_take_and_give_back(engine: Engine) -> None:
    stores = [engine.open().jobs for _ in range(3)]
    epochs: list[int] = []

    def work(n: int) -> None:
        for _ in range(5):
            while (lease := stores[n].take_lease("deliver", f"{n}", NOW, NOW + MINUTE)) is None:
                pass
            epochs.append(lease.epoch)
            stores[n].end_run(lease, ended(Run("deliver", lease.epoch, f"{n}", NOW), NOW), 0)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert epochs == list(range(1, 16))
