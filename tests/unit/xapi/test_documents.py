"""What PUT, POST and DELETE make of a document (xAPI 1.0.3 Communication 2.2, 3.1)."""

import pytest

from lrs.errors import InvalidBody, InvalidRequest, LrsError, PreconditionFailed, PreconditionMissing
from lrs.xapi.documents import ANY, Preconditions, Rules, merged, removed, replaced
from lrs.xapi.ports.documents import Document, DocumentContent, DocumentKind
from lrs.xapi.reader import ReadLimits
from lrs.xapi.versions import Version

LIMITS = ReadLimits(1 << 20, 64, 1)
JSON = "application/json"
NONE = Preconditions()
V1, V2 = Version.V1_0_3, Version.V2_0_0
STATE, ACTIVITY, AGENT = DocumentKind.STATE, DocumentKind.ACTIVITY_PROFILE, DocumentKind.AGENT_PROFILE


def kept(content: bytes = b"{}", content_type: str = JSON) -> Document:
    return Document(content_type, content, "abc", 1)


def sent(content: bytes = b"{}", content_type: str = JSON) -> DocumentContent:
    return DocumentContent(content_type, content)


@pytest.mark.parametrize(
    ("preconditions", "current", "holds"),
    [
        (NONE, None, True),
        (Preconditions(if_match=["abc"]), kept(), True),
        (Preconditions(if_match=["x", "abc"]), kept(), True),
        (Preconditions(if_match=["x"]), kept(), False),
        (Preconditions(if_match=["abc"]), None, False),
        (Preconditions(if_match=[ANY]), kept(), True),
        (Preconditions(if_match=[ANY]), None, False),
        (Preconditions(if_none_match=[ANY]), None, True),
        (Preconditions(if_none_match=[ANY]), kept(), False),
        (Preconditions(if_none_match=["x"]), kept(), True),
        (Preconditions(if_none_match=["abc"]), kept(), False),
    ],
)
def test_preconditions_hold_or_fail(
    preconditions: Preconditions, current: Document | None, holds: bool
) -> None:
    rules = Rules(STATE, V1)
    if holds:
        assert replaced(current, sent(), preconditions, rules) == sent()
        merged(current, sent(), preconditions, LIMITS)
        removed(current, preconditions)
        return
    for attempt in (
        lambda: replaced(current, sent(), preconditions, rules),
        lambda: merged(current, sent(), preconditions, LIMITS),
        lambda: removed(current, preconditions),
    ):
        with pytest.raises(PreconditionFailed):
            attempt()


@pytest.mark.parametrize(
    ("kind", "version", "current", "error"),
    [
        (STATE, V1, None, None),
        (STATE, V1, kept(), None),
        (STATE, V2, None, None),
        (STATE, V2, kept(), PreconditionMissing),
        (ACTIVITY, V1, None, InvalidRequest),
        (AGENT, V1, None, InvalidRequest),
        (ACTIVITY, V1, kept(), PreconditionMissing),
        (AGENT, V2, kept(), PreconditionMissing),
        (AGENT, V2, None, None),
    ],
)
def test_put_without_preconditions_is_refused_where_the_version_wants_one(
    kind: DocumentKind, version: Version, current: Document | None, error: type[LrsError] | None
) -> None:
    if error is None:
        assert replaced(current, sent(b"x"), NONE, Rules(kind, version)) == sent(b"x")
    else:
        with pytest.raises(error):
            replaced(current, sent(b"x"), NONE, Rules(kind, version))


def test_post_merges_one_level_deep_and_keeps_numbers_as_written() -> None:
    old = kept(b'{"a":1.10,"b":{"x":1},"c":[1]}')
    new = sent(b' {"b":{"y":12345678901234567890123},"d":null} ', "application/json; charset=utf-8")
    result = merged(old, new, NONE, LIMITS)
    assert result.content == b'{"a":1.10,"b":{"y":12345678901234567890123},"c":[1],"d":null}'
    assert result.content_type == JSON


@pytest.mark.parametrize(
    ("current", "new"),
    [
        (kept(), sent(b"[1]")),
        (kept(), sent(b"{")),
        (kept(), sent(b'{"a":1,"a":2}')),
        (kept(), sent(b"text", "text/plain")),
        (kept(b"[1]"), sent()),
        (kept(b"{"), sent()),
        (kept(b"text", "text/plain"), sent()),
        (None, sent(b"{")),
    ],
)
def test_post_is_refused_when_either_side_is_no_json_object(
    current: Document | None, new: DocumentContent
) -> None:
    with pytest.raises(InvalidBody):
        merged(current, new, NONE, LIMITS)


@pytest.mark.parametrize("new", [sent(b"\x00\xff", "image/png"), sent(b"[1]"), sent(b"7")])
def test_post_of_a_new_document_takes_what_a_put_takes(new: DocumentContent) -> None:
    assert merged(None, new, NONE, LIMITS) == new
