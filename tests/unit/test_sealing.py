"""Secrets open only with their key, for what they are about, and unchanged."""

import base64
import os
from pathlib import Path

import pytest

from lrs.errors import ConfigError, CorruptRecord
from lrs.sealing import SecretBox


def box(path: Path | None, *, make: bool = True) -> SecretBox:
    return SecretBox(path, make=make, random_bytes=os.urandom)


def test_secret_opens_again_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "key"
    sealed = box(path).seal(b"s3cret", "destination 1")
    assert "s3cret" not in sealed
    assert box(path).open(sealed, "destination 1") == b"s3cret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


def test_secret_opens_for_nothing_else_and_not_when_changed(tmp_path: Path) -> None:
    one = box(tmp_path / "key")
    sealed = one.seal(b"s3cret", "destination 1")
    with pytest.raises(CorruptRecord):
        one.open(sealed, "destination 2")
    raw = bytearray(base64.b64decode(sealed))
    raw[-1] ^= 1
    with pytest.raises(CorruptRecord):
        one.open(base64.b64encode(raw).decode(), "destination 1")


def test_same_secret_is_sealed_differently_each_time(tmp_path: Path) -> None:
    one = box(tmp_path / "key")
    assert one.seal(b"s3cret", "a") != one.seal(b"s3cret", "a")


def test_old_secrets_open_when_a_new_key_stands_in_front(tmp_path: Path) -> None:
    path = tmp_path / "key"
    old = box(path).seal(b"old", "a")
    path.write_bytes(base64.b64encode(os.urandom(32)) + b"\n" + path.read_bytes())
    both = box(path)
    assert both.open(old, "a") == b"old"
    new = both.seal(b"new", "a")
    path.write_bytes(path.read_bytes().splitlines()[0])
    assert box(path).open(new, "a") == b"new"
    with pytest.raises(ConfigError, match="does not hold the key"):
        box(path).open(old, "a")


@pytest.mark.parametrize("text", ["", "short", "AAAA", "ü"])
def test_file_without_good_keys_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(ConfigError):
        box(path).seal(b"s", "a")


def test_key_is_never_made_where_one_was_named_or_none_may_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        box(tmp_path / "key", make=False).seal(b"s", "a")
    with pytest.raises(ConfigError, match="LRS_SECRET_KEY_FILE"):
        box(None).seal(b"s", "a")
    assert list(tmp_path.iterdir()) == []
