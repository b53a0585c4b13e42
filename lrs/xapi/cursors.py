"""``more`` links: opaque, bound to their institution, good for as long as the store lives.

A token holds the page's parameters and the position to continue behind, and a keyed
digest over both and the institution. It gives no right of its own: whoever follows it is
authorised as for any page; a token of another institution is as unknown as a made-up one.
The position is hidden: an engine may count it over all institutions, and how fast it grows
would tell each of them how busy the others are.

Spec: xAPI 1.0.3 Data 2.5 (StatementResult, more).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from lrs.access.handles import InstitutionId
from lrs.errors import InvalidParameter, Problem
from lrs.xapi.ports import Position
from lrs.xapi.query import decode_given, encode_given

_DIGEST = 16
_POSITION = 8
_PERSON = b"more-link"
_HIDING = b"more-position"


class Cursors:
    """Writes and reads the tokens of one instance."""

    def __init__(self, instance_key: bytes) -> None:
        """Take the instance's key, which is kept with the store."""
        self._key = instance_key

    def encode(self, institution_id: InstitutionId, given: Mapping[str, str], after: Position) -> str:
        """Return the token of the page that follows a position."""
        position, text = after.to_bytes(_POSITION, "big"), encode_given(given)
        digest = self._digest(institution_id, position + text)
        token = digest + self._hide(position, digest) + text
        return base64.urlsafe_b64encode(token).rstrip(b"=").decode()

    def decode(self, institution_id: InstitutionId, token: str) -> tuple[dict[str, str], Position]:
        """Read a token of this institution.

        Raises:
            InvalidParameter: It is cut, changed, made up or another institution's.
        """
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        digest, hidden, text = raw[:_DIGEST], raw[_DIGEST:][:_POSITION], raw[_DIGEST + _POSITION :]
        payload = self._hide(hidden, digest) + text
        good = len(payload) > _POSITION and hmac.compare_digest(digest, self._digest(institution_id, payload))
        if not good:
            message = "This more link is not one of ours; begin again with the first page."
            raise InvalidParameter(
                message, [Problem("more", "parameter.more", message, "xAPI 1.0.3 Data 2.5")]
            )
        return decode_given(payload[_POSITION:]), Position(int.from_bytes(payload[:_POSITION], "big"))

    def _hide(self, position: bytes, digest: bytes) -> bytes:
        """Hide a position, or show it again; no two digests hide alike."""
        mask = hashlib.blake2b(digest, digest_size=_POSITION, key=self._key, person=_HIDING).digest()
        return bytes(one ^ other for one, other in zip(position, mask, strict=False))

    def _digest(self, institution_id: InstitutionId, payload: bytes) -> bytes:
        text = institution_id.encode() + b"\0" + payload
        return hashlib.blake2b(text, digest_size=_DIGEST, key=self._key, person=_PERSON).digest()
