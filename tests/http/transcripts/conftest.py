"""A city with a school that writes transcripts."""

import pytest

from tests.http.conftest import Instance
from tests.transcripts import City, found_city


@pytest.fixture
def city(instance: Instance) -> City:
    return found_city(instance)


@pytest.fixture
def embedded_city(embedded: Instance) -> City:
    return found_city(embedded)
