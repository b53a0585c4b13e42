"""An institution is taken away whole: nothing of it is left, and nothing of another is touched."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.model import Session, SignIn
from lrs.errors import NotFound
from lrs.stores import Stores
from lrs.streams.model import Delivery, DestinationId
from lrs.tables.recorded import COMMONS, Note, Wish
from lrs.xapi.arrivals import IMPORT
from lrs.xapi.ports import Position, StatementQuery
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.documents import DocumentContent, DocumentKey, DocumentKind, DocumentSet
from tests.contract import test_stream_store as streams
from tests.contract.backup.making import back_up, content_of, restore
from tests.contract.builders import AGENT, MUSEUM, SCHOOL, add, agent, by, find, log, make_statement, voiding
from tests.contract.recorded.writing import entries, put
from tests.contract.test_check import faults
from tests.engines import Engine, sqlite_engine
from tests.factories import make_activity, make_statement_id
from tests.http.conftest import Instance, make_instance
from tests.worlds import INK, World, answers, fill

KINDS = ("roster.person", "link", "source.place")


@pytest.fixture
def instance(engine: Engine) -> Instance:
    return make_instance(engine)


def handle_of(instance: Instance, name: str) -> InstitutionHandle:
    return instance.access.handle_for_institution_named(name)


def left_of(stores: Stores, handle: InstitutionHandle, world: World) -> dict[str, Any]:
    """Everything that the ports give of an institution, but for what is empty."""
    records, one = stores.records, handle.institution_id
    store, documents = records.statements(handle), records.documents(handle)
    tables, arrivals = stores.recorded(handle), records.arrivals(handle)
    activity = make_activity(1)["id"]
    sources = [*world.sources["School"], IMPORT]
    found: dict[str, Any] = {
        "count": store.count_statements(),
        "log": store.read_log(Position(0), 99).statements,
        "page": store.query_statements(StatementQuery(limit=50)).statements,
        "ids": [n for n in world.ids if store.find_statement(make_statement_id(n))],  # type: ignore[arg-type]
        "history": store.read_history(Position(0), 99).entries,
        "entries": tables.read_entries(0, 99),
        "receipts": [r for source in sources for r in arrivals.list_receipts(source, 99)],
        "refusals": [r for source in sources for r in arrivals.list_refusals(source, 99)],
        "attachments": records.attachments(handle).find_attachments([hashlib.sha256(INK).hexdigest()]),
        "definition": records.activities(handle).find_definition(activity),
        "profiles": documents.list_documents(DocumentSet(DocumentKind.ACTIVITY_PROFILE, activity), None).ids,
        "institution": stores.access.find_institution(one),
        "clients": stores.access.list_clients(one),
        "keys": stores.access.list_keys(one),
        "issuers": stores.access.list_issuers(one),
        "destinations": stores.streams.list_destinations(handle),
        "recorded": [one for kind in KINDS for one in (*tables.list(kind), *tables.find_by(kind, "t1"))],
    }
    return {name: value for name, value in found.items() if value}


def add_destination(stores: Stores, handle: InstitutionHandle, name: str) -> DestinationId:
    """With a dead letter."""
    one = DestinationId(name)
    destination = replace(streams.FORWARD, id=one, institution_id=handle.institution_id)
    stores.streams.add_destination(handle, destination, Delivery(one, 0))
    delivery = stores.streams.begin_delivery(one, 1)
    assert delivery is not None
    assert stores.streams.save_delivery(delivery, replace(streams.letter(1), destination_id=one))
    return one


def filled(instance: Instance) -> World:
    world = fill(instance)
    stores = instance.services.stores
    for name in ("School", "Museum"):
        add_destination(stores, handle_of(instance, name), f"dest-{name}")
        one, now = handle_of(instance, name).institution_id, instance.clock()
        stores.access.add_sign_in(SignIn(b"l" * 31 + name[:1].encode(), one, "provider", now, now + 10**12))
        stores.access.add_session(Session(b"s" * 31 + name[:1].encode(), one, "provider", now, now + 10**12))
    return world


def of_others(found: dict[str, Any]) -> dict[str, Any]:
    """What is answered about the museum, and about the commons."""
    kept = {asked: one for asked, one in found.items() if "useum" in asked or "commons" in asked}
    assert len(kept) > 100
    return kept


def test_nothing_is_left_of_an_institution_when_it_was_dropped(instance):
    world, stores = filled(instance), instance.services.stores
    school = handle_of(instance, "School")
    before = left_of(stores, school, world)
    assert len(before) == 17, "something was not filled"
    stores.drop_institution(school)
    assert left_of(stores, school, world) == {}
    assert stores.streams.find_delivery(DestinationId("dest-School")) is None
    assert list(stores.streams.list_letters(DestinationId("dest-School"), 9)) == []
    now = instance.clock()
    assert stores.access.take_sign_in(b"l" * 31 + b"S", now) is None
    assert stores.access.find_session(b"s" * 31 + b"S", now) is None
    assert stores.access.find_institution_named("School") is None
    for who in ("school", "quiz"):
        assert instance.get(world.keys[who]).status_code == 401
    assert faults(stores) == []


def test_neighbours_are_untouched_when_an_institution_was_dropped(instance):
    world, stores = filled(instance), instance.services.stores
    before = of_others(answers(instance, world))
    letters = list(stores.streams.list_letters(DestinationId("dest-Museum"), 9))
    assert letters
    stores.drop_institution(handle_of(instance, "School"))
    world.sources.pop("School")
    assert of_others(answers(instance, world)) == before
    assert list(stores.streams.list_letters(DestinationId("dest-Museum"), 9)) == letters
    assert stores.access.find_session(b"s" * 31 + b"M", instance.clock()) is not None
    assert [one.name for one in stores.access.list_institutions()] == ["Empty school", "Museum"]


def test_institution_of_the_same_name_starts_empty(engine, instance):
    world, stores = filled(instance), instance.services.stores
    school = handle_of(instance, "School")
    stores.drop_institution(school)
    key = instance.key("School")
    again = handle_of(instance, "School")
    assert again != school
    assert set(left_of(stores, again, world)) == {"institution", "clients", "keys"}
    assert instance.get(key).json["statements"] == []
    body = {**make_body(7), "id": make_statement_id(3)}
    assert instance.post(body, key).status_code == 200
    assert [one["id"] for one in instance.get(key).json["statements"]] == [make_statement_id(3)]
    other = engine.open()
    assert [one.id for one in log(other.records.statements(again))] == [make_statement_id(3)]
    assert faults(stores) == []


def make_body(n: int) -> dict[str, Any]:
    return {
        "id": make_statement_id(n),
        "actor": {"mbox": f"mailto:learner{n}@school.example"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": make_activity(1),
    }


def test_dropping_twice_and_dropping_what_is_unknown_changes_nothing(instance):
    world, stores = filled(instance), instance.services.stores
    stores.drop_institution(handle_of(instance, "Museum"))
    before = content_of(back_up(stores))
    stores.drop_institution(InstitutionHandle(InstitutionId("never00001")))
    stores.drop_institution(InstitutionHandle(InstitutionId("never00001")))
    found = [one.id for one in stores.access.list_institutions()]
    museum = next(key for key in world.sources["Museum"])
    assert stores.access.find_credential(museum) is None
    assert content_of(back_up(stores)) == before
    for one in found:
        for _ in range(2):
            stores.drop_institution(InstitutionHandle(one))
    assert list(stores.access.list_institutions()) == []
    assert stores.recorded(COMMONS).count("roster.person") == 3
    assert faults(stores) == []


def test_commons_is_never_dropped(engine):
    stores = engine.open()
    put(stores.recorded(COMMONS), "ada", {"n": 1})
    with pytest.raises(NotFound):
        stores.drop_institution(COMMONS)
    assert stores.recorded(COMMONS).count("roster.person") == 1


Write = Callable[[Stores], object]

WRITES: dict[str, Write] = {
    "a statement": lambda stores: add(stores.records.statements(SCHOOL), make_statement("late")),
    "a voiding": lambda stores: add(stores.records.statements(SCHOOL), voiding("late v", of="a")),
    "a document": lambda stores: stores.records.documents(SCHOOL).change_document(
        DocumentKey(DocumentKind.STATE, "late", "http://a.example", "agent"),
        lambda _: DocumentContent("text/plain", b"x"),
    ),
    "a value": lambda stores: put(stores.recorded(SCHOOL), "late", {"n": 1}),
    "many values": lambda stores: stores.recorded(SCHOOL).change_all("late", [("x", Wish({}))], 1),
    "a note": lambda stores: stores.recorded(SCHOOL).note("late", [Note("x", {})], 1),
    "a destination": lambda stores: stores.streams.add_destination(
        SCHOOL, streams.FORWARD, Delivery(streams.ID, 0)
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_nothing_is_written_through_a_handle_from_before_the_drop(write: Write, engine: Engine) -> None:
    opened = [engine.open(), engine.open()]
    for stores in opened:
        add(stores.records.statements(SCHOOL), make_statement("a"))
        put(stores.recorded(SCHOOL), "ada", {"n": 1})
    opened[0].drop_institution(SCHOOL)
    for stores in (*opened, engine.open()):
        with pytest.raises(NotFound):
            write(stores)
        assert log(stores.records.statements(SCHOOL)) == []
        assert entries(stores.recorded(SCHOOL)) == []
        assert list(stores.streams.list_all()) == []
    assert faults(opened[0]) == []


def chain(name: str, length: int) -> list[Any]:
    """Statements that refer to one another, which inherit; the last one to the first: a cycle."""
    ends = [*range(1, length), 0]
    return [
        make_statement((name, n), agent(f"{name} {n}"), agent("everyone"), target=(name, ends[n]))
        for n in range(length)
    ]


@pytest.mark.lasting
def test_search_finds_others_and_only_them_when_many_statements_were_dropped(engine):
    stores = engine.open()
    school, museum = stores.records.statements(SCHOOL), stores.records.statements(MUSEUM)
    definition = (ActivityDefinition("http://a.example/1", b'{"name":{"en":"x"}}'),)
    for n in range(30):
        add(school, *chain(f"s{n}", 12), replace(make_statement(("d", n)), definitions=definition))
        add(museum, *chain(f"m{n}", 3), *([voiding(("v", n), of=(f"m{n}", 0))] if n % 7 == 0 else []))
    before = find(museum, by(AGENT, "everyone"))
    inherited = find(museum, by(AGENT, "m3 1"))
    assert len(inherited) == 3
    positions = [one.position for one in log(museum)]
    stores.drop_institution(SCHOOL)
    assert find(museum, by(AGENT, "everyone")) == before
    assert find(museum, by(AGENT, "m3 1")) == inherited
    assert find(school, by(AGENT, "everyone")) == find(school, by(AGENT, "s3 1")) == []
    assert [one.position for one in log(museum)] == positions
    add(museum, make_statement("after", agent("everyone")))
    assert log(museum)[-1].position > positions[-1]
    assert len(find(museum, by(AGENT, "everyone"))) == len(before) + 1
    assert [one.kind for one in faults(stores)].count("posting") == 0


@pytest.mark.lasting
def test_others_write_on_and_are_followed_while_an_institution_is_dropped(engine):
    stores, other = engine.open(busy_seconds=60), engine.open(busy_seconds=60)
    school = stores.records.statements(SCHOOL)
    for n in range(10):
        add(school, *chain(f"s{n}", 40))
    museum, tables = other.records.statements(MUSEUM), other.recorded(MUSEUM)
    dropped = threading.Event()
    written = []

    def write() -> None:
        while len(written) < 40 or not dropped.is_set():
            n = len(written)
            add(museum, make_statement(("m", n), agent("everyone")))
            put(tables, "ada", {"n": n})
            written.append(n)

    thread = threading.Thread(target=write)
    thread.start()
    stores.drop_institution(SCHOOL)
    dropped.set()
    thread.join()
    assert len(log(museum)) == len(written)
    assert [one.after["n"] for one in entries(tables)] == written
    assert len(find(museum, by(AGENT, "everyone"))) == len(written)
    assert school.count_statements() == 0


def test_backup_holds_nothing_of_what_was_dropped(engine, instance, tmp_path):
    filled(instance)
    stores = instance.services.stores
    school = handle_of(instance, "School")
    stores.drop_institution(school)
    archive = back_up(stores)
    (tmp_path / "restored").mkdir()
    target = sqlite_engine(tmp_path / "restored")
    restore(target, archive)
    again = target.open()
    assert content_of(back_up(again)) == content_of(archive)
    assert not any(school.institution_id in one for one in content_of(archive))
    assert faults(again) == []
    target.close()
