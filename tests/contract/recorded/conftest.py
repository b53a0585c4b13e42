"""The recorded tables of one institution, on each engine."""

import pytest

from lrs.tables.recorded import RecordedTables
from tests.contract.builders import SCHOOL
from tests.engines import Engine


@pytest.fixture
def tables(engine: Engine) -> RecordedTables:
    return engine.open().recorded(SCHOOL)
