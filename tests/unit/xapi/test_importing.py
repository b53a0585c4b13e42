"""The import's use case on a real store: good records go in, bad ones are named, twice changes nothing."""

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lrs.errors import InvalidBody
from lrs.xapi import importing
from lrs.xapi.arrivals import IMPORT
from lrs.xapi.import_files import Record
from lrs.xapi.import_processes import _holding_back_ctrl_c
from lrs.xapi.importing import ImportCounts, Importer, ImportTarget, record_id
from lrs.xapi.ports import Position
from lrs.xapi.preparing import Rejection
from lrs.xapi.texts import served_text
from lrs.xapi.versions import Version
from tests.engines import sqlite_engine
from tests.factories import make_attachment, make_statement, make_statement_id
from tests.http.conftest import Instance, make_instance
from tests.multipart import metadata

PATIENCE_SECONDS = 60


class Importing:
    """An institution to import into."""

    def __init__(self, instance: Instance) -> None:
        access = instance.access
        institution = access.ensure_institution("School")
        self.services = instance.services
        self.handle = access.handle_for_institution_named(institution.name)
        self.client = access.ensure_client(institution.id, IMPORT)
        self.rejected: list[Rejection] = []
        self.shown: list[int] = []

    def run(self, records: Sequence[object], version: Version | None = None) -> ImportCounts:
        self.rejected.clear()
        return self.importer(version).run(as_records(records))

    def importer(self, version: Version | None = None) -> Importer:
        target = ImportTarget(
            self.handle, self.client, version, lambda number: record_id(self.handle, "digest", number)
        )
        return Importer(
            self.services.statements,
            target,
            self.rejected.append,
            lambda counts: self.shown.append(counts.read),
        )

    def kept(self) -> list[dict[str, Any]]:
        store = self.services.stores.records.statements(self.handle)
        page = store.read_log(Position(0), 10_000)
        return [json.loads(served_text(one.body, one.stored_at_us)) for one in page.statements]

    @property
    def numbers(self) -> list[int]:
        return [one.number for one in self.rejected]


def as_records(values: Sequence[object]) -> list[Record]:
    texts = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    return [Record(number, text) for number, text in enumerate(texts, 1)]


@pytest.fixture
def school(tmp_path: Path) -> Iterator[Importing]:
    engine = sqlite_engine(tmp_path)
    yield Importing(make_instance(engine))
    engine.close()


def statements(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [make_statement(id=make_statement_id(first + n)) for n in range(count)]


def test_every_record_is_kept_in_order_when_all_are_good(school: Importing) -> None:
    counts = school.run(statements(1203))
    assert counts == ImportCounts(read=1203, stored=1203)
    assert [one["id"] for one in school.kept()] == [make_statement_id(n) for n in range(1, 1204)]
    assert school.shown[-1] == 1203


def test_nothing_is_stored_when_it_is_imported_again(school: Importing) -> None:
    school.run([make_statement(), *statements(700)])
    counts = school.run([make_statement(), *statements(700)])
    assert counts == ImportCounts(read=701, already=701)
    assert len(school.kept()) == 701


def test_bad_records_are_named_and_good_ones_kept_when_they_are_mixed(school: Importing) -> None:
    good = statements(3)
    records = [good[0], {"actor": {}}, b"{no json", good[1], [good[2]], b'"text"', b'{"a":1,"a":2}', good[2]]
    counts = school.run(records)
    assert counts == ImportCounts(read=8, stored=3, rejected=5)
    assert school.numbers == [2, 3, 5, 6, 7]
    assert {problem.path for problem in school.rejected[0].error.problems} == {"", "/actor"}


def test_one_problem_is_told_as_one_and_two_as_two(school: Importing) -> None:
    (one,) = statements(1)
    school.run([{**one, "no": 1}, {**one, "no": 1, "never": 2}])
    assert [rejection.error.detail for rejection in school.rejected] == [
        "The statement is invalid (1 problem).",
        "The statement is invalid (2 problems).",
    ]


def test_record_is_rejected_when_its_attachment_would_be_without_data(school: Importing) -> None:
    one, other, third = statements(3)
    school_file = metadata(b"an essay", fileUrl="https://files.example.org/essay.txt")
    records = [
        {**one, "attachments": [metadata(b"an essay")]},
        {**other, "attachments": [school_file]},
        third,
    ]
    counts = school.run(records)
    assert counts == ImportCounts(read=3, stored=2, rejected=1)
    (rejection,) = school.rejected
    assert rejection.error.code == "invalid-attachment"
    assert "fileUrl" in rejection.error.detail
    assert [problem.path for problem in rejection.error.problems] == ["/attachments/0"]


def test_conflicting_record_is_rejected_alone_when_its_id_is_kept_with_other_content(
    school: Importing,
) -> None:
    school.run(statements(5))
    other = make_statement(id=make_statement_id(3), timestamp="2020-01-01T00:00:00Z")
    counts = school.run([*statements(2), other, *statements(2, first=9)])
    assert counts == ImportCounts(read=5, stored=2, already=2, rejected=1)
    assert school.numbers == [3]
    assert school.rejected[0].error.code == "statement-conflict"


def test_same_id_twice_in_a_file_is_already_there_or_a_conflict_when_it_comes_again(
    school: Importing,
) -> None:
    one = statements(1)[0]
    counts = school.run([one, one, {**one, "timestamp": "2020-01-01T00:00:00Z"}])
    assert counts == ImportCounts(read=3, stored=1, already=1, rejected=1)
    assert school.numbers == [3]


def test_record_without_id_gets_the_same_id_when_it_stands_at_the_same_place(school: Importing) -> None:
    school.run([make_statement(), make_statement()])
    ids = [one["id"] for one in school.kept()]
    assert ids == [record_id(school.handle, "digest", number) for number in (1, 2)]


def test_version_is_each_records_own_when_none_is_asked_for(school: Importing) -> None:
    in_two = {
        "contextAgents": [
            {
                "objectType": "contextAgent",
                "agent": {"objectType": "Agent", "mbox": "mailto:a@example.org"},
                "relevantTypes": ["https://example.org/types/coach"],
            }
        ]
    }
    records = [
        make_statement(id=make_statement_id(1), version="2.0.0", context=in_two),
        make_statement(id=make_statement_id(2), context=in_two),
    ]
    assert school.run(records) == ImportCounts(read=2, stored=1, rejected=1)
    assert school.run(records, Version.V2_0_0) == ImportCounts(read=2, stored=1, already=1)


def test_authority_is_the_import_client_when_the_record_names_another(school: Importing) -> None:
    school.run([make_statement(authority={"objectType": "Agent", "mbox": "mailto:someone@example.org"})])
    assert school.kept()[0]["authority"] == json.loads(school.client.authority)


def test_record_is_rejected_when_an_attachment_has_no_data(school: Importing) -> None:
    records = [
        make_statement(attachments=[make_attachment()]),
        make_statement(attachments=[make_attachment(fileUrl=None)]),
    ]
    assert school.run(records) == ImportCounts(read=2, stored=1, rejected=1)
    assert school.numbers == [2]
    assert [problem.path for problem in school.rejected[0].error.problems] == ["/attachments/0"]


def test_batch_is_cut_when_it_is_larger_than_the_store_takes_at_once(
    school: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_BYTES", 20_000)
    big = [make_statement(id=make_statement_id(n), result={"response": "x" * 9_000}) for n in range(1, 8)]
    assert school.run(big).stored == 7
    assert len(school.shown) >= 3


def test_what_was_read_is_kept_when_the_file_breaks_off(school: Importing) -> None:
    def broken() -> Iterator[Record]:
        yield from as_records(statements(7))
        raise InvalidBody("The file is broken.")

    importer = school.importer()
    with pytest.raises(InvalidBody):
        importer.run(broken())
    assert importer.counts == ImportCounts(read=7, stored=7)
    assert len(school.kept()) == 7


def test_batch_that_was_being_written_is_counted_when_the_import_is_interrupted(
    school: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, settle = school.services.statements.add_prepared, Importer._settle
    handed_over, interrupted = threading.Event(), threading.Event()

    def settle_what_was_handed_over(importer: Importer) -> None:
        if importer._pending is not None:
            handed_over.set()
        settle(importer)

    def add_while_interrupted(*args: Any) -> Any:
        assert handed_over.wait(PATIENCE_SECONDS)
        # A signal that meets a thread just before it begins to wait is answered when it has waited.
        while not interrupted.wait(0.01):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return add(*args)

    def interrupt(*_: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(Importer, "_settle", settle_what_was_handed_over)
    monkeypatch.setattr(school.services.statements, "add_prepared", add_while_interrupted)
    importer = school.importer()
    handler = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            importer.run(as_records(statements(7)))
    finally:
        signal.signal(signal.SIGINT, handler)
    assert importer.counts == ImportCounts(read=7, stored=7)


def test_receipts_say_import_when_records_were_imported(school: Importing) -> None:
    school.run(statements(2))
    receipts = school.services.arrivals.overview(school.handle, IMPORT).receipts
    assert [(one.source, one.stored) for one in receipts] == [(IMPORT, 2)]


def test_ctrl_c_is_answered_when_no_process_is_half_begun() -> None:
    begun = []
    done = threading.Event()
    met, taken = os.pipe()
    os.set_blocking(taken, False)

    def begin() -> None:
        with _holding_back_ctrl_c():
            os.kill(os.getpid(), signal.SIGINT)  # The other thread takes it.
            assert os.read(met, 1) == bytes([signal.SIGINT])
            begun.append("all")

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    tell = signal.set_wakeup_fd(taken)
    other = threading.Thread(target=done.wait, args=(PATIENCE_SECONDS,))
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            begin()
    finally:
        signal.set_wakeup_fd(tell)
        signal.signal(signal.SIGINT, handler)
        done.set()
        other.join()
        os.close(met)
        os.close(taken)
    assert begun == ["all"]
