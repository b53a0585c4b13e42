"""The thread beside the writers outlives whatever happens to it."""

import threading
from typing import Any

import pytest

from lrs.errors import StoreUnavailable
from lrs.stores.sqlite import maintenance
from lrs.stores.sqlite.training import Trainer

PATIENCE_SECONDS = 60
SECRET = "mailto:ann@example.org"


def test_failure_that_nobody_foresaw_is_logged_without_what_it_quotes_and_tried_again(
    open_stores: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[str] = []
    again = threading.Event()

    def learn(_: Trainer) -> None:
        looks.append("a look")
        if len(looks) == 1:
            raise ValueError(SECRET)
        again.set()

    monkeypatch.setattr(Trainer, "learn", learn)
    monkeypatch.setattr(maintenance, "_REST_SECONDS", 0.01)
    open_stores()
    assert again.wait(PATIENCE_SECONDS)
    [entry] = [record for record in caplog.records if "Maintenance failed" in record.getMessage()]
    assert "builtins.ValueError" in entry.getMessage()
    assert SECRET not in entry.getMessage()


def test_failure_that_lasts_is_logged_once_and_again_when_it_comes_back(
    open_stores: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = iter([*["full"] * 5, *["away"] * 5, "", *["away"] * 5])
    done = threading.Event()

    def learn(_: Trainer) -> None:
        if outcome := next(outcomes, None):
            raise StoreUnavailable(outcome)
        if outcome is None:
            done.set()

    monkeypatch.setattr(Trainer, "learn", learn)
    monkeypatch.setattr(maintenance, "_LOOK_SECONDS", 0.001)
    stores = open_stores()
    assert done.wait(PATIENCE_SECONDS)
    stores.close()
    said = [record.getMessage().rpartition(" ")[2] for record in caplog.records]
    assert said == ["full", "away", "away"]
