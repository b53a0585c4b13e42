"""Secrets that must be read again: encrypted at rest under a key that lies in a file.

The file holds one key a line (32 random bytes, base 64). The first one encrypts, each
decrypts: put a new one in front to change keys. What is sealed names its key and is bound
to what it is about, so that it opens nowhere else. AES-256-GCM.
"""

import base64
import binascii
import hashlib
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lrs.errors import ConfigError, CorruptRecord

_VERSION = b"\x01"
_NAME = 4
_NONCE = 12
_KEY = 32
_MODE = 0o600

_log = logging.getLogger(__name__)


class SecretBox:
    """Seals and opens the secrets of one instance; the key is read when it is first needed.

    Args:
        path: The file of keys; None where none is named and none may be made.
        make: Whether it is made where it is missing.
        random_bytes: ``os.urandom`` outside tests.
    """

    def __init__(self, path: Path | None, *, make: bool, random_bytes: Callable[[int], bytes]) -> None:
        """Read nothing yet."""
        self._path = path
        self._make = make
        self._random_bytes = random_bytes
        self._keys: list[bytes] = []

    def seal(self, secret: bytes, about: str) -> str:
        """Encrypt a secret.

        Args:
            secret: What must be read again.
            about: What it belongs to; needed to open it.

        Raises:
            ConfigError: There is no key, or the file holds none.
        """
        key = self._all_keys()[0]
        nonce = self._random_bytes(_NONCE)
        sealed = _VERSION + _name(key) + nonce + AESGCM(key).encrypt(nonce, secret, about.encode())
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str, about: str) -> bytes:
        """Decrypt what was sealed.

        Raises:
            ConfigError: It was sealed under a key that the file does not hold.
            CorruptRecord: It was changed, or belongs to something else.
        """
        raw = base64.b64decode(sealed)
        name, rest = raw[1 : 1 + _NAME], raw[1 + _NAME :]
        key = next((key for key in self._all_keys() if _name(key) == name), None)
        if key is None or raw[:1] != _VERSION:
            raise ConfigError("LRS_SECRET_KEY_FILE does not hold the key that a secret was encrypted under.")
        try:
            return AESGCM(key).decrypt(rest[:_NONCE], rest[_NONCE:], about.encode())
        except InvalidTag as error:
            raise CorruptRecord("An encrypted secret was changed, or belongs to something else.") from error

    def _all_keys(self) -> list[bytes]:
        if not self._keys:
            self._keys = self._read()
        return self._keys

    def _read(self) -> list[bytes]:
        if self._path is None:
            raise ConfigError(
                "Name a file in LRS_SECRET_KEY_FILE: a secret is to be encrypted under its key."
            )
        if self._make:
            self._make_file(self._path)
        try:
            text = self._path.read_text(encoding="ascii")
            keys = [base64.b64decode(line, validate=True) for line in text.split()]
        except (OSError, ValueError, binascii.Error) as error:
            raise ConfigError(f"The file of LRS_SECRET_KEY_FILE cannot be read: {error}.") from error
        if not keys or any(len(key) != _KEY for key in keys):
            raise ConfigError("The file of LRS_SECRET_KEY_FILE must hold 32 bytes in base 64 on each line.")
        if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            _log.warning("the file of LRS_SECRET_KEY_FILE can be read by others than its owner: chmod 600")
        return keys

    def _make_file(self, path: Path) -> None:
        """Make the file unless it is there; of several who do it at once, one does."""
        if path.exists():
            return
        new = path.with_name(f"{path.name}.{self._random_bytes(6).hex()}")
        line = base64.b64encode(self._random_bytes(_KEY)) + b"\n"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
            os.link(new, path)
        except FileExistsError:
            return
        finally:
            os.close(descriptor)
            new.unlink()
        _log.warning(
            "made %s, the key of encrypted secrets: no backup of the store holds it; keep a copy", path
        )


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"lrs secret key" + key).digest()[:_NAME]
