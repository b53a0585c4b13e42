"""Bodies of multipart/mixed: cut into exact slices, strictly, and written so that they can be."""

import itertools

import pytest

from lrs.errors import InvalidAttachment, LrsError, TooLarge
from lrs.xapi.multipart import Part, read_multipart, write_multipart

JSON_PART = b"Content-Type: application/json\r\n\r\n{}"


def body_of(*parts: bytes, boundary: bytes = b"abc") -> bytes:
    mark = b"--" + boundary
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def contents(body: bytes, boundary: str = "abc") -> list[bytes]:
    return [part.content for part in read_multipart(body, boundary, 10)]


def refusal(body: bytes, boundary: str = "abc", max_parts: int = 10) -> LrsError:
    with pytest.raises((InvalidAttachment, TooLarge)) as caught:
        read_multipart(body, boundary, max_parts)
    return caught.value


def test_parts_are_exact_slices_with_their_headers() -> None:
    data = bytes(range(256)) + b"\r\n--ab\r\n\r\n--\r\n"
    parts = read_multipart(body_of(JSON_PART, b"X-Hash:AB\r\nB:  c d \r\n\r\n" + data), "abc", 2)
    assert parts == [
        Part({"content-type": "application/json"}, b"{}"),
        Part({"x-hash": "AB", "b": "c d"}, data),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n" + body_of(JSON_PART),
        b"A preamble.\r\n--abcd\r\n--ab\r\n" + body_of(JSON_PART),
        b"--abc and more\r\n" + body_of(JSON_PART),
        body_of(JSON_PART) + b"An epilogue.\r\n--abc\r\n",
        body_of(JSON_PART)[:-2],
        body_of(JSON_PART)[:-2] + b" \t",
        body_of(JSON_PART).replace(b"--abc\r\n", b"--abc \t \r\n"),
    ],
)
def test_what_stands_around_the_parts_is_ignored(body: bytes) -> None:
    assert contents(body) == [b"{}"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n--abcd\r\nX: y\r\n\r\nz",
        b"\r\n--abc x\r\n",
        b"\r\n--abc--x\r\n",
        b"\n--abc\n",
        b"--ab",
        b"\r\n--ab",
        b"\r",
        b"\r\n--abc\r",
    ],
)
def test_content_that_is_only_like_a_boundary_stays_content(content: bytes) -> None:
    assert contents(body_of(b"X: y\r\n\r\n" + content)) == [content]


def test_part_may_have_no_headers_or_nothing_else() -> None:
    assert read_multipart(body_of(b"\r\ntext", b"X: y\r\n"), "abc", 2) == [
        Part({}, b"text"),
        Part({"x": "y"}, b""),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"--abc--\r\n",
        b"--abc\r\n--abc--\r\n",
        b"--abc\r\n\r\n--abc--\r\n",
        b"--abc\r\n" + JSON_PART,
        b"--abc\r\n" + JSON_PART + b"\r\n--abc",
        b"--abc\r\n" + JSON_PART + b"--abc--\r\n",
        body_of(JSON_PART).replace(b"\r\n", b"\n"),
        body_of(b"no header\r\n\r\n{}"),
        body_of(b": nameless\r\n\r\n{}"),
        body_of(b"A b: c\r\n\r\n{}"),
        body_of(b"A : c\r\n\r\n{}"),
        body_of(b"A: b\r\n folded\r\n\r\n{}"),
        body_of(b"A: b\x00\r\n\r\n{}"),
        body_of(b"A: b\r\na: c\r\n\r\n{}"),
    ],
)
def test_body_is_refused_when_it_is_not_in_the_form(body: bytes) -> None:
    assert isinstance(refusal(body), InvalidAttachment)


@pytest.mark.parametrize("boundary", ["", "a" * 71, "abc ", "a\nb", "é", "a\x7f"])
def test_boundary_is_refused_when_it_is_none(boundary: str) -> None:
    assert "boundary" in refusal(body_of(JSON_PART), boundary).detail


@pytest.mark.parametrize("boundary", ["a" * 70, "'()+_,-./:=? x", "-------314", "a*#b"])
def test_boundary_may_have_any_plain_character(boundary: str) -> None:
    assert contents(body_of(JSON_PART, boundary=boundary.encode()), boundary) == [b"{}"]


def test_too_many_parts_and_too_long_headers_are_refused() -> None:
    assert isinstance(refusal(body_of(*[JSON_PART] * 3), max_parts=2), TooLarge)
    assert contents(body_of(*[JSON_PART] * 3)) == [b"{}"] * 3
    assert isinstance(refusal(body_of(b"X: " + b"y" * 9000 + b"\r\n\r\n{}")), TooLarge)


def test_boundary_is_chosen_again_when_a_part_holds_it() -> None:
    parts = [Part({"A": "b"}, b"one two"), Part({}, b"three")]
    body, boundary = write_multipart(parts, map(str, ["two", "hre", "four"]).__next__)
    assert boundary == "four"
    assert contents(body, boundary) == [b"one two", b"three"]
    assert body.startswith(b"--four\r\nA: b\r\n\r\none two\r\n--four\r\n\r\n")


@pytest.mark.parametrize(
    "filling",
    [
        b"\r\n--abc-",
        b"\r\n--abcd\r\n",
        b"\r\n--abc x",
        b"\r\n",
        b"\r\n--",
        b"-",
        b" ",
        b"\r\n--abc" + b" " * 5000 + b"x",
    ],
)
@pytest.mark.timeout(10)
def test_reading_stays_quick_when_a_body_is_made_to_slow_it(filling: bytes) -> None:
    """Two million bytes; what takes a square of that takes hours."""
    many = filling * (2_000_000 // len(filling))
    assert contents(body_of(b"X: y\r\n\r\n" + many)) == [many]
    refusal(b"--abc\r\nX: y\r\n\r\n" + many)
    refusal(b"--abc\r\n" + many)
    refusal(b"--abc" + many)
    refusal(b"--abc" + many + b"\r\n--abc" * 300_000)


def test_many_parts_are_read_quickly() -> None:
    parts = [b"X: %d\r\n\r\n" % n for n in range(100_000)]
    read = read_multipart(body_of(*parts), "abc", 100_000)
    assert [part.headers["x"] for part in itertools.islice(read, 3)] == ["0", "1", "2"]
