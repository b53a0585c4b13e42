"""A town of people for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engine
from tests.unit.learners.people import Town, make_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town over SQLite."""
    made = make_town(tmp_path)
    yield made
    made.engine.close()


@pytest.fixture
def town_on_each(engine: Engine) -> Town:
    """A town over each engine in turn."""
    return Town(engine)
