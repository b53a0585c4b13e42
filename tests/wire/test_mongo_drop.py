"""An institution is taken away while processes write to it, and while one of them is stopped."""

import os
import signal
from pathlib import Path
from typing import Any

import pymongo
import pytest

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.model import Institution
from lrs.stores.moving import Fault
from tests.wire.changer import tables_of
from tests.wire.processes import end, start, wait_for_notes
from tests.wire.writer import INSTITUTIONS, open_at, statements_of

pytestmark = pytest.mark.mongo_server

SCHOOL, MUSEUM = INSTITUTIONS
HANDLE = InstitutionHandle(InstitutionId(SCHOOL))


def left_of(url: str, institution: str) -> list[dict[str, Any]]:
    """Every document that still tells something of an institution."""
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        found = [one for name in database.list_collection_names() for one in database[name].find()]
    told = [one for one in found if institution in str(one)]
    return [
        one
        for one in told
        if not set(one) <= {"_id", "t", "w", "src", "at", "total", "n", "m", "refs", "dropped"}
    ]


@pytest.mark.parametrize("turn", range(3))
def test_nothing_is_left_when_an_institution_is_dropped_under_its_writers(
    turn: int, url: str, tmp_path: Path
) -> None:
    stores = open_at(url)
    stores.access.add_institution(Institution(InstitutionId(MUSEUM), "A museum", 1))
    modules = ["tests.wire.writer", "tests.wire.changer"] * 2
    processes = [start(module, url, tmp_path, f"writer-{n}", "race") for n, module in enumerate(modules)]
    try:
        for n, process in enumerate(processes):
            wait_for_notes(tmp_path / f"writer-{n}", process)
        stopped = processes[turn % 2 :: 2][0]
        os.kill(stopped.pid, signal.SIGSTOP)
        stores.drop_institution(HANDLE)
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)
            assert process.wait(60) == 0, "a writer did not hear that its institution is gone"
    finally:
        for process in processes:
            end(process)
    assert left_of(url, SCHOOL) == []
    found = {one.kind for one in stores.iter_faults() if isinstance(one, Fault)}
    assert found <= {"body"}, "beside the bodies, which are no statements here, something is wrong"
    assert statements_of(stores, SCHOOL).count_statements() == 0
    assert statements_of(stores, MUSEUM).count_statements() > 0
    assert len(tables_of(stores, MUSEUM).read_entries(0, 10)) > 0
    stores.close()
