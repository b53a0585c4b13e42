"""What is said of a server that begins."""

from pathlib import Path

import pytest

from lrs.cli.serve import shown_store


def test_place_of_the_store_is_the_whole_path_when_it_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_store("sqlite:///data/lrs.db") == f"{tmp_path}/data/lrs.db"
    assert shown_store("sqlite:////var/lib/lrs@home/lrs.db") == "/var/lib/lrs@home/lrs.db"


def test_place_of_the_store_is_told_without_credentials_when_it_is_a_server() -> None:
    assert shown_store("mongodb://me:secret@db.example.org/lrs") == "mongodb://db.example.org/lrs"
