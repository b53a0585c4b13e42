"""What all levels share: engines, clock, the server that speaks MongoDB's protocol."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engine, mongo_server_engine, mongomock_engine, sqlite_engine

pytest_plugins = ["tests.hypothesis_profiles", "tests.mongo_server.plugin"]

ENGINES = [
    "sqlite",
    "mongomock",
    pytest.param("mongo-server", marks=pytest.mark.mongo_server),
    pytest.param("mongo-cluster", marks=[pytest.mark.mongo_server, pytest.mark.mongo_cluster]),
]


def pytest_collection_finish() -> None:
    """Let the collector leave alone what lives as long as the run: thousands of tests, and the modules.

    It took a fifth of all time, going through them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty store on each engine in turn."""
    if request.param == "sqlite":
        engines = iter([sqlite_engine(tmp_path)])
    elif request.param == "mongomock":
        engines = iter([mongomock_engine()])
    else:
        fixture = {"mongo-server": "mongo_server_uri", "mongo-cluster": "mongo_cluster_uri"}
        engines = mongo_server_engine(request.getfixturevalue(fixture[request.param]))
    made = next(engines)
    yield made
    made.close()
    next(engines, None)
