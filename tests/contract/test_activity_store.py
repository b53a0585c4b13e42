"""What every engine promises about activity definitions (PreparedStatement.definitions and ActivityStore)."""

import json
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from lrs.errors import StatementConflict
from lrs.stores import Stores
from lrs.stores.definitions import LARGEST_MERGED_BYTES, merge_all
from lrs.xapi.ports import Batch, BatchOutcome, Position, PreparedStatement
from lrs.xapi.ports.activities import ActivityDefinition
from tests.contract.builders import MUSEUM, SCHOOL, log, make_statement, sid, verb
from tests.engines import Engine

QUIZ, ESSAY = "http://activities.example/quiz", "http://activities.example/essay"


@pytest.fixture
def stores(engine: Engine) -> Stores:
    return engine.open()


def gives(name: object, *definitions: tuple[str, Any], content: str = "") -> PreparedStatement:
    given = tuple(ActivityDefinition(activity, json.dumps(one).encode()) for activity, one in definitions)
    return replace(make_statement(name, verb(), content=content), definitions=given)


def add(stores: Stores, *statements: PreparedStatement, handle=SCHOOL) -> BatchOutcome:
    return stores.records.statements(handle).add_statements(Batch(statements, "key"))


def definition(stores: Stores, activity: str = QUIZ, handle=SCHOOL) -> Any:
    text = stores.records.activities(handle).find_definition(activity)
    return None if text is None else json.loads(text)


def named(**names: str) -> dict[str, Any]:
    return {"name": names}


def test_nothing_is_found_when_no_definition_was_given(stores):
    assert definition(stores) is None
    add(stores, gives("a"))
    assert definition(stores) is None


def test_definition_is_found_when_a_statement_gave_it(engine, stores):
    given = {
        "type": "http://types.example/quiz",
        **named(en="Quiz"),
        "extensions": {"http://e.example/a.$b": 1},
    }
    add(stores, gives("a", (QUIZ, given)))
    assert definition(stores) == given
    assert definition(engine.open()) == given
    assert definition(stores, QUIZ + "/2") is None


def test_languages_are_gathered_and_the_later_word_wins_when_statements_differ(stores):
    add(stores, gives("a", (QUIZ, named(en="Quiz", ca="Qüestionari"))))
    add(stores, gives("b", (QUIZ, {**named(es="Cuestionario 🙂", en="Test"), "type": "http://t.example/1"})))
    assert definition(stores) == {
        **named(en="Test", ca="Qüestionari", es="Cuestionario 🙂"),
        "type": "http://t.example/1",
    }


def test_numbers_stay_as_written(stores):
    text = b'{"extensions":{"http://e.example/n":123456789012345678901234567890.10}}'
    statement = replace(make_statement("a"), definitions=(ActivityDefinition(QUIZ, text),))
    add(stores, statement, gives("b", (QUIZ, named(en="Quiz"))))
    assert b"123456789012345678901234567890.10" in stores.records.activities(SCHOOL).find_definition(QUIZ)


def test_order_is_that_of_the_statements_when_one_batch_gives_several(stores):
    add(
        stores,
        gives("a", (QUIZ, named(en="1")), (ESSAY, named(en="essay")), (QUIZ, named(en="2", es="2"))),
        gives("b", (QUIZ, named(en="3"))),
    )
    assert definition(stores) == named(en="3", es="2")
    assert definition(stores, ESSAY) == named(en="essay")


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in a batch each"])
def test_older_words_win_again_when_they_are_given_again(stores, together):
    words = ["A", "B", "A", "B", "B", "A"]
    statements = [gives(number, (QUIZ, named(en=word))) for number, word in enumerate(words)]
    batches = [statements] if together else [[one] for one in statements]
    for batch in batches:
        add(stores, *batch)
    assert definition(stores) == named(en="A")


def test_statement_that_was_already_there_does_not_merge_again(stores):
    add(stores, gives("a", (QUIZ, named(en="old"))))
    add(stores, gives("b", (QUIZ, named(en="new"))))
    assert add(stores, gives("a", (QUIZ, named(en="old")))) == BatchOutcome((), (0,))
    assert add(stores, gives("a", (QUIZ, named(en="old"))), gives("c")) == BatchOutcome((1,), (0,))
    assert definition(stores) == named(en="new")


def test_refused_batch_merges_nothing(stores):
    add(stores, gives("a", (QUIZ, named(en="kept"))))
    with pytest.raises(StatementConflict):
        add(stores, gives("b", (QUIZ, named(en="lost"))), gives("a", content="other"))
    assert definition(stores) == named(en="kept")
    add(stores, gives("b", (QUIZ, named(en="lost"))))
    assert definition(stores) == named(en="lost")


def test_institutions_are_apart_when_they_name_the_same_activity(stores):
    add(stores, gives("a", (QUIZ, named(en="school"))))
    assert definition(stores, handle=MUSEUM) is None
    add(stores, gives("a", (QUIZ, named(es="museo"))), handle=MUSEUM)
    add(stores, gives("b", (QUIZ, named(en="school"))))
    assert definition(stores) == named(en="school")
    assert definition(stores, handle=MUSEUM) == named(es="museo")


@pytest.mark.parametrize("activity", ["", "http://a.example/" + "long/" * 2000, "tag:ü \u0000 $.\U0001f600"])
def test_activity_is_found_whatever_its_name(stores, activity):
    add(stores, gives("a", (activity, named(en="one"))), gives("b", (activity, named(es="uno"))))
    assert definition(stores, activity) == named(en="one", es="uno")


def test_definition_is_left_out_when_the_merged_one_would_grow_beyond_bounds(stores):
    half = "x" * (LARGEST_MERGED_BYTES // 2)
    add(stores, gives("a", (QUIZ, {"extensions": {"http://e.example/1": half}})))
    add(stores, gives("b", (QUIZ, {"extensions": {"http://e.example/2": half}})))
    add(stores, gives("c", (QUIZ, named(en="still"))), gives("d", (ESSAY, {"more": half * 3})))
    assert definition(stores) == {"extensions": {"http://e.example/1": half}, **named(en="still")}
    assert definition(stores, ESSAY) is None
    assert len(log(stores.records.statements(SCHOOL))) == 4


@pytest.mark.lasting
def test_every_word_is_merged_when_a_batch_gives_very_many_for_a_long_definition(stores):
    long = {f"http://e.example/{n}": "x" * 30 for n in range(900)}
    add(stores, gives("a", (QUIZ, {"extensions": long})))
    add(stores, *[gives(n, (QUIZ, {"extensions": {"http://e.example/n": n}})) for n in range(1024)])
    assert definition(stores) == {"extensions": {**long, "http://e.example/n": 1023}}


def test_later_word_wins_when_two_opened_stores_take_turns(engine):
    """What one of them remembers must not outlive what the other writes."""
    first, second = engine.open(), engine.open()
    turns = [
        (first, "A"),
        (second, "A"),
        (second, "B"),
        (first, "A"),
        (second, "B"),
        (second, "B"),
        (first, "A"),
    ]
    for number, (stores, word) in enumerate(turns):
        add(stores, gives(number, (QUIZ, named(en=word)), (ESSAY, named(**{f"x-{number}": word}))))
        assert definition(first) == definition(second) == named(en=word)
    assert definition(first, ESSAY) == named(**{f"x-{n}": word for n, (_, word) in enumerate(turns)})


def expected(engine: Engine, given: dict[str, dict[str, list[bytes]]]) -> dict[str, Any]:
    """Merge by hand, in the order of the log."""
    merged: dict[str, bytes | None] = {}
    for one in log(engine.open().records.statements(SCHOOL)):
        for activity, texts in given[one.id].items():
            merged[activity] = merge_all(merged.get(activity), texts)
    return {activity: json.loads(text) for activity, text in merged.items() if text is not None}


def by_activity(statements: Iterable[PreparedStatement]) -> dict[str, dict[str, list[bytes]]]:
    given: dict[str, dict[str, list[bytes]]] = {}
    for statement in statements:
        mine = given[statement.id] = {}
        for one in statement.definitions:
            mine.setdefault(one.activity, []).append(one.definition)
    return given


def random_statement(rng: random.Random, name: str) -> PreparedStatement:
    """Few activities, few words: most definitions were met before, many contradict each other."""
    chosen = [rng.choice("abcdef") for _ in range(rng.randrange(4))]
    return gives(name, *[(one, named(**{rng.choice(["en", "es"]): rng.choice("12")})) for one in chosen])


def test_merged_definitions_are_those_of_the_logs_order_when_stores_are_used_in_turn(engine):
    rng = random.Random(5)
    opened = [engine.open() for _ in range(3)]
    made = []
    for number in range(60):
        batch = [random_statement(rng, f"{number}.{n}") for n in range(rng.randrange(1, 5))]
        again = rng.sample(made, min(len(made), rng.randrange(2)))
        add(rng.choice(opened), *batch, *again)
        made += batch
    wanted = expected(engine, by_activity(made))
    assert {one: definition(opened[0], one) for one in wanted} == wanted
    assert len(wanted) == 6


def test_merged_definitions_are_those_of_the_logs_order_when_eight_threads_write(engine):
    opened = [engine.open() for _ in range(2)]
    made: list[PreparedStatement] = []

    def post(number: int) -> None:
        rng = random.Random(number)
        for turn in range(8):
            batch = [random_statement(rng, f"{number}.{turn}.{n}") for n in range(3)]
            made.extend(batch)
            add(opened[number % 2], *batch)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(post, range(8)))
    wanted = expected(engine, by_activity(made))
    assert {one: definition(opened[1], one) for one in wanted} == wanted


def test_definition_is_there_when_its_statement_is(engine):
    first, second = engine.open(), engine.open()
    for number in range(20):
        add(first, gives(number, (f"{QUIZ}/{number}", named(en=str(number)))))
        page = second.records.statements(SCHOOL).read_log(Position(0), 100)
        assert page.statements[-1].id == sid(number)
        assert definition(second, f"{QUIZ}/{number}") == named(en=str(number))
