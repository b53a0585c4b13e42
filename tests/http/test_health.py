"""Is it up, can it serve?"""

import pytest

from lrs.errors import StoreUnavailable
from lrs.web.health import make_health_blueprint
from tests.http.conftest import Instance


def test_both_are_good_when_the_store_answers(instance: Instance) -> None:
    assert [instance.client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_only_readiness_fails_when_the_store_is_away(embedded: Instance) -> None:
    from flask import Flask

    def ping() -> None:
        raise StoreUnavailable("Away.")

    app = Flask("away", static_folder=None)
    app.register_blueprint(make_health_blueprint(ping))
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 503]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nobody_needs_a_key(embedded: Instance, path: str) -> None:
    assert embedded.client.get(path, headers={"Authorization": "Basic nonsense"}).status_code == 200
