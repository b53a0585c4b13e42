"""A store's own dictionaries: they help, they name nobody, and every process reads with them."""

import os
import re
import time
from pathlib import Path
from typing import Any

import apsw
import orjson
import pytest

from benchmarks.invented import iter_statements
from lrs.stores import StoreOptions
from lrs.stores.compression import FIRST_TRAINED, SHIPPED, shipped_dictionaries
from lrs.stores.sqlite.schema import read_dictionaries
from lrs.stores.sqlite.stores import SqliteStores
from lrs.stores.sqlite.training import Trainer, Training
from lrs.xapi.facts import facts_of
from lrs.xapi.ports import Batch, Position, PreparedStatement, StatementId
from lrs.xapi.scrubbing import scrub
from lrs.xapi.texts import Additions, pack
from tests.contract.builders import SCHOOL

pytestmark = pytest.mark.lasting

COUNT = 1500
BINARY = 200
"""So many bytes of a dictionary are tables, in which letters mean nothing."""

PLATFORM = " ".join(str(n * n * n) for n in range(7, 40))
IDENTIFYING = {"registration", "response", "mbox", "mbox_sha1sum", "openid", "timestamp", "name"}


@pytest.fixture(scope="module")
def statements() -> list[dict[str, Any]]:
    """What a provider sends that says more than the shipped dictionary knows."""
    made = [dict(one) for one in iter_statements(COUNT * 2, 5)]
    for one in made:
        one["context"] = {**one.get("context", {}), "platform": PLATFORM}
    return made


def prepared(statement: dict[str, Any]) -> PreparedStatement:
    authority = statement["authority"]
    sent = {name: part for name, part in statement.items() if name != "authority"}
    raw = orjson.dumps(sent)
    return PreparedStatement(
        StatementId(statement["id"]),
        b"f" * 16,
        facts_of(statement, authority, "client"),
        pack(raw, sent, Additions(statement["id"], orjson.dumps(authority).decode(), "1.0.0")),
    )


def open_store(folder: Path, *, maintained: bool = False) -> SqliteStores:
    options = StoreOptions(lambda: time.time_ns() // 1000, os.urandom, durable=False, scrub=scrub)
    stores = SqliteStores.open(str(folder / "lrs.db"), options)
    if not maintained:
        stores.maintenance.close()
    return stores


def fill(stores: SqliteStores, statements: list[dict[str, Any]]) -> None:
    store = stores.records.statements(SCHOOL)
    for at in range(0, len(statements), 100):
        store.add_statements(Batch([prepared(one) for one in statements[at : at + 100]], "test"))


def trainer(stores: SqliteStores, folder: Path, first_at: int = COUNT, cleaning: Any = scrub) -> Trainer:
    database = apsw.Connection(str(folder / "lrs.db"))
    training = Training(stores.bodies, cleaning)
    return Trainer(database, training, stores.writer, lambda: None, first_at)


def sizes(folder: Path) -> dict[int, float]:
    database = apsw.Connection(str(folder / "lrs.db"))
    return dict(database.execute("SELECT dict, avg(length(body)) FROM stmt GROUP BY dict"))


def bodies(stores: SqliteStores) -> list[bytes]:
    page = stores.records.statements(SCHOOL).read_log(Position(0), 10_000)
    return [statement.body for statement in page.statements]


def identifiers(part: Any, name: str = "", *, person: bool = False) -> set[str]:
    """Collect every text of a statement that identifies somebody or something of somebody's."""
    if isinstance(part, dict):
        inside = person or name in {"actor", "authority", "instructor", "team", "extensions"}
        return set().union(*(identifiers(value, key, person=inside) for key, value in part.items()))
    if isinstance(part, list):
        return set().union(*(identifiers(value, name, person=person) for value in part))
    if isinstance(part, str) and (person or name in IDENTIFYING) and name not in {"objectType", "homePage"}:
        return {part.removeprefix("mailto:")}
    return set()


def test_later_bodies_are_smaller_and_earlier_ones_still_read(tmp_path, statements):
    stores = open_store(tmp_path)
    fill(stores, statements[:COUNT])
    assert trainer(stores, tmp_path).train_if_due()
    fill(stores, statements[COUNT:])
    by_number = sizes(tmp_path)
    assert by_number.keys() == {SHIPPED, FIRST_TRAINED}
    assert by_number[FIRST_TRAINED] < 0.9 * by_number[SHIPPED]
    expected = [prepared(one).body for one in statements]
    assert bodies(stores) == expected
    stores.close()
    again = open_store(tmp_path)
    assert bodies(again) == expected
    again.close()


def test_dictionary_holds_no_identifier_of_the_store(tmp_path, statements):
    stores = open_store(tmp_path)
    fill(stores, statements)
    assert trainer(stores, tmp_path).train_if_due()
    data = read_dictionaries(apsw.Connection(str(tmp_path / "lrs.db")))[FIRST_TRAINED]
    wanted: set[str] = set().union(*(identifiers(one) for one in statements))
    wanted |= {one["id"] for one in statements}
    public = str([(one["authority"], one["object"]) for one in statements])
    assert len(wanted) > COUNT
    held = [text for text in wanted if len(text) > 3 and text.encode() in data]
    assert [text for text in held if text not in public] == []
    behind_tables = data[BINARY:]
    assert re.search(rb"\w@|[1-9a-f][0-9a-f]{7}-[0-9a-f]{4}-|[0-9a-f]{40}", behind_tables) is None
    stores.close()


def test_other_process_reads_and_writes_with_it(tmp_path, statements):
    first, second = open_store(tmp_path), open_store(tmp_path)
    fill(first, statements[:COUNT])
    bodies(second)
    assert trainer(first, tmp_path).train_if_due()
    fill(first, statements[COUNT : COUNT + 100])
    assert bodies(second) == [prepared(one).body for one in statements[: COUNT + 100]]
    trainer(second, tmp_path).learn()
    fill(second, statements[COUNT + 100 : COUNT + 200])
    database = apsw.Connection(str(tmp_path / "lrs.db"))
    counts = dict(database.execute("SELECT dict, count(*) FROM stmt GROUP BY dict"))
    assert counts == {SHIPPED: COUNT, FIRST_TRAINED: 200}
    first.close()
    second.close()


def test_dictionary_is_not_kept_when_it_wins_too_little_and_is_not_tried_again_soon(tmp_path, statements):
    stores = open_store(tmp_path)
    fill(stores, statements[:COUNT])
    assert trainer(stores, tmp_path).train_if_due()
    fill(stores, statements[COUNT:])
    forget = "DELETE FROM meta WHERE name = 'dictionary_tried'"
    stores.writer.run(lambda write: write.database.execute(forget).fetchall())
    calls: list[int] = []

    def counting(samples: Any, pause: Any) -> list[bytes]:
        calls.append(len(samples))
        return scrub(samples, pause)

    for _ in range(3):
        assert not trainer(stores, tmp_path, cleaning=counting).train_if_due()
    assert len(calls) == 1
    assert read_dictionaries(apsw.Connection(str(tmp_path / "lrs.db"))).keys() == {SHIPPED, FIRST_TRAINED}
    stores.close()


def test_nothing_is_trained_without_a_scrubber_or_before_it_is_due(tmp_path, statements):
    stores = open_store(tmp_path)
    fill(stores, statements[:COUNT])
    assert not trainer(stores, tmp_path, first_at=COUNT + 1).train_if_due()
    assert not trainer(stores, tmp_path, cleaning=None).train_if_due()
    assert stores.bodies.current == max(shipped_dictionaries())
    stores.close()


def test_samples_that_are_no_statements_make_no_dictionary(tmp_path):
    stores = open_store(tmp_path)
    noise = [PreparedStatement(StatementId(str(n) * 32), b"f" * 16, (), b"\xff\xfe") for n in range(9)]
    store = stores.records.statements(SCHOOL)
    store.add_statements(Batch(noise, "test"))
    assert not trainer(stores, tmp_path, first_at=1).train_if_due()
    stores.close()
