"""Every contract test runs on each engine through the fixture ``engine``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ENGINES, iter_engine
from tests.engines import Engine


@pytest.fixture(params=[*ENGINES, pytest.param("sqlite-merged", marks=pytest.mark.lasting)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty store on each engine in turn, and on one whose lots are merged at once."""
    yield from iter_engine(request, tmp_path)
