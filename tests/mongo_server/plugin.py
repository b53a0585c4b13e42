"""Fixtures for the wire: the test server of this folder, and a real cluster where one is named."""

import os
from collections.abc import Iterator

import pytest

from tests.mongo_server.server import missing_tool, running


@pytest.fixture(scope="session")
def mongo_server_uri() -> Iterator[str]:
    """URL of a test server of this process; skips without Java and Maven (fails where all is required)."""
    missing = missing_tool()
    if missing and os.environ.get("LRS_TEST_REQUIRE_ALL") == "1":
        pytest.fail(f"LRS_TEST_REQUIRE_ALL=1, but {missing}")
    if missing:
        pytest.skip(f"{missing}: no server that speaks MongoDB's protocol can be started")
    with running() as url:
        yield url


@pytest.fixture(scope="session")
def mongo_cluster_uri() -> str:
    """URL of a replica set or sharded cluster; skips where none is named."""
    url = os.environ.get("LRS_TEST_MONGODB_URI", "")
    if not url:
        pytest.skip("LRS_TEST_MONGODB_URI names no cluster")
    return url
