"""The public keys of trusted issuers: fetched, kept for a while, fetched anew when they change.

Each process keeps its own. An issuer that is away does no harm for a day; a flood of tokens
with unknown keys asks it twice a minute at most.

Spec: OpenID Connect Discovery 4; RFC 7517.
"""

import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from lrs.access.model import Issuer
from lrs.access.tokens import PublicKey, find_key, read_keys
from lrs.clock import Clock
from lrs.errors import OutboundError, OutboundUnavailable
from lrs.outbound import Outbound
from lrs.outbound.model import OutboundLimits

_SECOND_US = 1_000_000
FRESH_US = 3600 * _SECOND_US
"""So old may keys become before they are fetched anew."""
KEPT_US = 86_400 * _SECOND_US
"""So old may they become while their issuer is away."""
PAUSE_US = 30 * _SECOND_US
"""Between two attempts to fetch from one issuer."""

_PATIENCE_SECONDS = 3.0
_LIMITS = OutboundLimits(connect_seconds=3, read_seconds=5, total_seconds=8, max_bytes=512 * 1024)
_DISCOVERY = "/.well-known/openid-configuration"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    """The keys of one issuer, as of ``fetched_us``; None before there were any."""

    keys: Sequence[PublicKey] = ()
    fetched_us: int | None = None
    tried_us: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def younger_than(self, age_us: int, now: int) -> bool:
        return self.fetched_us is not None and now - self.fetched_us < age_us

    def may_try(self, now: int) -> bool:
        """Tell whether the pause is over; a clock that was set back ends it."""
        return self.tried_us is None or not 0 <= now - self.tried_us < PAUSE_US


class KeySets:
    """Finds the keys with which issuers sign. Safe for threads.

    Args:
        outbound: Fetches.
        clock: Now.
    """

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        """Nothing is known yet."""
        self._outbound = outbound
        self._clock = clock
        self._kept: dict[tuple[str, str | None], _Kept] = {}

    def find(self, issuer: Issuer, key_id: str | None, algorithm: str) -> PublicKey | None:
        """Return the issuer's key of that id, fit for the algorithm, or None.

        Raises:
            OutboundUnavailable: No keys of the issuer are known, and none can be had now.
        """
        kept, now = self._kept.setdefault((issuer.url, issuer.jwks_url), _Kept()), self._clock()
        found = find_key(kept.keys, key_id, algorithm) if kept.younger_than(KEPT_US, now) else None
        if found is None or not kept.younger_than(FRESH_US, now):
            # Who holds a key that will do does not wait for whoever is fetching.
            self._refresh(issuer, kept, 0 if found else _PATIENCE_SECONDS)
            found = find_key(kept.keys, key_id, algorithm)
        if not kept.younger_than(KEPT_US, now):
            raise OutboundUnavailable("The keys of the token's issuer cannot be fetched now.")
        return found

    def _refresh(self, issuer: Issuer, kept: _Kept, patience_seconds: float) -> None:
        if not kept.lock.acquire(timeout=patience_seconds):
            return
        now = self._clock()
        try:
            if kept.may_try(now):
                kept.tried_us = now
                kept.keys, kept.fetched_us = self._fetch(issuer), now
        except OutboundError as error:
            _log.warning("The keys of issuer %s cannot be fetched: %s", issuer.id, error.detail)
        finally:
            kept.lock.release()

    def _fetch(self, issuer: Issuer) -> Sequence[PublicKey]:
        url = issuer.jwks_url or self._discover(issuer)
        try:
            keys = read_keys(self._get(url))
        except ValueError as error:
            raise OutboundUnavailable("What should be its keys is no JWK Set.") from error
        if not keys:
            raise OutboundUnavailable("None of its keys can be used.")
        return keys

    def _discover(self, issuer: Issuer) -> str:
        """Ask the issuer where its keys are.

        Spec: OpenID Connect Discovery 4.3 (the document must name the issuer itself).
        """
        document = self._get(issuer.url.rstrip("/") + _DISCOVERY)
        found = document.get("jwks_uri") if isinstance(document, dict) else None
        if not isinstance(found, str) or document.get("issuer") != issuer.url:
            raise OutboundUnavailable("Its discovery document is another issuer's, or names no keys.")
        if urlsplit(issuer.url).scheme == "https" and urlsplit(found).scheme != "https":
            raise OutboundUnavailable("Its discovery document names keys that are not under https.")
        return found

    def _get(self, url: str) -> Any:
        answer = self._outbound.request("GET", url, {"Accept": "application/json"}, limits=_LIMITS)
        if answer.status != HTTPStatus.OK:
            raise OutboundUnavailable(f"It answered {answer.status}.")
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise OutboundUnavailable("It answered no JSON.") from error
