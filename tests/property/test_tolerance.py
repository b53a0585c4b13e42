"""Mending, whatever is sent: valid statements stay, broken ones fail no further, twice is once."""

import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from lrs.access.model import Tolerance
from lrs.xapi.reader import RawStatement
from lrs.xapi.tolerance import correct_statement
from lrs.xapi.versions import Version
from tests.strategies import statements

EVERY = frozenset(Tolerance)
NAMES = st.sampled_from(
    [
        *("mbox", "timestamp", "language", "display", "name", "description", "score", "scaled", "raw"),
        *("max", "success", "duration", "actor", "member", "extensions", "result", "context", "en_US", "x"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "true", "1.5", "P5.5S", "a@b.org", "2026-11-21 09:30", "en_GB", "é/~"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


def mend(value: Any, names: frozenset[Tolerance], version: Version) -> RawStatement:
    text = json.dumps(value).encode()
    raw = RawStatement(text, orjson.loads(text))
    return correct_statement(raw, names, version)[0]


@given(st.data(), st.sampled_from(Version))
def test_a_valid_statement_stays_when_everything_is_tolerated(data: st.DataObject, version: Version) -> None:
    assert mend(data.draw(statements(version)), EVERY, version).sent is None


@given(st.dictionaries(NAMES, VALUES), st.frozensets(st.sampled_from(Tolerance)), st.sampled_from(Version))
def test_mending_never_fails_and_twice_is_once(
    value: Any, names: frozenset[Tolerance], version: Version
) -> None:
    once = mend(value, names, version)
    assert orjson.loads(once.raw) == once.value
    assert mend(once.value, names, version).sent is None
