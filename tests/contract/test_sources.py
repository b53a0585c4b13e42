"""Runs of sources: nothing twice, what changed replaces, what is wrong is kept and tried again."""

from pathlib import Path
from typing import Any

import pytest

from lrs.errors import (
    Conflict,
    InvalidBody,
    InvalidImport,
    InvalidRequest,
    JobAlreadyRunning,
    NotFound,
    QuotaExceeded,
    StoreUnavailable,
)
from lrs.outbound.model import Answer
from lrs.sources.model import LOCK, Kind, State
from lrs.sources.places import PatientClient
from lrs.sources.rows import RowBook
from lrs.sources.setup import SourceWish, read_config
from lrs.sources.writing import Writer
from lrs.tables.recorded import Recorded, Wish
from tests.engines import Engine
from tests.http.conftest import Instance, make_instance
from tests.unit.connectors.sinks import CONFIG, HEADER

CONF: dict[str, Any] = {
    **CONFIG,
    "name": "workshops",
    "duration": {"column": "Std"},
}
MIA, BO, CY = (
    "03.05.2026;{0};{0}@example.org;;Robots;{1}".format(name, "{}") for name in ("Mia", "Bo", "Cy")
)
Counts = dict[str, int]


class Museum:
    """An instance with one institution, and a spreadsheet that it sends."""

    def __init__(self, instance: Instance, folder: Path) -> None:
        self.instance = instance
        self.file = folder / "workshops.csv"
        self.key = instance.key("Museum")
        self.handle = instance.access.handle_for_institution_named("Museum")
        self.sources = instance.services.sources

    def send(self, *lines: str, dry: bool = False, **changes: Any) -> Counts:
        self.file.write_text("\n".join([f"{HEADER};Std", *lines]))
        self.instance.clock.move(1)
        wish = SourceWish(Kind.CSV, str(self.file), {**CONF, **changes})
        self.last = self.sources.run(self.handle, wish, is_dry=dry)
        return counts(self.last.run.counts.as_json())

    def replay(self, run: str, **changes: Any) -> Counts:
        self.instance.clock.move(1)
        config = {**CONF, **changes} if changes else None
        return counts(self.sources.replay(self.handle, run, config).run.counts.as_json())

    def undo(self, run: str) -> Counts:
        self.instance.clock.move(1)
        return counts(self.sources.undo(self.handle, run).run.counts.as_json())

    def standing(self) -> dict[str, str]:
        """Who has how long, of the statements that are not voided."""
        return {
            one["actor"]["mbox"]: one["result"]["duration"] for one in self.statements() if "result" in one
        }

    def statements(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.instance.get(self.key, limit="500").get_json()["statements"]
        return found

    def log(self) -> int:
        return len(self.instance.services.log._reader.read(self.handle, 0, 10_000).entries)


def counts(found: dict[str, Any]) -> Counts:
    return {name: number for name, number in found.items() if number}


@pytest.fixture
def museum(engine: Engine, tmp_path: Path) -> Museum:
    return Museum(make_instance(engine), tmp_path)


def test_twice_over_writes_nothing(museum: Museum) -> None:
    assert museum.send(MIA.format(1), BO.format(2)) == {"read": 2, "stored": 2}
    before = museum.log()
    assert museum.send(BO.format(2), MIA.format(1)) == {"read": 2, "already": 2}
    assert museum.log() == before == 2


def test_statements_are_the_sources_own(museum: Museum) -> None:
    museum.send(MIA.format(1))
    authority = museum.statements()[0]["authority"]
    assert authority["name"] == "workshops"
    assert "museum" not in authority["account"]["name"]


def test_a_changed_row_replaces_its_statement_and_a_change_back_stands_again(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    assert museum.send(MIA.format("1,5"), BO.format(2)) == {"read": 2, "stored": 1, "already": 1, "voided": 1}
    assert museum.standing() == {"mailto:Mia@example.org": "PT1H30M", "mailto:Bo@example.org": "PT2H"}
    for hours in ("1", "1,5", "1"):
        assert museum.send(MIA.format(hours), BO.format(2)) == {
            "read": 2,
            "stored": 1,
            "already": 1,
            "voided": 1,
        }
    assert museum.standing()["mailto:Mia@example.org"] == "PT1H"
    assert len(museum.standing()) == 2


def test_what_is_missing_is_voided_only_where_the_file_is_the_whole(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    assert museum.send(BO.format(2)) == {"read": 1, "already": 1}
    assert museum.send(BO.format(2), full=True) == {"read": 1, "already": 1, "voided": 1}
    assert list(museum.standing()) == ["mailto:Bo@example.org"]
    assert museum.send(BO.format(2), MIA.format(1), full=True) == {"read": 2, "stored": 1, "already": 1}


def test_nothing_is_deleted_where_lines_could_not_be_read(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    assert museum.send(BO.format(2), '"Mia', full=True) == {"read": 2, "already": 1, "rejected": 1}
    assert "nothing was taken for deleted" in museum.last.run.reason
    with pytest.raises(InvalidBody):
        museum.send(full=True)
    assert len(museum.standing()) == 2


def test_a_row_that_is_not_wanted_any_more_is_voided_and_one_that_is_broken_stays(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    found = museum.send(MIA.format("x"), BO.format(2), skip={"Kind": ["Bo"]})
    assert found == {"read": 2, "rejected": 1, "kept_aside": 1, "voided": 1}
    assert museum.standing() == {"mailto:Mia@example.org": "PT1H"}


def test_rejected_rows_are_kept_with_their_reasons_and_go_in_under_a_mended_mapping(museum: Museum) -> None:
    assert museum.send(MIA.format("1:75"), BO.format("abc"), CY.format(1)) == {
        "read": 3,
        "stored": 1,
        "rejected": 2,
    }
    run = museum.last.run.id
    first, second = museum.sources.rejected(museum.handle, run)
    assert first.place == "line 2"
    assert first.reason == "Line 2, Std: '1:75' is no number."
    assert first.content == {"lines": {"2": {
        "Datum": "03.05.2026", "Kind": "Mia", "E-Mail": "Mia@example.org", "Workshop": "Robots", "Std": "1:75"
    }}}  # fmt: skip
    assert second.problems[0]["path"] == "/lines/3/Std"
    assert museum.replay(run) == {"read": 2, "rejected": 2}
    assert len(museum.sources.rejected(museum.handle, run)) == 2


def test_replaying_stores_what_the_mended_mapping_reads_and_lists_it_no_more(museum: Museum) -> None:
    strict = {"verb": {"column": "Kind", "table": {"Cy": "http://adlnet.gov/expapi/verbs/attended"}}}
    assert museum.send(MIA.format(1), CY.format(1), **strict) == {"read": 2, "stored": 1, "rejected": 1}
    run = museum.last.run.id
    assert museum.replay(run, verb="http://adlnet.gov/expapi/verbs/attended") == {"read": 1, "stored": 1}
    assert museum.sources.rejected(museum.handle, run) == []
    assert museum.replay(run) == {}
    assert museum.send(MIA.format(1), CY.format(1)) == {"read": 2, "already": 2}


def test_replaying_does_not_bring_back_what_a_later_file_has_changed(museum: Museum) -> None:
    strict = {"verb": {"column": "Kind", "table": {"Cy": "http://adlnet.gov/expapi/verbs/attended"}}}
    museum.send(MIA.format(1), **strict)
    run = museum.last.run.id
    museum.send(MIA.format(3))
    assert museum.replay(run) == {}
    assert museum.standing() == {"mailto:Mia@example.org": "PT3H"}


def test_undoing_voids_what_a_run_stored_and_brings_back_what_it_replaced(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    museum.send(MIA.format(3), BO.format(2), CY.format(1))
    run = museum.last.run.id
    assert museum.undo(run) == {"stored": 1, "voided": 2}
    assert museum.standing() == {"mailto:Mia@example.org": "PT1H", "mailto:Bo@example.org": "PT2H"}
    assert museum.undo(run) == {}
    assert museum.send(MIA.format(1), BO.format(2)) == {"read": 2, "already": 2}
    assert museum.send(MIA.format(3), BO.format(2), CY.format(1))["stored"] == 2
    assert len(museum.standing()) == 3


def test_undoing_an_older_run_leaves_what_a_later_one_changed(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    first = museum.last.run.id
    museum.send(MIA.format(3), BO.format(2))
    assert museum.undo(first) == {"voided": 1}
    assert museum.standing() == {"mailto:Mia@example.org": "PT3H"}


def test_undoing_brings_back_what_was_taken_for_deleted(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    museum.send(BO.format(2), full=True)
    assert museum.undo(museum.last.run.id) == {"stored": 1}
    assert len(museum.standing()) == 2


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


def test_a_source_keeps_its_configuration_and_its_kind(museum: Museum) -> None:
    museum.send(MIA.format(1))
    wish = SourceWish(Kind.XAPI, "https://other.example.org/xapi", {"name": "workshops"})
    with pytest.raises(Conflict, match="of the kind csv"):
        museum.sources.run(museum.handle, wish)
    with pytest.raises(InvalidRequest, match="--config"):
        museum.sources.run(museum.handle, SourceWish(Kind.CSV, str(museum.file)))
    with pytest.raises(InvalidImport) as caught:
        museum.send(MIA.format(1), when={"date": "Tag"})
    assert caught.value.problems[0].path == "/when/date"


def test_runs_that_are_not_there_are_told(museum: Museum) -> None:
    for ask in (museum.sources.undo, museum.sources.replay, museum.sources.rejected):
        with pytest.raises(NotFound, match="no run 'nothing'"):
            ask(museum.handle, "nothing")  # type: ignore[operator]


def test_the_page_of_arrivals_tells_what_a_source_brought_and_how_much_was_left_out(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format("secret@example.org"))
    clients = museum.instance.access.client_names(museum.handle.institution_id)
    (client,) = (id_ for id_, name in clients.items() if name == "workshops")
    found = museum.instance.services.arrivals.overview(museum.handle, client)
    (refusal,) = found.refusals
    assert refusal.detail.startswith("1 of 2 rows were left out")
    assert "secret" not in str(refusal)
    assert len(found.receipts) == 1


def test_credentials_are_not_shown_to_another_host(museum: Museum, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str | None] = []

    def get(_: object, url: str, headers: Any) -> Answer:
        shown.append(headers.get("Authorization"))
        return Answer(200, {}, b'{"statements":[]}', url)

    monkeypatch.setattr(PatientClient, "get", get)
    config = {"name": "other"}
    for place, credentials in (
        ("https://one.example.org/xapi", "key:secret"),
        ("https://one.example.org/xapi", None),
        ("https://two.example.org/xapi", None),
    ):
        museum.sources.run(museum.handle, SourceWish(Kind.XAPI, place, config, credentials))
    assert shown == ["Basic a2V5OnNlY3JldA=="] * 2 + [None]
    kept = str(museum.instance.services.stores.recorded(museum.handle).list("source"))
    assert "key:secret" not in kept


def test_who_somebody_is_goes_to_the_roster(museum: Museum) -> None:
    museum.send("03.05.2026;Mia;mia@example.org;7;Robots;1", roster={"id": "Karte"})
    tables = museum.instance.services.stores.recorded(museum.handle)
    (person,) = tables.list("roster.person")
    assert person.subject == "workshops/7"
    assert sorted(person.value["identifiers"], reverse=True) == [
        "mbox mailto:mia@example.org",
        "account https://museum.example.org/cards 7",
    ]


def test_a_mark_within_a_cell_makes_no_second_identifier(museum: Museum) -> None:
    """What stands in a cell is one identifier, whatever it looks like: nobody is joined to another by it."""
    museum.send("03.05.2026;Mia;;7|mailto:bo@example.org;Robots;1", roster={"id": "Kind"})
    (person,) = museum.instance.services.stores.recorded(museum.handle).list("roster.person")
    assert person.value["identifiers"] == ["account https://museum.example.org/cards 7|mailto:bo@example.org"]


def test_an_id_to_which_lines_give_two_persons_is_left_out_of_the_roster_and_told(museum: Museum) -> None:
    lines = (
        "03.05.2026;Mia;mia@example.org;7;Robots;1",
        "03.05.2026;Bo;bo@example.org;7;Robots;1",
        "03.05.2026;Cy;cy@example.org;8;Robots;1",
        "04.05.2026;CY;cy@example.org;8;Robots;1",
    )
    assert museum.send(*lines, roster={"id": "Karte"}) == {"read": 4, "stored": 4}
    found = museum.instance.services.stores.recorded(museum.handle).list("roster.person")
    assert [one.subject for one in found] == ["workshops/8"]
    assert "People left out of the roster: 1. 7: its lines have" in museum.last.run.reason


def test_rosters_of_two_sources_with_names_that_are_alike_are_two(museum: Museum) -> None:
    for name in ("a-b", "a/b", "a\\b", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"):
        museum.send("03.05.2026;Mia;mia@example.org;7;Robots;1", roster={"id": "Karte"}, name=name)
    found = museum.instance.services.stores.recorded(museum.handle).list("roster.person")
    rosters = {one.value["roster"] for one in found}
    assert len(found) == len(rosters) == 4
    assert "a-b" in rosters


def test_no_institution_sees_anothers_sources(museum: Museum) -> None:
    museum.send(MIA.format(1))
    museum.instance.key("School")
    other = museum.instance.access.handle_for_institution_named("School")
    assert museum.sources.list(other) == []
    with pytest.raises(NotFound):
        museum.sources.get_run(other, museum.last.run.id)


@pytest.mark.parametrize(
    "text",
    [
        b'{"score": {"column": "Note", "min": NaN}}',
        b'{"headerLine": 1e400}',
        b'{"name": "\\ud800"}',
        b'{"limits": {"bytes": 99999999999999999999999}}',
        b'{"actor": ' + b'{"agent": ' * 500 + b"1" + b"}" * 501,
        b"[" * 100_000,
        b'{"name": "\xff"}',
        b"[]",
    ],
)
def test_a_configuration_is_refused_when_it_is_no_json_that_can_be_kept(text: bytes) -> None:
    with pytest.raises(InvalidRequest, match="The configuration"):
        read_config(text)
