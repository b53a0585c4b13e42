"""How a webhook proves who sent it: HMAC-SHA-256 over id, timestamp and body.

Spec: Standard Webhooks 1.0.0 (webhook-id, webhook-timestamp, webhook-signature).
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with


def make_secret(random: bytes) -> str:
    """Write random bytes as a webhook's secret."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def signature_headers(secrets: Sequence[str], message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """Sign a body with every secret that is good; the receiver needs to know one of them.

    Args:
        secrets: As ``make_secret`` wrote them, newest first.
        message_id: The same each time that the same is sent.
        seconds: Now, since 1970; a receiver refuses what is old, so that nothing can be played again.
        body: What is signed.
    """
    signed = f"{message_id}.{seconds}.".encode() + body
    signatures = [_sign(base64.b64decode(one.removeprefix(SECRET_PREFIX)), signed) for one in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def _sign(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
