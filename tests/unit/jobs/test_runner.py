"""Jobs run once, on a lease; what becomes of them is in the history."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lrs.errors import JobAlreadyRunning, NotFound, StoreUnavailable
from lrs.jobs.model import Job, JobState, Outcome, Report, Running, is_due, rests_until_us
from lrs.jobs.runner import JobRunner
from tests.engines import Engine, sqlite_engine

SECOND = 1_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = sqlite_engine(tmp_path)
    yield made
    made.close()


def make_runner(engine: Engine, *jobs: Job, lease_seconds: float = 60) -> JobRunner:
    holders = iter(range(1000))
    return JobRunner(engine.open().jobs, jobs, engine.clock, lambda: f"holder {next(holders)}", lease_seconds)


def nothing(running: Running) -> Report:
    return Report()


def job(run: Callable[[Running], Report] = nothing, **changes: object) -> Job:
    return Job("work", "Works.", 5, run, **changes)  # type: ignore[arg-type]


def test_job_is_due_once_when_it_never_ran(engine: Engine) -> None:
    runner = make_runner(engine, job())
    assert runner.get("work").is_due
    assert runner.run_if_due("work") is not None
    assert not runner.get("work").is_due
    assert runner.run_if_due("work") is None


def test_job_is_due_again_when_its_time_has_passed(engine: Engine) -> None:
    runner = make_runner(engine, job(period_seconds=60))
    runner.run("work")
    engine.clock.move(59.9)
    assert runner.run_if_due("work") is None
    engine.clock.move(0.1)
    assert runner.run_if_due("work") is not None


def test_job_is_due_as_long_as_its_cursor_is_behind(engine: Engine) -> None:
    waiting = [1, 2, 3]

    def work(running: Running) -> Report:
        waiting.pop()
        return Report(1, 1)

    runner = make_runner(engine, job(work, is_behind=lambda: bool(waiting)))
    runs = runner.run_until_idle()
    assert [run.outcome for run in runs] == [Outcome.DONE] * 3
    assert not waiting


def test_job_is_due_when_it_was_asked_for_though_it_rests_after_a_failure(engine: Engine) -> None:
    def work(running: Running) -> Report:
        raise StoreUnavailable("away")

    runner = make_runner(engine, job(work, is_behind=lambda: True))
    assert [run.outcome for run in runner.run_until_idle()] == [Outcome.FAILED]
    assert not runner.get("work").is_due
    engine.clock.move(1)
    assert runner.ask("work").is_due
    assert [run.outcome for run in runner.run_until_idle()] == [Outcome.FAILED]


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 10), (5, 80), (7, 300), (90, 300)])
def test_job_rests_longer_when_it_fails_again(failures: int, seconds: int) -> None:
    state = JobState("work", started_at_us=5, ended_at_us=7 * SECOND, failures=failures)
    assert rests_until_us(state) == (7 + seconds) * SECOND
    behind = job(is_behind=lambda: True)
    assert not is_due(behind, state, rests_until_us(state) - 1)
    assert is_due(behind, state, rests_until_us(state))


def test_failure_is_kept_with_its_reason_and_the_worker_lives_on(engine: Engine) -> None:
    def work(running: Running) -> Report:
        raise ZeroDivisionError("a person's name")

    runner = make_runner(engine, job(work))
    run = runner.run("work")
    assert run.outcome is Outcome.FAILED
    assert run.report.problems == ("ZeroDivisionError; the log of the worker says where.",)
    assert list(runner.history("work")) == [run]
    assert runner.get("work").state.failures == 1


def test_report_is_kept_with_at_most_twenty_problems(engine: Engine) -> None:
    report = Report(100, 60, tuple(f"row {n}" for n in range(40)), 40)
    run = make_runner(engine, job(lambda running: report)).run("work")
    assert (run.report.read, run.report.wrote, run.report.problem_count) == (100, 60, 40)
    assert run.report.problems == tuple(f"row {n}" for n in range(20))


def test_running_job_is_not_started_again(engine: Engine) -> None:
    inside, leave = threading.Event(), threading.Event()

    def work(running: Running) -> Report:
        inside.set()
        leave.wait(20)
        return Report()

    first, second = make_runner(engine, job(work)), make_runner(engine, job())
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(first.run, "work")
        assert inside.wait(20)
        with pytest.raises(JobAlreadyRunning):
            second.run("work")
        assert second.run_if_due("work") is None
        assert [one.outcome for one in second.history()] == [Outcome.RUNNING]
        leave.set()
        assert run.result().outcome is Outcome.DONE


def test_each_piece_is_done_once_when_two_workers_look_at_once(engine: Engine) -> None:
    waiting, done, lock, running_now = list(range(30)), [], threading.Lock(), []

    def work(running: Running) -> Report:
        with lock:
            running_now.append(1)
            assert len(running_now) == 1
        # Whoever found it behind may come when the other has just done the rest.
        pieces = [waiting.pop()] if waiting else []
        done.extend(pieces)
        with lock:
            running_now.pop()
        return Report(len(pieces), len(pieces))

    runners = [make_runner(engine, job(work, is_behind=lambda: bool(waiting))) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        runs = [run for made in pool.map(JobRunner.run_until_idle, runners) for run in made]
    assert sorted(done) == list(range(30))
    assert {run.outcome for run in runs} == {Outcome.DONE}
    assert sorted(run.epoch for run in runs) == list(range(1, len(runs) + 1))


def test_one_pass_waits_for_what_another_worker_runs(engine: Engine) -> None:
    inside, leave, order = threading.Event(), threading.Event(), []

    def work(running: Running) -> Report:
        inside.set()
        leave.wait(20)
        order.append("done")
        return Report()

    first, second = make_runner(engine, job(work)), make_runner(engine, job())
    with ThreadPoolExecutor(2) as pool:
        pool.submit(first.run, "work")
        assert inside.wait(20)
        waiting = pool.submit(lambda: (second.run_until_idle(), order.append("returned")))
        leave.set()
        waiting.result(20)
    assert order == ["done", "returned"]


def test_paused_worker_is_fenced_when_its_lease_was_taken_over(engine: Engine) -> None:
    other = make_runner(engine, job(), lease_seconds=10)

    def work(running: Running) -> Report:
        running.keep()
        engine.clock.move(11)
        assert other.run("work").epoch == running.epoch + 1
        running.keep()
        raise AssertionError("it went on without its lease")

    run = make_runner(engine, job(work), lease_seconds=10).run("work")
    assert run.outcome is Outcome.LOST
    assert [one.outcome for one in other.history()] == [Outcome.DONE, Outcome.LOST]
    assert other.get("work").state.failures == 0


def test_lease_lasts_when_it_is_kept_at_every_step(engine: Engine) -> None:
    other = make_runner(engine, job(), lease_seconds=10)

    def work(running: Running) -> Report:
        for _ in range(8):
            engine.clock.move(5)
            running.keep()
            with pytest.raises(JobAlreadyRunning):
                other.run("work")
        return Report(8)

    assert make_runner(engine, job(work), lease_seconds=10).run("work").outcome is Outcome.DONE


def test_run_is_seen_as_abandoned_when_its_process_died(engine: Engine) -> None:
    store = engine.open().jobs
    store.take_lease("work", "dead", engine.clock(), engine.clock() + 10 * SECOND)
    runner = make_runner(engine, job())
    assert [run.outcome for run in runner.history("work")] == [Outcome.RUNNING]
    engine.clock.move(10)
    assert [run.outcome for run in runner.history("work")] == [Outcome.ABANDONED]
    runner.run("work")
    assert [run.outcome for run in runner.history("work")] == [Outcome.DONE, Outcome.ABANDONED]


def test_job_ends_at_its_next_step_when_the_worker_is_to_end(engine: Engine) -> None:
    def work(running: Running) -> Report:
        runner.stop()
        running.keep()
        raise AssertionError("it went on")

    runner = make_runner(engine, job(work))
    assert runner.run("work").outcome is Outcome.STOPPED
    assert runner.get("work").state.until_us == 0
    assert runner.run_if_due("work") is None


def test_unknown_job_is_not_found(engine: Engine) -> None:
    runner = make_runner(engine, job())
    for act in (runner.run, runner.run_if_due, runner.ask, runner.get, runner.history):
        with pytest.raises(NotFound, match="there are work"):
            act("wrok")
