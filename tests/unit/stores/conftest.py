"""An embedded store in a folder of its own, opened as often as a test asks."""

import os
from pathlib import Path

import pytest

from lrs.stores import StoreOptions
from lrs.stores.sqlite.stores import SqliteStores
from tests.engines import HandClock


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "new folder" / "lrs.db")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def open_stores(path, clock):
    opened = []

    def open_again(lot_size: int = 16, busy_seconds: float = 5.0) -> SqliteStores:
        options = StoreOptions(clock, os.urandom, durable=False, busy_seconds=busy_seconds)
        stores = SqliteStores.open(path, options, (lot_size, 4 * lot_size))
        opened.append(stores)
        return stores

    yield open_again
    for stores in opened:
        stores.close()
