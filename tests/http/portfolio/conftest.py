"""Instances with learners on them."""

import pytest

from tests.http.conftest import Instance
from tests.http.portfolio.learners import fill, merge


@pytest.fixture
def city(instance: Instance) -> Instance:
    """Wren, not linked yet."""
    fill(instance)
    return instance


@pytest.fixture
def merged(city: Instance) -> Instance:
    """The same, once Wren's two identifiers are linked."""
    merge(city)
    return city


@pytest.fixture(scope="module")
def steady(shared_instance: Instance) -> Instance:
    """The same for tests that change nothing, because all that they send is refused."""
    fill(shared_instance)
    merge(shared_instance)
    return shared_instance
