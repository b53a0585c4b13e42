"""An institution's statements, on each engine."""

import pytest

from lrs.xapi.ports import StatementStore
from tests.contract.builders import SCHOOL
from tests.engines import Engine


@pytest.fixture
def store(engine: Engine) -> StatementStore:
    return engine.open().records.statements(SCHOOL)
