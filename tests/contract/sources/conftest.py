"""A museum on each engine."""

from pathlib import Path

import pytest

from tests.contract.sources.museum import Museum
from tests.engines import Engine
from tests.http.conftest import make_instance


@pytest.fixture
def museum(engine: Engine, tmp_path: Path) -> Museum:
    return Museum(make_instance(engine), tmp_path)
