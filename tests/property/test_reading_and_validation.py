"""Laws of reading and validation: strict as an oracle, never crashing, always the same verdict."""

import copy
import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrs.errors import InvalidBody, LrsError
from lrs.xapi.actor import validate_agent
from lrs.xapi.reader import ReadLimits, read_json, read_statements
from lrs.xapi.rules import RULES
from lrs.xapi.scalars import is_duration, parse_timestamp, truncate_duration
from lrs.xapi.statement import validate_batch, validate_statement
from lrs.xapi.versions import Version
from tests.strategies import activities, actors, durations, json_values, statements, timestamps

LIMITS = ReadLimits(max_body_bytes=100_000, max_depth=12, max_statements=50)
VERSIONS = pytest.mark.parametrize("version", list(Version))

# Texts that a careless look takes for names, for brackets, or for the end of a string.
TRICKY = st.lists(
    st.sampled_from(
        ['"', ":", " ", "\\", "{", "}", "[", ",", "a", "b", "é", "\u2028", "\n", "/", "~", '":', '" :']
    ),
    max_size=5,
).map("".join)
SPACE = st.sampled_from(["", "", " ", "\n", "\t \r\n"])


@st.composite
def strings(draw: st.DrawFn) -> str:
    """A JSON string in which any character may be written by its code."""
    text = draw(TRICKY)
    written = []
    for character in text:
        as_code = draw(st.booleans()) or character in '"\\' or character < " "
        short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "/": "\\/"}.get(character)
        code = f"\\u{ord(character):04{draw(st.sampled_from('xX'))}}"
        written.append(short if as_code and short and draw(st.booleans()) else code if as_code else character)
    return '"' + "".join(written) + '"'


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON text with odd spacing, odd escapes and names that may come twice."""
    space = lambda: draw(SPACE)  # noqa: E731
    kind = draw(
        st.sampled_from(["object", "object", "array", "string", "other"] if depth else ["string", "other"])
    )
    if kind == "object":
        pairs = [
            f"{space()}{draw(strings())}{space()}:{space()}{draw(documents(depth - 1))}{space()}"
            for _ in range(draw(st.integers(0, 3)))
        ]
        return "{" + ",".join(pairs) + "}"
    if kind == "array":
        items = [f"{space()}{draw(documents(depth - 1))}{space()}" for _ in range(draw(st.integers(0, 3)))]
        return "[" + ",".join(items) + "]"
    if kind == "string":
        return draw(strings())
    return draw(
        st.sampled_from(
            ["1", "-0.5e3", "true", "null", "18446744073709551616", "NaN", "-Infinity", "1e400", "0"]
        )
    )


class Refused(Exception):
    """The oracle's verdict."""


def oracle(text: str) -> Any:
    """Read with Python's own parser, told to be strict."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in items}) != len(items):
            raise Refused("a name twice")
        return dict(items)

    def constant(name: str) -> Any:
        raise Refused(name)

    def number(written: str) -> float:
        value = float(written)
        if abs(value) == float("inf"):
            raise Refused(written)
        return value

    return json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number)


@given(documents())
@example('{"a":1,"b":"\\u003a","a":2}')
@example('{"a":"\\":","a":"x"}')
@example('{"a" \n:{"b":1},"\\u0061":{"b":1}}')
def test_strict_reader_agrees_with_the_oracle(text: str) -> None:
    try:
        expected = oracle(text)
    except Refused:
        with pytest.raises(InvalidBody) as caught:
            read_json(text.encode(), LIMITS)
        assert caught.value.problems
        return
    assert read_json(text.encode(), LIMITS) == expected


@given(st.lists(documents(depth=2), max_size=4), SPACE)
def test_texts_of_a_batch_are_its_exact_slices(texts: list[str], space: str) -> None:
    body = f"{space}[{space}{f'{space},{space}'.join(texts)}{space}]{space}".encode()
    try:
        read = read_statements(body, LIMITS)
    except InvalidBody:
        with pytest.raises(Refused):
            oracle(body.decode())
        return
    assert [one.raw for one in read.statements] == [text.encode() for text in texts]
    assert [one.value for one in read.statements] == [orjson.loads(text) for text in texts]


@given(json_values())
def test_pointer_of_a_repeated_name_leads_to_it(value: Any) -> None:
    inner = '{"~x/":1,"~x/":2}'
    body = json.dumps([{"a": value, "b": [value, "HERE"]}]).replace('"HERE"', inner)
    with pytest.raises(InvalidBody) as caught:
        read_json(body.encode(), LIMITS)
    assert "/0/b/1/~0x~1" in [problem.path for problem in caught.value.problems]


@given(st.binary(max_size=200) | st.text('{}[]",:\\u0:a 1eN', max_size=60).map(str.encode))
@example(b"\xff")
@example(b"[" * 5000)
def test_random_bytes_raise_nothing_but_our_own_errors(body: bytes) -> None:
    for read in (read_json, read_statements):
        error = refusal(read, body)
        if error is not None:
            assert error.detail
            assert {problem.rule for problem in error.problems} <= set(RULES)


def refusal(read: Callable[[bytes, ReadLimits], object], body: bytes) -> LrsError | None:
    try:
        read(body, LIMITS)
    except LrsError as error:
        return error
    return None


@VERSIONS
@given(data=st.data())
def test_valid_statement_is_found_valid_again_after_reading(version: Version, data: st.DataObject) -> None:
    statement = data.draw(statements(version))
    assert validate_statement(statement, version) == []
    (read,) = read_statements(orjson.dumps(statement), ReadLimits(10_000_000, 64, 1)).statements
    assert validate_statement(read.value, version) == []


@given(statements(Version.V1_0_3))
def test_statement_of_1_0_3_is_valid_in_2_0_too(statement: dict[str, Any]) -> None:
    assert validate_statement(statement, Version.V2_0_0) == []


@given(actors())
def test_actor_is_valid_by_itself(actor: dict[str, Any]) -> None:
    assert validate_agent(actor, Version.V1_0_3, "agent") == []


@given(activities())
def test_activity_is_valid_wherever_one_may_stand(activity: dict[str, Any]) -> None:
    statement = {
        "actor": {"mbox": "mailto:robin@example.org"},
        "verb": {"id": "urn:did"},
        "object": activity,
        "context": {"contextActivities": {"parent": activity, "other": [activity]}},
    }
    assert validate_statement(statement, Version.V1_0_3) == []


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value within a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in [(*path, key), *places(item, (*path, key))]]


@st.composite
def mutated(draw: st.DrawFn, version: Version) -> Any:
    """A statement with one to three places taken out, retyped or renamed."""
    statement = copy.deepcopy(draw(statements(version)))
    for _ in range(draw(st.integers(1, 3))):
        *path, key = draw(st.sampled_from(places(statement) or [("actor",)]))
        parent = statement
        for step in path:
            parent = parent[step]
        kind = draw(st.sampled_from(["delete", "retype", "rename"]))
        if kind == "retype":
            parent[key] = draw(json_values())
        elif kind == "delete":
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from([key.upper(), key + " ", "", "id", "objectType"]))] = parent.pop(key)
    return statement


@VERSIONS
@given(data=st.data())
def test_broken_statement_never_crashes_and_is_always_judged_alike(
    version: Version, data: st.DataObject
) -> None:
    statement = data.draw(mutated(version))
    before = copy.deepcopy(statement)
    first = validate_statement(statement, version, "/0")
    assert validate_statement(copy.deepcopy(statement), version, "/0") == first
    assert statement == before
    assert all(
        problem.path.startswith("/0") and problem.message and problem.rule in RULES for problem in first
    )
    problems, bad = validate_batch([statement, statement], version)
    assert problems[: len(first)] == first[:100]
    assert (0 in bad) == bool(first)


@given(json_values())
def test_any_value_is_judged_and_none_but_objects_with_all_parts_are_good(value: Any) -> None:
    good = validate_statement(value, Version.V2_0_0) == []
    assert not good or {"actor", "verb", "object"} <= set(value)
    validate_agent(value, Version.V1_0_3, "")


@given(durations(), st.text("0123456789.,PTYMWDHS", max_size=10))
def test_cut_duration_is_a_duration_and_cut_already(duration: str, text: str) -> None:
    for candidate in (duration, "P" + text, "PT" + text):
        cut = truncate_duration(candidate)
        assert truncate_duration(cut) == cut
        assert is_duration(cut) == is_duration(candidate)


@given(timestamps())
def test_offset_moves_the_text_and_not_the_moment(text: str) -> None:
    moment = parse_timestamp(text)
    assert moment is not None
    assert parse_timestamp(text.replace("T", "t")) == moment
