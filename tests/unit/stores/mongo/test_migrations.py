"""Databases of earlier versions are brought up to date, whoever is killed and whoever does it at once."""

import json
import lzma
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bson import Int64, json_util

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.model import Client, ClientId, Institution, Key, KeyId
from lrs.errors import StoreUnavailable
from lrs.stores.mongo import migrations
from lrs.stores.mongo.activities import merge_beneath
from lrs.stores.mongo.filling import Filler
from lrs.stores.mongo.stores import MongoStores
from lrs.stores.moving import Fault
from lrs.xapi.definitions import definitions_of, merge_definitions
from lrs.xapi.ports import Position
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.texts import received_text
from tests.contract.builders import add, log, make_statement
from tests.engines import Engine

FIRST: dict[str, list[dict[str, Any]]] = {
    "meta": [{"_id": "instance", "key": b"k" * 32, "schema": 1}],
    "institutions": [{"_id": "school0001", "name": "School", "created": Int64(5)}],
    "clients": [
        {
            "_id": "client0001",
            "institution_id": "school0001",
            "name": "LMS",
            "authority": "{}",
            "created": Int64(6),
        }
    ],
    "keys": [
        {
            "_id": "key0000001",
            "institution_id": "school0001",
            "client_id": "client0001",
            "secret": b"s" * 32,
            "scopes": ["all"],
            "version": None,
            "created": Int64(7),
            "expires": None,
            "revoked": None,
        },
        {
            "_id": "adminkey01",
            "institution_id": None,
            "client_id": None,
            "secret": b"t" * 32,
            "scopes": ["all"],
            "version": None,
            "created": Int64(8),
            "expires": None,
            "revoked": None,
            "client": None,
            "institution": None,
        },
    ],
}
"""What the first version kept of an institution with a client and a key, and of an administrator's key."""


@pytest.fixture
def database(mock: Engine) -> Any:
    """A database as the first version left it."""
    stores = mock.open()
    database = stores._client[stores.records._collections.meta.database.name]
    for name in database.list_collection_names():
        database[name].delete_many({})
    for name, documents in FIRST.items():
        database[name].insert_many([dict(document) for document in documents])
    school, client = (dict(FIRST[name][0]) for name in ("institutions", "clients"))
    carried = {"$set": {"institution": school, "client": client}}
    database.keys.update_one({"_id": "key0000001"}, carried)
    return database


def check_upgraded(stores: MongoStores, database: Any) -> None:
    credential = stores.access.find_credential(KeyId("key0000001"))
    assert credential is not None
    school = Institution(InstitutionId("school0001"), "School", 5, 0)
    assert credential.institution == school == stores.access.find_institution_named("School")
    assert credential.client == Client(ClientId("client0001"), school.id, "LMS", "{}", 6)
    assert (credential.key.rate_per_minute, credential.key.replaced_by) == (None, None)
    administrators: list[Key] = list(stores.access.list_keys(None))
    assert [key.id for key in administrators] == ["adminkey01"]
    assert database.keys.find_one({"_id": "adminkey01"})["institution"] is None
    assert stores.access.set_statement_quota(school.id, 9)
    again = stores.access.find_credential(KeyId("key0000001"))
    assert again is not None
    assert again.institution is not None
    assert again.institution.statement_quota == 9
    assert stores.instance_key == b"k" * 32
    assert database.meta.find_one({"_id": "instance"})["schema"] == migrations.newest()


def test_database_of_the_first_version_is_upgraded_when_it_is_opened(mock: Engine, database: Any) -> None:
    check_upgraded(mock.open(), database)


def test_statements_are_counted_when_segments_do_not_say_how_many_there_are(
    mock: Engine, database: Any
) -> None:
    first = mock.open()
    batches = {"school0001": (3, 1, 2), "museum0001": (4,)}
    for owner, sizes in batches.items():
        store = first.records.statements(InstitutionHandle(InstitutionId(owner)))
        for number, size in enumerate(sizes):
            add(store, *(make_statement(f"{owner}-{number}-{index}") for index in range(size)))
    first.close()
    for name in ("log", "applied"):
        database[name].update_many({}, {"$unset": {"total": ""}})
    database.meta.update_one({"_id": "instance"}, {"$set": {"schema": 1}})
    again = mock.open()
    for owner, sizes in batches.items():
        store = again.records.statements(InstitutionHandle(InstitutionId(owner)))
        assert store.count_statements() == sum(sizes)
        add(store, make_statement(f"{owner}-new"))
        assert store.count_statements() == sum(sizes) + 1


def test_steps_change_nothing_when_they_are_done_again(mock: Engine, database: Any) -> None:
    check_upgraded(mock.open(), database)
    before = {name: list(database[name].find()) for name in FIRST}
    database.meta.update_one({"_id": "instance"}, {"$set": {"schema": 1}})
    mock.open()
    assert {name: list(database[name].find()) for name in FIRST} == before


def test_steps_are_done_again_when_one_was_broken_off(
    mock: Engine, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = migrations._default
    calls = []

    def fail_at_the_third(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise StoreUnavailable("The server went away.")
        real(*arguments)

    monkeypatch.setattr(migrations, "_default", fail_at_the_third)
    with pytest.raises(StoreUnavailable):
        mock.open()
    assert database.meta.find_one({"_id": "instance"})["schema"] == 1
    check_upgraded(mock.open(), database)


def test_version_is_never_lowered_when_a_slow_process_comes_late(mock: Engine, database: Any) -> None:
    mock.open()
    migrations.upgrade(lambda name: database[name], 1)
    assert database.meta.find_one({"_id": "instance"})["schema"] == migrations.newest()


def test_nothing_is_run_when_the_database_is_new(mock: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    monkeypatch.setattr(migrations, "STEPS", (migrations.Step("a step", ran.append),))
    stores = mock.open()
    assert ran == []
    assert stores.records._collections.meta.find_one({"_id": "instance"})["schema"] == 2


KEPT = Path(__file__).parents[3] / "data" / "mongo-1.json.xz"


def load(mock: Engine) -> None:
    """Put the kept database of the first version in the place of an empty one."""
    stores = mock.open()
    database = stores._client[stores.records._collections.meta.database.name]
    for name in database.list_collection_names():
        database[name].delete_many({})
    for name, documents in json_util.loads(lzma.decompress(KEPT.read_bytes())).items():
        if documents:
            database[name].insert_many(documents)


def test_everything_kept_is_there_when_a_database_of_the_first_version_was_upgraded(mock: Engine) -> None:
    load(mock)
    stores = mock.open()
    institutions = {one.name: one for one in stores.access.list_institutions()}
    assert set(institutions) == {"School", "Museum"}
    school = stores.records.statements(InstitutionHandle(institutions["School"].id))
    museum = stores.records.statements(InstitutionHandle(institutions["Museum"].id))
    kept = school.read_log(Position(0), 500).statements
    assert [int(one.id[:8], 16) for one in kept] == list(range(62))
    assert [int(one.id[:8], 16) for one in kept if one.voided] == [3]
    assert [int(one.id[:8], 16) for one in log(museum)] == list(range(100, 105))
    assert (school.count_statements(), museum.count_statements()) == (62, 5)
    for institution in institutions.values():
        (key,) = stores.access.list_keys(institution.id)
        credential = stores.access.find_credential(key.id)
        assert credential is not None
        assert credential.institution == institution
    assert not [one for one in stores.iter_faults() if isinstance(one, Fault)]
    add(school, make_statement("new"))
    assert school.count_statements() == 63


def expected_definitions(stores: MongoStores, name: str) -> dict[str, bytes]:
    """What merging in the order of the log gives."""
    found: dict[str, bytes] = {}
    institution = stores.access.find_institution_named(name)
    assert institution is not None
    for one in log(stores.records.statements(InstitutionHandle(institution.id))):
        for given in definitions_of(json.loads(received_text(one.body))):
            before = found.get(given.activity)
            found[given.activity] = (
                given.definition if before is None else merge_definitions(before, given.definition)
            )
    return found


def wait_until_filled(stores: MongoStores) -> None:
    limit = time.monotonic() + 30
    while stores._filler._find_note() is not None:
        assert time.monotonic() < limit, "the filling does not end"
        time.sleep(0.005)


def check_definitions(stores: MongoStores, expected: dict[str, bytes], name: str = "School") -> None:
    institution = stores.access.find_institution_named(name)
    assert institution is not None
    store = stores.records.activities(InstitutionHandle(institution.id))
    assert expected
    for activity, text in expected.items():
        kept = store.find_definition(activity)
        assert kept is not None
        assert json.loads(kept) == json.loads(text)


def test_definitions_given_before_are_merged_beneath_those_given_since(
    mock: Engine, monkeypatch: Any
) -> None:
    load(mock)
    go_on = threading.Event()
    do_piece = Filler._do_piece

    def slowly(filler: Filler) -> bool:
        assert go_on.wait(30)
        return do_piece(filler)

    monkeypatch.setattr(Filler, "_do_piece", slowly)
    monkeypatch.setattr(Filler.__init__, "__defaults__", (7,))
    stores = mock.open()
    expected = expected_definitions(stores, "School")
    activity = max(expected)
    later = b'{"name": {"en": "The latest"}, "extensions": {"http://x.example/": 1}}'
    school = stores.access.find_institution_named("School")
    assert school is not None
    given = replace(make_statement("new"), definitions=(ActivityDefinition(activity, later),))
    add(stores.records.statements(InstitutionHandle(school.id)), given)
    expected[activity] = merge_definitions(expected[activity], later)
    go_on.set()
    wait_until_filled(stores)
    check_definitions(stores, expected)
    check_definitions(stores, expected_definitions(stores, "Museum"), "Museum")


def test_filling_goes_on_in_the_next_process_and_is_shared_by_several(mock: Engine, monkeypatch: Any) -> None:
    load(mock)
    do_piece = Filler._do_piece
    monkeypatch.setattr(Filler.__init__, "__defaults__", (7,))
    with monkeypatch.context() as broken:
        broken.setattr(Filler, "_loop", lambda filler: [do_piece(filler) for _ in range(3)])
        mock.open().close()
    stores = mock.open()
    note = stores._collections.meta.find_one({"_id": {"$regex": "^fill:"}})
    assert note is not None, "all was done in three pieces"
    others = [mock.open() for _ in range(3)]
    wait_until_filled(stores)
    for one in (stores, *others):
        check_definitions(one, expected_definitions(stores, "School"))


@pytest.mark.parametrize("filling_first", [True, False])
def test_no_definition_is_lost_when_a_statement_and_a_piece_meet_at_one_activity(
    filling_first: bool, mock: Engine, monkeypatch: Any
) -> None:
    stores = mock.open()
    all_, one = stores._collections, InstitutionId("school0001")
    store = stores.records.statements(InstitutionHandle(one))
    quiz = "http://a.example/quiz"

    def give(name: str, text: bytes) -> None:
        add(store, replace(make_statement(name), definitions=(ActivityDefinition(quiz, text),)))

    give("first", b'{"name": {"en": "Quiz"}}')

    def fill() -> None:
        merge_beneath(all_, one, stores.records.codec, {quiz: [b'{"name": {"en": "Old", "fr": "Essai"}}']})

    acts = [fill, lambda: give("second", b'{"name": {"de": "Probe"}}')]
    outer, *inner = acts if filling_first else reversed(acts)
    replace_one = all_.activities.replace_one

    def overtaken(*args: Any, **rest: Any) -> Any:
        if inner:
            inner.pop()()
        return replace_one(*args, **rest)

    monkeypatch.setattr(all_.activities, "replace_one", overtaken)
    outer()
    kept = stores.records.activities(InstitutionHandle(one)).find_definition(quiz)
    assert kept is not None
    assert json.loads(kept) == {"name": {"en": "Quiz", "de": "Probe", "fr": "Essai"}}
