import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from lrs.errors import (
    OutboundError,
    OutboundRefused,
    OutboundTooLarge,
    OutboundUnavailable,
    OutboundUntrusted,
)
from lrs.outbound import Outbound, OutboundLimits
from lrs.outbound.guard import Guard, parse_allowed
from tests.loopback import Handle, answer, serving, write_authority, write_certificate

QUICK = OutboundLimits(connect_seconds=1, read_seconds=0.5, total_seconds=1.0, max_bytes=100_000)
Make = Callable[..., Outbound]


@pytest.fixture
def outbound() -> Iterator[Make]:
    """Makes clients for which every name lies on the loopback."""
    made: list[Outbound] = []

    def make(
        *ports: int, resolve: Callable[[str, int], list[str]] | None = None, verify: Path | None = None
    ) -> Outbound:
        allowed = parse_allowed(" ".join(f"127.0.0.1:{port}" for port in ports))
        guard = Guard(allowed, resolve or (lambda host, port: ["127.0.0.1"]))
        made.append(Outbound(guard, QUICK, str(verify) if verify else None))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_answer_comes_whole_when_the_address_is_allowed(outbound: Make) -> None:
    with serving(answer(404, b"none", {"X-Told": "yes"})) as there:
        url = f"http://lrs.example:{there.port}/a%20b?c=d&e#f"
        got = outbound(there.port).request("POST", url, {"X-Asked": "1"}, b"body")
    assert (got.status, got.body, got.headers["x-told"]) == (404, b"none", "yes")
    asked = there.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/a%20b?c=d&e", b"body")
    assert asked.headers["host"] == f"lrs.example:{there.port}"
    assert asked.headers["user-agent"].startswith("lrs/")
    assert asked.headers["x-asked"] == "1"


def test_nothing_arrives_when_the_address_is_private(outbound: Make) -> None:
    with serving(answer()) as there:
        for host in ("lrs.example", "127.0.0.1", "localhost"):
            with pytest.raises(OutboundRefused):
                outbound().request("GET", f"http://{host}:{there.port}/")
    assert there.connections == 0


def test_name_is_resolved_once_when_it_would_point_elsewhere_the_second_time(outbound: Make) -> None:
    with serving(answer()) as there:
        asked: list[str] = []

        def rebinding(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

        client = outbound(there.port, resolve=rebinding)
        assert client.request("GET", f"http://lrs.example:{there.port}/").status == 200
        assert asked == ["lrs.example"]
        with pytest.raises(OutboundRefused):
            client.request("GET", f"http://lrs.example:{there.port}/")
    assert there.connections == 1


def test_system_resolver_is_never_asked_for_a_name_by_what_connects(
    outbound: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = socket.getaddrinfo, []

    def spy(host: str, *args: object, **kwargs: object) -> object:
        asked.append(host)
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", spy)
    with serving(answer()) as there:
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")
    assert set(asked) <= {"127.0.0.1"}


def test_next_address_is_tried_when_the_first_takes_no_connection(outbound: Make) -> None:
    with serving(answer()) as there:
        guard = Guard(parse_allowed("127.0.0.0/8"), lambda host, port: ["127.0.0.77", "127.0.0.1"])
        client = Outbound(guard, QUICK)
        assert client.request("GET", f"http://lrs.example:{there.port}/").body == b"here"
        client.close()


def test_connection_is_kept_when_more_is_asked(outbound: Make) -> None:
    with serving(answer()) as there:
        client = outbound(there.port)
        for _ in range(3):
            client.request("GET", f"http://lrs.example:{there.port}/")
        assert (len(there.asked), there.connections) == (3, 1)


def test_proxies_and_passwords_of_the_environment_are_not_used(
    outbound: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine lrs.example login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(answer()) as there:
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")
    assert "authorization" not in there.asked[0].headers


# Redirects


def leading_to(url: str, status: int = 302) -> Handle:
    return answer(status, b"", {"Location": url})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed_with_credentials_when_it_stays_with_the_host(
    outbound: Make, status: int
) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        (leading_to("../b?x=1", status) if request.path == "/a/c" else answer())(request)

    with serving(handle) as there:
        url = f"http://lrs.example:{there.port}/a/c"
        got = outbound(there.port).request("GET", url, {"Authorization": "Basic x"})
    assert (got.status, got.url) == (200, f"http://lrs.example:{there.port}/b?x=1")
    assert [one.headers["authorization"] for one in there.asked] == ["Basic x", "Basic x"]


def test_credentials_stay_behind_when_a_redirect_leads_to_another_host(outbound: Make) -> None:
    with serving(answer()) as other, serving(leading_to(f"http://other.example:{other.port}/")) as there:
        sent = {"Authorization": "Basic x", "X-Api-Key": "y", "Cookie": "z", "Accept": "text/plain"}
        outbound(there.port, other.port).request("GET", f"http://lrs.example:{there.port}/", sent)
    assert not {"authorization", "x-api-key", "cookie"} & set(other.asked[0].headers)
    assert other.asked[0].headers["accept"] == "text/plain"
    assert other.asked[0].headers["host"] == f"other.example:{other.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "inner.example", "[::1]", "2130706433", "user:x@lrs.example"])
def test_redirect_is_refused_when_it_leads_to_a_private_address(outbound: Make, host: str) -> None:
    with serving(answer()) as inner, serving(leading_to(f"http://{host}:{inner.port}/")) as there:
        client = outbound(there.port)
        with pytest.raises(OutboundRefused):
            client.request("GET", f"http://lrs.example:{there.port}/")
    assert inner.connections == 0


def test_redirect_is_refused_when_it_leads_to_another_scheme(outbound: Make) -> None:
    with serving(leading_to("file:///etc/passwd")) as there, pytest.raises(OutboundRefused):
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")


def test_redirects_end_when_they_go_in_a_circle(outbound: Make) -> None:
    with serving(leading_to("/")) as there, pytest.raises(OutboundRefused):
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")
    assert len(there.asked) == 1 + QUICK.max_redirects


def test_redirect_is_the_answer_when_it_is_not_to_be_followed(outbound: Make) -> None:
    with serving(leading_to("/other", 307)) as there:
        url, client = f"http://lrs.example:{there.port}/", outbound(there.port)
        assert client.request("GET", url, follow_redirects=False).status == 307
        assert client.request("POST", url, body=b"x").status == 307
    assert len(there.asked) == 2


# Time and size


def dripping(head: bytes, part: bytes) -> Handle:
    """Sends a head, then a part ten times a second, for ever."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        while True:
            request.wfile.write(part)
            request.wfile.flush()
            time.sleep(0.1)

    return handle


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
@pytest.mark.parametrize("secure", [False, True])
def test_time_is_over_when_a_server_sends_a_little_now_and_then(
    outbound: Make, tmp_path: Path, head: bytes, part: bytes, secure: bool
) -> None:
    certificate = write_certificate(tmp_path, "lrs.example") if secure else None
    with serving(dripping(head, part), certificate) as there:
        client = outbound(there.port, verify=write_authority(tmp_path))
        with pytest.raises(OutboundUnavailable, match="too long") as caught:
            client.request("GET", f"http{'s' if secure else ''}://lrs.example:{there.port}/")
    assert caught.value.transient


def test_time_is_over_when_a_server_says_nothing(outbound: Make) -> None:
    given_up = threading.Event()
    with serving(lambda request: given_up.wait(30)) as there:
        with pytest.raises(OutboundUnavailable, match="too long"):
            outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")
        given_up.set()


def test_time_is_over_when_a_server_never_answers_the_handshake(outbound: Make, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(OutboundUnavailable):
            outbound(port, verify=write_authority(tmp_path)).request("GET", f"https://lrs.example:{port}/")


@pytest.mark.parametrize("secure", [False, True])
def test_time_is_over_when_a_server_reads_a_little_now_and_then(
    outbound: Make, tmp_path: Path, secure: bool
) -> None:
    whole, read = 100_000_000, []

    def handle(request: BaseHTTPRequestHandler) -> None:
        while part := request.rfile.read(65_536):
            read.append(len(part))
            time.sleep(0.05)

    certificate = write_certificate(tmp_path, "lrs.example") if secure else None
    with serving(handle, certificate, read_body=False) as there:
        client = outbound(there.port, verify=write_authority(tmp_path))
        with pytest.raises(OutboundUnavailable):
            client.request(
                "POST", f"http{'s' if secure else ''}://lrs.example:{there.port}/", body=bytes(whole)
            )
    assert 0 < sum(read) < whole


def test_time_counts_every_redirect(outbound: Make) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.4)
        leading_to("/")(request)

    with serving(handle) as there, pytest.raises(OutboundUnavailable, match="too long"):
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")
    assert len(there.asked) <= 3


@pytest.mark.parametrize("chunked", [False, True])
def test_body_is_given_up_when_it_does_not_end(outbound: Make, chunked: bool) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        request.wfile.write(b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"\r\n")
        while True:
            request.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with serving(handle) as there, pytest.raises(OutboundTooLarge):
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")


def test_body_is_measured_unpacked_when_it_is_packed(outbound: Make) -> None:
    small, large = gzip.compress(b"x" * QUICK.max_bytes), gzip.compress(b"x" * (QUICK.max_bytes + 1))
    with serving(answer(200, small, {"Content-Encoding": "gzip"})) as there:
        got = outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")
        assert got.body == b"x" * QUICK.max_bytes
    with serving(answer(200, large, {"Content-Encoding": "gzip"})) as there, pytest.raises(OutboundTooLarge):
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\nno",
    ],
)
def test_failure_is_ours_and_transient_when_an_answer_is_broken(outbound: Make, sent: bytes) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(sent)
        request.close_connection = True

    with serving(handle) as there, pytest.raises(OutboundUnavailable) as caught:
        outbound(there.port).request("GET", f"http://lrs.example:{there.port}/secret?token=1")
    assert "secret" not in caught.value.detail
    assert "token" not in caught.value.detail


def test_failure_is_transient_when_nobody_listens(outbound: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OutboundUnavailable, match="does not take connections"):
            outbound(port).request("GET", f"http://lrs.example:{port}/")


def test_many_threads_get_their_own_answers(outbound: Make) -> None:
    def echo(request: BaseHTTPRequestHandler) -> None:
        answer(200, request.path.encode())(request)

    with serving(echo) as there:
        client, got = outbound(there.port), []

        def ask(number: int) -> None:
            url = f"http://lrs.example:{there.port}/{number}"
            got.extend((number, client.request("GET", url).body) for _ in range(10))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(got) == 80
    assert all(body == f"/{number}".encode() for number, body in got)


# TLS


def test_name_is_verified_when_the_connection_goes_to_its_address(outbound: Make, tmp_path: Path) -> None:
    with serving(answer(), write_certificate(tmp_path, "lrs.example")) as there:
        client = outbound(there.port, verify=write_authority(tmp_path))
        assert client.request("GET", f"https://lrs.example:{there.port}/").body == b"here"
        for other in ("other.example", "127.0.0.1"):
            with pytest.raises(OutboundUntrusted):
                client.request("GET", f"https://{other}:{there.port}/")
    assert len(there.asked) == 1


def test_certificate_is_refused_when_its_authority_is_unknown(outbound: Make, tmp_path: Path) -> None:
    with serving(answer(), write_certificate(tmp_path, "lrs.example")) as there:
        client = outbound(there.port)
        with pytest.raises(OutboundUntrusted) as caught:
            client.request("GET", f"https://lrs.example:{there.port}/")
    assert not caught.value.transient
    assert not there.asked


def test_redirect_is_refused_when_it_leads_from_https_to_http(outbound: Make, tmp_path: Path) -> None:
    with serving(answer()) as plain:
        away = leading_to(f"http://lrs.example:{plain.port}/")
        with serving(away, write_certificate(tmp_path, "lrs.example")) as there:
            client = outbound(there.port, plain.port, verify=write_authority(tmp_path))
            with pytest.raises(OutboundRefused, match="https to http"):
                client.request("GET", f"https://lrs.example:{there.port}/")
    assert not plain.asked


def test_failure_is_ours_when_a_server_speaks_no_tls(outbound: Make, tmp_path: Path) -> None:
    with serving(answer()) as there, pytest.raises(OutboundError):
        outbound(there.port, verify=write_authority(tmp_path)).request(
            "GET", f"https://lrs.example:{there.port}/"
        )
