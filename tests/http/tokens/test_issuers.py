"""Tokens: whom to trust."""

from pathlib import Path

import pytest

from config.settings import read_settings
from lrs.access.issuers import IssuerWish
from lrs.errors import AlreadyExists, ConfigError, InvalidRequest, NotFound
from tests.engines import Engine
from tests.http.conftest import Instance, make_instance
from tests.http.tokens.world import World
from tests.issuers import AUDIENCE, issuing
from tests.loopback import write_authority, write_certificate


@pytest.mark.parametrize(
    "wish",
    [
        {"url": "http://login.example"},
        {"url": "login.example"},
        {"url": "https://login.example/?a=b"},
        {"url": "https://login.example/#"},
        {"url": "https://user@login.example/"},
        {"url": "https://login.example/" + "x" * 120},
        {"audience": ""},
        {"audience": "a\nb"},
        {"audience": "x" * 501},
        {"client_claim": ""},
        {"client_claim": 'a"b'},
        {"scope_claim": "a b"},
        {"jwks_url": "http://login.example/keys"},
        {"jwks_url": ""},
    ],
)
def test_issuer_is_refused_when_it_is_said_wrongly(shared_instance: Instance, wish: dict[str, str]) -> None:
    shared_instance.access.ensure_institution("School")
    good = {"url": "https://login.example/realm", "audience": "lrs"}
    with pytest.raises(InvalidRequest):
        shared_instance.services.issuers.add("School", IssuerWish(**{**good, **wish}))
    assert shared_instance.services.issuers.list(None) == []


def test_issuer_is_trusted_once_when_it_is_added_twice(instance: Instance) -> None:
    issuers = instance.services.issuers
    for name in ("School", "Museum"):
        instance.access.create_institution(name)
    wish = IssuerWish("https://login.example", "lrs")
    made = issuers.add("School", wish)
    with pytest.raises(AlreadyExists):
        issuers.add("Museum", wish)
    assert list(issuers.list("School")) == list(issuers.list(None)) == [made]
    assert list(issuers.list("Museum")) == []
    for name in ("Nobody",):
        with pytest.raises(NotFound):
            issuers.add(name, wish)
        with pytest.raises(NotFound):
            issuers.list(name)
    issuers.remove(made.id)
    with pytest.raises(NotFound):
        issuers.remove(made.id)


def test_issuer_is_believed_when_the_authority_that_the_operator_names_vouches_for_it(
    sqlite: Engine, tmp_path: Path
) -> None:
    with issuing(certificate=write_certificate(tmp_path, "localhost")) as issuer:
        url = f"https://localhost:{issuer.seen.port}"
        allow = {"LRS_OUTBOUND_ALLOW": f"localhost:{issuer.seen.port}"}
        for named, status in (({}, 500), ({"LRS_OUTBOUND_CA": str(write_authority(tmp_path))}, 200)):
            world = World(make_instance(sqlite, **allow, **named), issuer)
            world.instance.access.ensure_institution("School")
            if not world.instance.services.issuers.list("School"):
                wish = IssuerWish(url, AUDIENCE, jwks_url=f"{url}/keys")
                world.instance.services.issuers.add("School", wish)
            assert world.get(world.token(iss=url)).status_code == status


def test_instance_does_not_start_when_the_authority_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LRS_OUTBOUND_CA must be usual"):
        read_settings({"LRS_OUTBOUND_CA": str(tmp_path / "nothing.pem")})
    with pytest.raises(ConfigError, match="LRS_OUTBOUND_ALLOW must be none, or"):
        read_settings({"LRS_OUTBOUND_ALLOW": "11.0.0.0/7"})
