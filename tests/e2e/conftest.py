"""What the end-to-end tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import RunningServer, running_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A real server on an empty SQLite store."""
    with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path) as started:
        yield started
