"""Issuers, and instances that trust them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engine, mongomock_engine, sqlite_engine
from tests.http.tokens.world import World, made
from tests.issuers import LocalIssuer, issuing


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with issuing() as one:
        yield one


@pytest.fixture(params=["sqlite", "mongomock"])
def world(request: pytest.FixtureRequest, tmp_path: Path, issuer: LocalIssuer) -> Iterator[World]:
    engine = sqlite_engine(tmp_path) if request.param == "sqlite" else mongomock_engine()
    yield made(engine, issuer)
    engine.close()


@pytest.fixture
def small(sqlite: Engine, issuer: LocalIssuer) -> World:
    """On one engine, where the store does not matter."""
    return made(sqlite, issuer)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For tests that change nothing: its clock stands, its issuer stays."""
    engine = sqlite_engine(tmp_path_factory.mktemp("steady"))
    with issuing() as one:
        yield made(engine, one)
    engine.close()
