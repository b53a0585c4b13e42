"""Instances that send, and one that receives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import mongomock_engine, sqlite_engine
from tests.http.conftest import Instance, make_instance
from tests.receiver import Receiver, running_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as made:
        yield made


@pytest.fixture(params=["sqlite", "mongomock"])
def sending(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instance]:
    """An instance that may go to the loopback address, on each engine in turn."""
    engine = sqlite_engine(tmp_path) if request.param == "sqlite" else mongomock_engine()
    yield make_instance(engine, LRS_OUTBOUND_ALLOW="127.0.0.1")
    engine.close()
