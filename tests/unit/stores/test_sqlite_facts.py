"""Facts behind a body come back, and tell exactly whether a filter is met."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.errors import CorruptRecord
from lrs.stores.sqlite.facts import Content, FilterCheck, decode_facts, encode_facts, split
from lrs.xapi.ports import Fact, FactKind, Filter

BODY = (
    b'{"actor":{"mbox":"mailto:ann@example.org","account":{"homePage":"https://h.example","name":"a b"}},'
    b'"verb":{"id":"http://verb"},"object":{"id":"http://verb/x"}}'
)
values = st.one_of(
    st.sampled_from(
        [
            "http://verb",
            "http://verb/x",
            "mbox mailto:ann@example.org",
            "mbox mailto:bob@example.org",
            "account https://h.example a b",
            "account https://h.example a",
            "account https://h.example",
            "openid http://verb",
            "mbox_sha1sum http",
            "mbox ",
            "",
            "x" * 600,
            "\ud800",
        ]
    ),
    st.text(),
)
facts = st.lists(
    st.builds(Fact, st.sampled_from(FactKind), values, st.booleans()), max_size=12, unique_by=lambda f: f[:2]
)


def kept(body: bytes, given_facts: list[Fact]) -> Content:
    rest, words, literals = split(b"compressed" + encode_facts(body, given_facts))
    assert rest == b"compressed"
    return Content(body, words, literals)


@settings(max_examples=40, deadline=None)
@given(facts, st.one_of(st.just(BODY), st.just(b" " * 16_380 + BODY), st.binary()))
def test_facts_come_back_whatever_the_body(given_facts, body):
    assert set(decode_facts(kept(body, given_facts))) == set(given_facts)


@settings(deadline=None)
@given(facts, st.sampled_from(FactKind), values, st.booleans())
def test_filter_holds_exactly_when_a_fact_meets_it(given_facts, kind, value, related):
    expected = any((f.kind, f.value) == (kind, value) and (f.primary or related) for f in given_facts)
    assert FilterCheck(Filter(kind, value, related)).holds(kept(BODY, given_facts)) is expected


def test_fact_of_a_value_in_the_body_takes_four_bytes():
    empty = len(encode_facts(BODY, []))
    assert len(encode_facts(BODY, [Fact(FactKind.VERB, "http://verb")])) == empty + 4
    assert len(encode_facts(BODY, [Fact(FactKind.AGENT, "mbox mailto:ann@example.org")])) == empty + 4
    assert len(encode_facts(BODY, [Fact(FactKind.AGENT, "account https://h.example a b")])) == empty + 8


@pytest.mark.parametrize("size", [0, 3, 8])
def test_blob_that_is_cut_short_is_a_corrupt_record(size):
    blob = encode_facts(BODY, [Fact(FactKind.CLIENT, "client"), Fact(FactKind.VERB, "http://verb")])
    with pytest.raises(CorruptRecord):
        split(blob[-size:] if size else b"")
