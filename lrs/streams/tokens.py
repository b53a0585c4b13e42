"""Positions in the log as others see them: opaque, bound to their institution, good for ever.

A token gives no right of its own; one of another institution is as unknown as a made-up one.
"""

import base64
import binascii
import hashlib
import hmac

from lrs.access.handles import InstitutionId
from lrs.errors import InvalidParameter, Problem

_DIGEST = 16
_POSITION = 8
_PERSON = b"log-position"


class PositionTokens:
    """Writes and reads the tokens of one instance."""

    def __init__(self, instance_key: bytes) -> None:
        """Take the instance's key, which is kept with the store."""
        self._key = instance_key

    def encode(self, institution_id: InstitutionId, position: int) -> str:
        """Return the token of a position; the same position has the same token always."""
        payload = position.to_bytes(_POSITION, "big")
        return base64.urlsafe_b64encode(self._digest(institution_id, payload) + payload).decode()

    def decode(self, institution_id: InstitutionId, token: str) -> int:
        """Read a token of this institution.

        Raises:
            InvalidParameter: It is cut, changed, made up or another institution's.
        """
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        digest, payload = raw[:_DIGEST], raw[_DIGEST:]
        expected = self._digest(institution_id, payload)
        if len(payload) != _POSITION or not hmac.compare_digest(digest, expected):
            message = "This position is not one of ours; begin without one, at the start of the log."
            raise InvalidParameter(message, [Problem("after", "parameter.position", message)])
        return int.from_bytes(payload, "big")

    def _digest(self, institution_id: InstitutionId, payload: bytes) -> bytes:
        text = institution_id.encode() + b"\0" + payload
        return hashlib.blake2b(text, digest_size=_DIGEST, key=self._key, person=_PERSON).digest()
