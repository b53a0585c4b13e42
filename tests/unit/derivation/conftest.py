from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.derivations import World
from tests.engines import mongomock_engine, sqlite_engine


@pytest.fixture(params=["sqlite", "mongomock"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world with a framework and an alignment, on each engine in turn."""
    engine = sqlite_engine(tmp_path) if request.param == "sqlite" else mongomock_engine()
    made = World.on(engine)
    made.framework()
    made.align()
    yield made
    engine.close()
