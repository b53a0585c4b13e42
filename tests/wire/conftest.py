"""A database on the test server for each test."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest

_names = itertools.count(1)


@pytest.fixture
def url(mongo_server_uri: str) -> Iterator[str]:
    """A database of its own."""
    name = f"lrs_wire_{os.getpid()}_{next(_names)}"
    yield f"{mongo_server_uri}/{name}"
    with pymongo.MongoClient[dict[str, Any]](mongo_server_uri) as client:
        client.drop_database(name)
