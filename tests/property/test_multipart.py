"""Laws of multipart bodies: what is written is read back to the byte, and nothing makes reading fail."""

import itertools
import re

from hypothesis import example, given
from hypothesis import strategies as st

from lrs.errors import LrsError
from lrs.xapi.multipart import Part, read_multipart, write_multipart

# Bytes that look like boundaries, headers and their ends.
PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\r",
        b"\n",
        b"--",
        b"-",
        b"b",
        b"bb",
        b"--b",
        b"\r\n--b",
        b" ",
        b"\t",
        b":",
        b"X: y",
        b"\r\n\r\n",
        b"\x00\xff",
    ]
)
TRICKY = st.lists(PIECES, max_size=25).map(b"".join)
CONTENT = TRICKY | st.binary(max_size=50)
NAMES = st.text("abcXYZ-", min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12).map(str.strip)
HEADERS = st.dictionaries(NAMES, VALUES, max_size=3).filter(
    lambda found: len({name.lower() for name in found}) == len(found)
)
PARTS = st.lists(st.builds(Part, HEADERS, CONTENT), min_size=1, max_size=4)


@given(PARTS, st.binary(max_size=3), st.sampled_from([b"", b"\r\n", b"preamble\r\n", b"\r\n--bb\r\n"]))
def test_parts_come_back_when_they_are_written(parts: list[Part], end: bytes, start: bytes) -> None:
    body, boundary = write_multipart(parts, (f"b{n}" for n in itertools.count()).__next__)
    expected = [
        Part({name.lower(): value for name, value in part.headers.items()}, part.content) for part in parts
    ]
    assert read_multipart(start + body + end, boundary, 4) == expected


@given(TRICKY, st.sampled_from(["b", "bb", "b b", "-"]))
@example(b"--b\r\n\r\n--b--", "b")
def test_reading_ends_well_or_in_our_words_whatever_is_read(body: bytes, boundary: str) -> None:
    try:
        read_multipart(body, boundary, 3)
    except LrsError:
        return


@given(st.binary(max_size=200), st.text(max_size=5))
def test_random_bytes_and_boundaries_do_no_harm(body: bytes, boundary: str) -> None:
    try:
        read_multipart(body, boundary, 3)
    except LrsError:
        return


@given(TRICKY)
def test_body_is_cut_where_a_plain_definition_cuts_it(text: bytes) -> None:
    """The same by a regular expression over the whole body: RFC 2046's delimiters and nothing cleverer."""
    body = b"--b\r\nX: y\r\n\r\n" + text + b"\r\n--b--"
    pieces = re.split(rb"(?:\A|\r\n)--b(--)?[ \t]*(?=\r\n|(?(1)\Z|\r\n))", body)
    texts, closing = pieces[2::2], pieces[1::2]
    expected = texts[: next(n for n, mark in enumerate(closing) if mark)]
    try:
        read = [part.content for part in read_multipart(body, "b", 100)]
    except LrsError:
        return
    assert read == [_content(text) for text in expected]


def _content(text: bytes) -> bytes:
    head, blank, content = text.partition(b"\r\n\r\n")
    return content if blank else head[len(head) :]
