"""What is believed of a request that came through a proxy."""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

import pytest

from lrs.web.proxies import BasePath, TrustedProxies, is_outside

PROXY, CLIENT = "10.0.0.1", "203.0.113.9"
BELIEVED = [ip_network("10.0.0.0/24"), ip_network("fd00::/8")]


def seen(app_of: Any, **environ: str) -> dict[str, Any]:
    """The environment that the application sees."""
    got: dict[str, Any] = {}

    def app(inner: dict[str, Any], _start: Any) -> Iterable[bytes]:
        got.update(inner)
        return []

    app_of(app)(
        {"REMOTE_ADDR": PROXY, "HTTP_HOST": "inside:8080", "wsgi.url_scheme": "http", **environ}, None
    )
    return got


def through(**environ: str) -> dict[str, Any]:
    return seen(lambda app: TrustedProxies(app, BELIEVED), **environ)


ALL = {
    "HTTP_X_FORWARDED_FOR": CLIENT,
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "lrs.example.org",
    "HTTP_X_FORWARDED_PREFIX": "/lrs/",
}


def test_a_named_proxy_is_believed() -> None:
    got = through(**ALL)
    assert (got["REMOTE_ADDR"], got["wsgi.url_scheme"]) == (CLIENT, "https")
    assert (got["HTTP_HOST"], got["SCRIPT_NAME"]) == ("lrs.example.org", "/lrs")


@pytest.mark.parametrize("address", [CLIENT, "10.0.1.1", "", "unix", "fe80::1"])
def test_nobody_else_is_believed_and_nothing_of_it_is_left(address: str) -> None:
    got = through(**ALL, REMOTE_ADDR=address, HTTP_FORWARDED="for=1.2.3.4", HTTP_X_REAL_IP="1.2.3.4")
    assert got == {"REMOTE_ADDR": address, "HTTP_HOST": "inside:8080", "wsgi.url_scheme": "http"}


def test_nobody_is_believed_when_no_proxy_is_named() -> None:
    got = seen(lambda app: TrustedProxies(app, ()), **ALL)
    assert got == {"REMOTE_ADDR": PROXY, "HTTP_HOST": "inside:8080", "wsgi.url_scheme": "http"}


@pytest.mark.parametrize("address", ["fd00::7", "::ffff:10.0.0.1", "10.0.0.1:4711", "[fd00::7]:80"])
def test_a_proxy_is_known_in_every_way_to_write_its_address(address: str) -> None:
    assert through(HTTP_X_FORWARDED_FOR=CLIENT, REMOTE_ADDR=address)["REMOTE_ADDR"] == CLIENT


@pytest.mark.parametrize(
    ("said", "client"),
    [
        (f"6.6.6.6, {CLIENT}", CLIENT),
        (f"6.6.6.6, {CLIENT}, 10.0.0.2", CLIENT),
        (f"{CLIENT}:5000", CLIENT),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (f"{CLIENT}, unknown, 10.0.0.2", "10.0.0.2"),
        ("unknown", PROXY),
        ("", PROXY),
        (",", PROXY),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_proxy(said: str, client: str) -> None:
    assert through(HTTP_X_FORWARDED_FOR=said)["REMOTE_ADDR"] == client


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HTTP_X_FORWARDED_PROTO", "javascript"),
        ("HTTP_X_FORWARDED_HOST", "evil.example/path"),
        ("HTTP_X_FORWARDED_HOST", "a b"),
        ("HTTP_X_FORWARDED_PREFIX", "//evil.example"),
        ("HTTP_X_FORWARDED_PREFIX", "https://evil.example"),
        ("HTTP_X_FORWARDED_PREFIX", "lrs"),
        ("HTTP_X_FORWARDED_PREFIX", "/a?b"),
        ("HTTP_X_FORWARDED_PREFIX", "/\\evil.example"),
    ],
)
def test_what_is_malformed_is_ignored(name: str, said: str) -> None:
    got = through(**{name: said})
    assert got == {"REMOTE_ADDR": PROXY, "HTTP_HOST": "inside:8080", "wsgi.url_scheme": "http"}


def test_the_nearest_proxys_word_counts_when_several_spoke() -> None:
    got = through(HTTP_X_FORWARDED_PROTO="http, https", HTTP_X_FORWARDED_HOST="evil.example, lrs.example.org")
    assert (got["wsgi.url_scheme"], got["HTTP_HOST"]) == ("https", "lrs.example.org")


@pytest.mark.parametrize(
    ("path", "inner", "outside"),
    [
        ("/lrs/xapi/about", "/xapi/about", False),
        ("/lrs", "/", False),
        ("/lrs/", "/", False),
        ("/lrs/lrs", "/lrs", False),
        ("/xapi/about", "/xapi/about", True),
        ("/lrsx/xapi", "/lrsx/xapi", True),
        ("/", "/", True),
        ("/healthz", "/healthz", False),
        ("/readyz", "/readyz", False),
    ],
)
def test_everything_is_below_the_base_path(path: str, inner: str, outside: bool) -> None:
    got = seen(lambda app: BasePath(app, "/lrs"), PATH_INFO=path)
    assert (got["PATH_INFO"], got["SCRIPT_NAME"], is_outside(got)) == (inner, "/lrs", outside)


def test_the_base_path_follows_the_prefix_when_there_are_both() -> None:
    both = lambda app: TrustedProxies(BasePath(app, "/lrs"), BELIEVED)  # noqa: E731
    got = seen(both, PATH_INFO="/lrs/xapi/about", HTTP_X_FORWARDED_PREFIX="/records")
    assert (got["PATH_INFO"], got["SCRIPT_NAME"]) == ("/xapi/about", "/records/lrs")
