"""Facts behind a body come back, and tell exactly whether a filter is met."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.errors import CorruptRecord
from lrs.stores.sqlite.facts import Content, FilterCheck, cut, decode_facts, encode_facts, split
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
            "x" * 127,
            "x" * 128,
            "x" * 511,
            "x" * 600,
            "\ud800",
        ]
    ),
    st.text(),
)
facts = st.lists(
    st.builds(Fact, st.sampled_from(FactKind), values, st.booleans()), max_size=12, unique_by=lambda f: f[:2]
)


bodies = st.one_of(
    st.just(BODY),
    st.just(BODY + b"x" * 600),
    st.builds(lambda before: b" " * before + BODY, st.integers(3_900, 4_100) | st.just(16_380)),
    st.binary(),
)


def blob_of(body: bytes, given_facts: list[Fact]) -> bytes:
    return b"compressed" + encode_facts(body, given_facts)


def kept(body: bytes, given_facts: list[Fact]) -> Content:
    blob = blob_of(body, given_facts)
    rest, words, literals = split(blob)
    assert rest == cut(blob) == b"compressed"
    return Content(body, words, literals)


@settings(max_examples=100, deadline=None)
@given(facts, bodies)
def test_facts_come_back_whatever_the_body(given_facts, body):
    assert set(decode_facts(kept(body, given_facts))) == set(given_facts)


@settings(max_examples=200, deadline=None)
@given(facts, bodies, st.sampled_from(FactKind), values, st.booleans())
def test_filter_holds_exactly_when_a_fact_meets_it(given_facts, body, kind, value, related):
    expected = any((f.kind, f.value) == (kind, value) and (f.primary or related) for f in given_facts)
    check = FilterCheck(Filter(kind, value, related))
    assert check.holds(kept(body, given_facts)) is expected
    assert check.holds_in(body, blob_of(body, given_facts)) is expected


near_misses = st.builds(
    lambda body, flag, others: (body, [Fact(FactKind.VERB, "http://verb", flag), *others]),
    bodies,
    st.booleans(),
    st.lists(st.builds(Fact, st.just(FactKind.ACTIVITY), values, st.booleans()), max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(bodies, facts) | near_misses, min_size=1, max_size=8), st.booleans())
def test_rows_of_a_page_are_told_as_each_alone(rows, related):
    condition = Filter(FactKind.VERB, "http://verb", related)
    blobs = [blob_of(body, given_facts) for body, given_facts in rows]
    assert FilterCheck(condition).hold_in([body for body, _ in rows], blobs) == [
        any(
            (f.kind, f.value) == (FactKind.VERB, "http://verb") and (f.primary or related)
            for f in given_facts
        )
        for _, given_facts in rows
    ]


def test_bytes_like_a_word_elsewhere_in_a_row_do_not_count():
    verb, check = Fact(FactKind.VERB, "http://verb"), FilterCheck(Filter(FactKind.VERB, "http://verb"))
    good = blob_of(BODY, [verb])
    word = good[len(b"compressed") : -2]
    before = word + encode_facts(BODY, [Fact(FactKind.ACTIVITY, "http://verb/x")])
    between = b"".join((b"compressed", b"\0", word, b"\0\0", bytes((0, 0x80 | 2))))
    behind = b"".join((b"compressed", word, bytes((len(word), 0x80))))
    rows = [good, before, between, behind, good]
    assert check.hold_in([BODY] * len(rows), rows) == [True, False, False, False, True]


def test_fact_of_a_value_in_the_body_takes_three_bytes_and_four_in_a_long_one():
    long = b" " * 4_095 + BODY
    for body, word, footer in ((BODY, 3, 2), (BODY + long, 3, 2), (long, 4, 6)):
        verb = Fact(FactKind.VERB, "http://verb")
        assert len(encode_facts(body, [verb])) == word + footer
        mbox = Fact(FactKind.AGENT, "mbox mailto:ann@example.org", primary=False)
        assert len(encode_facts(body, [verb, mbox])) == 2 * word + footer
        account = Fact(FactKind.AGENT, "account https://h.example a b")
        assert len(encode_facts(body, [account])) == 2 * word + footer


def test_more_facts_than_a_narrow_row_holds_come_back():
    body = " ".join(f"v{n:03}" for n in range(200)).encode()
    for count in (127, 128, 200):
        many = [Fact(FactKind.ACTIVITY, f"v{n:03}", n % 2 == 0) for n in range(count)]
        content = kept(body, many)
        assert decode_facts(content) == tuple(many)
        for one in (many[0], many[-1]):
            assert FilterCheck(Filter(one.kind, one.value, related=True)).holds_in(body, blob_of(body, many))
    literals = [Fact(FactKind.ACTIVITY, f"not there {n}" * 5) for n in range(20)]
    assert set(decode_facts(kept(body, literals))) == set(literals)


@pytest.mark.parametrize("before", [0, 5_000])
def test_blob_that_is_cut_short_is_a_corrupt_record(before):
    given_facts = [Fact(FactKind.CLIENT, "client"), Fact(FactKind.VERB, "http://verb")]
    blob = encode_facts(b" " * before + BODY, given_facts)
    for begin in range(1, len(blob)):
        with pytest.raises(CorruptRecord):
            split(blob[begin:])
    with pytest.raises(CorruptRecord):
        cut(b"")
