"""Strict reading of bodies, and the exact text of each statement."""

import json

import orjson
import pytest

from lrs.errors import InvalidBody, TooLarge
from lrs.xapi.reader import RawStatement, ReadLimits, read_json, read_statements

LIMITS = ReadLimits(max_body_bytes=1_000_000, max_depth=8, max_statements=3)


def refusal(body: bytes, limits: ReadLimits = LIMITS) -> InvalidBody:
    with pytest.raises(InvalidBody) as caught:
        read_statements(body, limits)
    with pytest.raises(InvalidBody):
        read_json(body, limits)
    return caught.value


def test_statement_is_kept_to_the_letter_when_whitespace_surrounds_it() -> None:
    text = b'{ "b" :1.50,\n"a":"\\u00e9 \\/" }'
    read = read_statements(b" \r\n\t" + text + b"\n ", LIMITS)
    assert read.statements == [RawStatement(text, {"b": 1.5, "a": "é /"})]
    assert not read.is_batch


def test_batch_is_cut_into_the_exact_texts_when_it_is_an_array() -> None:
    read = read_statements(b' [\n{"a" : [1, 2] } ,{}\t, "no statement" ] ', LIMITS)
    assert read.is_batch
    assert read.statements == [
        RawStatement(b'{"a" : [1, 2] }', {"a": [1, 2]}),
        RawStatement(b"{}", {}),
        RawStatement(b'"no statement"', "no statement"),
    ]


def test_empty_batch_is_no_statements_and_no_error() -> None:
    read = read_statements(b" [ ] ", LIMITS)
    assert read.is_batch
    assert read.statements == []


@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "1" + "0" * 300])
def test_integer_beyond_64_bits_is_read_and_its_text_kept(number: str) -> None:
    (read,) = read_statements(f'[{{"n":{number}}}]'.encode(), LIMITS).statements
    assert read.value == {"n": float(number)}
    assert number.encode() in read.raw


def test_any_json_is_read_when_no_statement_is_asked_for() -> None:
    assert read_json(b'"text"', LIMITS) == "text"
    assert read_json(b" null ", LIMITS) is None
    assert read_json(b'{"a":[1]}', LIMITS) == {"a": [1]}


@pytest.mark.parametrize(
    ("body", "rule", "said"),
    [
        (b"", "body.empty", "empty"),
        (b" \n\t ", "body.empty", "empty"),
        (b"\xef\xbb\xbf{}", "body.byte-order-mark", "byte order mark"),
        (b'{"a":\n"\xff"}', "body.encoding", "line 2, column 2"),
        ('{"é":"'.encode() + b'\xed\xa0\x80"}', "body.encoding", "line 1, column 7"),
        ('{"é":1}'.encode("latin-1"), "body.encoding", "line 1, column 3"),
        ('{"a":1}'.encode("utf-16-le"), "body.syntax", "line 1, column 2"),
        (b'{"a":"\\ud800"}', "body.syntax", "line 1, column 7"),
        (b'{"a":"\\udc00\\ud800"}', "body.syntax", "line 1, column 7"),
        (b'{"a":NaN}', "body.number", "line 1, column 6"),
        (b'[\n {"a":Infinity}]', "body.number", "line 2, column 7"),
        (b'{"a":-Infinity}', "body.number", "line 1, column 7"),
        (b'{"a":[1e400]}', "body.number", "line 1, column 7"),
        (b'{"a":-1e400}', "body.number", "line 1, column 6"),
        (b'{"a":' + b"1" * 400 + b"}", "body.number", "line 1, column 6"),
        (b'{"a":01}', "body.syntax", "line 1, column 6"),
        (b'{"a":+1}', "body.syntax", "line 1, column 6"),
        (b'{"a":.5}', "body.syntax", "line 1, column 6"),
        (b'{"a" 1}', "body.syntax", "line 1, column 6"),
        (b'{\n  "\xc3\xa9": 1,\n  "b" 2\n}', "body.syntax", "line 3, column 7"),
        (b'{"a":1,}', "body.syntax", "line 1, column 7"),
        (b"{'a':1}", "body.syntax", "line 1, column 2"),
        (b'{"a":"\n"}', "body.syntax", "line 1, column 7"),
        (b'{"a":"\\x"}', "body.syntax", "line 1, column 7"),
        (b'{"a":1} {"a":2}', "body.syntax", "line 1, column 9"),
        (b'{"a":1', "body.syntax", "line 1, column 7"),
        (b'{"a', "body.syntax", "line 1, column"),
        (b"{}x", "body.syntax", "line 1, column 3"),
        (b"{} // why", "body.syntax", "line 1, column 4"),
    ],
)
def test_body_is_refused_with_place_and_reason_when_it_is_not_strict_json(
    body: bytes, rule: str, said: str
) -> None:
    (problem,) = refusal(body).problems
    assert problem.rule == rule
    assert said in problem.message
    assert problem.spec.startswith("RFC 8259")


@pytest.mark.parametrize("body", [b'"text"', b"1", b"null", b"true"])
def test_body_is_refused_when_it_is_neither_object_nor_array(body: bytes) -> None:
    with pytest.raises(InvalidBody) as caught:
        read_statements(body, LIMITS)
    assert [problem.rule for problem in caught.value.problems] == ["body.top-level"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"a":1,"a":1}', ["/a"]),
        (b'{"a":1,"b":2,"a":3,"a":4}', ["/a", "/a"]),
        (b'{"a" \n:1,"a"\t:1}', ["/a"]),
        (b'{"a":{"b":[0,{"c":1,"c":2}]}}', ["/a/b/1/c"]),
        (b'[{},{"a":{"x/y~":1,"x/y~":2}}]', ["/1/a/x~1y~0"]),
        (b'{"a":1,"\\u0061":2}', ["/a"]),
        (b'{"\\"a":1,"\\u0022a":2}', ['/"a']),
        (b'{"":1,"":2}', ["/"]),
        (b'{"a":{"c":1,"c":2},"a":3}', ["/a/c", "/a"]),
        (b'{"a":1,"b":"x\\u003a","a":2}', ["/a"]),
        (b'{"a":1,"b":"x\\u003A","a":2}', ["/a"]),
        (b'{"a":1,"b":"\\\\u003a","a":2}', ["/a"]),
        (b'{"a":1,"b":"\\\\\\u003a\\u003A","a":2}', ["/a"]),
        (b'{"\\u003a":1,":":2}', ["/:"]),
        (b'{"a":1,"b":"\\":\\"c\\" :","a":2}', ["/a"]),
        ('{"é":1,"\\u00e9":2}'.encode(), ["/é"]),
        (b'{"context":{"extensions":{"http://example.org/x":null,"http://example.org/x":null}}}',
         ["/context/extensions/http:~1~1example.org~1x"]),
    ],
)  # fmt: skip
def test_body_is_refused_by_pointer_when_a_name_comes_twice(body: bytes, pointers: list[str]) -> None:
    error = refusal(body)
    assert [problem.path for problem in error.problems] == pointers
    assert {problem.rule for problem in error.problems} == {"body.duplicate-key"}
    assert pointers[0] in error.detail


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\\"a\\":","b":"\\":\\":"}',
        b'{"a" :1, "b"\n: "c :d"}',
        b'{"a":"\\u003a","b":"\\u0022:"}',
        b'{"a":"\\\\u003a","b":"\\\\\\u003A\\n\\u003a:"}',
        b'{"A":1,"a":2}',
        b'{"a":{"b":1},"b":{"a":1}}',
        b'[{"a":1},{"a":1}]',
        b'{"a":["a","a",":"]}',
        b'{"e\\u0301":1,"\\u00e9":2}',
    ],
)
def test_body_is_accepted_when_strings_only_look_like_names(body: bytes) -> None:
    assert read_json(body, LIMITS) == json.loads(body)
    assert read_statements(body, LIMITS).statements


def test_repeated_name_is_refused_without_its_place_when_that_is_too_far_to_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = b"[" + b"[]," * 40 + b'{"a":1,"a":2}]'
    assert "/40/a" in read_refusal(body)
    monkeypatch.setattr("lrs.xapi.reader._MOST_TOKENS", 100)
    assert read_refusal(body) == "A name comes twice in one object; give it once."


def read_refusal(body: bytes) -> str:
    with pytest.raises(InvalidBody) as caught:
        read_json(body, LIMITS)
    assert [problem.rule for problem in caught.value.problems] == ["body.duplicate-key"]
    return caught.value.detail


@pytest.mark.parametrize(("last", "good"), [('{"a":1,"b":2}', True), ('{"a":1,"a":2}', False)])
def test_repeated_name_is_found_below_what_the_fast_writer_can_write(last: str, good: bool) -> None:
    deep, limits = 300, ReadLimits(1_000_000, 512, 3)
    body = ("[" * deep + last + "]" * deep).encode()
    if good:
        assert read_json(body, limits) == json.loads(body)
        return
    with pytest.raises(InvalidBody) as caught:
        read_json(body, limits)
    assert caught.value.problems[0].path == "/0" * deep + "/a"


def test_names_are_not_searched_one_by_one_when_the_count_says_that_none_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("lrs.xapi.reader.find_duplicate_keys")
    body = b'[[],{"\\u003a":"\\\\\\u003A","a":":"}]'
    assert read_json(body, LIMITS) == json.loads(body)


def test_repeated_names_are_told_up_to_a_hundred() -> None:
    body = b"{" + b",".join(b'"k":1' for _ in range(500)) + b"}"
    assert len(refusal(body).problems) == 100


def nested(depth: int) -> bytes:
    return (
        b'{"a":' * (depth // 2)
        + b"[" * (depth - depth // 2)
        + b"]" * (depth - depth // 2)
        + b"}" * (depth // 2)
    )


def test_nesting_is_taken_up_to_the_limit_and_refused_beyond_it() -> None:
    assert read_statements(nested(8), LIMITS).statements[0].value == orjson.loads(nested(8))
    (problem,) = refusal(nested(9)).problems
    assert problem.rule == "body.depth"
    assert "line 1, column 25" in problem.message


def test_nesting_counts_the_array_of_the_batch() -> None:
    assert read_statements(b"[" + nested(7) + b"," + nested(7) + b"]", LIMITS).is_batch
    assert refusal(b"[" + nested(7) + b"," + nested(8) + b"]").problems[0].rule == "body.depth"


def test_many_brackets_are_no_depth_when_they_stand_side_by_side_or_in_strings() -> None:
    body = b'[{"a":[[],[],[],[],[],[],[],[],[],[]],"b":"[[[[[[[[[[{{{{{{{{{{"}]'
    assert read_statements(body, LIMITS).statements[0].raw == body[1:-1]


@pytest.mark.parametrize("depth", [300, 1000, 1025, 100_000])
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_refused_without_harm(depth: int, closed: bool, opening: bytes) -> None:
    closing = {b"[": b"]"}.get(opening, b"}") if closed else b""
    error = refusal(opening * depth + b"1" + closing * depth)
    assert [problem.rule for problem in error.problems] == ["body.depth"]


def test_strict_look_stands_nesting_as_deep_as_a_limit_may_be() -> None:
    limits = ReadLimits(max_body_bytes=1_000_000, max_depth=512, max_statements=3)
    inner = b'{"a":' * 510 + b'{"b":1,"b":2}' + b"}" * 510
    assert refusal(inner, limits).problems[0].path == "/a" * 510 + "/b"
    fine = inner.replace(b'"b":2', b'"c":2')
    assert read_statements(b"[" + fine + b"]", limits).statements[0].raw == fine


def test_too_many_bytes_or_statements_are_refused_with_both_numbers() -> None:
    with pytest.raises(TooLarge, match="12 bytes; at most 11"):
        read_statements(b'{"a":"bcdef"'[:12], ReadLimits(11, 8, 3))
    with pytest.raises(TooLarge, match="12 bytes; at most 11"):
        read_json(b'{"a":"bcdef"'[:12], ReadLimits(11, 8, 3))
    with pytest.raises(TooLarge, match="4 statements; at most 3"):
        read_statements(b"[{},{},{},{}]", LIMITS)
    assert len(read_statements(b"[{},{},{}]", LIMITS).statements) == 3


def test_unfinished_string_full_of_escapes_is_refused_in_no_time() -> None:
    # A search that begins again at every escaped quote would take hours for this.
    body = b'{"a":"' + b'\\"[' * 300_000
    assert refusal(body, ReadLimits(2_000_000, 8, 3)).problems[0].rule == "body.syntax"
    assert refusal(b"[" * 2000 + body, ReadLimits(2_000_000, 8, 3)).problems[0].rule == "body.depth"
