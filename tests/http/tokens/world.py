"""An instance that trusts an issuer, and tokens of that one."""

from typing import Any

from werkzeug.test import TestResponse

from lrs.access.issuers import IssuerWish
from tests.engines import Engine
from tests.http.conftest import Instance, make_instance
from tests.issuers import AUDIENCE, LocalIssuer

SECOND = 1_000_000


class World:
    """An instance whose school trusts an issuer."""

    def __init__(self, instance: Instance, issuer: LocalIssuer) -> None:
        self.instance, self.issuer = instance, issuer

    def trust(self, institution: str = "School", audience: str = AUDIENCE, **wish: Any) -> str:
        self.instance.access.ensure_institution(institution)
        made = self.instance.services.issuers.add(institution, IssuerWish(self.issuer.url, audience, **wish))
        return made.id

    def token(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return self.issuer.token(self.instance.clock(), key, header, **claims)

    def get(self, token: str, path: str = "/xapi/statements") -> TestResponse:
        return self.instance.client.get(path, headers=bearer(token))

    def post(self, token: str, body: Any) -> TestResponse:
        return self.instance.post(body, bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Experience-API-Version": "1.0.3"}


def made(engine: Engine, issuer: LocalIssuer, **environ: str) -> World:
    allow = {"LRS_OUTBOUND_ALLOW": f"127.0.0.1:{issuer.seen.port}", **environ}
    world = World(make_instance(engine, **allow), issuer)
    world.trust()
    return world


def assert_refused(answer: TestResponse) -> None:
    assert answer.status_code == 401, answer.text
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="lrs", error="invalid_token", error_description="')
    assert answer.json["code"] == "unauthenticated"
