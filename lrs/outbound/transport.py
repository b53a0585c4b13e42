"""One exchange with one address: pinned, watched, bounded. The only user of requests.

A connection goes to exactly the address that the guard found, whatever the host would
resolve to now; TLS still asks for and verifies the host's name.
"""

import socket
import ssl
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util.ssl_match_hostname import CertificateError

from lrs.errors import OutboundError, OutboundTooLarge, OutboundUnavailable, OutboundUntrusted
from lrs.outbound.guard import Target
from lrs.outbound.model import Answer, OutboundLimits

_CHUNK = 64 * 1024


class NotConnected(Exception):
    """Nothing was sent: the address did not take the connection."""


class Watch:
    """Cuts a connection when its time is over.

    A time limit on each read does not bound the whole: a server that sends a byte now and
    then passes it for ever. So a timer shuts the socket down beneath whoever reads from it.
    """

    def __init__(self, seconds: float) -> None:
        """Begin nothing yet."""
        self.over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start the time."""
        self._timer.start()
        self._token = _watch.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        _watch.reset(self._token)
        self._timer.cancel()
        with self._lock:
            self._socket = None

    def take(self, connected: socket.socket | None) -> None:
        """Say which socket is used; it is cut at once where the time is over."""
        with self._lock:
            self._socket = connected
        if self.over:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            if self._socket is None:
                return
            try:
                # Not SSLSocket.shutdown: that one takes the reader's state away beneath it.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                self._socket = None


_watch: ContextVar[Watch] = ContextVar("watch")


class _WatchedConnection(HTTPConnection):
    """Shows its socket to the exchange's watch, each time that it is used."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request."""
        _show(self)
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        """Read the head of the answer."""
        _show(self)
        return super().getresponse()


class _WatchedTlsConnection(HTTPSConnection):
    """Shows its socket to the exchange's watch, each time that it is used."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request."""
        _show(self)
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        """Read the head of the answer."""
        _show(self)
        return super().getresponse()


def _show(connection: HTTPConnection) -> None:
    _watch.get().take(connection.sock)


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class _PinnedRequest(requests.PreparedRequest):
    """A request that knows where its connection goes."""

    target: Target
    address: str


class _PinnedAdapter(HTTPAdapter):
    """Takes its connections from pools by address, and lets TLS verify the host."""

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        """Make the pools' manager."""
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Name the pool: the address in place of the host, and the host for TLS."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        assert isinstance(request, _PinnedRequest)  # noqa: S101 - none other is ever sent
        host["host"] = request.address
        if request.target.scheme == "https":
            pool["server_hostname"] = request.target.host
        return host, pool


class Transport:
    """Sends single requests and keeps connections for the next.

    Args:
        verify: A file or folder of certificate authorities in place of the usual ones.
    """

    def __init__(self, verify: str | None = None) -> None:
        """Connect to nothing yet."""
        self._verify = verify or True
        self._adapter = _PinnedAdapter(pool_connections=50, pool_maxsize=8, max_retries=0)

    def exchange(
        self,
        target: Target,
        address: str,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: OutboundLimits,
    ) -> Answer:
        """Send one request to one address and read the whole answer.

        Raises:
            NotConnected: Nothing was sent.
            OutboundUnavailable: It broke off or was too slow; it may have arrived.
            OutboundUntrusted: The certificate is not good for the host.
            OutboundTooLarge: The answer's body passes the limit.
        """
        request = _PinnedRequest()
        request.prepare(method, target.url, {**headers, "Host": target.host_header}, data=body)
        request.target, request.address = target, address
        # The library takes urllib3's Timeout, as its documentation says and its types do not.
        timeout: Any = Timeout(limits.total_seconds, limits.connect_seconds, limits.read_seconds)
        with Watch(limits.total_seconds) as watch:
            try:
                response = self._adapter.send(request, stream=True, timeout=timeout, verify=self._verify)
                with response:
                    read = _read(response.raw, limits.max_bytes)
            except (requests.RequestException, HTTPError, OSError) as error:
                raise _translate(error, target.host, watch.over) from error
            if watch.over:
                raise OutboundUnavailable(f"{target.host} took too long to answer.")
        return Answer(response.status_code, response.headers, read, target.url)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._adapter.close()


def _read(raw: HTTPResponse, max_bytes: int) -> bytes:
    """Read a body up to the limit, which counts what it unpacks to."""
    parts: list[bytes] = []
    size = 0
    for part in raw.stream(_CHUNK, decode_content=True):
        size += len(part)
        if size > max_bytes:
            raise OutboundTooLarge(f"The answer is longer than {max_bytes} bytes.")
        parts.append(part)
    return b"".join(parts)


def _translate(error: Exception, host: str, over: bool) -> OutboundError | NotConnected:
    """Put what the library raises into our words; its own may quote addresses and secrets."""
    if over:
        return OutboundUnavailable(f"{host} took too long to answer.")
    if _is_certificate(error):
        return OutboundUntrusted(f"{host} has no certificate that is good for its name.")
    if isinstance(error, requests.ConnectTimeout) or _is_new_connection(error):
        return NotConnected(f"{host} does not take connections.")
    if isinstance(error, requests.Timeout | TimeoutError):
        return OutboundUnavailable(f"{host} took too long to answer.")
    return OutboundUnavailable(f"The connection to {host} broke off.")


def _is_certificate(error: BaseException) -> bool:
    """Tell whether a certificate is at the bottom of it; TLS that merely breaks off may work later."""
    below = error.__cause__ or error.__context__
    found = isinstance(error, ssl.SSLCertVerificationError | CertificateError)
    return found or (below is not None and _is_certificate(below))


def _is_new_connection(error: Exception) -> bool:
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
