"""Empty engines, and a backup of everything."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.contract.backup.making import Open, back_up, filled
from tests.engines import Engine, mongo_server_engine, mongomock_engine, sqlite_engine


@contextmanager
def _engine(request: pytest.FixtureRequest, name: str, folder: Path) -> Iterator[Engine]:
    if name == "mongo-server":
        engines = mongo_server_engine(request.getfixturevalue("mongo_server_uri"))
    else:
        engines = iter([sqlite_engine(folder) if name == "sqlite" else mongomock_engine()])
    engine = next(engines)
    yield engine
    engine.close()
    next(engines, None)


@pytest.fixture
def open_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Gives empty engines by name, as many as are asked for."""
    with ExitStack() as stack:

        def opened(name: str) -> Engine:
            folder = tmp_path / f"store{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return stack.enter_context(_engine(request, name, folder))

        yield opened


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    """A backup of everything, made on the embedded engine."""
    folder = tmp_path / "origin"
    folder.mkdir()
    engine = sqlite_engine(folder)
    instance, _ = filled(engine)
    made = back_up(instance.services.stores)
    engine.close()
    return made
