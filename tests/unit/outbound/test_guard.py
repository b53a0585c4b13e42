import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.errors import OutboundRefused, OutboundUnavailable
from lrs.outbound.guard import Allowed, Guard, is_public, parse_allowed

PUBLIC = "93.184.215.14"


def guard(*addresses: str, allow: str = "none") -> Guard:
    return Guard(parse_allowed(allow), lambda host, port: addresses)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "100::1",
        "5f00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "2002:7f00:1::",
        "2002:5db8:d70e::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::5db8:d70e",
    ],
)
def test_address_is_refused_when_it_is_not_public(address: str) -> None:
    with pytest.raises(OutboundRefused):
        guard(address).check("https://lrs.example/")
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(OutboundRefused):
        guard().check(f"http://{literal}/")


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "1.1.1.1", "172.32.0.1", "2606:2800:21f::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"],
)
def test_address_is_taken_when_it_is_public(address: str) -> None:
    target = guard(address).check("https://lrs.example/a?b=c#d")
    assert ipaddress.ip_address(target.addresses[0]) == ipaddress.ip_address(address)
    assert target.url == "https://lrs.example:443/a?b=c"


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    nat64 = address in ipaddress.ip_network("64:ff9b::/96")
    if not (inner or address).is_global and not nat64:
        assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "127.0.0.01",
        "1.2.3",
        "0x",
        "8.8.8.8.8",
        "09",
    ],
)
def test_host_is_refused_when_it_spells_an_address_as_nobody_should(host: str) -> None:
    for spelling in (host, f"{host}.", host.upper()):
        with pytest.raises(OutboundRefused):
            guard(PUBLIC, allow="0.0.0.0/0").check(f"http://{spelling}/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://lrs.example/",
        "file:///etc/passwd",
        "gopher://lrs.example",
        "//lrs.example/",
        "lrs.example",
        "http://",
        "http:///path",
        "http://user:secret@lrs.example/",
        "http://lrs.example@127.0.0.1/",
        "http://lrs.example\\@127.0.0.1/",
        "http://lrs.example:0/",
        "http://lrs.example:65536/",
        "http://lrs.example:port/",
        "http://[::1/",
        "http://[fe80::1%eth0]/",
        "http://[v1.x]/",
        "http://lrs..example/",
        "http://-/",
        "http://lrs.example /",
        "http://lrs.example/\r\nHost: other",
        "http://lrs.exämple/",
        "http://lrs.example..:80/",
        "http://ⓛocalhost/",
    ],
)
def test_url_is_refused_when_it_is_no_plain_http_address(url: str) -> None:
    with pytest.raises(OutboundRefused):
        guard(PUBLIC).check(url)


def test_name_is_one_name_when_it_ends_in_a_dot_or_has_capitals() -> None:
    target = guard(PUBLIC).check("HTTPS://LRS.Example.:8443/")
    assert target.origin == ("https", "lrs.example", 8443)
    assert target.host_header == "lrs.example:8443"
    assert guard(PUBLIC).check("https://lrs.example:443/").host_header == "lrs.example"
    with pytest.raises(OutboundRefused):
        guard().check("http://127.0.0.1./")


def test_only_public_addresses_are_connected_to_when_a_name_has_both_kinds() -> None:
    assert guard("127.0.0.1", PUBLIC, "::1", PUBLIC).check("http://lrs.example/").addresses == (PUBLIC,)


@pytest.mark.parametrize(
    ("allow", "url", "good"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000/", True),
        ("127.0.0.1:9000", "http://inner.example:9000/", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9001/", False),
        ("127.0.0.1:9000", "http://127.0.0.2:9000/", False),
        ("10.0.0.0/8 127.0.0.0/8", "http://127.9.9.9/", True),
        ("10.0.0.0/8", "http://127.9.9.9/", False),
        ("[::1]:80", "http://[::1]/", True),
        ("[::1]:80", "http://[0:0::1]:81/", False),
        ("::1", "http://[::1]:81/", True),
        ("Inner.example:443", "https://inner.EXAMPLE/", True),
        ("inner.example:443", "http://inner.example/", False),
        ("inner.example", "http://inner.example:81/", True),
        ("inner.example", "http://other.example/", False),
        ("inner.example", "http://127.0.0.1/", False),
        ("none", "http://127.0.0.1/", False),
    ],
)
def test_private_address_is_taken_only_when_the_operator_allows_just_it(
    allow: str, url: str, good: bool
) -> None:
    there = guard("127.0.0.1", allow=allow)
    if good:
        assert there.check(url).addresses
    else:
        with pytest.raises(OutboundRefused):
            there.check(url)


def test_mapped_address_is_not_let_in_when_its_inner_address_is_allowed_only_by_itself() -> None:
    with pytest.raises(OutboundRefused):
        guard(allow="127.0.0.1").check("http://[::ffff:127.0.0.1]/")


@pytest.mark.parametrize(
    "text", ["127.0.0.1/8", "host:0", "host:99999", "host:x", ":80", "[::1", "a b/c", "0x7f.1"]
)
def test_list_is_refused_when_an_entry_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="must be none, or addresses"):
        parse_allowed(text)


def test_list_is_read_when_every_kind_stands_in_it() -> None:
    network = ipaddress.ip_network
    assert parse_allowed("127.0.0.1:9000 10.0.0.0/8 [::1]:80 moodle.internal:443 none") == (
        Allowed(network("127.0.0.1/32"), None, 9000),
        Allowed(network("10.0.0.0/8"), None, None),
        Allowed(network("::1/128"), None, 80),
        Allowed(None, "moodle.internal", 443),
    )


def test_name_that_has_no_address_may_have_one_later() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    for there in (Guard((), resolve), guard()):
        with pytest.raises(OutboundUnavailable) as caught:
            there.check("https://lrs.example/")
        assert caught.value.transient


def test_system_resolver_is_asked_when_none_is_handed_in() -> None:
    assert "127.0.0.1" in Guard(parse_allowed("localhost")).check("http://localhost:9/").addresses
    with pytest.raises(OutboundRefused):
        Guard().check("http://localhost/")
