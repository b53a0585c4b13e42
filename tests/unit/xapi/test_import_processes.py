"""Records prepared in several processes: the same becomes of them as in one, and nothing is lost."""

import json
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lrs.errors import (
    InvalidAttachment,
    InvalidBody,
    InvalidStatement,
    LrsError,
    Problem,
    ProcessLost,
    TooLarge,
)
from lrs.xapi import import_processes
from lrs.xapi.arrivals import IMPORT
from lrs.xapi.facts import VOIDED
from lrs.xapi.import_files import Record, StatementFile
from lrs.xapi.importing import FileIds, ImportCounts, Importer, ImportTarget, record_id
from lrs.xapi.ports import FactKind, Filter, Position, StatementQuery
from lrs.xapi.preparing import Rejection
from lrs.xapi.texts import served_text
from tests.engines import Engine, mongomock_engine, sqlite_engine
from tests.factories import make_attachment, make_statement, make_statement_id
from tests.http.conftest import make_instance
from tests.unit.xapi.made_ids import made_id, made_id_or_killed

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small file be a large one."""
    monkeypatch.setattr(import_processes, "CHUNK_RECORDS", 10)
    monkeypatch.setattr(import_processes, "FEW_CHUNKS", 3)


class School:
    """An institution on a store of its own, to import into."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.services = make_instance(engine).services
        access = self.services.access
        institution = access.ensure_institution("School")
        self.handle = access.handle_for_institution_named(institution.name)
        self.client = access.ensure_client(institution.id, IMPORT)
        self.rejected: list[tuple[Any, ...]] = []
        self.shown: list[int] = []

    def importer(self, processes: int, id_for: Callable[[int], str] | None = None) -> Importer:
        target = ImportTarget(self.handle, self.client, None, id_for or made_id)
        return Importer(self.services.statements, target, self._reject, self._show, processes)

    def _reject(self, one: Rejection) -> None:
        error = one.error
        told = (type(error), error.code, error.detail, tuple(error.problems))
        self.rejected.append((one.number, one.body_bytes, told))

    def _show(self, counts: ImportCounts) -> None:
        self.shown.append(counts.read)

    def kept(self) -> list[Json]:
        """Return what is kept, without the authority, which names an institution made at random."""
        page = self._store.read_log(Position(0), 10_000)
        found = [json.loads(served_text(one.body, 0)) for one in page.statements]
        return [{name: value for name, value in one.items() if name != "authority"} for one in found]

    def seen(self) -> list[list[str]]:
        """Look at pages, where voiding and references show."""
        found = [
            self._store.query_statements(StatementQuery(filters, limit=10_000))
            for filters in ((), (Filter(FactKind.AGENT, "mbox mailto:told@example.org"),))
        ]
        return [[one.id for one in page.statements] for page in found]

    @property
    def _store(self) -> Any:
        return self.services.stores.records.statements(self.handle)


@pytest.fixture(params=["sqlite", "mongomock"])
def make_school(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], School]]:
    """Makes schools, each on an empty store of the same engine."""
    made: list[School] = []

    def make() -> School:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(School(sqlite_engine(folder) if request.param == "sqlite" else mongomock_engine()))
        return made[-1]

    yield make
    for school in made:
        school.engine.close()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    engine = sqlite_engine(tmp_path)
    yield School(engine)
    engine.close()


def as_records(values: Sequence[object]) -> list[Record]:
    texts = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    return [Record(number, text) for number, text in enumerate(texts, 1)]


def statements(count: int) -> list[Json]:
    return [make_statement(id=make_statement_id(n)) for n in range(1, count + 1)]


def everything(count: int) -> list[object]:
    """What a file may hold, good and bad, over and over."""
    values: list[object] = []
    for n in range(0, count, 20):
        ref = {"objectType": "StatementRef", "id": make_statement_id(n)}
        next_but_one = {**ref, "id": make_statement_id(n + 3)}
        void = {"id": VOIDED, "display": {"en": "voided"}}
        told = {"objectType": "Agent", "mbox": "mailto:told@example.org"}
        values += [
            make_statement(id=make_statement_id(n), actor=told),
            make_statement(id=make_statement_id(n)),  # another content
            make_statement(id=make_statement_id(n), actor=told),  # the same again
            make_statement(),  # no id
            make_statement(verb={}),
            b'{"actor": "half',
            b'{"a": 1, "a": 2}',
            [make_statement()],
            7,
            make_statement(id=make_statement_id(n + 1), object=ref),
            make_statement(id=make_statement_id(n + 2), verb=void, object=next_but_one),
            make_statement(id=make_statement_id(n + 3), result={"response": f"voided {n}"}),
            make_statement(id=make_statement_id(n + 4), attachments=[make_attachment()]),
            make_statement(id=make_statement_id(n + 5), attachments=[make_attachment(fileUrl=None)]),
            make_statement(id=make_statement_id(n + 6), version="2.0.0"),
            make_statement(
                id=make_statement_id(n + 7),
                object={"id": f"https://example.org/{n}", "definition": {"name": {"en": f"Activity {n}"}}},
            ),
            make_statement(id=make_statement_id(n + 8), authority={"mbox": "mailto:other@example.org"}),
            make_statement(id=make_statement_id(n + 9), result={"response": "ü" * 2000}),
            b"\xff",
            make_statement(id=make_statement_id(n + 10), context={"statement": ref}),
        ]
    return values


def test_the_same_becomes_of_each_record_when_several_processes_prepare_them(
    make_school: Callable[[], School],
) -> None:
    one, several = make_school(), make_school()
    records = as_records(everything(300))
    counts = one.importer(1).run(records)
    assert counts == several.importer(2).run(records)
    assert counts == ImportCounts(read=300, stored=165, already=15, rejected=120)
    assert one.rejected == several.rejected
    assert one.shown == several.shown
    assert one.kept() == several.kept()
    assert one.seen() == several.seen()
    assert all(one.seen())


def test_nothing_is_stored_twice_when_another_number_of_processes_imports_again(school: School) -> None:
    records = as_records(everything(120))
    first = school.importer(2).run(records)
    again = school.importer(1).run(records)
    assert (again.stored, again.already) == (0, first.stored + first.already)
    assert school.importer(3).run(records) == again


def test_records_are_kept_in_the_order_of_the_file_when_some_take_longer(school: School) -> None:
    values = statements(200)
    for heavy in values[40:50]:
        heavy["result"] = {"response": "x" * 300_000}
    assert school.importer(3).run(as_records(values)) == ImportCounts(read=200, stored=200)
    assert [one["id"] for one in school.kept()] == [one["id"] for one in values]


@pytest.mark.parametrize("good", [7, 95])
def test_what_was_read_is_kept_when_the_file_breaks_off(school: School, good: int) -> None:
    def broken() -> Iterator[Record]:
        yield from as_records(statements(good))
        raise InvalidBody("The file is broken.")

    importer = school.importer(2)
    with pytest.raises(InvalidBody, match="broken"):
        importer.run(broken())
    assert importer.counts == ImportCounts(read=good, stored=good)
    assert len(school.kept()) == good


def test_what_came_before_is_kept_and_the_rest_when_run_again_when_a_process_is_killed(
    school: School,
) -> None:
    records = as_records([make_statement(result={"response": str(n)}) for n in range(150)])
    importer = school.importer(2, partial(made_id_or_killed, os.getpid(), 71))
    with pytest.raises(ProcessLost, match="killed"):
        importer.run(records)
    done = importer.counts
    assert 30 <= done.read <= 70
    assert done == ImportCounts(read=done.read, stored=done.read)
    assert len(school.kept()) == done.stored
    counts = school.importer(2).run(records)
    assert counts == ImportCounts(read=150, stored=150 - done.stored, already=done.stored)
    assert [one["result"]["response"] for one in school.kept()] == [str(n) for n in range(150)]


@pytest.mark.parametrize("kind", [InvalidBody, InvalidStatement, InvalidAttachment, TooLarge])
def test_rejection_crosses_whole_when_another_process_found_it(kind: type[LrsError]) -> None:
    problem = Problem("/actor/mbox", "agent.mbox", "This is no mailto IRI.", "xAPI 1.0.3 Data 2.4.2.3")
    error = kind("The statement is invalid.", [problem], limit=7)
    got = pickle.loads(pickle.dumps(Rejection(12, 345, error)))  # noqa: S301 - it is our own
    assert (got.number, got.body_bytes, type(got.error)) == (12, 345, kind)
    assert (str(got.error), vars(got.error)) == (str(error), vars(error))


def test_no_process_is_begun_when_there_are_few_records(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_processes, "_judge_chunk", None)
    assert school.importer(2).run(as_records(statements(30))).stored == 30
    with pytest.raises(TypeError, match="not callable"):
        school.importer(2).run(as_records(statements(31)))


def test_few_records_are_read_ahead_when_the_store_is_slow(school: School) -> None:
    read = 0

    def counted() -> Iterator[Record]:
        nonlocal read
        for record in as_records(statements(400)):
            read += 1
            yield record

    ahead = [read - number for number, _ in enumerate(school.importer(2)._judged(counted()))]
    most = import_processes.CHUNK_RECORDS * (import_processes.FEW_CHUNKS + 2 * import_processes._AHEAD)
    assert max(ahead) <= most


def test_records_without_id_get_those_of_the_file_when_several_processes_look_at_it(
    school: School, tmp_path: Path
) -> None:
    path = tmp_path / "records.ndjson"
    path.write_text("".join(f"{json.dumps(make_statement())}\n" for _ in range(100)))
    file = StatementFile(path, 1 << 20)
    school.importer(2, FileIds(school.handle, path)).run(file)
    ids = [record_id(school.handle, file.digest(), number) for number in range(1, 101)]
    assert [one["id"] for one in school.kept()] == ids
