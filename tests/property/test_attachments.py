"""Laws of attachments: whatever is sent is kept to the byte, or refused in our words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.errors import LrsError
from lrs.xapi.attachments import (
    SentBody,
    gather_attachments,
    match_attachments,
    open_body,
    write_answer,
)
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.reader import ReadLimits, read_statements
from lrs.xapi.statement import validate_batch
from lrs.xapi.versions import Version
from tests.factories import make_statement
from tests.multipart import BOUNDARY, data_part, metadata, multipart, read_answer
from tests.signing import sign

LIMITS = ReadLimits(max_body_bytes=1_000_000, max_depth=64, max_statements=100, max_parts=20)
ALGORITHMS = st.sampled_from(["sha224", "sha256", "sha384", "sha512"])
WHOLE = multipart(
    [make_statement(attachments=[metadata(b"one"), metadata(sign(make_statement()))]), make_statement()],
    data_part(b"one"),
    data_part(sign(make_statement())),
)


class Kept:
    """What a store keeps, in memory."""

    def __init__(self, contents: tuple[AttachmentContent, ...]) -> None:
        self._by_sha2 = {one.sha2: one.content for one in contents}

    def find_attachments(self, hashes: Any) -> dict[str, bytes]:
        return {sha2: self._by_sha2[sha2] for sha2 in hashes if sha2 in self._by_sha2}


def take(body: bytes, version: Version) -> tuple[AttachmentContent, ...]:
    """Take a batch as the service does."""
    opened = open_body(SentBody(body, BOUNDARY), version, LIMITS.max_parts)
    read = read_statements(opened.statements, LIMITS)
    if validate_batch([raw.value for raw in read.statements], version)[0]:
        return ()
    return match_attachments(read, opened.parts, version, LIMITS)


@given(
    st.lists(st.lists(st.tuples(st.binary(max_size=30), ALGORITHMS), max_size=3), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_every_attachment_comes_back_once_and_to_the_byte(
    by_statement: list[list[tuple[bytes, str]]], random: Any
) -> None:
    batch = [make_statement(attachments=[metadata(*one) for one in found]) for found in by_statement]
    contents = {metadata(*one)["sha2"]: one[0] for found in by_statement for one in found}
    parts = [data_part(content, X_Experience_API_Hash=sha2) for sha2, content in contents.items()]
    random.shuffle(parts)
    kept = take(multipart(batch, *parts), Version.V1_0_3)
    assert {one.sha2: one.content for one in kept} == contents
    assert len(kept) == len(contents)
    served = [read.raw for read in read_statements(multipart_json(batch), LIMITS).statements]
    gathered = gather_attachments(Kept(kept), served, 1 << 20)
    boundaries = (f"b{number}" for number in range(10_000))
    body, content_type = write_answer(b"{}", gathered.parts, boundaries.__next__)
    found = [
        (headers["X-Experience-API-Hash"], content) for headers, content in read_answer(content_type, body)[1]
    ]
    assert found == list(contents.items())


def multipart_json(batch: list[Any]) -> bytes:
    return open_body(SentBody(multipart(batch), BOUNDARY), Version.V1_0_3, 1).statements


@pytest.mark.parametrize("version", list(Version))
@given(st.data())
def test_body_that_was_damaged_is_refused_in_our_words_or_is_whole(
    version: Version, data: st.DataObject
) -> None:
    body = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        length = data.draw(st.integers(0, 5) | st.integers(0, len(body)))
        body[place : place + length] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"\r\n", b"--", b'"'])
        )
    try:
        take(bytes(body), version)
    except LrsError:
        return
