"""The access store on each engine, empty and with a school in it."""

import pytest

from lrs.access.ports import AccessStore
from tests.contract.access.kept import GATE, SCHOOL
from tests.engines import Engine


@pytest.fixture
def access(engine: Engine) -> AccessStore:
    return engine.open().access


@pytest.fixture
def school(access: AccessStore) -> AccessStore:
    """A store with the school and its client."""
    access.add_institution(SCHOOL)
    access.add_client(GATE)
    return access
