"""Identifiers: their text, their ids, what people write."""

import hashlib

import pytest

from lrs.learners.identifiers import (
    account_of,
    identity_of,
    is_id,
    mailbox_of,
    parse_identifier,
    sha1_of,
    shown,
)

SALT = bytes(range(32))
ANA = "mbox mailto:ana@example.org"
DIGITS = "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"


def test_id_is_twelve_characters_that_depend_on_identifier_and_salt() -> None:
    first = identity_of(ANA, SALT)
    assert is_id(first)
    assert first == identity_of(ANA, SALT)
    assert len({first, identity_of(ANA, bytes(32)), identity_of("mbox mailto:ben@example.org", SALT)}) == 3


def test_ids_spread_over_the_whole_alphabet() -> None:
    made = [identity_of(f"account https://school.example {number}", SALT) for number in range(2000)]
    assert len(set(made)) == 2000
    for place in range(12):
        assert {one[place] for one in made} == set("0123456789abcdefghjkmnpqrstvwxyz")


def test_sha1_is_of_the_whole_iri_and_only_of_a_mailbox() -> None:
    expected = hashlib.sha1(b"mailto:ana@example.org", usedforsecurity=False).hexdigest()
    assert sha1_of(ANA) == f"mbox_sha1sum {expected}"
    assert sha1_of("openid https://id.example/ana") is None
    assert sha1_of(f"mbox_sha1sum {expected}") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("mailto:ana@example.org", ANA),
        (f" {ANA} ", ANA),
        (DIGITS.upper(), f"mbox_sha1sum {DIGITS}"),
        (f"mbox_sha1sum {DIGITS}", f"mbox_sha1sum {DIGITS}"),
        ("https://school.example 17 b", "account https://school.example 17 b"),
        ("account https://school.example 17", "account https://school.example 17"),
        ("https://id.example/ana", "openid https://id.example/ana"),
        ("openid https://id.example/ana", "openid https://id.example/ana"),
        ("mailto:", None),
        ("mbox ana@example.org", None),
        ("mbox_sha1sum 12", None),
        ("account school 17", None),
        ("openid nobody", None),
        ("Ana", None),
        ("", None),
    ],
)
def test_written_identifier_is_read_when_it_is_one(written: str, meant: str | None) -> None:
    assert parse_identifier(written) == meant


@pytest.mark.parametrize(
    "identifier",
    [
        ANA,
        f"mbox_sha1sum {DIGITS}",
        "openid https://id.example/ana",
        "account https://school.example 17",
    ],
)
def test_what_is_shown_is_read_again(identifier: str) -> None:
    assert parse_identifier(shown(identifier)) == identifier


def test_no_identifier_is_made_when_a_part_is_missing_or_wrong() -> None:
    assert mailbox_of("ana@example.org") == ANA
    assert mailbox_of("ana") is None
    assert account_of("https://school.example", "") is None
    assert account_of("school", "17") is None
