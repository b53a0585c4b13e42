"""more tokens: opaque, bound to their institution."""

import base64

import pytest

from lrs.access.handles import InstitutionId
from lrs.errors import InvalidParameter
from lrs.xapi.cursors import Cursors
from lrs.xapi.ports import Position

OURS, THEIRS = InstitutionId("ours000000"), InstitutionId("theirs0000")
CURSORS = Cursors(b"k" * 32)


def test_a_token_gives_back_what_was_put_in() -> None:
    given = {"agent": '{"mbox":"mailto:ä@example.org"}', "limit": "3"}
    token = CURSORS.encode(OURS, given, Position(2**60))
    assert CURSORS.decode(OURS, token) == (given, 2**60)
    assert CURSORS.decode(OURS, CURSORS.encode(OURS, {}, Position(0))) == ({}, 0)


def test_a_token_does_not_tell_how_far_the_next_position_is() -> None:
    tokens = [base64.urlsafe_b64decode(CURSORS.encode(OURS, {}, Position(at)) + "==") for at in (7, 8)]
    assert all(int(at).to_bytes(8, "big") not in token for at, token in zip((7, 8), tokens, strict=True))
    digests, hidden = zip(*((token[:16], token[16:24]) for token in tokens), strict=True)
    assert digests[0] != digests[1]
    assert bytes(one ^ other for one, other in zip(*hidden, strict=True)) != (7 ^ 8).to_bytes(8, "big")


def test_a_token_of_another_institution_another_store_or_nobody_is_refused_alike() -> None:
    token = CURSORS.encode(OURS, {"limit": "3"}, Position(7))
    flipped = base64.urlsafe_b64encode(
        bytes(byte ^ 1 for byte in base64.urlsafe_b64decode(token + "=="))
    ).decode()
    texts = []
    for bad in (token[:-4], flipped, "", "A", "%%%", "ä", "A" * 5000):
        with pytest.raises(InvalidParameter) as refused:
            CURSORS.decode(OURS, bad)
        texts.append(refused.value.detail)
    with pytest.raises(InvalidParameter) as refused:
        CURSORS.decode(THEIRS, token)
    with pytest.raises(InvalidParameter):
        Cursors(b"o" * 32).decode(OURS, token)
    assert {*texts, refused.value.detail} == {texts[0]}
