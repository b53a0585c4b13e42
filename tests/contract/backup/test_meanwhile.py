"""A backup and a restore while others write."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Institution
from lrs.errors import Conflict, StoreUnfinished
from lrs.stores.archive import Item
from lrs.stores.archive_records import StatementRecord
from lrs.stores.moving import KeptStatement, to_prepared
from lrs.xapi.ports import Batch
from tests.contract.backup.making import ENGINES, Open, back_up, items, restore
from tests.contract.builders import make_statement as contract_statement
from tests.factories import make_statement
from tests.http.conftest import make_instance


@pytest.mark.parametrize("name", ENGINES)
def test_backup_holds_what_was_acknowledged_before_it_while_others_write(
    name: str, open_engine: Open
) -> None:
    source, target = open_engine(name), open_engine("sqlite")
    instance = make_instance(source)
    keys = [instance.key("School"), instance.key("Museum")]
    acknowledged: dict[int, list[list[str]]] = {0: [], 1: []}
    stop = threading.Event()

    def write(number: int) -> None:
        while not stop.is_set():
            batch = [make_statement(id=str(uuid.uuid4())) for _ in range(3)]
            assert instance.post(batch, keys[number]).status_code == 200
            acknowledged[number].append([one["id"] for one in batch])

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, number) for number in (0, 1)]
        try:
            while not all(len(batches) > 5 for batches in acknowledged.values()):
                assert not any(writer.done() for writer in writers), writers
                time.sleep(0.01)
            before = {number: list(batches) for number, batches in acknowledged.items()}
            archive = back_up(instance.services.stores)
        finally:
            stop.set()
        for writer in writers:
            writer.result()
    restore(target, archive)
    again = make_instance(target)
    for number, institution in enumerate(("School", "Museum")):
        handle = again.access.handle_for_institution_named(institution)
        held = [
            one.id for one in again.services.stores.records.statements(handle).read_log(0, 99999).statements
        ]
        written = [one for batch in acknowledged[number] for one in batch]
        assert held == written[: len(held)]
        assert len(held) >= 3 * len(before[number])
        assert len(held) % 3 == 0


@pytest.mark.parametrize("name", ENGINES)
def test_restore_ends_unfinished_when_somebody_else_writes(
    name: str, archive: bytes, open_engine: Open
) -> None:
    engine = open_engine(name)
    other = make_instance(engine)
    stores = engine.open(restoring=True)
    school = next(
        one.record
        for one in items(archive)
        if isinstance(one.record, Institution) and one.record.name == "School"
    )
    handle = InstitutionHandle(school.id)

    kept = [_kept(item) for item in items(archive) if isinstance(item.record, StatementRecord)]
    mine = [(one, to_prepared(one)) for one in kept if one.institution_id == school.id]
    load = stores.begin_load()
    load.add_statements(mine[:3])
    intruder = Batch([contract_statement("intruder")], "key")
    other.services.stores.records.statements(handle).add_statements(intruder)
    with pytest.raises(Conflict, match="Somebody else"):
        load.add_statements(mine[3:5])
    with pytest.raises(StoreUnfinished):
        engine.open()


def _kept(item: Item) -> KeptStatement:
    record = item.record
    assert isinstance(record, StatementRecord)
    return KeptStatement(
        record.institution,
        record.id,
        record.stored_at_us,
        record.fingerprint,
        record.client,
        item.content or b"",
    )
