"""Definitions that are too much for one transaction: merged in pieces behind it, in the order of the log."""

import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lrs.access.model import Scope
from lrs.errors import StoreUnavailable
from lrs.stores.sqlite import activities, defining, statements
from lrs.stores.sqlite.defining import LeftDefinitions
from lrs.xapi.definitions import merge_definitions
from tests.engines import Engine, sqlite_engine
from tests.http.conftest import Instance, make_instance

Definition = dict[str, Any]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """One whose transactions merge little: three definitions, or a few more short ones."""
    monkeypatch.setattr(activities, "_PART", 3)
    monkeypatch.setattr(defining, "MOST_BYTES", 300)
    monkeypatch.setattr(defining, "_STATEMENTS", 4)
    made = sqlite_engine(tmp_path)
    yield made
    made.close()


def activity(number: int) -> str:
    return f"http://a.example/{number}"


def defined(number: int, word: str, language: str = "en") -> Definition:
    return {"id": activity(number), "definition": {"name": {language: f"{word} {'x' * 100}"}}}


def statement(*given: Definition) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://example.org/verbs/tried"},
        "object": given[0],
    }
    if given[1:]:
        made["context"] = {"contextActivities": {"other": list(given[1:])}}
    return made


def name_of(instance: Instance, key: dict[str, str], number: int) -> dict[str, str]:
    answer = instance.client.get(
        "/xapi/activities", query_string={"activityId": activity(number)}, headers=key
    )
    found: dict[str, str] = answer.get_json().get("definition", {}).get("name", {})
    return {language: word.split()[0] for language, word in found.items()}


def notes(instance: Instance) -> list[Any]:
    database = instance.services.stores.readers.get()  # type: ignore[attr-defined]
    return list(database.execute("SELECT name, value FROM meta WHERE name GLOB 'define:*'").fetchall())


def take_up(instance: Instance) -> None:
    """Do at once what whoever maintains the store does when a note has not moved for long."""
    stores: Any = instance.services.stores
    LeftDefinitions(stores.writer, stores.records.place, 0).look(stores.readers.get())


def break_off(instance: Instance, key: dict[str, str], monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    """Post, and be stopped when the statements are there and nothing more is done."""

    def die(*_: object) -> None:
        raise StoreUnavailable("Killed.")

    with monkeypatch.context() as patch:
        patch.setattr(statements, "finish_definitions", die)
        assert instance.post(body, key).status_code == 500


def test_later_words_win_whatever_a_transaction_holds(engine: Engine) -> None:
    instance = make_instance(engine)
    key = instance.key()
    draw = random.Random(7)
    expected: dict[int, bytes] = {}
    for _ in range(6):
        batch = []
        for _ in range(draw.randint(1, 9)):
            given = [
                defined(draw.randrange(5), f"w{draw.randrange(1000)}", draw.choice(["en", "de"]))
                for _ in range(draw.randint(1, 8))
            ]
            batch.append(statement(*given))
            for one in given:
                number = int(one["id"].rpartition("/")[2])
                text = instance.app.json.dumps(one["definition"]).encode()
                expected[number] = merge_definitions(expected[number], text) if number in expected else text
        assert instance.post(batch, key).status_code == 200
        assert notes(instance) == []
        for number, text in expected.items():
            words = instance.app.json.loads(text)["name"]
            assert name_of(instance, key, number) == {lang: word.split()[0] for lang, word in words.items()}


def test_one_transaction_merges_no_more_than_its_share(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = make_instance(engine)
    key = instance.key()
    merged: list[int] = []
    plain = activities.Definitions.merge

    def count(self: Any, *args: Any) -> int:
        merged.append(plain(self, *args))
        return merged[-1]

    monkeypatch.setattr(activities.Definitions, "merge", count)
    assert instance.post([statement(defined(n, "word")) for n in range(20)], key).status_code == 200
    assert sum(merged) == 20
    assert max(merged) == 3
    assert all(name_of(instance, key, n) == {"en": "word"} for n in range(20))


def test_one_statement_may_be_merged_in_several_transactions(engine: Engine) -> None:
    instance = make_instance(engine)
    key = instance.key()
    given = [defined(number % 7, f"w{number}") for number in range(25)]
    assert (
        instance.post([statement(*given[:2]), statement(*given[2:]), statement(given[0])], key).status_code
        == 200
    )
    wanted = {number % 7: f"w{number}" for number in range(25)} | {0: "w0"}
    assert {n: name_of(instance, key, n)["en"] for n in range(7)} == wanted
    assert notes(instance) == []


def test_what_was_left_is_merged_before_what_came_later_when_a_process_dies(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying, other = make_instance(engine), make_instance(engine)
    key = dying.key()
    break_off(
        dying, key, monkeypatch, [statement(defined(n, "old"), defined(n + 100, "old")) for n in range(9)]
    )
    assert len(notes(other)) == 1
    assert name_of(other, key, 0) == {"en": "old"}
    assert name_of(other, key, 8) == {}
    assert other.post(statement(defined(8, "new"), defined(200, "new")), key).status_code == 200
    assert other.post(statement(defined(0, "new")), key).status_code == 200
    assert len(notes(other)) == 1
    take_up(other)
    assert notes(other) == []
    words = {n: name_of(other, key, n)["en"] for n in (0, 1, 8, 100, 108, 200)}
    assert words == {0: "new", 1: "old", 8: "new", 100: "old", 108: "old", 200: "new"}


def test_who_may_not_define_defines_nothing_in_what_was_left_either(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = make_instance(engine)
    key, narrow = instance.key(), instance.key("School", Scope.STATEMENTS_WRITE)
    break_off(instance, key, monkeypatch, [statement(defined(n, "told")) for n in range(9)])
    assert (
        instance.post(
            [statement(defined(8, "sneaked")), statement(defined(9, "sneaked"))], narrow
        ).status_code
        == 200
    )
    take_up(instance)
    assert [name_of(instance, key, n) for n in (0, 8, 9)] == [{"en": "told"}, {"en": "told"}, {}]


def test_nothing_is_left_of_an_institution_that_is_gone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = make_instance(engine)
    key = instance.key()
    break_off(instance, key, monkeypatch, [statement(defined(n, "told")) for n in range(9)])
    handle = instance.access.handle_for_institution_named("School")
    instance.services.stores.drop_institution(handle)
    take_up(instance)
    stores: Any = instance.services.stores
    assert stores.readers.get().execute("SELECT count(*) FROM activities").fetchall() == [(0,)]
    assert notes(instance) == []


def test_institutions_leave_definitions_apart(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(engine)
    school, museum = instance.key("School"), instance.key("Museum")
    break_off(instance, school, monkeypatch, [statement(defined(n, "school")) for n in range(9)])
    assert instance.post([statement(defined(n, "museum")) for n in range(9)], museum).status_code == 200
    assert name_of(instance, museum, 8) == {"en": "museum"}
    assert name_of(instance, school, 8) == {}
    take_up(instance)
    assert name_of(instance, school, 8) == {"en": "school"}


def test_a_statement_that_cannot_be_read_holds_nothing_up(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    instance = make_instance(engine)
    key = instance.key()
    break_off(instance, key, monkeypatch, [statement(defined(n, "told")) for n in range(9)])
    stores: Any = instance.services.stores
    damage = "UPDATE stmt SET body = x'00' WHERE seq = (SELECT max(seq) - 1 FROM stmt)"
    stores.writer.run(lambda write: write.database.execute(damage))
    take_up(instance)
    assert notes(instance) == []
    assert [name_of(instance, key, n) for n in (6, 7, 8)] == [{"en": "told"}, {}, {"en": "told"}]
    assert "passed over" in caplog.text


def test_a_dump_has_what_was_left(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(engine)
    key = instance.key()
    break_off(instance, key, monkeypatch, [statement(defined(n, "told")) for n in range(9)])
    handle = instance.access.handle_for_institution_named("School")
    with instance.services.stores.open_dump() as dump:
        dumped = {one.activity for one in dump.iter_definitions(handle.institution_id)}
    assert dumped == {activity(n) for n in range(9)}
