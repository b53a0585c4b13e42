"""Merging many definitions at once says what merging them one after the other says, byte for byte."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lrs.stores.definitions import LARGEST_MERGED_BYTES, merge_all
from lrs.xapi.definitions import MergedDefinition, merge_definitions

WORDS = st.sampled_from(["", "a", "b", "ü\u2028", '"\\', "x" * 30])
VALUES = st.recursive(
    st.none() | st.integers() | WORDS, lambda inner: st.dictionaries(WORDS, inner), max_leaves=4
)
NAMES = st.sampled_from(["name", "description", "extensions", "type", "other", "ü"])
WRITERS: list[Callable[[Any], str]] = [
    json.dumps,
    lambda one: json.dumps(one, ensure_ascii=False, separators=(",", ":")),
    lambda one: json.dumps(one, indent=1),
]
DEFINITIONS = st.builds(
    lambda one, write: write(one).encode(),
    st.dictionaries(NAMES, st.dictionaries(WORDS, VALUES) | VALUES, max_size=4) | VALUES,
    st.sampled_from(WRITERS),
)
TEXTS = DEFINITIONS | st.sampled_from(
    [b"", b"{", b'{"name":', b'{"a":1,"a":2}', b'{ "name" : {"en":"\\u0061"} }']
)


def one_by_one(texts: list[bytes], most_bytes: int) -> tuple[bytes | None, list[bool]]:
    """The law: each definition is merged into the text that the ones before it left."""
    before, changes = None, []
    for text in texts:
        try:
            after = text if before is None else merge_definitions(before, text)
        except msgspec.MsgspecError:
            after = before
        if after is not None and len(after) > most_bytes:
            after = before
        changes.append(after != before)
        before = after
    return before, changes


@given(st.lists(TEXTS, max_size=8), st.integers(0, 250), st.integers(0, 8))
def test_merging_at_once_says_what_merging_one_by_one_says(texts, most_bytes, cut):
    merged = MergedDefinition(None, most_bytes)
    changes = [merged.add(text) for text in texts[:cut]]
    # A text may be asked for, or kept and read again, at any place in between.
    merged = MergedDefinition(merged.text(), most_bytes) if cut % 2 else merged
    changes += [merged.add(text) for text in texts[cut:]]
    assert (merged.text(), changes) == one_by_one(texts, most_bytes)


@given(st.lists(TEXTS, max_size=6))
def test_merging_twice_is_merging_once(texts):
    once = merge_all(None, texts)
    if texts and once is not None:
        assert merge_all(merge_all(once, texts[-1:]), texts[-1:]) == merge_all(once, texts[-1:])


def test_what_a_definition_costs_does_not_grow_with_what_it_is_merged_into(monkeypatch):
    """Reading and writing happen once for a batch, however many definitions it gives."""
    written = []
    monkeypatch.setattr(
        "lrs.xapi.definitions._encode", lambda one: written.append(one) or msgspec.json.encode(one)
    )
    long = json.dumps({"extensions": {f"http://e.example/{n}": "x" * 50 for n in range(600)}}).encode()
    assert 30_000 < len(long) <= LARGEST_MERGED_BYTES
    small = [
        json.dumps({"extensions": {"http://e.example/0": n}, "name": {"en": str(n)}}).encode()
        for n in range(1024)
    ]
    merged = merge_all(long, small)
    assert json.loads(merged)["name"] == {"en": "1023"}
    assert sum(len(one) > 100 for one in written if isinstance(one, dict)) <= 3
