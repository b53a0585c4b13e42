"""Rehearsals, quotas, runs that break off, locks, and the job that reads what is due."""

from typing import Any

import pytest

from lrs.errors import JobAlreadyRunning, QuotaExceeded, StoreUnavailable
from lrs.sources.model import LOCK, State
from lrs.sources.rows import RowBook
from lrs.sources.writing import Writer
from lrs.tables.recorded import Recorded, Wish
from tests.contract.sources.museum import BO, CY, MIA, Museum
from tests.unit.connectors.sinks import HEADER


def test_a_rehearsal_shows_statements_and_reasons_and_writes_nothing(museum: Museum) -> None:
    before = museum.log(), museum.instance.access.client_names(museum.handle.institution_id)
    found = museum.send(MIA.format(1), BO.format("x"), dry=True)
    assert found == {"read": 2, "stored": 1, "rejected": 1}
    assert museum.last.statements[0]["actor"]["mbox"] == "mailto:Mia@example.org"
    assert museum.last.kept[0].reason == "Line 3, Std: 'x' is no number."
    assert museum.last.run.id == ""
    assert museum.sources.list(museum.handle) == []
    after = museum.log(), museum.instance.access.client_names(museum.handle.institution_id)
    assert after == before


def test_a_rehearsal_judges_statements_as_storing_would(museum: Museum) -> None:
    wrong = {"instructor": {"agent": {"mbox": "nobody"}}}
    rehearsed = museum.send(MIA.format(1), dry=True, **wrong)
    assert rehearsed == museum.send(MIA.format(1), **wrong) == {"read": 1, "rejected": 1}
    kept = museum.sources.rejected(museum.handle, museum.last.run.id)[0]
    assert kept.problems[0]["path"] == "/context/instructor/mbox"


def test_a_quota_stops_a_run_and_a_larger_one_lets_it_go_on(museum: Museum) -> None:
    institution = museum.handle.institution_id
    museum.instance.access.set_statement_quota(institution, 1)
    with pytest.raises(QuotaExceeded):
        museum.send(MIA.format(1), BO.format(2))
    failed = museum.sources.runs(museum.handle, "workshops")[0]
    assert failed.state is State.FAILED
    assert "may hold 1 statements" in failed.reason
    museum.instance.access.set_statement_quota(institution, 0)
    assert museum.send(MIA.format(1), BO.format(2)) == {"read": 2, "stored": 2}


@pytest.mark.parametrize("where", ["store", "void", "save"])
def test_a_run_that_breaks_off_anywhere_is_finished_by_the_next(
    museum: Museum, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    museum.send(MIA.format(1), BO.format(2))
    left = {"store": 0, "void": 0, "save": 1}[where]
    owner: Any = RowBook if where == "save" else Writer
    real = getattr(owner, where)
    calls = iter(range(10))

    def breaking(*args: Any) -> Any:
        if next(calls) == left:
            raise StoreUnavailable("gone")
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(owner, where, breaking)
        with pytest.raises(StoreUnavailable):
            museum.send(MIA.format(3), BO.format(2), CY.format(1))
    museum.send(MIA.format(3), BO.format(2), CY.format(1))
    assert museum.standing() == {
        "mailto:Mia@example.org": "PT3H",
        "mailto:Bo@example.org": "PT2H",
        "mailto:Cy@example.org": "PT1H",
    }
    assert museum.send(MIA.format(3), BO.format(2), CY.format(1)) == {"read": 3, "already": 3}


@pytest.mark.parametrize("where", ["store", "void", "save"])
def test_a_file_that_changed_back_after_a_break_is_what_stands(
    museum: Museum, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    museum.send(MIA.format(1))
    owner: Any = RowBook if where == "save" else Writer
    real = getattr(owner, where)
    calls = iter(range(10))

    def breaking(*args: Any) -> Any:
        found = real(*args)
        if next(calls) == 0:
            raise StoreUnavailable("gone")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(owner, where, breaking)
        with pytest.raises(StoreUnavailable):
            museum.send(MIA.format(3))
    museum.send(MIA.format(1))
    assert museum.standing() == {"mailto:Mia@example.org": "PT1H"}
    assert len(museum.statements()) - sum("result" not in one for one in museum.statements()) == 1


def test_a_lock_is_waited_for_once_and_a_living_run_is_not_disturbed(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = museum.instance.services.stores.recorded(museum.handle)
    clock = museum.instance.clock

    def hold(_: Recorded | None) -> Wish:
        return Wish({"run": "other", "until": clock() + 5_000_000})

    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.move(seconds)

    monkeypatch.setattr("lrs.sources.locks.LOCK_SECONDS", 5)
    object.__setattr__(museum.sources._parts, "sleep", sleep)
    tables.change(LOCK, "workshops", hold, clock())
    assert museum.send(MIA.format(1)) == {"read": 1, "stored": 1}
    assert sum(waited) == pytest.approx(4, abs=0.6)

    def renewing(seconds: float) -> None:
        tables.change(LOCK, "workshops", hold, clock())

    tables.change(LOCK, "workshops", hold, clock())
    object.__setattr__(
        museum.sources._parts, "sleep", lambda seconds: (clock.move(seconds), renewing(seconds))
    )
    with pytest.raises(JobAlreadyRunning):
        museum.send(MIA.format(1))


def test_the_job_reads_what_is_due(museum: Museum) -> None:
    museum.send(MIA.format(1))
    jobs = museum.instance.services.jobs
    assert jobs.run("pull").report.read == 0
    museum.sources.schedule(museum.handle, "workshops", 5)
    museum.file.write_text("\n".join([f"{HEADER};Std", MIA.format(1), BO.format(2)]))
    assert not museum.sources.is_due()
    museum.instance.clock.move(300)
    assert museum.sources.is_due()
    assert jobs.run("pull").report.wrote == 1
    assert not museum.sources.is_due()
    museum.file.unlink()
    museum.instance.clock.move(300)
    run = jobs.run("pull")
    assert run.report.problems == (f"workshops: There is no file {museum.file}.",)
    assert not museum.sources.is_due()
    museum.sources.schedule(museum.handle, "workshops", None)
    museum.instance.clock.move(300)
    assert not museum.sources.is_due()
