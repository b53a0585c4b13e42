"""Positions in the log as others see them: opaque, bound to their institution, good for ever.

A token gives no right of its own; one of another institution is as unknown as a made-up one.
What is inside is hidden: an engine may count positions over all institutions, and how fast they
grow would tell each of them how busy the others are.
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
_HIDING = b"log-hiding"


class PositionTokens:
    """Writes and reads the tokens of one instance."""

    def __init__(self, instance_key: bytes) -> None:
        """Take the instance's key, which is kept with the store."""
        self._key = instance_key

    def encode(self, institution_id: InstitutionId, position: int) -> str:
        """Return the token of a position; the same position has the same token always."""
        payload = position.to_bytes(_POSITION, "big")
        digest = self._digest(institution_id, payload)
        return base64.urlsafe_b64encode(digest + self._hide(payload, digest)).decode()

    def decode(self, institution_id: InstitutionId, token: str) -> int:
        """Read a token of this institution.

        Raises:
            InvalidParameter: It is cut, changed, made up or another institution's.
        """
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        digest, hidden = raw[:_DIGEST], raw[_DIGEST:]
        if len(hidden) == _POSITION:
            # What was given out before positions were hidden stays good.
            for payload in (self._hide(hidden, digest), hidden):
                if hmac.compare_digest(digest, self._digest(institution_id, payload)):
                    return int.from_bytes(payload, "big")
        message = "This position is not one of ours; begin without one, at the start of the log."
        raise InvalidParameter(message, [Problem("after", "parameter.position", message)])

    def _hide(self, payload: bytes, digest: bytes) -> bytes:
        """Hide a position, or show it again; no two digests hide alike."""
        mask = hashlib.blake2b(digest, digest_size=_POSITION, key=self._key, person=_HIDING).digest()
        return bytes(one ^ other for one, other in zip(payload, mask, strict=True))

    def _digest(self, institution_id: InstitutionId, payload: bytes) -> bytes:
        text = institution_id.encode() + b"\0" + payload
        return hashlib.blake2b(text, digest_size=_DIGEST, key=self._key, person=_PERSON).digest()
