"""How a worker process is prepared."""

import gc
from pathlib import Path

import pytest

from lrs.cli.serve import shown_store, spare_collector


def test_place_of_the_store_is_the_whole_path_when_it_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_store("sqlite:///data/lrs.db") == f"{tmp_path}/data/lrs.db"
    assert shown_store("sqlite:////var/lib/lrs@home/lrs.db") == "/var/lib/lrs@home/lrs.db"


def test_place_of_the_store_is_told_without_credentials_when_it_is_a_server() -> None:
    assert shown_store("mongodb://me:secret@db.example.org/lrs") == "mongodb://db.example.org/lrs"


def test_what_was_loaded_is_left_alone_and_the_collector_looks_seldom():
    before = gc.get_threshold()
    try:
        spare_collector()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
