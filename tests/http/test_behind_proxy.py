"""The whole application below a path, told so by a setting or by a proxy that is believed."""

import re
from pathlib import Path

import pytest

from config.settings import read_settings
from lrs.errors import ConfigError
from tests.engines import Engine
from tests.http.conftest import Instance, make_instance
from tests.http.posting import GOOD
from tests.http.test_access_api import administrator
from tests.server import running_server

PREFIX = {"X-Forwarded-Prefix": "/lrs"}


@pytest.fixture
def below(sqlite: Engine) -> Instance:
    """An instance whose base path is /lrs, reached over https."""
    return make_instance(sqlite, LRS_BASE_PATH="/lrs/", LRS_PUBLIC_URL="https://example.org/lrs")


@pytest.fixture
def behind(sqlite: Engine) -> Instance:
    """An instance behind a proxy that cuts /lrs off and says so; the tests' client is that proxy."""
    instance = make_instance(
        sqlite, LRS_TRUSTED_PROXIES="127.0.0.1", LRS_PUBLIC_URL="https://example.org/lrs"
    )
    instance.client.environ_base["HTTP_X_FORWARDED_PREFIX"] = "/lrs"
    return instance


def outer(instance: Instance) -> str:
    """What stands before our paths in what the application is asked for."""
    return instance.services.settings.base_path


@pytest.fixture(params=["below", "behind"])
def placed(request: pytest.FixtureRequest) -> Instance:
    """Both ways: every link must be the same."""
    instance: Instance = request.getfixturevalue(request.param)
    return instance


def test_more_links_begin_with_the_path_and_can_be_followed(placed: Instance) -> None:
    key, base = placed.key(), outer(placed)
    assert placed.client.post(f"{base}/xapi/statements", json=[GOOD, GOOD], headers=key).status_code == 200
    first = placed.client.get(f"{base}/xapi/statements?limit=1", headers=key).get_json()
    assert first["more"].startswith("/lrs/xapi/statements?more=")
    second = placed.client.get(base + first["more"].removeprefix("/lrs"), headers=key).get_json()
    assert len(second["statements"]) == 1
    assert second["statements"] != first["statements"]


def test_signing_in_stays_below_the_path(placed: Instance) -> None:
    placed.access.create_institution("School")
    client = placed.app.test_client(use_cookies=False)
    client.environ_base = placed.client.environ_base
    place = f"{outer(placed)}/sign-in/{placed.access.create_sign_in('School')}"
    shown = client.get(place)
    assert "Path=/lrs/sign-in" in shown.headers["Set-Cookie"]
    form = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert form is not None
    cookie = shown.headers["Set-Cookie"].partition(";")[0]
    taken = client.post(place, data={"form": form[1]}, headers={"Cookie": cookie})
    assert (taken.status_code, taken.headers["Location"]) == (303, "/lrs/arrivals")
    session = next(c for c in taken.headers.getlist("Set-Cookie") if "lrs_session" in c)
    assert session.startswith("__Secure-lrs_session=")
    assert re.search(r"Path=/lrs(;|$)", session)
    page = client.get(f"{outer(placed)}/arrivals", headers={"Cookie": session.partition(";")[0]})
    assert page.status_code == 200
    links = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
    assert links
    assert [link for link in links if not link.startswith("/lrs/")] == []


def test_the_docs_page_its_style_and_its_description_stand_below_the_path(placed: Instance) -> None:
    page = placed.client.get(f"{outer(placed)}/api/docs").text
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page)
    assert "/lrs/api/openapi.json" in links
    for link in links:
        assert link.startswith("/lrs/")
        with placed.client.get(outer(placed) + link.removeprefix("/lrs")) as answer:
            assert answer.status_code == 200, link
    described = placed.client.get(f"{outer(placed)}/api/openapi.json").get_json()
    assert described["servers"] == [{"url": "/lrs"}]


def test_the_start_page_leads_below_the_path(placed: Instance) -> None:
    page = placed.client.get(f"{outer(placed)}/")
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page.text)
    assert (page.status_code, "/lrs/api/docs" in links) == (200, True)
    assert [link for link in links if not link.startswith("/lrs/")] == []
    assert "<code>https://example.org/lrs/xapi</code>" in page.text


def test_what_is_made_and_what_failed_is_said_with_the_path(placed: Instance) -> None:
    admin, place = administrator(placed), f"{outer(placed)}/api/v1/institutions"
    made = placed.client.post(place, json={"name": "Museum"}, headers=admin)
    assert made.headers["Location"] == f"/lrs/api/v1/institutions/{made.get_json()['id']}"
    failed = placed.client.get(f"{place}/nothing", headers=admin).get_json()
    assert failed["type"] == "/lrs/api/docs#error-not-found"


def test_the_alternate_syntax_works_below_the_path(below: Instance) -> None:
    key = below.key()
    form = {**key, "statementId": "00000000-0000-4000-8000-00000000abcd"}
    answer = below.client.post("/lrs/xapi/statements?method=GET", data=form)
    assert answer.status_code == 404
    assert "00000000abcd" in answer.get_json()["detail"]


@pytest.mark.parametrize("path", ["/xapi/about", "/xapi/statements", "/api/docs", "/", "/lrsx/xapi/about"])
def test_nothing_is_outside_the_path(below: Instance, path: str) -> None:
    answer = below.client.get(path, headers=below.key())
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")
    assert below.client.get("/lrs/xapi/about").status_code == 200


def test_health_answers_with_and_without_the_path(below: Instance) -> None:
    for path in ("/healthz", "/readyz", "/lrs/healthz", "/lrs/readyz"):
        assert below.client.get(path).status_code == 200, path


def test_nothing_is_believed_when_no_proxy_is_named(embedded: Instance) -> None:
    said = {**PREFIX, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    key = embedded.key()
    embedded.post([GOOD, GOOD], key)
    page = embedded.client.get("/xapi/statements?limit=1", headers={**key, **said}).get_json()
    assert page["more"].startswith("/xapi/")
    assert '="/lrs' not in embedded.client.get("/api/docs", headers=said).text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LRS_BASE_PATH", "lrs"),
        ("LRS_BASE_PATH", "/a b"),
        ("LRS_BASE_PATH", "/a//b"),
        ("LRS_TRUSTED_PROXIES", "proxy.example"),
        ("LRS_TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_a_wrong_setting_is_named(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read_settings({name: text})


@pytest.mark.lasting
@pytest.mark.parametrize(
    ("trusted", "start"),
    [("127.0.0.0/8", "/outer/lrs/xapi/"), ("192.0.2.1", "/lrs/xapi/"), ("none", "/lrs/xapi/")],
)
def test_a_real_server_believes_its_proxy_alone(tmp_path: Path, trusted: str, start: str) -> None:
    settings = {"LRS_BASE_PATH": "/lrs", "LRS_TRUSTED_PROXIES": trusted}
    with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path, **settings) as server:
        key = server.make_key("School")
        assert server.call("POST", "/lrs/xapi/statements", key=key, body=[GOOD, GOOD]).status == 200
        said = {"X-Forwarded-Prefix": "/outer", "X-Forwarded-For": "203.0.113.9"}
        answer = server.call("GET", "/lrs/xapi/statements?limit=1", key=key, headers=said)
        assert answer.json()["more"].startswith(start)
        assert server.call("GET", "/xapi/about").status == 404
