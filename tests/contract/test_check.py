"""A store that is whole has no fault; each damage to one is found, and said where."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import pytest

from lrs.errors import CorruptRecord
from lrs.stores import Stores
from lrs.stores.compression import shipped_dictionaries
from lrs.stores.moving import Fault, Looked
from tests.contract.backup.making import back_up
from tests.engines import Engine, mongomock_engine, sqlite_engine
from tests.factories import make_statement_id
from tests.http.conftest import make_instance
from tests.worlds import fill


def faults(stores: Stores) -> list[Fault]:
    return [one for one in stores.iter_faults() if isinstance(one, Fault)]


def kinds(stores: Stores) -> set[str]:
    return {one.kind for one in faults(stores)}


def test_no_fault_is_found_when_the_store_is_whole(engine: Engine) -> None:
    instance = make_instance(engine)
    assert faults(instance.services.stores) == []
    fill(instance)
    found = list(instance.services.stores.iter_faults())
    assert [one for one in found if isinstance(one, Fault)] == []
    stores = instance.services.stores
    with stores.open_dump() as dump:
        held = sum(dump.count_statements().values())
    assert sum(one.statements for one in found if isinstance(one, Looked)) == held > 30


ID = bytes.fromhex(make_statement_id(1).replace("-", ""))
VOIDED_ID = bytes.fromhex(make_statement_id(2).replace("-", ""))

# What is done to the file, and which kind of fault must be among those found.
SQLITE_DAMAGES: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "a body that lost its first byte": (
        "UPDATE stmt SET body = substr(body, 2) WHERE id = ?",
        (ID,),
        "body",
    ),
    "a body in place of another": (
        "UPDATE stmt SET body = (SELECT body FROM stmt WHERE id = ?) WHERE id = ?",
        (VOIDED_ID, ID),
        "fingerprint",
    ),
    "a fingerprint": ("UPDATE stmt SET fp = ? WHERE id = ?", (b"\1" + bytes(15), ID), "fingerprint"),
    "an unknown dictionary": ("UPDATE stmt SET dict = 77 WHERE id = ?", (ID,), "body"),
    "a dictionary": (
        "UPDATE dictionaries SET data = ?",
        (shipped_dictionaries()[1][:-1] + b"\0",),
        "dictionary",
    ),
    "an earlier stored": ("UPDATE stmt SET stored = 1 WHERE seq = 5", (), "order"),
    "an instant beyond all years": ("UPDATE stmt SET stored = 1 << 62 WHERE id = ?", (ID,), "body"),
    "a posting too few": (
        "DELETE FROM post WHERE (lot, h, prim, seq) IN (SELECT * FROM post WHERE seq = 3 LIMIT 1)",
        (),
        "posting",
    ),
    "an inherited posting too few": (
        "DELETE FROM post WHERE (lot, h, prim, seq) IN (SELECT p.* FROM post p JOIN stmt s USING (seq)"
        " WHERE s.ref IS NOT NULL ORDER BY h DESC LIMIT 1)",
        (),
        "posting",
    ),
    "a posting too many": ("INSERT INTO post SELECT lot, 4711, 1, 2 FROM lots", (), "posting"),
    "an id that is not found": ("DELETE FROM ids WHERE seq = 4", (), "id"),
    "an id that leads nowhere": ("INSERT INTO ids VALUES (4711, 99999)", (), "id"),
    "an id given twice": (
        "INSERT INTO stmt SELECT 9999, tenant, id, stored + 9999999999, fp, state, ref, dict, body"
        " FROM stmt WHERE seq = 1; INSERT INTO ids SELECT h, 9999 FROM ids WHERE seq = 1",
        (),
        "id",
    ),
    "a reference that is not found": ("DELETE FROM refs", (), "reference"),
    "a reference to another": (
        "UPDATE stmt SET ref = zeroblob(16) WHERE ref IS NOT NULL AND state = 0",
        (),
        "reference",
    ),
    "a voided statement shown": ("UPDATE stmt SET state = 0 WHERE id = ?", (VOIDED_ID,), "voided"),
    "a statement hidden": ("UPDATE stmt SET state = 1 WHERE id = ?", (ID,), "voided"),
    "an entry of the history too few": ("DELETE FROM history WHERE position = 2", (), "history"),
    "an entry of the history changed": ("UPDATE history SET subject = ?", (make_statement_id(5),), "history"),
    "a count of statements": ("UPDATE tenants SET statements = 3", (), "total"),
    "a document": ("UPDATE documents SET dict = 0, content = x'7b7d'", (), "document"),
    "a document under another key": ("UPDATE documents SET id = id || 'x'", (), "document"),
    "an attachment": ("UPDATE attachments SET dict = 0, content = x'00'", (), "attachment"),
    "a definition": ("UPDATE activities SET dict = 0, content = x'61ff5b'", (), "definition"),
    "a client": ("DELETE FROM clients WHERE name = 'Quiz'", (), "key"),
    "a recorded value": ("UPDATE recorded SET value = '{\"n\": 1}' WHERE subject = 'p2'", (), "recorded"),
    "a recorded value that is none": (
        "UPDATE recorded SET value = '[]' WHERE subject = 'p2'",
        (),
        "recorded",
    ),
    "a term too few": ("DELETE FROM recorded_terms WHERE term = 'all' AND subject = 'p3'", (), "recorded"),
    "a term too many": (
        "INSERT INTO recorded_terms SELECT tenant, kind, 'x', subject FROM recorded WHERE subject = 'p3'",
        (),
        "recorded",
    ),
    "a term of nothing": (
        "UPDATE recorded_terms SET subject = subject || 'x' WHERE term = 'all'",
        (),
        "recorded",
    ),
    "terms that cannot be read": ("UPDATE recorded SET terms = '['", (), "unreadable"),
    "an entry of the history of nothing": ("UPDATE history SET subject = 'x'", (), "history"),
    "an entry of the history of nobody": ("UPDATE history SET tenant = 99", (), "institution"),
    "an entry of the history that cannot be read": (
        "UPDATE history SET before = '{' WHERE kind = 'roster.person' AND before IS NOT NULL",
        (),
        "history",
    ),
    "an institution": ("DELETE FROM institutions WHERE name = 'School'", (), "institution"),
    "a number of an institution": ("DELETE FROM tenants WHERE number = 1", (), "institution"),
    "a key of nobody": ("UPDATE keys SET institution = 'x' WHERE institution IS NOT NULL", (), "institution"),
    "an authority": ("UPDATE clients SET authority = '{' WHERE name = 'Quiz'", (), "key"),
    "a scope": ("UPDATE keys SET scopes = 'fly'", (), "unreadable"),
    "a scope of an administrator": (
        "UPDATE keys SET scopes = 'fly' WHERE institution IS NULL",
        (),
        "unreadable",
    ),
    "a kind of document": ("UPDATE documents SET kind = 77", (), "unreadable"),
    "a refusal": ("UPDATE refusals SET doc = '{'", (), "unreadable"),
    "an institution left half": ("UPDATE tenants SET dropped = 1", (), "institution"),
}


def check_backup(stores: Stores) -> None:
    """A backup of a damaged store is made, or ends with the error of one; nothing else comes of it."""
    with suppress(CorruptRecord):
        back_up(stores)


@pytest.mark.parametrize("damage", SQLITE_DAMAGES)
def test_damage_to_a_file_is_found(damage: str, tmp_path: Path) -> None:
    statement, values, kind = SQLITE_DAMAGES[damage]
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine)
    fill(instance)
    instance.services.close()
    database = apsw.Connection(str(tmp_path / "lrs.db"))
    before = database.total_changes()
    database.execute(statement, values)
    assert database.total_changes() > before, "nothing was damaged"
    database.close()
    stores = engine.open()
    found = faults(stores)
    check_backup(stores)
    engine.close()
    assert kind in {one.kind for one in found}, found
    assert all(one.where and one.what for one in found)


def test_file_whose_dictionary_is_none_is_refused(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    engine.open().close()
    database = apsw.Connection(str(tmp_path / "lrs.db"))
    database.execute("UPDATE dictionaries SET data = zeroblob(9)")
    database.close()
    with pytest.raises(CorruptRecord, match="dictionary"):
        engine.open()


def test_flipped_bytes_in_the_file_itself_are_found(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine)
    fill(instance)
    instance.services.close()
    path = tmp_path / "lrs.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'stmt_of_tenant'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    middle = page * size - 40
    content[middle : middle + 30] = bytes(byte ^ 0x55 for byte in content[middle : middle + 30])
    path.write_bytes(content)
    stores = engine.open()
    assert kinds(stores) & {"file", "unreadable"}
    engine.close()


def key_of(collections: Any, n: int) -> str:
    return next(
        row["_id"] for row in collections.statements.find() if row["_id"].endswith(make_statement_id(n))
    )


def on_statement(n: int, change: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda all_: all_.statements.update_one({"_id": key_of(all_, n)}, change)


def on_person(change: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda all_: all_.recorded.update_many({"kind": "roster.person", "subject": "p2"}, change)


def second_segment(collections: Any) -> str:
    return sorted(row["_id"] for row in collections.log.find())[1]


MONGO_DAMAGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a body": (on_statement(5, {"$set": {"b": b"nonsense"}}), "body"),
    "a body that is not the log's": (on_statement(5, {"$set": {"z": 0, "b": b"nonsense"}}), "projection"),
    "a fingerprint": (on_statement(5, {"$set": {"fp": b"\1" + bytes(15)}}), "fingerprint"),
    "an instant": (on_statement(5, {"$set": {"s": 1}}), "order"),
    "an instant beyond all years": (on_statement(5, {"$set": {"s": 1 << 62}}), "body"),
    "a term too few": (on_statement(5, {"$pop": {"k": -1}}), "posting"),
    "an inherited term too few": (on_statement(20, {"$pop": {"k": 1}}), "posting"),
    "a term too many": (on_statement(5, {"$push": {"k": 1 << 59}}), "posting"),
    "a voided statement shown": (on_statement(2, {"$set": {"v": 1 << 62}}), "voided"),
    "a statement hidden": (on_statement(5, {"$set": {"v": 1}}), "voided"),
    "a reference": (on_statement(20, {"$unset": {"ref": ""}}), "reference"),
    "a statement too few": (lambda all_: all_.statements.delete_one({"_id": key_of(all_, 5)}), "projection"),
    "a segment too few": (lambda all_: all_.log.delete_one({"_id": second_segment(all_)}), "log"),
    "a total": (
        lambda all_: all_.log.update_one({"_id": second_segment(all_)}, {"$inc": {"total": 5}}),
        "total",
    ),
    "a mark that goes too far": (lambda all_: all_.applied.update_many({}, {"$inc": {"n": 5}}), "applied"),
    "an entry of the history too few": (
        lambda all_: all_.history.delete_one({"_id": {"$regex": "2$"}}),
        "history",
    ),
    "an entry of the history changed": (
        lambda all_: all_.history.update_many({}, {"$set": {"subject": "x"}}),
        "history",
    ),
    "a document": (lambda all_: all_.documents.update_many({}, {"$set": {"z": 0, "b": b"{}"}}), "document"),
    "a document under another key": (
        lambda all_: all_.documents.update_many({}, {"$set": {"id": "x"}}),
        "document",
    ),
    "an attachment": (
        lambda all_: all_.attachments.update_many({}, {"$set": {"z": 0, "b": b"x"}}),
        "attachment",
    ),
    "a definition": (
        lambda all_: all_.activities.update_many({}, {"$set": {"z": 0, "b": b"a\xff["}}),
        "definition",
    ),
    "a client": (lambda all_: all_.clients.delete_one({"name": "Quiz"}), "key"),
    "a recorded value": (on_person({"$set": {"value": '{"n":7}'}}), "recorded"),
    "a recorded value that cannot be read": (on_person({"$set": {"value": "{"}}), "recorded"),
    "a term of a recorded value": (on_person({"$push": {"k": "x"}}), "recorded"),
    "a recorded value that is behind": (on_person({"$inc": {"m": -1}}), "recorded"),
    "a recorded value of another entry": (on_person({"$inc": {"m": 3}}), "recorded"),
    "a recorded value too few": (lambda all_: all_.recorded.delete_one({"subject": "p2"}), "recorded"),
    "a removed value that is there": (
        lambda all_: all_.recorded.update_many({"gone": 1}, {"$set": {"m": 1}}),
        "recorded",
    ),
    "a mark that the history does not reach": (
        lambda all_: all_.projections.update_many({}, {"$inc": {"m": 1}}),
        "recorded",
    ),
    "a note that cannot be read": (
        lambda all_: all_.recorded.update_many({"kind": "source.place"}, {"$set": {"value": "[]"}}),
        "recorded",
    ),
    "an entry of the history that cannot be read": (
        lambda all_: all_.history.update_many({"kind": "roster.person"}, {"$set": {"before": "{"}}),
        "history",
    ),
    "an institution": (lambda all_: all_.institutions.delete_one({"name": "School"}), "institution"),
    "a field of an institution": (
        lambda all_: all_.institutions.update_one({"name": "School"}, {"$unset": {"quota": ""}}),
        "unreadable",
    ),
    "a key of nobody": (
        lambda all_: all_.keys.update_one({"client_id": {"$ne": None}}, {"$set": {"institution_id": "x"}}),
        "institution",
    ),
    "an authority": (
        lambda all_: all_.clients.update_one({"name": "Quiz"}, {"$set": {"authority": "{"}}),
        "key",
    ),
    "a scope of an administrator": (
        lambda all_: all_.keys.update_one({"institution_id": None}, {"$set": {"scopes": ["fly"]}}),
        "unreadable",
    ),
    "a kind of document": (lambda all_: all_.documents.update_many({}, {"$set": {"kind": 77}}), "unreadable"),
    "a refusal": (lambda all_: all_.refusals.update_many({}, {"$set": {"problems": [[]]}}), "unreadable"),
    "a field of applied": (lambda all_: all_.applied.update_many({}, {"$unset": {"at": ""}}), "unreadable"),
    "something left of an institution": (
        lambda all_: all_.applied.update_many({"n": {"$gt": 0}}, {"$set": {"dropped": True}}),
        "institution",
    ),
}


@pytest.mark.parametrize("damage", MONGO_DAMAGES)
def test_damage_to_a_database_is_found(damage: str) -> None:
    act, kind = MONGO_DAMAGES[damage]
    engine = mongomock_engine()
    instance = make_instance(engine)
    fill(instance)
    done = act(instance.services.stores._collections)
    assert getattr(done, "modified_count", 0) or getattr(done, "deleted_count", 0), "nothing was damaged"
    found = faults(instance.services.stores)
    check_backup(instance.services.stores)
    assert kind in {one.kind for one in found}, found
    assert all(one.where and one.what for one in found)
