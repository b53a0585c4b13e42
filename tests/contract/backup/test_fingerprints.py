"""Statements of a restored store are known again, whatever their fingerprints went through."""

from dataclasses import replace

import pytest

from lrs.access.handles import InstitutionHandle
from lrs.errors import StatementConflict
from lrs.stores import backup
from lrs.stores.archive_records import StatementRecord
from lrs.stores.moving import to_prepared
from lrs.xapi.ports import Batch
from tests.contract.backup.making import ENGINES, Open, back_up, filled, items, restore
from tests.http.conftest import make_instance


@pytest.mark.lasting
@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("kept_bytes", [8, 16])
def test_statements_are_known_again_however_much_of_a_fingerprint_the_archive_holds(
    kept_bytes: int, engine_name: str, open_engine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, _ = filled(open_engine("mongomock"))
    stores = instance.services.stores
    with stores.open_dump() as dump:
        sent = [(one.institution_id, to_prepared(one)) for one in dump.iter_statements()]
    monkeypatch.setattr(backup, "FEWEST_KEPT", kept_bytes)
    archive = back_up(stores)
    held = [one.record for one in items(archive) if isinstance(one.record, StatementRecord)]
    assert {len(record.fingerprint) for record in held} == {kept_bytes}
    target = open_engine(engine_name)
    restore(target, archive)
    records = make_instance(target).services.stores.records
    for institution_id, statement in sent:
        assert len(statement.fingerprint) == 16
        outcome = records.statements(InstitutionHandle(institution_id)).add_statements(
            Batch([statement], "again")
        )
        assert outcome.already == (0,)
    changed = replace(statement, fingerprint=statement.fingerprint[:7] + bytes(9))
    with pytest.raises(StatementConflict):
        records.statements(InstitutionHandle(institution_id)).add_statements(Batch([changed], "again"))
