"""Positions in the log as others see them: opaque, bound to their institution."""

import base64
import hashlib

import pytest

from lrs.access.handles import InstitutionId
from lrs.errors import InvalidParameter
from lrs.streams.tokens import PositionTokens

OURS, THEIRS = InstitutionId("ours000000"), InstitutionId("theirs0000")
KEY = b"k" * 32
TOKENS = PositionTokens(KEY)


@pytest.mark.parametrize("position", [0, 1, 2**60])
def test_a_position_gives_back_what_was_put_in_and_is_always_written_alike(position: int) -> None:
    token = TOKENS.encode(OURS, position)
    assert TOKENS.decode(OURS, token) == position
    assert TOKENS.encode(OURS, position) == token


def test_a_position_does_not_tell_how_many_statements_lie_before_the_next() -> None:
    """An engine may count over all institutions: the numbers would tell each how busy the others are."""
    tokens = [base64.urlsafe_b64decode(TOKENS.encode(OURS, at)) for at in (7, 8)]
    assert all(at.to_bytes(8, "big") not in token for at, token in zip((7, 8), tokens, strict=True))
    one, other = (token[16:] for token in tokens)
    assert bytes(a ^ b for a, b in zip(one, other, strict=True)) != (7 ^ 8).to_bytes(8, "big")


def test_a_position_that_was_given_out_before_they_were_hidden_stays_good() -> None:
    payload = (7).to_bytes(8, "big")
    digest = hashlib.blake2b(
        OURS.encode() + b"\0" + payload, digest_size=16, key=KEY, person=b"log-position"
    ).digest()
    assert TOKENS.decode(OURS, base64.urlsafe_b64encode(digest + payload).decode()) == 7


def test_a_position_of_another_institution_another_store_or_nobody_is_refused_alike() -> None:
    token = TOKENS.encode(OURS, 7)
    flipped = base64.urlsafe_b64encode(bytes(byte ^ 1 for byte in base64.urlsafe_b64decode(token))).decode()
    asked = [(TOKENS, OURS, bad) for bad in (token[:-4], flipped, "", "A", "%%%", "ä", "A" * 5000)]
    asked += [(TOKENS, THEIRS, token), (PositionTokens(b"o" * 32), OURS, token)]
    texts = set()
    for tokens, institution, bad in asked:
        with pytest.raises(InvalidParameter) as refused:
            tokens.decode(institution, bad)
        texts.add(refused.value.detail)
    assert len(texts) == 1
