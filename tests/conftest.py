"""What all levels share: engines, clock, the server that speaks MongoDB's protocol."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engine, merging_engine, mongo_server_engine, mongomock_engine, sqlite_engine

pytest_plugins = ["tests.hypothesis_profiles", "tests.mongo_server.plugin"]

ENGINES = [
    "sqlite",
    "mongomock",
    pytest.param("mongo-server", marks=pytest.mark.mongo_server),
    pytest.param("mongo-cluster", marks=[pytest.mark.mongo_server, pytest.mark.mongo_cluster]),
]
LONG_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is given the most time, so that no process is left with it at the end."""
    items.sort(key=_patience_of, reverse=True)


def _patience_of(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    seconds = float(marker.args[0]) if marker is not None else 0.0
    return seconds if seconds >= LONG_SECONDS else 0.0


def pytest_collection_finish() -> None:
    """Let the collector leave alone what lives as long as the run: thousands of tests, and the modules.

    It took a fifth of all time, going through them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def iter_engine(request: pytest.FixtureRequest, folder: Path) -> Iterator[Engine]:
    """Make an empty store on the engine that the request names, and close it afterwards."""
    if request.param == "sqlite":
        engines = iter([sqlite_engine(folder)])
    elif request.param == "sqlite-merged":
        engines = iter([merging_engine(folder)])
    elif request.param == "mongomock":
        engines = iter([mongomock_engine()])
    else:
        fixture = {"mongo-server": "mongo_server_uri", "mongo-cluster": "mongo_cluster_uri"}
        engines = mongo_server_engine(request.getfixturevalue(fixture[request.param]))
    made = next(engines)
    yield made
    made.close()
    next(engines, None)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty store on each engine in turn."""
    yield from iter_engine(request, tmp_path)
