"""Which other hosts may be talked to: none whose address is not public, unless an operator allows it.

A host is resolved once, here; what connects later connects to the addresses that came out
of it and resolves nothing again, so that a name cannot be public when it is checked and
private when it is used.

Spec: RFC 3986 3.2.2; the special-purpose address registries of RFC 6890.
"""

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from lrs.errors import OutboundRefused, OutboundUnavailable

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host for a port, in the order to try; raises OSError."""

# The lists are ours and not those of Python's ipaddress, which change with its version.
_PRIVATE_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",
        "168.63.129.16/32",  # a public number under which one cloud serves its machines' secrets
        "169.254.0.0/16",  # link-local; the other clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_PRIVATE_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ALLOWED_FORM = (
    "must be none, or addresses, networks and hosts separated by blanks, each with a port or without,"
    " such as 127.0.0.1:9000 10.0.0.0/8 [::1]:80 moodle.internal:443"
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Somewhere that an operator lets this instance go although it is private.

    Attributes:
        network: Addresses; None where a host is named instead.
        host: A name, lower case; whatever it resolves to is allowed.
        port: None for every port.
    """

    network: IPv4Network | IPv6Network | None
    host: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes, checked.

    Attributes:
        url: As it is requested: lower-case host, no fragment.
        scheme: ``http`` or ``https``.
        host: A name or an address, without brackets; TLS verifies it.
        addresses: What to connect to, in the order to try; one at least.
    """

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: who is trusted with credentials."""
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """The Host header.

        Spec: RFC 9110 7.2.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_allowed(text: str) -> tuple[Allowed, ...]:
    """Read what an operator allows: addresses, networks and hosts, each with a port or without.

    Args:
        text: Separated by blanks, such as ``127.0.0.1:9000 10.0.0.0/8 [::1]:80 moodle.internal:443``;
            ``none`` for nothing.

    Raises:
        ValueError: One is none of these.
    """
    return tuple(_parse_one(one) for one in text.split() if one != "none")


def _parse_one(text: str) -> Allowed:
    network = _network(text)
    if network is not None:
        return Allowed(network, None, None)
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    if colon and not _is_port(port):
        raise ValueError(_ALLOWED_FORM)
    number = int(port) if port else None
    network = _network(host.removeprefix("[").removesuffix("]"))
    if network is not None:
        return Allowed(network, None, number)
    try:
        return Allowed(None, _clean_host(host), number)
    except OutboundRefused as error:
        raise ValueError(_ALLOWED_FORM) from error


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 1 << 16


class Guard:
    """Decides where a URL may lead.

    Args:
        allowed: What is let through although private.
        resolve: Asks the system's resolver where none is handed in.
    """

    def __init__(self, allowed: Sequence[Allowed] = (), resolve: Resolve | None = None) -> None:
        """Keep what was handed in."""
        self._allowed = tuple(allowed)
        self._resolve = resolve or resolve_host

    def check(self, url: str) -> Target:
        """Resolve the host of a URL and keep those of its addresses that may be connected to.

        Raises:
            OutboundRefused: It is no http(s) URL of ours, or none of its addresses may be used.
            OutboundUnavailable: The host has no address, or the resolver does not answer.
        """
        scheme, host, port, rest = split_url(url)
        found = self._addresses_of(host, port)
        usable = tuple(str(one) for one in found if self._may_connect(host, one, port))
        if not usable:
            raise OutboundRefused(
                f"{host} has no public address; an operator may allow a private one in LRS_OUTBOUND_ALLOW."
            )
        shown = f"[{host}]" if ":" in host else host
        return Target(f"{scheme}://{shown}:{port}{rest}", scheme, host, port, usable)

    def _addresses_of(self, host: str, port: int) -> Sequence[Address]:
        literal = _literal(host)
        if literal is not None:
            return (literal,)
        try:
            found = [ip_address(text) for text in self._resolve(host, port)]
        except (OSError, UnicodeError) as error:
            raise OutboundUnavailable(f"The address of {host} cannot be found.") from error
        except ValueError as error:
            raise OutboundRefused(f"{host} has an address that is none.") from error
        if not found:
            raise OutboundUnavailable(f"{host} has no address.")
        return list(dict.fromkeys(found))

    def _may_connect(self, host: str, address: Address, port: int) -> bool:
        return is_public(address) or any(_lets(one, host, address, port) for one in self._allowed)


def _lets(allowed: Allowed, host: str, address: Address, port: int) -> bool:
    if allowed.port not in {None, port}:
        return False
    return allowed.host == host if allowed.network is None else address in allowed.network


def split_url(url: str) -> tuple[str, str, int, str]:
    """Take a URL apart: scheme, clean host, port, and path with query.

    Raises:
        OutboundRefused: It is not an http(s) URL in plain ASCII, holds user and password, or
            its host is spelled as nobody should spell one.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise OutboundRefused("The URL must be plain ASCII without blanks; write other hosts as xn--….")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise OutboundRefused("The URL is malformed.") from error
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise OutboundRefused("The URL must begin with http:// or https:// and name a host.")
    if "@" in parts.netloc:
        raise OutboundRefused("The URL must not hold user and password.")
    if "[" in parts.netloc and ":" not in host:
        raise OutboundRefused("The URL's address is of no kind that is known here.")
    rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, _clean_host(host), port or _DEFAULT_PORTS[parts.scheme], rest


def _clean_host(host: str) -> str:
    """Return a host in its one spelling: lower case, no dot at its end, addresses as usual.

    Resolvers also take ``2130706433``, ``0x7f.1`` and ``127.1`` for addresses; here whatever
    ends in a number must be an address in full.
    """
    clean = host.lower().removesuffix(".")
    if ":" in clean:
        return str(_address_6(clean))
    if _NUMBER.fullmatch(clean.rpartition(".")[2]):
        try:
            return str(IPv4Address(clean))
        except ValueError as error:
            raise OutboundRefused(f"The host {host} is a number, but no IPv4 address as usual.") from error
    if not _NAME.fullmatch(clean):
        raise OutboundRefused("The URL's host is no name and no address.")
    return clean


def _address_6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text)
    except ValueError as error:
        raise OutboundRefused(f"The host {text} is no IPv6 address.") from error
    if address.scope_id is not None:
        raise OutboundRefused("The URL's address names an interface of this machine.")
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public Internet's.

    An IPv4 address inside an IPv6 one (mapped, NAT64) is judged in its place.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _PRIVATE_4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _PUBLIC_6 and not any(address in network for network in _PRIVATE_6)


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, which has time limits of its own.

    Raises:
        OSError: There is no answer.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
