"""Lots that earlier versions merged are taken into the levels, or stay as they are."""

from pathlib import Path

import apsw

from lrs.stores.sqlite.lists import FORM
from lrs.stores.sqlite.postings import next_lot
from lrs.stores.sqlite.stores import SqliteStores
from tests.contract.builders import (
    SCHOOL,
)
from tests.unit.stores.test_sqlite_lists import FORMS, rows, strays
from tests.unit.stores.test_sqlite_merging import (
    LONGEST,
    answers,
    arrive_late,
    fill,
    lots,
    merger,
    open_store,
)
from tests.unit.stores.test_sqlite_migrations import unpack


def merge_to_rows(stores: SqliteStores) -> None:
    """Merge the first lots as versions before the sixth did."""

    def work(write: object) -> None:
        database: apsw.Connection = write.database  # type: ignore[attr-defined]
        for lo in (0, LONGEST):
            new = next_lot(database)
            database.execute(
                "UPDATE post SET lot = ?3 WHERE lot IN"
                " (SELECT lot FROM lots WHERE lo >= ?1 AND lo < ?1 + ?2)",
                (lo, LONGEST, new),
            )
            database.execute("DELETE FROM lots WHERE lo >= ?1 AND lo < ?1 + ?2", (lo, LONGEST))
            database.execute("INSERT INTO lots VALUES (?, ?, 0)", (lo, new))

    stores.writer.run(work)


def make_older(path: Path) -> None:
    """Take from a file what the sixth and later versions added."""
    with apsw.Connection(str(path)) as database:
        database.execute("DROP TABLE lists; ALTER TABLE lots DROP COLUMN form; PRAGMA user_version = 5")


def test_lots_that_an_earlier_version_merged_to_rows_are_made_lists(tmp_path):
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    fill(store, 300)
    before = answers(store)
    merge_to_rows(stores)
    stores.close()
    make_older(tmp_path / "lrs.db")
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    assert answers(store) == before
    assert set(rows(stores, FORMS)) == {(0,)}
    work = merger(stores)
    for done in (1, 2):
        assert work.merge_one()
        assert [form for (form,) in rows(stores, FORMS)] == [FORM] * done + [0] * (46 - done)
        assert answers(store) == before
    while work.merge_one():
        assert answers(store) == before
    assert [lo for lo, _ in lots(stores)] == [0, 64, 128, 192, 256, 272, 288, 292, 296, 300]
    stores.close()


def test_lots_that_the_sixth_version_merged_stay_and_what_follows_is_merged_behind_them(tmp_path):
    unpack("sqlite-6", tmp_path)
    stores = open_store(tmp_path)
    store = stores.records.statements(SCHOOL)
    (tmp_path / "new").mkdir()
    new = open_store(tmp_path / "new")
    fill(new.records.statements(SCHOOL), 300)
    arrive_late(new.records.statements(SCHOOL))
    expected = answers(new.records.statements(SCHOOL))
    assert rows(stores, "PRAGMA user_version") == [(7,)]
    assert answers(store) == expected
    work = merger(stores)
    while work.merge_one():
        assert answers(store) == expected
    for one in (stores, new):
        fill(one.records.statements(SCHOOL), 20, start=1000)
    while work.merge_one():
        pass
    assert answers(store) == answers(new.records.statements(SCHOOL))
    found = rows(stores, "SELECT lo, form FROM lots WHERE form > 0 ORDER BY lo")
    assert found == [(0, 1), (64, 1), (128, FORM), (192, FORM), (256, FORM)]
    stores.drop_institution(SCHOOL)
    assert strays(stores) == 0
    assert rows(stores, "SELECT (SELECT count(*) FROM lists), (SELECT count(*) FROM post)") == [(0, 0)]
    for one in (stores, new):
        one.close()
