"""Behind a proxy: whose word about the client counts, and below which path everything stands.

Both wrap the WSGI application, so that no route knows of them: ``SCRIPT_NAME`` is what
stands before our paths in every link, and ``REMOTE_ADDR`` is who really asks.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
)
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_OUTSIDE = "lrs.outside_base_path"
_PROBES = ("/healthz", "/readyz")


class TrustedProxies:
    """Believes ``X-Forwarded-*`` from named proxies, and takes them away from everybody else.

    ``X-Forwarded-For`` is read from its right end, as far as the addresses are proxies of
    ours; what a client wrote itself stands further left. Of ``-Proto``, ``-Host`` and
    ``-Prefix`` the last value counts: that of the nearest proxy.

    Args:
        app: What is wrapped.
        networks: The proxies; none believes nobody.
    """

    def __init__(self, app: WSGIApplication, networks: Sequence[Network]) -> None:
        """Keep both."""
        self._app = app
        self._networks = tuple(networks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Take the headers out, use those that are to be believed, and pass the request on."""
        said = {name: environ.pop(name) for name in _FORWARDED if name in environ}
        if said and self._is_proxy(environ.get("REMOTE_ADDR", "")):
            self._believe(environ, said)
        return self._app(environ, start_response)

    def _believe(self, environ: WSGIEnvironment, said: dict[str, str]) -> None:
        client = self._client(said.get("HTTP_X_FORWARDED_FOR", ""))
        if client:
            environ["REMOTE_ADDR"] = client
        proto = _last(said.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        if proto in {"http", "https"}:
            environ["wsgi.url_scheme"] = proto
        host = _last(said.get("HTTP_X_FORWARDED_HOST", ""))
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host
        prefix = _last(said.get("HTTP_X_FORWARDED_PREFIX", "")).rstrip("/")
        if _PREFIX.fullmatch(prefix):
            environ["SCRIPT_NAME"] = prefix

    def _client(self, forwarded_for: str) -> str:
        """Return the first address from the right that is no proxy of ours; empty where none is said."""
        client = ""
        for written in reversed(forwarded_for.split(",")):
            address = _address(written.strip())
            if address is None:
                break
            client = str(address)
            if not self._is_proxy(client):
                break
        return client

    def _is_proxy(self, written: str) -> bool:
        address = _address(written)
        return address is not None and any(address in network for network in self._networks)


class BasePath:
    """Serves the application below a path; elsewhere there is nothing but the health routes.

    Args:
        app: What is wrapped.
        base: Such as ``/lrs``.
    """

    def __init__(self, app: WSGIApplication, base: str) -> None:
        """Keep both."""
        self._app = app
        self._base = base

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Move the path from what is asked for to what stands before it."""
        path = environ.get("PATH_INFO", "")
        if path == self._base or path.startswith(self._base + "/"):
            environ["PATH_INFO"] = path[len(self._base) :] or "/"
        elif path not in _PROBES:
            environ[_OUTSIDE] = True
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._base
        return self._app(environ, start_response)


def is_outside(environ: WSGIEnvironment) -> bool:
    """Tell whether a request is for something above the base path."""
    return _OUTSIDE in environ


def _last(value: str) -> str:
    return value.rpartition(",")[2].strip()


def _address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address, in brackets or not, with a port or not; one that is mapped into IPv6 as IPv4."""
    bare = re.sub(r"^\[(.*)\](:\d+)?$", r"\1", written)
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
