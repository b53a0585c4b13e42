"""The only door to other hosts: whom it opens to, how long it waits, how much it takes.

Rooms are handed an ``Outbound`` and import nothing else that reaches out. It goes only to
public addresses, but for what an operator allows, and follows redirects by hand, each
through the same guard. It knows no proxy and no password file of the process's environment.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urljoin

from lrs import __version__
from lrs.errors import OutboundRefused, OutboundUnavailable
from lrs.outbound.guard import Guard, Target
from lrs.outbound.model import Answer, OutboundLimits
from lrs.outbound.transport import NotConnected, Transport

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_FOR_EVERYBODY = frozenset(
    {"accept", "accept-encoding", "accept-language", "user-agent", "x-experience-api-version"}
)
"""Headers that another host may see after a redirect; every other may be a credential."""


class Outbound:
    """Asks other systems. Safe for threads; connections are kept for the next request.

    Args:
        guard: Decides where it may go.
        limits: Of every request that brings none of its own.
        verify: A file or folder of certificate authorities in place of the usual ones.
    """

    def __init__(
        self,
        guard: Guard,
        limits: OutboundLimits | None = None,
        verify: str | None = None,
    ) -> None:
        """Connect to nothing yet."""
        self._guard = guard
        self._limits = limits or OutboundLimits()
        self._transport = Transport(verify)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        limits: OutboundLimits | None = None,
        follow_redirects: bool = True,
    ) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        Nothing is tried again here; ``lrs.outbound.retry`` says when that is of use.

        Args:
            method: Upper case.
            url: http or https; sent as it is, without its fragment.
            headers: Sent along; Host and User-Agent are ours.
            body: The bytes to send.
            limits: In place of the usual ones.
            follow_redirects: Whether a GET or HEAD goes where it is sent on to. Other methods
                are never sent on: their redirect is the answer.

        Raises:
            OutboundRefused: The URL, or one that it redirects to, is none to go to.
            OutboundUnavailable: Not reached, too slow, or broken off (transient).
            OutboundUntrusted: The certificate is not good for the host's name.
            OutboundTooLarge: The answer passes the limit.
        """
        asked = limits or self._limits
        deadline = time.monotonic() + asked.total_seconds
        sent = {"Accept-Encoding": "gzip", **(headers or {}), "User-Agent": f"lrs/{__version__}"}
        target = self._guard.check(url)
        followed = 0
        while True:
            answer = self._ask(target, method, sent, body, asked, deadline)
            if not (follow_redirects and method in {"GET", "HEAD"} and _leads_on(answer)):
                return answer
            followed += 1
            if followed > asked.max_redirects:
                raise OutboundRefused(f"{target.host} redirects more than {asked.max_redirects} times.")
            after = self._guard.check(urljoin(target.url, answer.headers["Location"]))
            sent = _headers_for(target, after, sent)
            target = after

    def _ask(
        self,
        target: Target,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: OutboundLimits,
        deadline: float,
    ) -> Answer:
        """Ask the first of a host's addresses that takes a connection."""
        for address in target.addresses:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            bounds = replace(limits, total_seconds=left)
            try:
                return self._transport.exchange(target, address, method, headers, body, bounds)
            except NotConnected:
                continue
        if deadline <= time.monotonic():
            raise OutboundUnavailable(f"{target.host} took too long to answer.")
        raise OutboundUnavailable(f"{target.host} does not take connections.")

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()


def _leads_on(answer: Answer) -> bool:
    return answer.status in _REDIRECTS and "Location" in answer.headers


def _headers_for(before: Target, after: Target, sent: Mapping[str, str]) -> dict[str, str]:
    """Return what goes along to where a redirect leads: to another host no credentials.

    Raises:
        OutboundRefused: It leads from https to http.
    """
    if before.scheme == "https" and after.scheme == "http":
        raise OutboundRefused(f"{before.host} redirects from https to http.")
    if before.origin == after.origin:
        return dict(sent)
    return {name: value for name, value in sent.items() if name.lower() in _FOR_EVERYBODY}
