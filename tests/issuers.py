"""An issuer of signed tokens on the loopback: it has keys, changes them, and goes away."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from tests.loopback import Loopback, answer, serving

AUDIENCE = "https://lrs.example.org/xapi"


@cache
def rsa(number: int = 1) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": f"rsa-{number}"})


@cache
def ec(curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": f"ec-{curve}"})


def public(key: RSAKey | ECKey, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **more}


def part(content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@dataclass
class LocalIssuer:
    """What it answers is what stands here; ``token`` makes tokens as of ``now_us``."""

    seen: Loopback
    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    names_itself: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.seen.port}/realms/harbour"

    @property
    def fetched(self) -> list[str]:
        return [one.path for one in self.seen.asked]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        document: Any = {"keys": self.keys}
        if request.path.endswith("/.well-known/openid-configuration"):
            document = {"issuer": self.names_itself or self.url, "jwks_uri": f"{self.url}/keys"}
        answer(self.status, self.body or json.dumps(document).encode())(request)

    def claims(self, now_us: int, **claims: Any) -> dict[str, Any]:
        usual = {"iss": self.url, "aud": AUDIENCE, "exp": now_us // 1_000_000 + 300, "azp": "moodle"}
        every = {**usual, "scope": "openid all", **claims}
        return {name: value for name, value in every.items() if value is not None}

    def token(
        self,
        now_us: int,
        key: RSAKey | ECKey | None = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Sign a token; a claim that is None is left out."""
        key = key or rsa()
        head = {"alg": "RS256" if isinstance(key, RSAKey) else "ES256", "kid": key.kid, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
        return jws.serialize_compact(head, json.dumps(self.claims(now_us, **claims)), key, registry=registry)


@contextmanager
def issuing(*keys: dict[str, Any], certificate: Path | None = None) -> Iterator[LocalIssuer]:
    one = LocalIssuer(Loopback(0), list(keys) or [public(rsa())])
    with serving(one.answer, certificate) as one.seen:
        yield one
