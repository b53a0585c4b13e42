"""A whole instance without a server: the real app on a real store, asked through its WSGI door."""

import atexit
import base64
import functools
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import read_settings
from lrs.access.model import Scope
from lrs.access.service import AccessService
from lrs.app import create_app
from lrs.services import Outside, Services, build_services
from lrs.web.smorest import StrictApi, StrictBlueprint
from tests.engines import Engine, HandClock, mongomock_engine, sqlite_engine


@dataclass
class Instance:
    """One instance, with what a test needs to talk to it."""

    app: Flask
    services: Services
    clock: HandClock
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def access(self) -> AccessService:
        return self.services.access

    def key(self, institution: str | None = "School", *scopes: Scope, **wish: Any) -> dict[str, str]:
        """Make a key; returns the headers of an xAPI 1.0.3 request with it."""
        made = self.access.create_key(institution, None, scopes or (Scope.ALL,), **wish)
        return {**basic(made.key.id, made.secret), "X-Experience-API-Version": "1.0.3"}

    def post(self, body: Any, headers: dict[str, str], **kwargs: Any) -> TestResponse:
        """POST statements; anything but bytes is written as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            "/xapi/statements", data=data, headers=headers, content_type="application/json", **kwargs
        )

    def get(self, headers: dict[str, str], **params: str) -> TestResponse:
        """GET statements."""
        return self.client.get("/xapi/statements", query_string=params, headers=headers)


def basic(user: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


@functools.cache
def secret_key_file() -> str:
    """The path of a file with one key, the same for all instances of this process."""
    folder = tempfile.mkdtemp(prefix="lrs-test-key-")
    path = Path(folder) / "key"
    path.write_text(base64.b64encode(os.urandom(32)).decode())
    path.chmod(0o600)
    atexit.register(shutil.rmtree, folder)
    return str(path)


_descriptions: list[Any] = []


def describe_once(make: Callable[[], Flask]) -> Flask:
    """Make an app; all of this process share the API's description that was made with the first.

    It hangs on the code alone, on no setting and no store; making it is half of what an app costs.
    """
    with pytest.MonkeyPatch.context() as patch:
        if _descriptions:
            patch.setattr(StrictBlueprint, "register_views_in_doc", lambda *_, **__: None)
            patch.setattr(StrictApi, "_register_responses", lambda _: None)
        app = make()
    api = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    _descriptions.append(api.spec)
    api.spec = _descriptions[0]
    del _descriptions[1:]
    return app


def make_instance(engine: Engine, **environ: str) -> Instance:
    usual = {"LRS_PUBLIC_URL": "http://lrs.example.org", "LRS_SECRET_KEY_FILE": secret_key_file()}
    settings = read_settings({**usual, **environ})
    ids, errors = itertools.count(1), itertools.count(1)
    outside = Outside(
        clock=engine.clock,
        new_id=lambda: f"00000000-0000-4000-8000-{next(ids):012d}",
        new_error_id=lambda: f"error{next(errors):05d}",
        durable=False,
    )
    services = build_services(settings, outside, engine.open)
    app = describe_once(lambda: create_app(settings, services))
    return Instance(app, services, engine.clock)


@pytest.fixture(params=["sqlite", "mongomock"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instance]:
    """An empty instance, on each engine in turn."""
    engine = sqlite_engine(tmp_path) if request.param == "sqlite" else mongomock_engine()
    yield make_instance(engine)
    engine.close()


@pytest.fixture(scope="module", params=["sqlite", "mongomock"])
def shared_instance(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """An instance for a whole file, on each engine in turn: each test takes an institution of its own."""
    folder = tmp_path_factory.mktemp("shared")
    engine = sqlite_engine(folder) if request.param == "sqlite" else mongomock_engine()
    yield make_instance(engine)
    engine.close()


@pytest.fixture(scope="module")
def shared_embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The same on the embedded engine alone, where the engine makes no difference."""
    engine = sqlite_engine(tmp_path_factory.mktemp("shared"))
    yield make_instance(engine)
    engine.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """The embedded engine, for an instance with other settings."""
    engine = sqlite_engine(tmp_path)
    yield engine
    engine.close()


@pytest.fixture
def embedded(sqlite: Engine) -> Instance:
    """An empty instance on the embedded engine, where the engine makes no difference."""
    return make_instance(sqlite)
